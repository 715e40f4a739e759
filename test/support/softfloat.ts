import { readFileSync } from "node:fs";
import { join } from "node:path";
import asc from "assemblyscript/asc";

/** The core's softfloat compiled alone; 64-bit values pass as signed BigInt. */
export type Softfloat = Record<string, (...operands: (number | bigint)[]) => number | bigint> & {
	readonly softfloat_flags: { value: number };
};

export async function compileSoftfloat(): Promise<Softfloat> {
	const core = join(import.meta.dirname, "../../src/machine/core");
	let binary: Uint8Array | undefined;
	const { error, stderr } = await asc.main(["softfloat.ts", "-o", "out.wasm", "-O2", "--runtime", "stub"], {
		readFile: (name: string) => {
			try {
				return readFileSync(join(core, name), "utf8");
			} catch {
				return null;
			}
		},
		writeFile: (name: string, contents: Uint8Array | string) => {
			if (name === "out.wasm") binary = contents as Uint8Array;
		},
		listFiles: () => [],
	});
	if (error || !binary) throw new Error(`softfloat.ts does not compile: ${stderr.toString()}`);
	const { instance } = await WebAssembly.instantiate(binary as Uint8Array<ArrayBuffer>, {});
	return instance.exports as unknown as Softfloat;
}
