import { expect } from "vitest";
import * as layout from "../../../../src/machine/core/layout.ts";
import { type CoreExports, memoryPages } from "../../../../src/machine/coreAbi.ts";
import { readRecord } from "../../../../src/machine/jit/instruction.ts";
import type { Reader } from "../../../../src/machine/jit/region.ts";
import type { Machine } from "../../../../src/machine/machine.ts";
import { assemble } from "../../../support/assembler.ts";
import { boot, coreModule, elfOf, ramBase } from "../../../support/guest.ts";

/** Machines of one program: interpreted, translated from the first execution, and from the third. */
export const ways = [
	["interpreted", { jit: "off" }, {}],
	["translated at once", { jit: "eager" }, {}],
	["translated when warm", { jit: "on" }, { translator: { hot: 3, batch: 1 } }],
	["translated in a tiny cache", { jit: "on" }, { translator: { hot: 2, batch: 1, regionsMax: 3, modulesMax: 2 } }],
] as const;

export interface Options {
	readonly harts?: number;
	readonly disk?: Uint8Array;
}

export async function machinesOf(
	source: string,
	options: Options = {},
): Promise<readonly (readonly [string, Machine])[]> {
	const kernel = elfOf(assemble(source, ramBase).bytes);
	return Promise.all(
		ways.map(
			async ([name, how, parts]) => [name, (await boot({ kernel, ...how, ...options }, parts)).machine] as const,
		),
	);
}

/** Runs all machines in pieces of the given steps and compares their states after each. */
export async function sameAlways(
	source: string,
	pieces: readonly number[],
	options: Options = {},
): Promise<readonly Machine[]> {
	const machines = await machinesOf(source, options);
	for (const steps of pieces) {
		const states = machines.map(([name, machine]) => {
			machine.run(steps);
			return [name, machine.instret, machine.stateHash()];
		});
		const [, instret, hash] = states[0] as [string, number, string];
		for (const state of states) expect(state.slice(1), String(state[0])).toEqual([instret, hash]);
	}
	for (const [name, machine] of machines.slice(1)) {
		expect(machine.translation?.instructions, name).toBeGreaterThan(0);
	}
	return machines.map(([, machine]) => machine);
}

/** Reads the instructions of a program as the core decodes them; it fits into one page. */
export function readerOf(source: string): Reader {
	const { bytes } = assemble(source, ramBase);
	const pages = memoryPages(layout.PAGE_SIZE, 0);
	const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
	const nothing = () => {};
	const env = {
		memory,
		abort: nothing,
		deviceRead: nothing,
		deviceWrite: nothing,
		deviceTick: nothing,
		translate: nothing,
		wake: nothing,
	};
	const events = { onTrap: nothing, onTrapReturn: nothing, onRootChange: nothing, onBreakpoint: nothing };
	const points = { onWatchpoint: nothing, slotChanged: nothing, undoFull: nothing };
	const { exports } = new WebAssembly.Instance(coreModule(), { env: { ...env, ...events, ...points } });
	const core = exports as unknown as CoreExports;
	core.initialize(1, layout.PAGE_SIZE, 0, 0n, 0);
	const slot = 1;
	new Uint8Array(memory.buffer).set(bytes, layout.SLOT_COPY + slot * layout.PAGE_SIZE);
	const view = new DataView(memory.buffer);
	return (offset) => readRecord(view, core.decodeRecord(slot, offset), offset);
}
