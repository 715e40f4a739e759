import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";

export const root = join(import.meta.dirname, "../..");

/** Paths from the root of the repository. */
export function filesBelow(folder: string, pattern: RegExp): string[] {
	const entries = readdirSync(join(root, folder), { recursive: true, withFileTypes: true });
	return entries
		.filter((entry) => entry.isFile() && pattern.test(entry.name))
		.map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
		.filter((path) => !/node_modules|machine[\\/]core/.test(path));
}

/** Prose of a page without its code. */
export function prose(markdown: string): string {
	return markdown.replace(/^```[\s\S]*?^```/gm, (code) => code.replace(/[^\n]/g, "")).replace(/`[^`\n]*`/g, "``");
}

export interface Piece {
	readonly line: number;
	readonly text: string;
}

function parse(path: string): ts.SourceFile {
	return ts.createSourceFile(path, readFileSync(join(root, path), "utf8"), ts.ScriptTarget.Latest, true);
}

/** The strings of a TypeScript file. */
export function stringsOf(path: string): Piece[] {
	const source = parse(path);
	const found: Piece[] = [];
	const visit = (node: ts.Node) => {
		const literal = ts.isStringLiteralLike(node) || ts.isTemplateHead(node) || ts.isTemplateMiddleOrTemplateTail(node);
		if (literal) {
			const { line } = source.getLineAndCharacterOfPosition(node.getStart());
			found.push({ line: line + 1, text: node.text });
		}
		ts.forEachChild(node, visit);
	};
	visit(source);
	return found;
}

/** The comments of a TypeScript file. */
export function commentsOf(path: string): Piece[] {
	const source = parse(path);
	const { text } = source;
	const found = new Map<number, Piece>();
	const visit = (node: ts.Node) => {
		for (const { pos, end } of ts.getLeadingCommentRanges(text, node.getFullStart()) ?? []) {
			const { line } = source.getLineAndCharacterOfPosition(pos);
			found.set(pos, { line: line + 1, text: text.slice(pos, end) });
		}
		ts.forEachChild(node, visit);
	};
	visit(source);
	return [...found.values()];
}

/** The pages of the repository, without the licences of others. */
export const pages = [
	...filesBelow("docs", /\.md$/),
	...filesBelow("test", /^README\.md$/),
	...filesBelow("labs", /\.md$/),
]
	.concat(readdirSync(root).filter((name) => name.endsWith(".md") && name !== "THIRD_PARTY_NOTICES.md"))
	.filter((path) => statSync(join(root, path)).isFile());
