import { closeSync, openSync, writeSync } from "node:fs";
import { unwritable } from "./unwritable.ts";

/** A file that a run writes as it goes, from its beginning; each error is a UserError `file-unwritable` with what to do (`otherwise`). */
export class GrowingFile {
	private readonly file: number;

	constructor(
		private readonly path: string,
		private readonly otherwise: string,
	) {
		this.file = this.tried(() => openSync(path, "w"));
	}

	write(bytes: Uint8Array): void {
		this.tried(() => {
			for (let at = 0; at < bytes.length; ) at += writeSync(this.file, bytes, at);
		});
	}

	close(): void {
		this.tried(() => closeSync(this.file));
	}

	private tried<T>(act: () => T): T {
		try {
			return act();
		} catch (error) {
			throw unwritable(this.path, error, "", this.otherwise);
		}
	}
}
