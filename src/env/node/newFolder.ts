import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { equalBytes } from "../../common/bytes.ts";
import { UserError } from "../../common/errors.ts";
import { isAlive } from "./isAlive.ts";
import { unwritable } from "./unwritable.ts";

/** Name of a folder in which a process gathers files; the process's number in it tells whether somebody still does. */
const staging = (name: string) => `.${name}.${process.pid}-${randomBytes(4).toString("hex")}.tmp`;

/**
 * Writes all files or none, never over one that is there. They are gathered beside their place and move there when all are
 * whole; what a process that was killed has left of that is taken away, or brought to its end, by the next one.
 */
export async function writeNewFolder(folder: string, files: ReadonlyMap<string, Uint8Array>): Promise<void> {
	const target = resolve(folder);
	const parent = dirname(target);
	const name = basename(target);
	const begun = await abandoned(target, name);
	const left = [...begun, ...(await abandoned(parent, name))];
	const present = existsSync(target) ? await readdir(target).catch(() => ["a file"]) : [];
	const taken = await takenFile(target, files, begun.length > 0);
	if (taken !== undefined) {
		throw new UserError(
			"already-exists",
			`${join(folder, taken)} already exists`,
			"Nothing was written. Choose an empty or new folder.",
		);
	}
	// Beside the folder, which then comes with one rename; inside it when it has files of its own.
	const stage = join(present.length === 0 ? parent : target, staging(name));
	const moved: string[] = [];
	try {
		for (const [path, bytes] of files) {
			await mkdir(dirname(join(stage, path)), { recursive: true });
			await writeFile(join(stage, path), bytes, { flag: "wx" });
		}
		for (const path of left) await rm(path, { recursive: true, force: true });
		if (present.length === 0) await replaceEmpty(stage, target);
		else for (const path of files.keys()) await place(join(stage, path), join(target, path), moved);
		await rm(stage, { recursive: true, force: true });
	} catch (error) {
		for (const path of moved) await rm(path, { force: true }).catch(() => undefined);
		await rm(stage, { recursive: true, force: true }).catch(() => undefined);
		throw unwritable(folder, error, "Nothing was left behind.", "choose a folder that you may write to");
	}
}

async function place(from: string, to: string, moved: string[]): Promise<void> {
	// One that an earlier process brought here; it is the same.
	if (existsSync(to)) return;
	await mkdir(dirname(to), { recursive: true });
	await rename(from, to);
	moved.push(to);
}

/** POSIX lets a folder take the place of an empty one; Windows does not. */
async function replaceEmpty(stage: string, target: string): Promise<void> {
	try {
		await rename(stage, target);
	} catch (error) {
		if (!existsSync(target)) throw error;
		for (const name of await readdir(stage)) await rename(join(stage, name), join(target, name));
	}
}

/** The first file that is there and is not ours. */
async function takenFile(
	target: string,
	files: ReadonlyMap<string, Uint8Array>,
	resumed: boolean,
): Promise<string | undefined> {
	for (const [path, bytes] of files) {
		if (!existsSync(join(target, path))) continue;
		if (!resumed) return path;
		const known = await readFile(join(target, path)).catch(() => undefined);
		if (!known || !equalBytes(new Uint8Array(known), bytes)) return path;
	}
	return undefined;
}

/** What processes that are no more have gathered in a folder. */
async function abandoned(folder: string, name: string): Promise<string[]> {
	const entries = await readdir(folder).catch(() => []);
	return entries.flatMap((entry) => {
		if (!entry.startsWith(`.${name}.`)) return [];
		const pid = /^(\d+)-[0-9a-f]{8}\.tmp$/.exec(entry.slice(name.length + 2))?.[1];
		return pid === undefined || isAlive(Number(pid)) ? [] : [join(folder, entry)];
	});
}
