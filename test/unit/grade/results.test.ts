import { expect, test } from "vitest";
import type { Head, Line, Submission, UnitResult } from "../../../src/grade/class/lines.ts";
import { defaultPolicy, parsePolicy } from "../../../src/grade/class/policy.ts";
import { merge, parseResults, serialize } from "../../../src/grade/class/results.ts";
import { compareSample, drawSample } from "../../../src/grade/class/sample.ts";

const tree = "a".repeat(32);
const kernel = "b".repeat(32);
const head: Head = {
	...{ kind: "class", format: 1, lab: "lab", labHash: tree, engine: kernel, policy: defaultPolicy, from: "class" },
};
const submission: Submission = { kind: "submission", student: "s", source: "s.zip", tree, root: ".", notes: [] };
const build: Line = { kind: "build", tree, kernel, says: "the lab's", changed: [], cpuMs: 5 };
const unit = (test: string, more: Partial<UnitResult> = {}): UnitResult => ({
	...{
		kind: "unit",
		kernel,
		test,
		strategy: "run",
		seeds: [0, 0],
		outcome: "passed",
		text: "",
		reason: "",
		mistakes: [],
	},
	...{ seed: 0, harts: 3, command: test, stateHash: "0123456789abcdef", instructions: 5, cpuMs: 7, ...more },
});
const lines: Line[] = [
	head,
	submission,
	build,
	unit("one"),
	unit("two", { outcome: "failed", text: "why — “€”\n", reason: "why" }),
];
const text = (list: readonly Line[]) => list.map((line) => `${serialize(line)}\n`).join("");

test("a file cut at any character is whole lines and nothing else", () => {
	const whole = text(lines);
	for (let end = 0; end <= whole.length; end++) {
		const part = whole.slice(0, end);
		const { results, whole: kept, damaged } = parseResults(part, "r.jsonl");
		expect(damaged).toEqual([]);
		expect(text(results.lines())).toBe(part.slice(0, kept));
	}
});

test("a damaged line is named, and what it said is unknown", () => {
	const broken = text(lines).replace('"test":"one"', '"test":one');
	const { results, damaged } = parseResults(broken, "r.jsonl");
	expect(damaged).toEqual([4]);
	expect([...results.units.values()].map(({ test }) => test)).toEqual(["two"]);
	const other = text(lines).replace('"outcome":"failed"', '"outcome":"perfect"');
	expect(parseResults(other, "r.jsonl").damaged).toEqual([5]);
	expect(() => parseResults("{}\n", "x.json")).toThrow(/x.json is no file of results/);
});

test("shards are merged whatever their order; what contradicts is refused", () => {
	const parse = (file: string, list: readonly Line[]) => ({ file, results: parseResults(text(list), file).results });
	const one = parse("1", [head, submission, build, unit("one", { cpuMs: 99 })]);
	const two = parse("2", [head, build, unit("two"), unit("one")]);
	const merged = merge([one, two]).lines();
	expect(merged.map(({ kind }) => kind)).toEqual(["class", "submission", "build", "unit", "unit"]);
	expect(
		merge([two, one])
			.lines()
			.map((line) => ({ ...line, cpuMs: 0 })),
	).toEqual(merged.map((line) => ({ ...line, cpuMs: 0 })));
	expect(() => merge([one, parse("3", [head, unit("one", { stateHash: "f" })])])).toThrow(
		/1 and 3 differ in test one of kernel b+/,
	);
	expect(() => merge([one, parse("3", [{ ...head, engine: tree }])])).toThrow(/different labs, policies or versions/);
	expect(() => merge([one, parse("3", [head, { ...submission, tree: kernel }])])).toThrow(
		/different submissions of s.zip/,
	);
});

test("builds and units that no submission leads to any more are dropped, and what a limit stopped is forgotten when asked", () => {
	const { results } = parseResults(text(lines), "r");
	results.add({ ...submission, tree: kernel });
	results.prune();
	expect(results.lines().map(({ kind }) => kind)).toEqual(["class", "submission"]);
	const other = parseResults(text([...lines, unit("three", { stopped: true, outcome: "errored" })]), "r").results;
	other.forgetStopped();
	expect([...other.units.values()].map(({ test }) => test)).toEqual(["one", "two"]);
});

test("a verification says what came out otherwise", () => {
	const { results } = parseResults(text(lines), "r");
	const sample = drawSample(results, 1, () => 0.5);
	expect(sample.units.length).toBe(2);
	expect(sample.sources).toEqual(["s.zip"]);
	const again = (list: readonly Line[]) =>
		compareSample(sample, results, parseResults(text([head, ...list]), "r").results);
	expect(again(lines.slice(1))).toEqual([]);
	expect(again([submission, build, unit("one"), unit("two", { stateHash: "f" })])).toEqual([
		`two (run) of kernel ${kernel} ends in state f, not 0123456789abcdef`,
	]);
	expect(again([submission, build, unit("one"), unit("two")])[0]).toMatch(/has another verdict: passed, not failed/);
	expect(again([{ ...submission, tree: kernel }])).toEqual(["s.zip is another tree than the one that was judged"]);
	expect(again([submission, { ...build, kernel: tree }])).toEqual([
		"s.zip builds another kernel than the one that was judged",
	]);
	expect(drawSample(results, 0.01, () => 0).units.length).toBe(1);
});

test("a policy is checked field by field", () => {
	expect(parsePolicy('{"seeds": 20}', "p.json")).toEqual({ ...defaultPolicy, seeds: 20 });
	expect(() => parsePolicy('{"seeds": -1}', "p.json")).toThrow(/Field seeds is wrong/);
	expect(() => parsePolicy('{"sedes": 1}', "p.json")).toThrow(/Field sedes is wrong/);
	expect(() => parsePolicy("seeds: 1", "p.json")).toThrow(/not JSON/);
});
