import { globToRegExp } from "./makefile/paths.ts";
import type { MakefileFiles } from "./makefile/shell.ts";

interface IgnoreRule {
	readonly file: string;
	readonly line: number;
	readonly pattern: string;
}

/** The last rule of the root's .gitignore, or of the file's own folder, that keeps a path out of git (gitignore(5)). */
export function ignoreRuleFor(path: string, files: MakefileFiles): IgnoreRule | undefined {
	const folder = path.slice(0, path.lastIndexOf("/") + 1);
	let rule: IgnoreRule | undefined;
	for (const base of new Set(["", folder])) {
		const file = `${base}.gitignore`;
		const lines = files.text(file)?.split(/\r?\n/) ?? [];
		for (const [i, raw] of lines.entries()) {
			const text = raw.trim();
			if (text === "" || text.startsWith("#")) continue;
			const negated = text.startsWith("!");
			const pattern = negated ? text.slice(1) : text;
			if (!matches(pattern, path.slice(base.length))) continue;
			rule = negated ? undefined : { file, line: i + 1, pattern };
		}
	}
	return rule;
}

/** A pattern with a slash in it is anchored; a match of a folder covers what is in it. */
function matches(pattern: string, path: string): boolean {
	const onlyFolders = pattern.endsWith("/");
	const bare = pattern.replace(/\/$/, "").replace(/^\*\*\//, "");
	const glob = globToRegExp(bare.replace(/^\//, ""));
	const anchored = bare.includes("/");
	const parts = path.split("/");
	return parts.some((part, i) => {
		if (onlyFolders && i === parts.length - 1) return false;
		return glob.test(anchored ? parts.slice(0, i + 1).join("/") : part);
	});
}
