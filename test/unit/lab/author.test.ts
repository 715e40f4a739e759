import { expect, test } from "vitest";
import { fromUtf8, utf8 } from "../../../src/common/bytes.ts";
import { below, changedFiles, labProblems, labSkeleton, type ProgramRun, programsOf } from "../../../src/lab/author.ts";
import { parseManifest } from "../../../src/lab/manifest.ts";
import type { Verdict } from "../../../src/protocol/verdict.ts";

const files = (texts: Record<string, string>) =>
	new Map(Object.entries(texts).map(([path, text]) => [path, utf8(text)]));
const starter = files({ Makefile: "UPROGS=\\\n\t$U/_cat\\\n", "kernel/proc.c": "one", "user/cat.c": "cat" });
const solution = files({
	Makefile: "UPROGS=\\\n\t$U/_cat\\\n\t$U/_hello\\\n",
	"kernel/proc.c": "two",
	"user/cat.c": "cat",
	"user/hello.c": "hello",
});
const run = (output: string, ended = true): ProgramRun => ({
	ended,
	output,
	instructions: 5_000_000,
	elf: new Uint8Array(),
});

test("what the solution changes is told by its bytes; programs by the Makefile", () => {
	expect([...changedFiles(starter, solution).keys()]).toEqual(["Makefile", "kernel/proc.c", "user/hello.c"]);
	expect(programsOf(solution)).toEqual(["cat", "hello"]);
});

test("a lab's folder from two trees: tests ask for the lines that only the solution prints", () => {
	const runs = new Map([
		["hello", { solution: run("start\nhello at 0x80001234\nhello\n"), starter: run("start\n") }],
		["same", { solution: run("x\n"), starter: run("x\n") }],
		["hangs", { solution: run("x\n", false), starter: undefined }],
	]);
	const { files: made, notes } = labSkeleton({ id: "my-lab", starter, solution, known: [], runs });
	const manifest = parseManifest(fromUtf8(made.get("lab.json") as Uint8Array), "lab.json");
	expect(manifest.tests).toHaveLength(1);
	expect(manifest.tests[0]).toMatchObject({ program: "hello", expect: { match: "contains", output: "hello" } });
	expect(manifest).toMatchObject({ programs: ["hello"], tasks: [{ start: "kernel/proc.c", solution: "1" }] });
	expect(notes.map((note) => note.split(",")[0])).toEqual(["same: no test", "hangs: no test"]);
	expect([...below(made, "solution/1").keys()]).toEqual(["Makefile", "kernel/proc.c", "user/hello.c"]);
	expect(below(made, "starter")).toEqual(starter);
});

test("what a lab lacks: tests that tell nothing, mutants that nobody sees or explains, failures that nothing shows", () => {
	const { files: made } = labSkeleton({
		...{ id: "my-lab", starter, solution, known: [] },
		runs: new Map([["hello", { solution: run("hello\n"), starter: undefined }]]),
	});
	const manifest = {
		...parseManifest(fromUtf8(made.get("lab.json") as Uint8Array), "lab.json"),
		knownFailures: [{ id: "never", pattern: "x", explanation: "It is never shown by anything." }],
	};
	const verdict = (outcome: Verdict["outcome"], explained = false) =>
		({
			test: "hello",
			outcome,
			reasons: [{ kind: "output", message: "no" }],
			diagnoses: [],
			explanations: explained ? [{ id: "known", text: "" }] : [],
		}) as unknown as Verdict;
	const judged = (name: string, ...verdicts: Verdict[]) => ({ name, verdicts });
	const good = labProblems(
		{ ...manifest, knownFailures: [] },
		judged("starter", verdict("failed")),
		judged("solution", verdict("passed")),
		[judged("a", verdict("failed", true))],
	);
	expect(good).toEqual([]);
	const bad = labProblems(manifest, judged("starter", verdict("passed")), judged("solution", verdict("failed")), [
		judged("unseen", verdict("passed")),
		judged("unexplained", verdict("failed")),
		{ name: "broken", verdicts: { failure: "1 error" } },
	]);
	expect(bad).toEqual([
		"Test hello is failed on the solution: no",
		"Test hello passes on the starter: it tells nothing of the task",
		"Mutant unseen passes every test: no test sees what is wrong with it",
		"Nothing explains mutant unexplained (hello): add a known failure",
		"Mutant broken does not build: 1 error",
		"Known failure never is shown by neither the starter nor a mutant",
	]);
});
