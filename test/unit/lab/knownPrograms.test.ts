import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { utf8 } from "../../../src/common/bytes.ts";
import { MemoryTree } from "../../../src/common/sourceTree.ts";
import { NodeTree } from "../../../src/env/node/sourceTree.ts";
import { LabCatalog } from "../../../src/lab/catalog.ts";
import { judgeKnown, parseKnownPrograms } from "../../../src/lab/knownPrograms.ts";

const file = "labs/known-programs.json";
const programs = parseKnownPrograms(readFileSync(file, "utf8"), file);
const state = (command: string, output: string, elf?: string) =>
	judgeKnown(programs, command, output, elf === undefined ? undefined : utf8(elf))?.state;

test("a known program's own words decide, the failures first", () => {
	expect(state("cowtest", "simple: ok\nALL COW TESTS PASSED\n")).toBe("passed");
	expect(state("cowtest", "simple: ok\nerror: read the wrong value\n")).toBe("failed");
	expect(state("usertests -q", "test mem: OK\nALL TESTS PASSED\n")).toBe("passed");
	expect(state("usertests", "test mem: FAILED\nSOME TESTS FAILED\n")).toBe("failed");
	expect(state("mmaptest", "mmaptest: all tests succeeded\n", "mmaptest: all tests succeeded")).toBe("passed");
	expect(state("rwlktest", "rwlktest: 4/4 CPUs succeeded\n")).toBe("passed");
	expect(state("bttest", "0x00000000800021b2\n0x000000008000201a\n0x0000000080001d42\n")).toBe("passed");
});

test("an older age of a program need not say what it does not have", () => {
	const old = "test0 passed\n...test1 passed\ntest2 passed\n";
	expect(state("alarmtest", old, "test0 passed test1 passed test2 passed")).toBe("passed");
	expect(state("alarmtest", old, "test0 passed test1 passed test2 passed test3 passed")).toBe("unknown");
	expect(state("alarmtest", "test0 passed\n.\ntest1 failed: too few calls to the handler\n")).toBe("failed");
});

test("nothing is said of what is not known, of several programs, and of one that said nothing", () => {
	expect(state("ls", "ALL TESTS PASSED\n")).toBeUndefined();
	expect(state("cowtest | grep x", "ALL COW TESTS PASSED\n")).toBeUndefined();
	expect(state("cowtest", "simple: ok\n")).toBe("unknown");
	expect(state("rwlktest", "rwlktest: 3/4 CPUs succeeded\n")).toBe("unknown");
});

test("a tree's .xv6-lab.json adds programs, and replaces ours", async () => {
	const catalog = new LabCatalog(new NodeTree("."));
	const own = {
		programs: [
			{ name: "mytest", passed: ["^fine$"], failed: ["^bad"] },
			{ name: "cowtest", passed: ["^x$"], failed: [] },
		],
	};
	const tree = (data: object) => new MemoryTree("tree", new Map([[".xv6-lab.json", utf8(JSON.stringify(data))]]));
	const known = await catalog.knownPrograms(tree(own));
	expect(judgeKnown(known, "mytest", "fine\n", undefined)).toEqual({
		state: "passed",
		says: 'mytest passed: it printed "fine"',
	});
	expect(judgeKnown(known, "cowtest", "ALL COW TESTS PASSED\n", undefined)?.state).toBe("unknown");
	await expect(
		catalog.knownPrograms(tree({ programs: [{ name: "x", passed: ["("], failed: [] }] })),
	).rejects.toMatchObject({
		code: "workspace-settings-invalid",
	});
	expect(await catalog.namedIn(tree(own))).toBeUndefined();
});
