import { setImmediate } from "node:timers/promises";
import type { BuildOutput } from "../build/types.ts";
import { loadCore, loadWatchCore } from "../env/node/core.ts";
import type { KernelView } from "../kernelview/kernelView.ts";
import { observeKernel } from "../kernelview/observe.ts";
import type { LabManifest } from "../lab/manifest.ts";
import type { Machine } from "../machine/machine.ts";
import type { MachineParams } from "../protocol/engine.ts";
import type { RunnableMachine } from "../session/runnableMachine.ts";
import { explorable, machineFor } from "../worker/compose.ts";

export async function createMachine(output: BuildOutput, params: MachineParams) {
	return machineFor(await loadCore(), output, params);
}

/** A machine that tells what was executed: with the core for it, which interprets. */
export async function createCountingMachine(output: BuildOutput, params: MachineParams) {
	return machineFor(await loadWatchCore(), output, { ...params, translator: false }, undefined, true);
}

/** A machine to explore with. `watch`: with the core that detectors watch. */
export async function explorableMachine(output: BuildOutput, params: MachineParams, watch: boolean): Promise<Machine> {
	return explorable(await (watch ? loadWatchCore() : loadCore()), output, params, watch);
}

/** What the kernel does to memory, seen from outside. */
export function observe(machine: RunnableMachine, output: BuildOutput, manifest: LabManifest | undefined): KernelView {
	return observeKernel(machine, output, manifest?.regions, { steps: false });
}

/** Lets timers, signals and pipes through between two looks at the machine. */
export async function breathe(): Promise<void> {
	await setImmediate();
}
