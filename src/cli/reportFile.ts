import { readFile, stat, writeFile } from "node:fs/promises";
import { utf8 } from "../common/bytes.ts";
import { UserError } from "../common/errors.ts";
import { atomicWrite } from "../env/node/atomicWrite.ts";
import { unwritable } from "../env/node/unwritable.ts";

/** A report that a person named, whole or not at all; into a pipe or device (`/dev/stdout`) as it comes. */
export async function writeReport(path: string, text: string): Promise<void> {
	const there = await stat(path).catch(() => undefined);
	if (!there || there.isFile()) return atomicWrite([{ path, bytes: utf8(text) }]);
	try {
		await writeFile(path, text);
	} catch (error) {
		throw unwritable(path, error, "", "choose another place");
	}
}

/** A text that a person named. */
export async function readText(file: string): Promise<string> {
	try {
		return await readFile(file, "utf8");
	} catch (error) {
		throw new UserError("file-unreadable", `Cannot read ${file}: ${(error as Error).message}`, "Check the path.");
	}
}
