import type { BuildOutput } from "../build/types.ts";
import { type Disposable, DisposableStore } from "../common/disposable.ts";
import type { KernelView } from "../kernelview/kernelView.ts";
import type { LabManifest } from "../lab/manifest.ts";
import type { Machine } from "../machine/machine.ts";
import type { MachineParams } from "../protocol/engine.ts";
import { RunController } from "../session/runController.ts";
import { Shell } from "../session/shell.ts";
import { watchProgress } from "../session/waiting.ts";
import { breathe, createCountingMachine, createMachine, observe } from "./machine.ts";

/** A machine for one command: its owner, the shell that types, and the kernel seen from outside. */
export interface GuestSession extends Disposable {
	readonly machine: Machine;
	readonly harts: number;
	readonly controller: RunController;
	readonly shell: Shell;
	readonly view: KernelView;
}

interface GuestSessionOptions {
	readonly params: MachineParams;
	readonly manifest: LabManifest | undefined;
	/** From now on, for all that the session runs. */
	readonly timeoutMs: number | undefined;
	readonly onOutput: (bytes: Uint8Array) => void;
	/** The machine tells what was executed. */
	readonly counting?: boolean;
}

export async function openSession(output: BuildOutput, options: GuestSessionOptions): Promise<GuestSession> {
	const { params, manifest, timeoutMs, onOutput } = options;
	const create = options.counting ? createCountingMachine : createMachine;
	const { machine, harts } = await create(output, params);
	const store = new DisposableStore();
	store.add(machine);
	const view = store.add(observe(machine, output, manifest));
	const progress = watchProgress(machine, () => view);
	const controller = store.add(new RunController(machine, { breathe }, progress));
	const end = timeoutMs === undefined ? Number.POSITIVE_INFINITY : performance.now() + timeoutMs;
	const patience = () => () => performance.now() > end;
	const shell = store.add(new Shell(controller, machine, { onOutput, patience }));
	return { machine, harts, controller, shell, view, dispose: () => store.dispose() };
}
