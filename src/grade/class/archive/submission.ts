import { UserError } from "../../../common/errors.ts";
import { limits } from "../../../common/limits.ts";
import { ArchiveFiles, type Inflate, isBuilt, isNoise, refused, tooMuch } from "./files.ts";
import { readTar } from "./tar.ts";
import { readZip } from "./zip.ts";

/** A tree that was found in a submission. */
export interface FoundTree {
	readonly files: ReadonlyMap<string, Uint8Array>;
	/** Folder of the tree; `.` for the submission itself. */
	readonly root: string;
	readonly notes: readonly string[];
}

const archiveNames = /\.(zip|tar|tar\.gz|tgz)$/i;
const otherArchives = /\.(rar|7z|tar\.xz|tar\.bz2|tar\.zst|txz|tbz2?)$/i;
/** An LMS packs what a student has packed. */
const deepest = 3;

export function isArchive(name: string): boolean {
	return archiveNames.test(name);
}

function isForeignArchive(name: string): boolean {
	return otherArchives.test(name);
}

/** The files of an archive, by what its first bytes say; its name may say anything. */
export function readArchive(bytes: Uint8Array, inflate: Inflate): ArchiveFiles {
	if (bytes.length === 0) throw refused("The archive is empty");
	const into = new ArchiveFiles();
	if (bytes[0] === 0x50 && bytes[1] === 0x4b) readZip(bytes, into, inflate);
	else if (bytes[0] === 0x1f && bytes[1] === 0x8b) readTar(gunzip(bytes, inflate), into);
	else readTar(bytes, into);
	return into;
}

function gunzip(bytes: Uint8Array, inflate: Inflate): Uint8Array {
	try {
		return inflate(bytes, "gzip", limits.submissionBytes);
	} catch (error) {
		throw error instanceof RangeError ? tooMuch() : refused("The archive is damaged or not a .tar.gz");
	}
}

/** The xv6 tree in the files of a submission, in an archive inside it if need be. Throws UserError with the reason where there is none. */
export function findTree(
	files: ReadonlyMap<string, Uint8Array>,
	inflate: Inflate,
	notes: readonly string[] = [],
	depth = 0,
): FoundTree {
	const own = [...files].filter(([path]) => !isNoise(path));
	const roots = rootsOf(own.map(([path]) => path));
	const [root] = roots;
	if (roots.length > 1) {
		const names = roots.map((path) => (path === "" ? "." : path)).join(", ");
		throw refused(`There are ${roots.length} xv6 trees in it: ${names}`);
	}
	if (root !== undefined) {
		const prefix = root === "" ? "" : `${root}/`;
		const inside = own.flatMap(([path, bytes]): [string, Uint8Array][] => {
			const name = path.slice(prefix.length);
			return path.startsWith(prefix) && !isBuilt(name) ? [[name, bytes]] : [];
		});
		return { files: new Map(inside), root: root === "" ? "." : root, notes };
	}
	const archives = own.filter(([path]) => isArchive(path));
	if (archives.length > 0 && depth < deepest) return inArchives(archives, inflate, notes, depth);
	throw refused(nothingFound(own.map(([path]) => path)));
}

function inArchives(
	archives: readonly [string, Uint8Array][],
	inflate: Inflate,
	notes: readonly string[],
	depth: number,
): FoundTree {
	const found: [string, FoundTree][] = [];
	let problem: unknown;
	for (const [path, bytes] of archives) {
		try {
			const { files, skipped } = readArchive(bytes, inflate);
			found.push([path, findTree(files, inflate, [...notes, ...skipped], depth + 1)]);
		} catch (error) {
			if (!(error instanceof UserError)) throw error;
			problem ??= error;
		}
	}
	const [only] = found;
	if (!only) throw problem;
	if (found.length > 1)
		throw refused(
			`There are ${found.length} archives with an xv6 tree in it: ${found.map(([path]) => path).join(", ")}`,
		);
	const [path, tree] = only;
	return { ...tree, root: tree.root === "." ? path : `${path}/${tree.root}` };
}

function nothingFound(paths: readonly string[]): string {
	if (paths.length === 0) return "There is no file in it";
	const foreign = paths.find(isForeignArchive);
	if (foreign) return `xv6 Lab does not read ${foreign}`;
	const sources = paths.filter((path) => /\.[chS]$/.test(path)).length;
	const files = paths.length === 1 ? `1 file (${paths[0]})` : `${paths.length} files`;
	return `There is no xv6 tree in its ${files}: no folder holds kernel/ with ${sources > 0 ? "a whole kernel" : "C files"}`;
}

/** Folders that hold a kernel; of one inside another, only the outer. */
function rootsOf(paths: readonly string[]): string[] {
	const found = new Set<string>();
	for (const path of paths) {
		const match = /^(?:(.*)\/)?kernel\/(?:main\.c|proc\.c|vm\.c)$/.exec(path);
		if (match) found.add(match[1] ?? "");
	}
	const all = new Set(paths);
	const within = (root: string, path: string) => all.has(root === "" ? path : `${root}/${path}`);
	const whole = [...found].filter((root) => within(root, "kernel/main.c") && within(root, "kernel/proc.c"));
	const outer = whole.filter(
		(root) => !whole.some((other) => other !== root && (other === "" || root.startsWith(`${other}/`))),
	);
	return outer.sort();
}
