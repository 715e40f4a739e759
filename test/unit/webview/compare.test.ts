import { expect, test } from "vitest";
import type { MomentModel, MomentPage, MomentProcess } from "../../../src/protocol/kernelModel.ts";
import { compareMoments } from "../../../webview/compare.ts";

const page = (address: string, frame: number, permissions = "rw-u", label = "heap"): MomentPage => ({
	address,
	frame,
	permissions,
	label,
});
const process = (pid: number, pages: readonly MomentPage[], change: Partial<MomentProcess> = {}): MomentProcess => ({
	pid,
	name: "p",
	state: "RUNNING",
	parent: 1,
	size: 4096,
	regions: [],
	pages,
	...change,
});
const moment = (...processes: MomentProcess[]): MomentModel => ({ instret: 1, processes });

test("one fault is one row: the page, nothing before, its frame after", () => {
	const before = moment(process(4, [page("0x0", 7)]));
	const after = moment(process(4, [page("0x0", 7), page("0x3fffffd000", 9, "rw-u", "region")], { state: "RUNNABLE" }));
	expect(compareMoments(before, after)).toEqual([
		{ what: "4 p: page 0x3fffffd000 (region)", before: "not mapped", after: "rw-u, frame 9" },
	]);
});

test("a child that fork made is its process and its pages, neighbours that change alike in one row", () => {
	const parent = process(4, [page("0x0", 7)]);
	const child = process(5, [page("0x0", 7), page("0x1000", 8), page("0x2000", 3, "rw--", "guard page")], { parent: 4 });
	expect(compareMoments(moment(parent), moment(parent, child))).toEqual([
		{ what: "process 5 p", before: "not there", after: "p, child of 4, 4 KiB" },
		{ what: "5 p: 2 pages from 0x0 (heap)", before: "not mapped", after: "rw-u, frames 7, 8" },
		{ what: "5 p: page 0x2000 (guard page)", before: "not mapped", after: "rw--, frame 3" },
	]);
});

test("another frame, other rights, a count, and an end are said", () => {
	const region = (refcount: number) => ({ path: "shmem", start: "0x4000000", pages: 1, refcount });
	const before = moment(process(4, [page("0x0", 7, "rwxu")], { regions: [region(2)] }));
	const after = moment(process(4, [page("0x0", 8, "r-xu")], { regions: [region(1)], state: "ZOMBIE" }));
	expect(compareMoments(before, after)).toEqual([
		{ what: "process 4 p", before: "p, child of 1, 4 KiB", after: "p, child of 1, 4 KiB, ended" },
		{ what: "4 p: region shmem", before: "0x4000000, 1 page, count 2", after: "0x4000000, 1 page, count 1" },
		{ what: "4 p: page 0x0 (heap)", before: "rwxu, frame 7", after: "r-xu, frame 8" },
	]);
	expect(compareMoments(before, before)).toEqual([]);
});
