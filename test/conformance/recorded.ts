import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, brotliDecompressSync } from "node:zlib";
import type { SuiteImage } from "./harness.ts";
import type { Suite } from "./suites/index.ts";

/** Relative to the repository, from where tests and the recorder run. */
export const recordedFolder = "test/conformance/recorded";
const indexFile = join(recordedFolder, "index.json");

interface Entry {
	/** SHA-256 of the image that was run; a changed generator needs a new recording. */
	readonly program: string;
	readonly cases: number;
}

interface Index {
	readonly machine: string;
	readonly suites: Record<string, Entry>;
}

export const programHash = (image: SuiteImage) => createHash("sha256").update(image.elf).digest("hex");

export function readIndex(): Index {
	return JSON.parse(readFileSync(indexFile, "utf8")) as Index;
}

/** What QEMU sent when it ran this suite. */
export function readRecording(suite: Suite, image: SuiteImage): Uint8Array {
	if (readIndex().suites[suite.name]?.program !== programHash(image)) {
		throw new Error(`the programs of suite ${suite.name} are not the recorded ones: run test/conformance/record.ts`);
	}
	return new Uint8Array(brotliDecompressSync(readFileSync(join(recordedFolder, `${suite.name}.br`))));
}

export function writeRecording(
	machine: string,
	recordings: { suite: Suite; image: SuiteImage; output: Uint8Array }[],
): void {
	const suites: Record<string, Entry> = {};
	for (const { suite, image, output } of recordings) {
		writeFileSync(join(recordedFolder, `${suite.name}.br`), brotliCompressSync(output));
		suites[suite.name] = { program: programHash(image), cases: image.cases.length };
	}
	writeFileSync(indexFile, `${JSON.stringify({ machine, suites } satisfies Index, null, "\t")}\n`);
}
