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

/** File name pattern of the shell: `*`, `?`, `[a-z]`. Neither `*` nor `?` matches a slash or a leading dot. */
export function globToRegExp(pattern: string): RegExp {
	let source = "";
	for (let i = 0; i < pattern.length; i++) {
		const c = pattern[i] as string;
		const atStart = i === 0 || pattern[i - 1] === "/";
		if (c === "*") source += `${atStart ? "(?!\\.)" : ""}[^/]*`;
		else if (c === "?") source += `${atStart ? "(?!\\.)" : ""}[^/]`;
		else if (c === "[") {
			const end = pattern.indexOf("]", i + 2);
			if (end < 0) source += "\\[";
			else {
				source += `[${pattern
					.slice(i + 1, end)
					.replace(/^!/, "^")
					.replaceAll("\\", "\\\\")}]`;
				i = end;
			}
		} else source += c.replace(/[.+^${}()|\\\]]/g, "\\$&");
	}
	return new RegExp(`^${source}$`);
}
