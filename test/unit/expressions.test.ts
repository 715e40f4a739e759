import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isDisjointWith, JS, NFA } from "refa";
import { analyse } from "scslre";
import ts from "typescript";
import { expect, test } from "vitest";
import { filesBelow, root } from "../support/prose.ts";

/**
 * Whatever a tree, a guest or a message holds, a regular expression takes time that grows with its length and not with its square:
 * a text of 64 MiB would never be done. Each of these is bounded by something else.
 */
const bounded: Readonly<Record<string, string>> = {
	"src/build/makefile/reader.ts /^(-include|sinclude|include)\\s+(.*)$/": "a logical line has no line end in it",
	"src/extension/card.ts /▸ (.+?)(?= {2}|$)/g": "a line of the terminal has no line end in it",
	"src/extension/cSymbols.ts /(?:[A-Za-z_]\\w*(?:\\[[^[\\]]*\\])*\\s*(?:->|\\.)\\s*)*[A-Za-z_]\\w*$/": "256 characters",
	"src/extension/linkPatterns.ts /\\b((?:kernel|user)\\/[\\w./-]+\\.[chS]): ([A-Za-z_]\\w*)/g": "4096 characters",
	"src/extension/linkPatterns.ts /\\b((?:kernel|user|mkfs)\\/[\\w./-]+\\.[chS]):(\\d+)\\b/g": "4096 characters",
	"src/toolchain/host/hostToolchain.ts /ld\\.lld[^/\\\\]*$/": "the path of a tool of this machine",
	"src/toolchain/host/tools.ts /clang[^/\\\\]*$/": "the path of a tool of this machine",
	"src/toolchain/host/tools.ts /gcc([^/\\\\]*)$/": "the path of a tool of this machine",
};

type Pattern = JS.Parser["ast"]["pattern"];
type Alternative = Pattern["alternatives"][number];
type Element = Alternative["elements"][number];
type Star = Extract<Element, { type: "Quantifier" }>;

const rawOf = (elements: readonly Element[]) => elements.map(({ raw }) => raw).join("");
const ascii = Array.from({ length: 128 }, (_, code) => String.fromCharCode(code));

/** Whether an assertion can hold between two characters that the repetition takes. */
function holdsInside(assertion: string, star: Star, flags: string): boolean {
	const one = new RegExp(`^(?:${star.element.raw})$`, flags);
	const here = new RegExp(assertion, `${flags}y`);
	const taken = ascii.filter((character) => one.test(character));
	return taken.some((behind) =>
		taken.some((next) => {
			here.lastIndex = 1;
			return here.test(behind + next);
		}),
	);
}

const isAssertion = (alternative: Alternative) =>
	alternative.elements.length > 0 && alternative.elements.every(({ type }) => type === "Assertion");

/** A pattern for what comes before the repetition, without beginnings that cannot stand inside what it takes. */
function beginning(before: readonly Element[], star: Star, flags: string): string | undefined {
	const [first, ...others] = before;
	if (first?.type === "Assertion" && !holdsInside(first.raw, star, flags)) return undefined;
	if (first?.type !== "Group" && first?.type !== "CapturingGroup") return rawOf(before);
	const possible = first.alternatives.filter(
		(alternative) => !isAssertion(alternative) || holdsInside(alternative.raw, star, flags),
	);
	return possible.length === 0 ? undefined : `(?:${possible.map(({ raw }) => raw).join("|")})${rawOf(others)}`;
}

/** Whether what follows a repetition may not match at its end. */
function canFail(element: Element, star: Star, flags: string): boolean {
	if (element.type === "Quantifier") return element.min > 0 && canFail(element.element, star, flags);
	if (element.type === "Group" || element.type === "CapturingGroup")
		return element.alternatives.every(({ elements }) => elements.some((each) => canFail(each, star, flags)));
	const takesAll = star.element.raw === "[\\s\\S]" || (star.element.raw === "." && /[ms]/.test(flags));
	return !(takesAll && element.type === "Assertion" && element.kind === "end");
}

function machine(source: string, flags: string): NFA {
	const parser = JS.Parser.fromLiteral({ source: `(?:${source})`, flags });
	const { expression } = parser.parse({ assertions: "ignore", backreferences: "disable" });
	return NFA.fromRegex(expression, { maxCharacter: parser.maxCharacter }, { assertions: "disable" });
}

/**
 * `a.*b` in a text of many `a` and no `b`: from each of them the search goes to the end. So it is with each repetition that takes
 * what can stand before it, unless nothing after it can fail.
 */
function startsAgain(source: string, flags: string): boolean {
	const isRepeated = (star: Star, before: readonly Element[], after: readonly Element[]): boolean => {
		if (!after.some((element) => canFail(element, star, flags))) return false;
		const begin = beginning(before, star, flags);
		return begin !== undefined && !isDisjointWith(machine(begin, flags), machine(`(?:${star.element.raw})+`, flags));
	};
	const search = ({ elements }: Alternative, outer: readonly Element[], rest: readonly Element[]): boolean =>
		elements.some((element, i) => {
			const before = [...outer, ...elements.slice(0, i)];
			const after = [...elements.slice(i + 1), ...rest];
			const inside = element.type === "Quantifier" ? element.element : element;
			if (inside.type === "Group" || inside.type === "CapturingGroup")
				return inside.alternatives.some((each) => search(each, before, after));
			return element.type === "Quantifier" && element.max === Infinity && isRepeated(element, before, after);
		});
	return JS.Parser.fromLiteral({ source, flags }).ast.pattern.alternatives.some((each) => search(each, [], []));
}

function isSlow(source: string, flags: string): boolean {
	const { reports } = analyse({ source, flags }, { reportTypes: { Move: true, Self: true, Trade: true } });
	return reports.length > 0 || (!flags.includes("y") && startsAgain(source, flags.replace(/[dg]/g, "")));
}

function expressionsOf(path: string): string[] {
	const source = ts.createSourceFile(path, readFileSync(join(root, path), "utf8"), ts.ScriptTarget.Latest, true);
	const found: string[] = [];
	const visit = (node: ts.Node) => {
		if (ts.isRegularExpressionLiteral(node)) found.push(node.text);
		ts.forEachChild(node, visit);
	};
	visit(source);
	return found;
}

test.each([
	[/\b(?:gcc|cc)\b.*\becho/, true],
	[/[\d.]+$/, true],
	[/^\s*#include/m, true],
	[/^\s*(.*)\s*$/, true],
	[/\/\*[\s\S]*?\*\//g, true],
	[/\/\*[\s\S]*?(?:\*\/|$)/g, false],
	[/\b[a-z]\w*\s*\(/, false],
	[/(?:^|\/)_[\w.]+$/, false],
	[/^.*panic: (.*)$/m, false],
	[/^\s*#include/, false],
])("%s takes the square of the time: %s", ({ source, flags }, slow) => {
	expect(isSlow(source, flags)).toBe(slow);
});

test("no regular expression takes the square of a text's length", () => {
	const found = [...filesBelow("src", /\.ts$/), ...filesBelow("webview", /\.ts$/)].flatMap((path) =>
		expressionsOf(path).flatMap((text) => {
			const [, source = "", flags = ""] = /^\/(.*)\/([a-z]*)$/s.exec(text) ?? [];
			return isSlow(source, flags) ? [`${path.replaceAll("\\", "/")} ${text}`] : [];
		}),
	);
	expect([...new Set(found)].sort()).toEqual(Object.keys(bounded).sort());
});
