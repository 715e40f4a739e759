import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { Pattern } from "../../../src/lab/pattern.ts";

const own = (pattern: string, text: string) => new Pattern(pattern).test(text);
const js = (pattern: string, text: string) => new RegExp(pattern, "m").test(text);

test("random patterns say of random texts what JavaScript's engine says", () => {
	let state = 3;
	const next = (n: number) => {
		state = (Math.imul(state, 1103515245) + 12345) >>> 0;
		return (state >>> 8) % n;
	};
	const pick = (list: readonly string[]) => list[next(list.length)] as string;
	const atom = (depth: number): string => {
		const kind = next(depth > 0 ? 10 : 6);
		if (kind < 4) return pick(["a", "b", "\\.", ".", "[ab]", "[^a\\n]", "\\w", "\\s", "\\d", "\\x61", "]", "{"]);
		if (kind < 6) return pick(["^", "$", "\\b", "\\B", "a", "b"]);
		const inner = sequence(depth - 1);
		return (
			`${pick(["(", "(?:", "(?=", "(?!", "(?<=", "(?<!", "(?<n"])}`.replace(/^\(\?<n$/, `(?<n${next(1e9)}>`) +
			`${inner})`
		);
	};
	const sequence = (depth: number): string => {
		const parts = Array.from({ length: 1 + next(3) }, () => {
			const one = atom(depth);
			const loose = /^(\^|\$|\\b|\\B|\(\?<?[=!].*)$/.test(one) || one === "{";
			return loose ? one : one + pick(["", "", "", "*", "+", "?", "*?", "{2}", "{1,2}", "{0,}"]);
		});
		return parts.join(next(4) === 0 ? "|" : "");
	};
	let tried = 0;
	for (let i = 0; i < 20_000; i++) {
		const pattern = sequence(2);
		try {
			new RegExp(pattern, "m");
		} catch {
			continue;
		}
		tried++;
		const text = Array.from({ length: next(10) }, () => pick(["a", "b", " ", "\n", ".", "1", "]", "{"])).join("");
		expect(own(pattern, text), `/${pattern}/ on ${JSON.stringify(text)}`).toBe(js(pattern, text));
	}
	expect(tried).toBeGreaterThan(15_000);
});

test("every pattern of the labs that ship is understood", () => {
	for (const lab of readdirSync("labs").filter((name) => !name.endsWith(".json"))) {
		const text = readFileSync(`labs/${lab}/lab.json`, "utf8");
		const found: string[] = [];
		JSON.parse(text, (key, value) => {
			if (["pattern", "has", "lacks"].includes(key) && typeof value === "string") found.push(value);
			return value as unknown;
		});
		expect(found.length).toBeGreaterThan(0);
		for (const pattern of found) {
			for (const sample of ["", "panic: freewalk: leaf", text.slice(0, 2000)])
				expect(own(pattern, sample), pattern).toBe(js(pattern, sample));
		}
	}
});

test.each([
	["(a+)\\1b", "aaab", "aab", "ab"],
	["^(\\w+) (\\w+) \\2 \\1$", "a b b a", "a b a b", ""],
	["(x \\d+\\n)\\1\\1", "x 1\nx 1\nx 1\n", "x 1\nx 2\nx 1\n", "x"],
])("/%s/ refers back to its groups", (pattern, ...texts) => {
	for (const text of texts) expect(own(pattern, text), text).toBe(js(pattern, text));
});

test.each([
	"^(([a-z0-9= ])+)+X$",
	"(a*)*b",
	"(a|a)*b",
	"(.*)(.*)(.*)(.*)x",
	"a*a*a*a*a*b",
	"(a?){30}a{30}b",
	"^(?:(?:a+)+)+$b",
])(
	"/%s/ cannot hang",
	(pattern) => {
		expect(own(pattern, "a".repeat(20_000))).toBe(false);
	},
	5000,
);

test("work has a limit where a lookahead searches far, and repetitions have one", () => {
	expect(() => own("(?=a*b)c", "a".repeat(100_000))).toThrow("takes too long");
	expect(() => new Pattern("((a{1000}){1000}){1000}")).toThrow("repetitions");
	expect(() => own("(a*)*\\1b", "a".repeat(10_000))).toThrow("takes too long");
	expect(() => new Pattern("(?<n>a)\\k<n>")).toThrow("refers back");
});
