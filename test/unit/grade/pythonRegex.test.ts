import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { linesMatch, splitLines } from "../../../src/grade/linesMatch.ts";
import { find, type RegexOperation } from "../../../src/grade/pythonRegex.ts";

/** Patterns as grade scripts write them, and where Python and JavaScript differ: [operation, pattern, flags, text]. */
const cases: readonly (readonly [RegexOperation, string, number, string])[] = [
	["match", "^OK$", 0, "OK"],
	["match", "^OK$", 0, "OK\n"],
	["match", "^OK$", 0, "OK\n\n"],
	["search", "$ sleep\n$", 0, "xv6 $ sleep\n$"],
	["match", "exec .* failed", 0, "exec foo\r failed"],
	["findall", "^\\d+: (\\d+) keys missing$", 8, "0: 0 keys missing\n1: 17 keys missing\nx"],
	["findall", "(0x\\w+)|([a-z])=", 0, "a=0x12 b=zz"],
	["findall", "hello", 0, "hello hello\nhello"],
	["findall", "$", 8, "a\nb\n"],
	["findall", "^", 8, "a\nb\n"],
	["findall", "$", 0, "a\nb\n"],
	["search", "\\Ab\\Z", 0, "b\n"],
	["search", "\\Ab\\Z", 0, "b"],
	["match", ".", 0, "\r"],
	["match", ".", 0, "\u2028"],
	["match", "a.b", 16, "a\nb"],
	["match", "(?P<n>a+)(?P=n)b", 0, "aaaab"],
	["match", "[]a]+", 0, "]a]"],
	["match", "[^]a]+", 0, "bc]"],
	["match", "[[a]+", 0, "[a"],
	["match", "a{,2}b", 0, "aab"],
	["match", "x{y}", 0, "x{y}"],
	["match", "a]", 0, "a]"],
	["match", "(?i)ok", 0, "OK"],
	["match", "ok", 2, "OK"],
	["fullmatch", "a|ab", 0, "ab"],
	["match", "a (?# no )b", 0, "a b"],
	["match", " a b # c", 64, "ab"],
	["search", "\\\\s*\\.\\.", 0, "\\ss.."],
	["match", "(a)|b", 0, "b"],
	["search", "(?<=x)y(?!z)", 0, "xyz xy"],
	["match", "page table 0x[0-9a-f]+$", 0, "page table 0x0000000087f6b000"],
];

const python = spawnSync("python3", ["--version"]).status === 0;

test.skipIf(!python)("the own `re` finds what Python's finds", () => {
	const program = `
import json, re, sys, warnings
warnings.simplefilter("ignore")
out = []
for op, pattern, flags, text in json.load(sys.stdin):
    ms = list(re.finditer(pattern, text, flags)) if op == "findall" else [getattr(re, op)(pattern, text, flags)]
    out.append([{"groups": [m.group(0)] + list(m.groups()), "spans": [list(m.span(i)) for i in range(len(m.groups()) + 1)],
                 "names": m.re.groupindex and dict(m.re.groupindex) or {}} for m in ms if m])
print(json.dumps(out))`;
	const answer = spawnSync("python3", ["-c", program], { input: JSON.stringify(cases) });
	const expected = JSON.parse(answer.stdout.toString());
	const got = cases.map(([operation, pattern, flags, text]) => find(operation, pattern, flags, text));
	for (const [i, each] of cases.entries()) expect([each, got[i]]).toEqual([each, expected[i]]);
});

test("what is no pattern is said, as Python says it", () => {
	expect(() => find("match", "(", 0, "")).toThrow();
	expect(() => find("match", "\\q", 0, "")).toThrow(/bad escape/);
});

test("lines are Python's", () => {
	expect(splitLines("a\r\nb\rc\n\nd\fe")).toEqual(["a", "b", "c", "", "d", "e"]);
});

test("a match of lines tells what is missing and what should not be there", () => {
	expect(linesMatch("$ cowtest\nsimple: ok\nOK\n", ["^simple: ok$", "^OK$"], ["FAIL"])).toBeUndefined();
	expect(linesMatch("a\nb\nc\nd\ne\nFAIL\ng\n", ["^OK$"], ["FAIL"])).toBe(
		["...", "     c", "     d", "     e", "BAD  FAIL", "     g", "unexpected lines in output", "MISSING '^OK$'"].join(
			"\n",
		),
	);
});
