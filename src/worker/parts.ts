import type { BuildOutput, BuildResult } from "../build/types.ts";
import type { ProgressListener } from "../common/cancellation.ts";
import type { Event } from "../common/event.ts";
import type { SourceTree } from "../common/sourceTree.ts";
import type { StartGradeWorker } from "../grade/gradeRun.ts";
import type { ActivityRecorder } from "../kernelview/activity.ts";
import type { LabCatalog } from "../lab/catalog.ts";
import type { FaultObserver } from "../lab/faults/fault.ts";
import type { LabManifest } from "../lab/manifest.ts";
import type { TestObserver } from "../lab/runner.ts";
import type { Machine } from "../machine/machine.ts";
import type { Recording } from "../machine/recording.ts";
import type { BuildParams, EngineEvents, MachineParams, SourceLocation, TreeInfo } from "../protocol/engine.ts";
import type { LiveUpdate } from "../protocol/history.ts";
import type { Finding, KernelModel, WalkModel } from "../protocol/kernelModel.ts";
import type { RunHost } from "../session/runController.ts";
import type { RunnableMachine } from "../session/runnableMachine.ts";

/** Of a build, what a view of its machine needs. */
export type BootedBuild = Pick<BuildOutput, "kernel" | "programs">;

/** What the inspector and the links read; implemented over src/kernelview. */
export interface KernelObserver extends TestObserver, Pick<FaultObserver, "kernelCalls" | "processes" | "inUse"> {
	model(): KernelModel;
	/** For the inspector: whole at first, then changes. */
	live(): ModelSource;
	/** The machine stands at an earlier moment now, and what came later has not happened. */
	cut(): void;
	walk(pid: number, address: string): WalkModel | undefined;
	/** For a part of the run that is done once more. */
	activity(): ActivityRecorder;
	symbolize(address: string): SourceLocation | undefined;
	/** A person watches: what the observer does by itself may take a small share of the time that this clock tells, until the next `begin`. */
	paceBy?(clock: () => number): void;
	/** A finding is new; told at the moment in the guest that showed it. */
	readonly onFinding?: Event<Finding>;
	/** Page faults seen so far. */
	readonly faultCount: number;
}

export interface ModelSource {
	/** `isPast`: the machine stands in its past; what is left of log and steps. */
	next(isPast?: boolean): LiveUpdate;
	/** The moment of the past that the machine stands at; undefined: it is the present. */
	past(): KernelModel | undefined;
	readonly more: boolean;
	dispose(): void;
}

/** What differs between Node and browsers, and what tests replace. */
export interface EngineParts extends RunHost {
	readonly catalog: LabCatalog;
	emit<K extends keyof EngineEvents>(kind: K, event: EngineEvents[K]): void;
	/** A build is likely soon. */
	warm(params: BuildParams): Promise<void>;
	build(tree: SourceTree, params: BuildParams, onProgress: ProgressListener, signal: AbortSignal): Promise<BuildResult>;
	describeTree(tree: SourceTree): Promise<Omit<TreeInfo, "lab">>;
	createMachine(
		output: BuildOutput,
		params: MachineParams,
		/** The machine tells what was executed. */
		counting?: boolean,
	): Promise<{ machine: RunnableMachine; harts: number; memoryMiB: number; virtio: string }>;
	/** A machine to explore with: by the core that detectors watch, or by the plain one. */
	explorable(output: BuildOutput, params: MachineParams, watch: boolean): Promise<Machine>;
	/** Another machine that does what this one did, from power-on; throws where that is not all that it did. */
	again(machine: RunnableMachine): Promise<RunnableMachine>;
	/** The machine's program, for grade workers. */
	core(): Promise<WebAssembly.Module>;
	gradeWorkers(): Promise<StartGradeWorker>;
	/** The run of a machine up to now, as a file. */
	record(machine: RunnableMachine, title: string): Promise<Uint8Array>;
	/** The machine of a recorded run at power-on. Throws UserError `recording-damaged`. */
	recorded(bytes: Uint8Array): Promise<{ machine: RunnableMachine; recording: Recording }>;
	/** `steps` false: nobody will look at the memory of earlier moments. */
	observe(
		machine: RunnableMachine,
		output: BootedBuild,
		manifest: LabManifest | undefined,
		options?: { readonly steps?: boolean },
	): KernelObserver | undefined;
	/** Milliseconds, for pacing only; never seen by the guest. */
	now(): number;
}
