import { createHash } from "node:crypto";
import { closeSync, openSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { utf8 } from "../../common/bytes.ts";
import { UserError } from "../../common/errors.ts";
import type { Line } from "../../grade/class/lines.ts";
import { type Parsed, parseResults, type Results, serialize } from "../../grade/class/results.ts";
import { atomicWrite } from "./atomicWrite.ts";
import { distFolder } from "./dist.ts";
import { isAlive } from "./isAlive.ts";
import { shortHash } from "./submission.ts";
import { unwritable } from "./unwritable.ts";

/** Reads results; undefined where there is no such file. */
export async function readResults(file: string): Promise<Parsed | undefined> {
	try {
		return parseResults(await readFile(file, "utf8"), file);
	} catch (error) {
		if (error instanceof UserError) throw error;
		if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
		throw new UserError("file-unreadable", `Cannot read ${file}: ${(error as Error).message}`, "Check the path.", {
			file,
		});
	}
}

/**
 * results.jsonl while a class is graded: a line is there whole or not at all to its next reader, since a torn last one is dropped.
 * A lock beside it keeps a second run away.
 */
export class ResultsFile {
	private descriptor: number;
	private readonly lock: string;

	/** `whole`: bytes of the file that are whole lines. */
	private constructor(
		private readonly file: string,
		whole: number | undefined,
	) {
		this.lock = `${file}.lock`;
		takeLock(this.lock, file);
		try {
			if (whole !== undefined) truncateSync(file, whole);
			this.descriptor = openSync(file, "a");
		} catch (error) {
			rmSync(this.lock, { force: true });
			throw unwritable(file, error, "", "choose another file with --out");
		}
	}

	/** `found`: what `readResults` gave. */
	static open(file: string, found: Parsed | undefined): ResultsFile {
		const whole = found === undefined ? undefined : utf8(readFileSync(file, "utf8").slice(0, found.whole)).length;
		return new ResultsFile(file, whole);
	}

	append(line: Line): void {
		try {
			writeFileSync(this.descriptor, `${serialize(line)}\n`);
		} catch (error) {
			throw unwritable(this.file, error, "", "choose another file with --out");
		}
	}

	/** Once everything is there: the lines in their one order, in a file that replaces this one. */
	async finish(results: Results): Promise<void> {
		closeSync(this.descriptor);
		this.descriptor = -1;
		try {
			await writeResults(this.file, results);
		} finally {
			rmSync(this.lock, { force: true });
		}
	}

	close(): void {
		if (this.descriptor < 0) return;
		closeSync(this.descriptor);
		this.descriptor = -1;
		rmSync(this.lock, { force: true });
	}
}

/** The lines in their one order. */
export async function writeResults(file: string, results: Results): Promise<void> {
	const lines = results.lines().map((line) => `${serialize(line)}\n`);
	await atomicWrite([{ path: file, bytes: utf8(lines.join("")) }]);
}

/** A process that was killed a moment ago still gives its memory back. */
const dyingMs = 1000;

function takeLock(lock: string, file: string): void {
	const mine = `${hostname()} ${process.pid}\n`;
	const until = performance.now() + dyingMs;
	for (;;) {
		try {
			writeFileSync(lock, mine, { flag: "wx" });
			return;
		} catch (error) {
			if ((error as NodeJS.ErrnoException).code !== "EEXIST")
				throw unwritable(file, error, "", "choose another file with --out");
		}
		const [host = "another machine", pid = "?"] = readLock(lock);
		if (host === hostname() && !isAlive(Number(pid))) {
			// Of a run that was killed.
			rmSync(lock, { force: true });
			continue;
		}
		// "?": it is just being written, or removed.
		if ((pid === "?" || host === hostname()) && performance.now() < until) {
			Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
			continue;
		}
		throw new UserError(
			"already-exists",
			`Another run writes ${file} (process ${pid} of ${host})`,
			`Wait for it or name another file with --out; if it is not there any more, remove ${lock}.`,
		);
	}
}

function readLock(lock: string): string[] {
	try {
		return readFileSync(lock, "utf8").trim().split(" ");
	} catch {
		return [];
	}
}

/** A name of this build of the product: results of another one are not taken over. */
export async function engineName(): Promise<string> {
	const hash = createHash("sha256");
	for (const name of ["cli/xv6-lab.mjs", "machine/core.wasm", "machine/core-watch.wasm"]) {
		hash.update(await readFile(join(distFolder(), name)));
	}
	return shortHash(hash.digest("hex"));
}

export function hashOfText(text: string): string {
	return shortHash(createHash("sha256").update(text).digest("hex"));
}
