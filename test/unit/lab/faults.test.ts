import { expect, test } from "vitest";
import { UserError } from "../../../src/common/errors.ts";
import { checkFileSystem, layoutOf, superBlock } from "../../../src/kernelview/fileSystem.ts";
import { type FaultRun, parseCrash, parseFail, type Sweep } from "../../../src/lab/faults/fault.ts";
import { groupRuns, renderSweep } from "../../../src/lab/faults/report.ts";

test("faults are written kind:N or kind:all", () => {
	expect(parseFail("kalloc:12")).toEqual({ kind: "kalloc", at: 12 });
	expect(parseFail("disk:all")).toEqual({ kind: "disk", at: "all" });
	expect(parseCrash("write:3")).toEqual({ kind: "crash", at: 3 });
	for (const text of [
		"",
		"kalloc",
		"kalloc:",
		"kalloc:0",
		"kalloc:-1",
		"kalloc:1e3",
		"write:1",
		"kalloc:all:1",
		"malloc:1",
	])
		expect(() => parseFail(text), text).toThrow(UserError);
	expect(() => parseCrash("kalloc:1")).toThrow(UserError);
});

const run = (at: number, more: Partial<FaultRun> = {}): FaultRun => ({
	at,
	outcome: "failed",
	what: `${at} frames lost`,
	diagnoses: [],
	facts: [],
	calls: [{ name: "uvmcopy", file: "kernel/vm.c", line: 9, address: "0x80000000" }],
	...more,
});

test("runs with one cause are one group; another place or outcome is another", () => {
	const handled = { outcome: "handled", what: "handled" } as const;
	const elsewhere = { calls: [{ name: "walk", file: "kernel/vm.c", line: 1, address: "0x80000004" }] };
	const runs = [run(1, handled), run(2), run(3), run(5), run(6, handled), run(7, elsewhere)];
	const made: Sweep = { fault: { kind: "kalloc", at: "all" }, command: "echo", total: 7, runs, notes: ["a note"] };
	expect(groupRuns(runs).map((group) => group.runs.map(({ at }) => at))).toEqual([[1, 6], [2, 3, 5], [7]]);
	const text = renderSweep(made);
	expect(text).toContain("echo: kalloc returns 0, 7 calls, 6 tried");
	expect(text).toContain("ok   2 handled");
	expect(text).toContain("FAIL calls 2, 3 and 5: 2 frames lost");
	expect(text).toContain("       uvmcopy (kernel/vm.c:9)");
	expect(text).toContain("note: a note");
});

test("any bytes are checked for a file system without an error", () => {
	expect(superBlock(new Uint8Array(10))).toBeUndefined();
	expect(checkFileSystem(new Uint8Array(4096))).toEqual(["there is no xv6 file system"]);
	const image = new Uint8Array(64 * 1024);
	const words = new DataView(image.buffer);
	[0x10203040, 64, 0, 200, 30, 2, 32, 45].forEach((word, i) => {
		words.setUint32(1024 + 4 * i, word, true);
	});
	expect(superBlock(image)?.size).toBe(64);
	for (let at = 32 * 1024; at < 46 * 1024; at += 3) image[at] = (at * 7) & 0xff;
	expect(checkFileSystem(image).length).toBeGreaterThan(10);
	expect(layoutOf(image)).toBeUndefined();
});
