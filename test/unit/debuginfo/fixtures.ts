import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";

/** Recorded by test/golden/debuginfo/record.ts: what binutils says about the same ELF file. */
export interface Fixture {
	readonly elf: string;
	readonly symbols: readonly (readonly [string, number, number])[];
	readonly lines: readonly (readonly [number, readonly string[]])[];
	readonly frames: readonly (readonly [number, string, string, string])[];
	readonly layout: readonly number[];
}

const file = join(import.meta.dirname, "../../golden/debuginfo/fixtures.json");
export const fixtures = JSON.parse(readFileSync(file, "utf8")) as Readonly<Record<string, Fixture>>;
export const names = Object.keys(fixtures);

export function elfOf(name: string): Uint8Array {
	return new Uint8Array(gunzipSync(Buffer.from((fixtures[name] as Fixture).elf, "base64")));
}
