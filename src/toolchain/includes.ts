import { fromUtf8 } from "../common/bytes.ts";
import type { CompileJob, JobFiles } from "./types.ts";

const include = /^[ \t]*#[ \t]*include(?:_next)?[ \t]*(?:"([^"\r\n]+)"|<([^>\r\n]+)>)/gm;
const incbin = /^[ \t]*\.inc(?:bin|lude)[ \t]+"([^"\r\n]+)"/gm;

/** Joins and normalises; undefined when it leads out of the tree. */
function resolvePath(folder: string, path: string): string | undefined {
	if (path.startsWith("/")) return undefined;
	const parts: string[] = [];
	for (const part of `${folder}/${path}`.split("/")) {
		if (part === "" || part === ".") continue;
		if (part !== "..") parts.push(part);
		else if (parts.pop() === undefined) return undefined;
	}
	return parts.join("/");
}

/**
 * Every file of the tree that a unit may read: its source and, transitively, what it names in `#include` and `.incbin`, with
 * conditions taken as true. More than the compiler will read, never less, unless a name is made by a macro.
 */
export function jobClosure(job: CompileJob, files: JobFiles): Map<string, Uint8Array> {
	const folders = [""];
	job.flags.forEach((flag, i) => {
		if (/^-I./.test(flag)) folders.push(flag.slice(2));
		else if (["-I", "-isystem", "-iquote"].includes(flag)) folders.push(job.flags[i + 1] ?? "");
	});
	const found = new Map<string, Uint8Array>();
	const open = [job.source];
	const asked = new Set<string>();
	job.flags.forEach((flag, i) => {
		if (flag === "-include") open.push(job.flags[i + 1] ?? "");
	});
	for (let path = open.pop(); path !== undefined; path = open.pop()) {
		const bytes = found.has(path) ? undefined : files.read(path);
		if (!bytes) continue;
		found.set(path, bytes);
		const text = fromUtf8(bytes);
		const here = path.split("/").slice(0, -1).join("/");
		for (const match of [...text.matchAll(include), ...text.matchAll(incbin)]) {
			const name = match[1] ?? match[2] ?? "";
			for (const folder of [here, ...folders]) {
				const candidate = resolvePath(folder, name);
				if (candidate === undefined || asked.has(candidate)) continue;
				asked.add(candidate);
				open.push(candidate);
			}
		}
	}
	return found;
}
