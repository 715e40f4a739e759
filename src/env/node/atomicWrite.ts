import { randomBytes } from "node:crypto";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { unwritable } from "./unwritable.ts";

export interface FileToWrite {
	readonly path: string;
	readonly bytes: Uint8Array;
}

/**
 * Writes all files or none: each is written beside its place first, and only when all are whole do they
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
		const path = (error as NodeJS.ErrnoException).path?.replace(/\.[0-9a-f]{12}\.tmp$/, "");
		const place = path ?? files[0]?.path ?? "the output";
		throw unwritable(place, error, "Nothing was changed.", "choose another folder with --out");
	}
}

/** Writes a file that must not be there yet; replaced in tests of what a full disk does. */
type WriteNew = (path: string, bytes: Uint8Array) => Promise<void>;

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
