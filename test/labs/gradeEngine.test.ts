import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { utf8 } from "../../src/common/bytes.ts";
import { cacheFolder } from "../../src/env/node/cacheFolder.ts";
import { enginesClosed, startNodeEngine } from "../../src/env/node/engineProcess.ts";
import type { Verdict } from "../../src/protocol/verdict.ts";
import { catalog, repository } from "../support/lab.ts";

const engine = startNodeEngine(join(repository, "dist"), cacheFolder());
afterAll(async () => {
	engine.dispose();
	await enginesClosed();
});

const script = `from gradelib import *

r = Runner(save("xv6.out"))

@test(10, "echo")
def test_echo():
    r.run_qemu(shell_script(['echo hello']))
    r.match('^hello$')

@test(5, "its end", parent=test_echo)
def test_end():
    r.match('^bye$')

@test(0, "for ever")
def test_loop():
    r.run_qemu(shell_script(['cat']), timeout=2000)

run_tests()
`;

test("the engine tells a tree's grade script as its lab, runs its tests, and gives up a run that is cancelled", async () => {
	const files = await catalog.workspace(undefined);
	files.set("grade-lab-own", utf8(script));
	const changed = [...files].map(([path, bytes]) => ({ path, bytes }));
	const tree = await engine.request("sync", { changed, removed: [] });
	expect(tree.recognised).toBe("Graded by grade-lab-own: 3 tests, 15 points");
	expect(tree.lab?.tests.map(({ id, task, title, grade }) => [id, task, title, grade])).toEqual([
		["grade-lab-own: echo", "grade-lab-own", "echo", { points: 10, file: "grade-lab-own", line: 5 }],
		[
			"grade-lab-own: its end",
			"grade-lab-own",
			"its end",
			{ points: 5, file: "grade-lab-own", line: 10, parent: "grade-lab-own: echo" },
		],
		["grade-lab-own: for ever", "grade-lab-own", "for ever", { points: 0, file: "grade-lab-own", line: 14 }],
	]);
	expect((await engine.request("build", { toolchain: "bundled" })).ok).toBe(true);
	const verdicts: Verdict[] = [];
	const started: string[] = [];
	let console = "";
	engine.on("verdict", (verdict) => verdicts.push(verdict));
	engine.on("testStarted", (event) => started.push(event.test));
	engine.on("testOutput", ({ bytes }) => {
		console += new TextDecoder().decode(bytes);
	});
	const tests = ["grade-lab-own: echo", "grade-lab-own: its end"];
	const machine = { translator: true };
	expect(await engine.request("runTests", { tests, seeds: [0], machine })).toEqual({ passed: 1, failed: 1 });
	expect(started).toEqual(tests);
	expect(console).toContain("$ echo hello\nhello\n");
	expect(verdicts.map(({ test, outcome, points }) => [test, outcome, points])).toEqual([
		[tests[0], "passed", { got: 10, of: 10 }],
		[tests[1], "failed", { got: 0, of: 5 }],
	]);
	expect(verdicts[1]?.reasons.at(0)).toEqual({ kind: "grade", message: "MISSING '^bye$'" });

	const endless = engine.request("runTests", { tests: ["grade-lab-own: for ever"], seeds: [0], machine });
	await new Promise<void>((resolve) => {
		const begun = engine.on("testOutput", () => {
			begun.dispose();
			resolve();
		});
	});
	await engine.request("cancel", undefined);
	await expect(endless).rejects.toMatchObject({ code: "cancelled" });
	// The tree is edited: its tests are those of the new text.
	const edited = utf8(script.replace('@test(0, "for ever")', '@test(2, "for ever")'));
	const again = await engine.request("sync", { changed: [{ path: "grade-lab-own", bytes: edited }], removed: [] });
	expect(again.recognised).toBe("Graded by grade-lab-own: 3 tests, 17 points");
});
