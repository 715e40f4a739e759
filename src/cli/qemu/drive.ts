import { readFile, stat } from "node:fs/promises";
import { UserError } from "../../common/errors.ts";
import { atomicWrite } from "../../env/node/atomicWrite.ts";
import type { QemuDisk } from "./arguments.ts";

/** A disk image of the host, as the machine got it. */
export class Drive {
	private constructor(
		private readonly disk: QemuDisk,
		readonly bytes: Uint8Array,
		private readonly changed: number,
	) {}

	static async open(disk: QemuDisk): Promise<Drive> {
		const bytes = await readInput(disk.file);
		return new Drive(disk, bytes, (await stat(disk.file)).mtimeMs);
	}

	/**
	 * What the guest made of it goes back to the file, whole or not at all. A file that somebody else has changed in the meantime, such
	 * as a `make` beside the machine, stays as it is.
	 */
	async writeBack(now: Uint8Array): Promise<void> {
		const { file, writesBack } = this.disk;
		if (!writesBack || Buffer.compare(now, this.bytes) === 0) return;
		const found = await stat(file).catch(() => undefined);
		if (!found || found.mtimeMs !== this.changed) {
			throw new UserError(
				"file-unwritable",
				`${file} was ${found ? "changed" : "removed"} by another program while the machine ran`,
				"What the guest wrote to its disk is dropped.",
			);
		}
		await atomicWrite([{ path: file, bytes: now }]);
	}
}

/** Throws UserError as QEMU says it: which file, and why. */
export async function readInput(path: string): Promise<Uint8Array> {
	try {
		return new Uint8Array(await readFile(path));
	} catch (error) {
		const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
		const what = missing ? `${path}: No such file or directory` : `Cannot read ${path}: ${(error as Error).message}`;
		throw new UserError(missing ? "file-not-found" : "file-unreadable", what, "Check the path.");
	}
}
