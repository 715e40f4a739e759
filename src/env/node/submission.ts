import { createHash } from "node:crypto";
import { lstat } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync, inflateRawSync } from "node:zlib";
import { UserError } from "../../common/errors.ts";
import { inBytes, limits } from "../../common/limits.ts";
import { type Inflate, isBuilt, isNoise } from "../../grade/class/archive/files.ts";
import { type FoundTree, findTree, isArchive, readArchive } from "../../grade/class/archive/submission.ts";
import { NodeTree, readRegular } from "./sourceTree.ts";

/** zlib with a limit: `RangeError` where more comes out. */
export const inflate: Inflate = (bytes, format, most) => {
	const options = { maxOutputLength: Math.max(1, most) };
	return new Uint8Array(format === "raw" ? inflateRawSync(bytes, options) : gunzipSync(bytes, options));
};

/** The tree in a folder or an archive. Throws UserError with the reason where there is none. */
export async function readSubmission(path: string): Promise<FoundTree> {
	const info = await lstat(path).catch(() => undefined);
	if (!info) throw new UserError("file-not-found", "It is not there any more", "Check the folder of the class.");
	if (info.isDirectory()) {
		const { files, notes } = await readFolder(path);
		return findTree(files, inflate, notes);
	}
	const bytes = await readRegular(path, "the archive");
	const { files, skipped } = readArchive(bytes, inflate);
	return findTree(files, inflate, skipped);
}

/** All files of a folder that could be a student's work. */
async function readFolder(path: string): Promise<{ files: Map<string, Uint8Array>; notes: string[] }> {
	// Messages name places inside the submission: where the class lies is nobody's business.
	const tree = new NodeTree(path, "");
	const files = new Map<string, Uint8Array>();
	const notes: string[] = [];
	let [bytes, entries] = [0, 0];
	const walk = async (folder: string): Promise<void> => {
		for (const { name, kind, linked } of await tree.list(folder)) {
			const inside = folder === "" ? name : `${folder}/${name}`;
			if (isNoise(inside) || (kind === "file" && isBuilt(inside))) continue;
			if (++entries > limits.treeEntries) throw tooMuch(`more than ${limits.treeEntries.toLocaleString("en")} files`);
			if (kind === "folder") {
				// Whatever it leads to is in the tree under its own name.
				if (!linked) await walk(inside);
				continue;
			}
			const size = (await lstat(join(path, inside)).catch(() => undefined))?.size ?? 0;
			if (size > limits.fileBytes) {
				notes.push(`${inside} is left out: it has ${inBytes(size)}`);
				continue;
			}
			const content = await tree.read(inside);
			if (!content) continue;
			bytes += content.length;
			if (bytes > limits.submissionBytes) throw tooMuch(`more than ${inBytes(limits.submissionBytes)}`);
			files.set(inside, content);
		}
	};
	await walk("");
	return { files, notes };
}

function tooMuch(what: string): UserError {
	return new UserError("submission-unreadable", `The submission has ${what}`, "Ask for the tree alone.");
}

/** Equal trees have equal hashes, whatever they were packed in. */
export function hashOfFiles(files: ReadonlyMap<string, Uint8Array>): string {
	const hash = createHash("sha256");
	for (const [path, bytes] of [...files].sort(([a], [b]) => (a < b ? -1 : 1))) {
		hash.update(`${path}\0${bytes.length}\0`);
		hash.update(bytes);
	}
	return shortHash(hash.digest("hex"));
}

/** The hashes of results.jsonl have 128 bits: enough against chance and against a student, short enough to read. */
export function shortHash(hex: string): string {
	return hex.slice(0, 32);
}

/** Names of the submissions in the folder of a class, in their order; what cannot be one is in `others`. */
export function submissionsAmong(entries: readonly { readonly name: string; readonly isFolder: boolean }[]) {
	const sources: string[] = [];
	const others: string[] = [];
	for (const { name, isFolder } of entries) {
		if (name.startsWith(".") || name === "__MACOSX") continue;
		if (isFolder || isArchive(name)) sources.push(name);
		else others.push(name);
	}
	return { sources: sources.sort((a, b) => (a < b ? -1 : 1)), others: others.sort() };
}
