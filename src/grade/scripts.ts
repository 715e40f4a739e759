import { fromUtf8 } from "../common/bytes.ts";
import type { SourceTree } from "../common/sourceTree.ts";
import type { GradeScript } from "./types.ts";

const named = /^grade-[\w.-]+$/;
const library = /^[ \t]*(?:from[ \t]+gradelib[ \t]+import|import[ \t]+gradelib\b)/m;
/** Of `conf/lab.mk`, or of the Makefile where there is none. */
const labVariable = /^[ \t]*(?:export[ \t]+)?LAB[ \t]*[:?]?=[ \t]*(\S+)[ \t]*$/m;
const mostText = 1_000_000;

async function textOf(tree: SourceTree, path: string): Promise<string | undefined> {
	const bytes = await tree.read(path);
	return bytes && bytes.length <= mostText ? fromUtf8(bytes) : undefined;
}

/**
 * The grade scripts of a tree: `grade-lab-*` and `grade-*` of its root that use gradelib. Where the tree says which lab it is at (LAB in
 * conf/lab.mk or the Makefile), only that one's: a tree keeps the scripts of earlier labs.
 */
export async function gradeScripts(tree: SourceTree): Promise<readonly GradeScript[]> {
	const names = (await tree.list("")).flatMap(({ name, kind }) => (kind === "file" && named.test(name) ? [name] : []));
	if (names.length === 0) return [];
	const texts = new Map<string, string>();
	for (const name of names) {
		const text = /\.(?:pyc|orig|rej|bak)$|~$/.test(name) ? undefined : await textOf(tree, name);
		if (text !== undefined && library.test(text)) texts.set(name, text);
	}
	const lab = await labOf(tree);
	const mine = lab === undefined ? [] : [`grade-lab-${lab}`, `grade-${lab}`].filter((name) => texts.has(name));
	const chosen = mine.length > 0 ? mine.slice(0, 1) : [...texts.keys()].sort();
	return Promise.all(chosen.map((name) => gradeScript(tree, name, texts.get(name) as string)));
}

/** One script by its name, with the files that it may read: those of gradelib's questions, and those that it names itself. */
export async function gradeScript(tree: SourceTree, name: string, text: string): Promise<GradeScript> {
	const files = new Map<string, string>();
	const paths = new Set(["time.txt"]);
	for (const [, path = ""] of text.matchAll(/["']((?:[\w-]+\/)*[\w-]+\.\w{1,8})["']/g)) paths.add(path);
	for (const path of paths) {
		const content = await textOf(tree, path);
		if (content !== undefined) files.set(path, content);
	}
	return { name, text, files };
}

async function labOf(tree: SourceTree): Promise<string | undefined> {
	for (const path of ["conf/lab.mk", "Makefile"]) {
		const found = labVariable.exec((await textOf(tree, path)) ?? "")?.[1];
		if (found !== undefined) return found;
	}
	return undefined;
}
