import type { BuildOutput } from "../build/types.ts";
import { Machine } from "../machine/machine.ts";
import type { MachineParams } from "../protocol/engine.ts";

/** A machine to explore with; the seed is the explored run's, the boot is always the same. */
export async function explorable(
	core: WebAssembly.Module,
	output: BuildOutput,
	params: MachineParams,
	watch: boolean,
): Promise<Machine> {
	const { machine } = await machineFor(core, output, { ...params, seed: 0, translator: !watch }, undefined, watch);
	return machine;
}

/** A machine for a built tree: the tree's own wishes, and the user's over them. */
export async function machineFor(
	core: WebAssembly.Module,
	output: BuildOutput,
	params: MachineParams,
	symbolize?: (pc: bigint) => string | undefined,
	/** The core is core-watch.wasm. */
	watch = false,
): Promise<{ machine: Machine; harts: number; memoryMiB: number; virtio: string }> {
	const { wish } = output;
	const harts = params.harts ?? wish.harts;
	const memoryBytes = params.memoryMiB !== undefined ? params.memoryMiB * 1024 * 1024 : wish.memoryBytes;
	const virtio = params.virtio ?? wish.virtio;
	const options = {
		kernel: output.kernel,
		disk: output.disk,
		harts,
		memoryBytes,
		virtio,
		// A tree without a PMP entry is from before QEMU enforced PMP: it gets the machine that it was written for.
		pmp: wish.pmp,
		...(wish.rtc !== undefined ? { rtc: wish.rtc } : {}),
		...(wish.network ? { network: wish.network } : {}),
		seed: params.seed ?? 0,
		jit: params.translator ? "on" : "off",
	} as const;
	const machine = await Machine.create(options, { core, watch, ...(symbolize ? { symbolize } : {}) });
	return { machine, harts, memoryMiB: memoryBytes / 1024 / 1024, virtio };
}
