import { readFileSync } from "node:fs";
import { Machine } from "../../src/machine/machine.ts";
import type { MachineOptions } from "../../src/machine/types.ts";

let core: WebAssembly.Module | undefined;

export interface How {
	readonly jit?: NonNullable<MachineOptions["jit"]>;
	readonly seed?: number;
	/** Steps of one call of `run`; default: all at once. */
	readonly pieces?: number;
}

const budget = 400_000_000;

/** What a suite's image sends when our machine runs it to the test finisher, or for `budget` steps at most. */
export async function runInMachine(image: Uint8Array, harts: number, how: How = {}): Promise<Uint8Array> {
	core ??= await WebAssembly.compile(readFileSync("dist/machine/core.wasm"));
	const machine = await Machine.create({ kernel: image, harts, jit: how.jit ?? "off", seed: how.seed ?? 0 }, { core });
	const sent: Uint8Array[] = [];
	machine.console.onData((bytes) => {
		sent.push(bytes.slice());
	});
	try {
		for (let left = budget; left > 0; left -= how.pieces ?? budget) {
			if (machine.run(how.pieces ?? budget).kind !== "budget") break;
		}
	} finally {
		machine.dispose();
	}
	return Buffer.concat(sent);
}
