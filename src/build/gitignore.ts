import { matchingPaths } from "./makefile/paths.ts";
import type { MakefileFiles } from "./makefile/shell.ts";
import { entrySteps, type Spend } from "./makefile/work.ts";

interface IgnoreRule {
	readonly file: string;
	readonly line: number;
	readonly pattern: string;
}

/**
 * The last rule of the root's .gitignore, or of the file's own folder, that keeps a path out of git (gitignore(5)). `spend` is told of
 * the work, in steps. Our own, since a hostile list has to end at the same place everywhere.
 */
export function ignoreRuleFor(path: string, files: MakefileFiles, spend: Spend): IgnoreRule | undefined {
	const folder = path.slice(0, path.lastIndexOf("/") + 1);
	let rule: IgnoreRule | undefined;
	for (const base of new Set(["", folder])) {
		const file = `${base}.gitignore`;
		const text = files.text(file) ?? "";
		spend(entrySteps * text.length);
		for (const [i, raw] of text.split(/\r?\n/).entries()) {
			const line = raw.trim();
			if (line === "" || line.startsWith("#")) continue;
			const negated = line.startsWith("!");
			const pattern = negated ? line.slice(1) : line;
			if (!matches(pattern, path.slice(base.length), spend)) continue;
			rule = negated ? undefined : { file, line: i + 1, pattern };
		}
	}
	return rule;
}

/** A pattern with a slash in it is anchored; a match of a folder covers what is in it. */
function matches(pattern: string, path: string, spend: Spend): boolean {
	const onlyFolders = pattern.endsWith("/");
	const bare = pattern.replace(/\/$/, "").replace(/^\*\*\//, "");
	const anchored = bare.includes("/");
	const parts = path.split("/");
	if (onlyFolders) parts.pop();
	const candidates = anchored ? parts.map((_, i) => parts.slice(0, i + 1).join("/")) : parts;
	return matchingPaths(bare.replace(/^\//, ""), candidates, spend).length > 0;
}
