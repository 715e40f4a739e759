import { beforeEach, expect, test } from "vitest";
import { Families } from "../../../src/kernelview/findings/families.ts";
import { FindingList } from "../../../src/kernelview/findings/findingList.ts";
import type { Sources } from "../../../src/kernelview/look.ts";
import type { Process } from "../../../src/kernelview/processes.ts";
import type { Region } from "../../../src/kernelview/regions.ts";

const page = 0x3fffd11000;
const region = { name: "mapped region", start: page, end: page + 4096, shared: true, family: 3 } as Region;

/** pids whose `mmr` names family 3 at this moment, and those of them that are giving it back. */
let members: readonly number[];
let leaving: readonly number[];
/** Where a process has it, if not at `page`. */
const at = new Map<number, Region>();
let list: FindingList;
let families: Families;

const process = (pid: number) => ({ pid, name: "private", state: "RUNNING", root: 0x80001000 }) as Process;
const sight = (pid: number, frame: number) => families.sight(region, process(pid), page, frame, [], []);

beforeEach(() => {
	members = [];
	leaving = [];
	at.clear();
	list = new FindingList(() => 0);
	const sources = {
		processes: { all: () => [...new Set([...members, ...leaving])].map(process) },
		machine: { instret: 0 },
		regions: { of: ({ pid }: Process) => [at.get(pid) ?? region] },
	} as unknown as Sources;
	families = new Families(sources, list, ({ pid }) => leaving.includes(pid));
});

test("two members of one family on two frames", () => {
	members = [4];
	sight(4, 100);
	// 4 forks 5.
	members = [4, 5];
	families.forgetDead();
	sight(5, 101);
	expect(list.sorted.map(({ id }) => id)).toEqual(["family-frames-differ"]);
	expect(list.sorted[0]?.sentence).toContain("Processes 4 (private) and 5 (private)");
});

test("a family that continues through a child is the same one", () => {
	members = [4];
	sight(4, 100);
	members = [4, 5];
	families.forgetDead();
	members = [5];
	families.forgetDead();
	members = [5, 6];
	families.forgetDead();
	sight(6, 101);
	expect(list.sorted[0]?.sentence).toContain("Processes 4 (private) and 6 (private)");
});

test("a number that was freed and taken again between two looks is another family", () => {
	members = [4];
	sight(4, 100);
	// 4 munmaps, and 9 takes the number in its mmap before 4's munmap returns.
	members = [9];
	families.forgetDead();
	sight(9, 101);
	// 9 munmaps, and 4 takes it again; it forks 10.
	members = [4];
	families.forgetDead();
	members = [4, 10];
	families.forgetDead();
	sight(4, 102);
	expect(list.sorted).toEqual([]);
});

test("who is in the middle of giving a region back is no member, though its region still names the family", () => {
	members = [4];
	sight(4, 100);
	leaving = [4];
	// The mmap of 9 took the number.
	members = [9];
	families.forgetDead();
	sight(9, 101);
	members = [9, 10];
	families.forgetDead();
	sight(10, 101);
	expect(list.sorted).toEqual([]);
});

test("one process on two frames, while another keeps the region", () => {
	members = [4, 5];
	sight(4, 100);
	sight(4, 101);
	expect(list.sorted[0]?.sentence).toMatch(/^Process 4 \(private\) shares .* while process 5 has had the region/);
	expect(list.sorted[0]?.evidence.pids).toEqual([4]);
});

test("nobody told of calls: a process that has the family at another address is in another one of that number", () => {
	members = [4];
	sight(4, 100);
	const next = { ...region, start: page - 4096, end: page };
	at.set(4, next);
	at.set(5, next);
	members = [4, 5];
	families.sight(next, process(4), page - 4096, 101, [], []);
	families.sight(next, process(5), page - 4096, 101, [], []);
	expect(list.sorted).toEqual([]);
});
