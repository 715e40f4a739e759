import { createHash, randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { CompileOutcome } from "../../toolchain/bundled/compiler.ts";
import { type ObjectCache, packOutcome, unpackOutcome } from "../../toolchain/cache.ts";

const checksumBytes = 32;
/**
 * The folder is looked at for every 16th object on average, by its key: to list thousands of files costs more than to write one, and most
 * processes write one or two.
 */
const trimsAt = /0$/;

/** Nobody writes a file for so long: what is still under its temporary name belongs to a process that was killed. */
const abandonedMs = 60 * 60 * 1000;

/**
 * Objects in a folder, a file each: SHA-256 of the key and the rest, then the rest. Written beside and renamed, so that two processes may share it;
 * a file that is damaged, or is not what its key says, is a miss and goes. Least recently used ones go when the sum passes `maxBytes`.
 */
export class DiskCache implements ObjectCache {
	private ours: Promise<boolean> | undefined;

	constructor(
		private readonly folder: string,
		private readonly maxBytes = 200 * 1024 * 1024,
	) {}

	async get(key: string): Promise<CompileOutcome | undefined> {
		if (!(await this.isOurs())) return undefined;
		const path = join(this.folder, key);
		try {
			const bytes = new Uint8Array(await readFile(path));
			const body = bytes.subarray(checksumBytes);
			const sum = createHash("sha256").update(key).update(body).digest();
			const outcome = sum.equals(bytes.subarray(0, checksumBytes)) ? unpackOutcome(body) : undefined;
			if (!outcome) {
				await rm(path, { force: true });
				return undefined;
			}
			const now = new Date();
			void utimes(path, now, now).catch(() => undefined);
			return outcome;
		} catch {
			// Not there, or another process has just removed it.
			return undefined;
		}
	}

	async put(key: string, outcome: CompileOutcome): Promise<void> {
		if (!(await this.isOurs())) return;
		const body = packOutcome(outcome);
		const temporary = join(this.folder, `${key}.${randomBytes(6).toString("hex")}.tmp`);
		try {
			const sum = createHash("sha256").update(key).update(body).digest();
			await writeFile(temporary, Buffer.concat([sum, body]));
			await rename(temporary, join(this.folder, key));
			if (trimsAt.test(key)) await this.trim();
		} catch {
			// A cache that cannot be written is a slow cache, no failure of the build.
			await rm(temporary, { force: true }).catch(() => undefined);
		}
	}

	/** A folder that somebody else made, or may write to, could hold anything. Windows keeps a user's cache folder by its rights. */
	private isOurs(): Promise<boolean> {
		this.ours ??= (async () => {
			try {
				await mkdir(this.folder, { recursive: true, mode: 0o700 });
				const { uid, mode } = await stat(this.folder);
				return process.getuid === undefined || (uid === process.getuid() && (mode & 0o002) === 0);
			} catch {
				return false;
			}
		})();
		return this.ours;
	}

	private async trim(): Promise<void> {
		const names = await readdir(this.folder);
		const files = await Promise.all(
			names.map(async (name) => {
				const path = join(this.folder, name);
				const info = await stat(path).catch(() => undefined);
				const used = info?.mtimeMs ?? 0;
				if (!name.endsWith(".tmp") || Date.now() - used < abandonedMs) return { path, size: info?.size ?? 0, used };
				await rm(path, { force: true });
				return { path, size: 0, used };
			}),
		);
		let total = files.reduce((sum, file) => sum + file.size, 0);
		for (const file of files.sort((a, b) => a.used - b.used)) {
			if (total <= this.maxBytes) break;
			await rm(file.path, { force: true });
			total -= file.size;
		}
	}
}
