import { randomBytes } from "node:crypto";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { UserError } from "../../common/errors.ts";

export interface FileToWrite {
	readonly path: string;
	readonly bytes: Uint8Array;
}

/**
 * Writes all files or none of them anew: each is written beside its place first, and only when all are whole do they
 * move there. A reader sees the old or the new file, never half of one.
 */
export async function atomicWrite(files: readonly FileToWrite[], write: WriteNew = writeNew): Promise<void> {
	const staged: { readonly from: string; readonly to: string }[] = [];
	try {
		for (const { path, bytes } of files) {
			await mkdir(dirname(path), { recursive: true });
			const from = `${path}.${randomBytes(6).toString("hex")}.tmp`;
			staged.push({ from, to: path });
			await write(from, bytes);
		}
		for (const { from, to } of staged) await rename(from, to);
	} catch (error) {
		await Promise.all(staged.map(({ from }) => rm(from, { force: true }).catch(() => undefined)));
		throw unwritable(files, error);
	}
}

/** Writes a file that must not be there yet; replaced in tests of what a full disk does. */
export type WriteNew = (path: string, bytes: Uint8Array) => Promise<void>;

const writeNew: WriteNew = async (path, bytes) => {
	const handle = await open(path, "wx");
	try {
		await handle.writeFile(bytes);
		// Some file systems report a full disk only here.
		await handle.sync();
	} finally {
		await handle.close();
	}
};

function unwritable(files: readonly FileToWrite[], error: unknown): UserError {
	const { code, path, message } = error as NodeJS.ErrnoException;
	const place = path?.replace(/\.[0-9a-f]{12}\.tmp$/, "") ?? files[0]?.path ?? "the output";
	const reasons: Record<string, readonly [string, string]> = {
		EACCES: ["you may not write there", "Choose another folder with --out."],
		EPERM: ["you may not write there", "Choose another folder with --out."],
		EROFS: ["its file system is read-only", "Choose another folder with --out."],
		ENOSPC: ["the disk is full", "Make room, or choose another folder with --out."],
		EFBIG: [
			"the system allows no file of that size",
			"Raise the limit (ulimit -f), or choose another folder with --out.",
		],
		EDQUOT: ["your disk quota is used up", "Make room, or choose another folder with --out."],
		EISDIR: ["a folder of that name is there", "Move that folder, or choose another one with --out."],
		ENOTDIR: ["a file stands where a folder is needed", "Choose another folder with --out."],
		EEXIST: ["a file stands where a folder is needed", "Choose another folder with --out."],
	};
	const [why, next] = reasons[code ?? ""] ?? [message, "Choose another folder with --out."];
	return new UserError("file-unwritable", `Cannot write ${place}: ${why}`, `Nothing was changed. ${next}`);
}
