import type { Spend } from "./work.ts";

/** `./a//b/../c` → `a/c`. Paths that leave the tree keep their leading `..`, so that they are never found in it. */
export function normalizePath(path: string): string {
	const parts: string[] = [];
	for (const part of path.split("/")) {
		if (part === "" || part === ".") continue;
		if (part === ".." && parts.length > 0 && parts.at(-1) !== "..") parts.pop();
		else parts.push(part);
	}
	return (path.startsWith("/") ? "/" : "") + parts.join("/");
}

export function baseName(path: string): string {
	return path.slice(path.lastIndexOf("/") + 1);
}

/** With the slash at its end, `""` for none. */
export function folderOf(path: string): string {
	return path.slice(0, path.lastIndexOf("/") + 1);
}

/** What `%` stands for when `pattern` matches `text`, or undefined (GNU make manual, 10.5.4). */
export function stemOf(pattern: string, text: string): string | undefined {
	const at = pattern.indexOf("%");
	if (at < 0) return undefined;
	const prefix = pattern.slice(0, at);
	const suffix = pattern.slice(at + 1);
	if (text.length < prefix.length + suffix.length + 1) return undefined;
	if (!text.startsWith(prefix) || !text.endsWith(suffix)) return undefined;
	return text.slice(prefix.length, text.length - suffix.length);
}

/** As {@link stemOf}, but an empty stem counts: what text functions do. */
export function textStemOf(pattern: string, text: string): string | undefined {
	const at = pattern.indexOf("%");
	if (at < 0) return pattern === text ? "" : undefined;
	const prefix = pattern.slice(0, at);
	const suffix = pattern.slice(at + 1);
	if (text.length < prefix.length + suffix.length) return undefined;
	if (!text.startsWith(prefix) || !text.endsWith(suffix)) return undefined;
	return text.slice(prefix.length, text.length - suffix.length);
}

/** No path is longer (PATH_MAX of Linux). */
const longestPattern = 4096;

/**
 * The paths that a file name pattern of the shell matches: `*`, `?`, `[a-z]`, of which neither `*` nor `?` matches a slash or a leading
 * dot. `spend` is told of each path's work, which a pattern of many stars can make a square.
 */
export function matchingPaths(pattern: string, paths: readonly string[], spend: Spend): string[] {
	if (pattern.length > longestPattern) return [];
	const glob = new Glob(pattern);
	return paths.filter((path) => {
		const matches = glob.test(path);
		spend(glob.steps);
		return matches;
	});
}

interface GlobItem {
	readonly kind: "any" | "star" | "class" | "literal";
	fits(character: string): boolean;
}

/**
 * A pattern as {@link matchingPaths} has it. A star takes as little as it can, and of the stars before a place only the last is ever
 * tried again, so that a test takes no more than pattern times path (a regular expression would try all of them together).
 */
export class Glob {
	/** Work of the last test. */
	steps = 0;
	private readonly parts: readonly (readonly GlobItem[])[];

	constructor(pattern: string) {
		this.parts = pattern.split("/").map(globItems);
	}

	test(path: string): boolean {
		this.steps = 1;
		const names = path.split("/");
		return (
			names.length === this.parts.length && this.parts.every((items, i) => this.matches(items, names[i] as string))
		);
	}

	private matches(items: readonly GlobItem[], name: string): boolean {
		if (name.startsWith(".") && (items[0]?.kind === "star" || items[0]?.kind === "any")) return false;
		let item = 0;
		let at = 0;
		/** The item after the last star, and the first character that this star leaves to it. */
		let retry: { readonly item: number; at: number } | undefined;
		while (item < items.length || at < name.length) {
			this.steps++;
			const next = items[item];
			if (next?.kind === "star") retry = { item: ++item, at };
			else if (next && at < name.length && next.fits(name[at] as string)) {
				item++;
				at++;
			} else {
				if (!retry || retry.at >= name.length) return false;
				retry.at++;
				({ item, at } = retry);
			}
		}
		return true;
	}
}

function globItems(pattern: string): GlobItem[] {
	const items: GlobItem[] = [];
	for (let i = 0; i < pattern.length; i++) {
		const c = pattern[i] as string;
		const end = c === "[" ? pattern.indexOf("]", i + 2) : -1;
		if (c === "*") items.push({ kind: "star", fits: () => true });
		else if (c === "?") items.push({ kind: "any", fits: () => true });
		else if (end >= 0) {
			items.push({ kind: "class", fits: characterClass(pattern.slice(i + 1, end)) });
			i = end;
		} else items.push({ kind: "literal", fits: (character) => character === c });
	}
	return items;
}

/** What stands between the brackets of `[a-z]` or `[!a-z]`. A range whose ends are the wrong way round has nothing in it. */
function characterClass(text: string): (character: string) => boolean {
	const negated = /^[!^]/.test(text);
	const ranges: [string, string][] = [];
	for (let i = negated ? 1 : 0; i < text.length; i++) {
		const first = text[i] as string;
		const isRange = text[i + 1] === "-" && i + 2 < text.length;
		if (isRange) i += 2;
		ranges.push([first, isRange ? (text[i] as string) : first]);
	}
	return (character) => ranges.some(([first, last]) => first <= character && character <= last) !== negated;
}
