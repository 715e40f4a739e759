import { readFileSync } from "node:fs";
import { join } from "node:path";
import { brotliDecompressSync } from "node:zlib";

/** Relative to the repository, from where tests and the recorder run. */
export const guestFolder = "test/conformance/toolchain/guest";
export const recordedFolder = "test/conformance/toolchain/recorded";
export const levels = ["-O0", "-O1", "-O2"] as const;

export interface RandomProgram {
	/** csmith's seed. */
	readonly seed: number;
	readonly source: string;
	/** Checksum of its globals at the end, the same from gcc at every level. */
	readonly result: string;
}

export interface Corpus {
	/** Who made and who judged the programs. */
	readonly generator: string;
	readonly compiler: string;
	readonly programs: readonly RandomProgram[];
}

export function readCorpus(): Corpus {
	return JSON.parse(brotliDecompressSync(readFileSync(join(recordedFolder, "csmith.json.br"))).toString()) as Corpus;
}

export const guestFile = (name: string) => readFileSync(join(guestFolder, name));

/** A main() that runs programs one after the other, each of which prints its own line. */
export function runner(programs: readonly RandomProgram[]): string {
	const declared = programs.map(({ seed }) => `int program_${seed}(void);\n`).join("");
	const calls = programs.map(({ seed }) => `\tprint("${seed} ");\n\tprogram_${seed}();\n`).join("");
	return `#include "guest.h"\n${declared}\nint main(void)\n{\n${calls}\treturn 0;\n}\n`;
}

/** `seed checksum` a line. */
export function parseResults(output: string): Map<number, string> {
	return new Map(
		output.split("\n").flatMap((text) => {
			const match = /^(\d+) ([0-9a-f]{16})$/.exec(text.trim());
			return match ? [[Number(match[1]), match[2] as string] as const] : [];
		}),
	);
}
