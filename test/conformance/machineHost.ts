import { loadCore } from "../../src/env/node/core.ts";
import { Machine } from "../../src/machine/machine.ts";
import type { MachineOptions } from "../../src/machine/types.ts";
import type { Board } from "./qemu.ts";

let core: WebAssembly.Module | undefined;

export interface How {
	readonly jit?: NonNullable<MachineOptions["jit"]>;
	readonly seed?: number;
	/** Steps of one call of `run`; default: all at once. */
	readonly pieces?: number;
}

const budget = 400_000_000;

export interface Run {
	/** What the guest sent over the UART. */
	readonly output: Uint8Array;
	readonly instret: number;
	/** Of the machine at its end. */
	readonly stateHash: string;
}

/** Runs a suite's image on our machine to the test finisher, or for `budget` steps at most. */
export async function runInMachine(image: Uint8Array, board: Board, how: How = {}): Promise<Run> {
	core ??= await loadCore("dist");
	const { harts, disk, virtio = "modern" } = board;
	const machine = await Machine.create(
		{
			kernel: image,
			harts,
			virtio,
			...(disk === undefined ? {} : { disk: new Uint8Array(512 * disk) }),
			jit: how.jit ?? "off",
			seed: how.seed ?? 0,
		},
		{ core },
	);
	const sent: Uint8Array[] = [];
	machine.console.onData((bytes) => {
		sent.push(bytes.slice());
	});
	try {
		for (let left = budget; left > 0; left -= how.pieces ?? budget) {
			if (machine.run(how.pieces ?? budget).kind !== "budget") break;
		}
		return { output: Buffer.concat(sent), instret: machine.instret, stateHash: machine.stateHash() };
	} finally {
		machine.dispose();
	}
}
