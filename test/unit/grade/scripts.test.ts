import { expect, test } from "vitest";
import { utf8 } from "../../../src/common/bytes.ts";
import { MemoryTree } from "../../../src/common/sourceTree.ts";
import { gradesJson, scoreOf } from "../../../src/grade/score.ts";
import { gradeScripts } from "../../../src/grade/scripts.ts";
import type { GradeResult } from "../../../src/grade/types.ts";

const script = 'from gradelib import *\nx = open("user/nsh.c")\ncheck_answers("answers-cow.txt")\nrun_tests()\n';
const tree = (files: Record<string, string>) =>
	new MemoryTree("tree", new Map(Object.entries(files).map(([path, text]) => [path, utf8(text)])));
const names = async (files: Record<string, string>) => (await gradeScripts(tree(files))).map(({ name }) => name);

test("the script of the lab that the tree is at, whatever others it keeps", async () => {
	const files = { "grade-lab-util": script, "grade-lab-cow": script, "gradelib.py": "" };
	expect(await names({ ...files, "conf/lab.mk": "LAB=cow\n" })).toEqual(["grade-lab-cow"]);
	expect(await names({ ...files, Makefile: "K=kernel\nLAB := util\n" })).toEqual(["grade-lab-util"]);
	expect(await names({ ...files, "conf/lab.mk": "LAB=fs\n" })).toEqual(["grade-lab-cow", "grade-lab-util"]);
});

test("a file that only looks like one is none", async () => {
	expect(await names({ "grade-me.txt": "grades\n", "grade-lab-x.pyc": script, "kernel/grade-lab-y": script })).toEqual(
		[],
	);
});

test("it gets the files that it names, and time.txt", async () => {
	const files = { "user/nsh.c": "int x;", "answers-cow.txt": "yes", "time.txt": "3", "user/sh.c": "int y;" };
	const [found] = await gradeScripts(tree({ ...files, "grade-lab-cow": script }));
	expect([...(found?.files.keys() ?? [])].sort()).toEqual(["answers-cow.txt", "time.txt", "user/nsh.c"]);
});

test("the score leaves out what was not graded; a test that did not run has no points", () => {
	const result = (id: string, outcome: GradeResult["outcome"], points: number): GradeResult => ({
		...{ message: "", output: "", runs: [], diagnoses: [], findings: [], faults: [], stack: [], outcome },
		test: { id, title: id === "b" ? "  b" : id, points },
	});
	const results = [
		result("a", "passed", 5),
		result("b", "failed", 7),
		result("c", "not-graded", 20),
		result("z", "passed", 0),
	];
	const tests = [...results.map(({ test }) => test), { id: "d", title: "d", points: 3 }];
	expect(scoreOf(results, tests)).toEqual({ got: 5, of: 15, notGraded: 20 });
	expect(gradesJson(results, tests)).toBe('{"a":5,"  b":0}\n');
});
