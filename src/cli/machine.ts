import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import type { BuildOutput } from "../build/types.ts";
import { distFolder } from "../env/node/dist.ts";
import type { LabManifest } from "../lab/manifest.ts";
import type { RunnableMachine as Machine } from "../lab/runner.ts";
import type { MachineParams } from "../protocol/engine.ts";
import { machineFor } from "../worker/compose.ts";
import type { KernelObserver } from "../worker/engine.ts";

let core: Promise<WebAssembly.Module> | undefined;

/** The compiled core; once a process. */
export function loadCore(): Promise<WebAssembly.Module> {
	core ??= readFile(join(distFolder(), "machine/core.wasm")).then((bytes) =>
		WebAssembly.compile(new Uint8Array(bytes)),
	);
	return core;
}

export async function createMachine(output: BuildOutput, params: MachineParams) {
	return machineFor(await loadCore(), output, params);
}

/** What the kernel does to memory, seen from outside. */
export function observe(
	_machine: Machine,
	_output: BuildOutput,
	_manifest: LabManifest | undefined,
): KernelObserver | undefined {
	return undefined;
}

/** Lets timers, signals and pipes through between two looks at the machine. */
export async function breathe(): Promise<void> {
	await setImmediate();
}
