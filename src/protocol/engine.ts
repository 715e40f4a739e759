import type { DebugProtocol } from "@vscode/debugprotocol";
import type { Diagnostic } from "../common/diagnostic.ts";
import type { ActivityModel } from "./activity.ts";
import type { CoveragePart, CoverageReport } from "./coverage.ts";
import type { Declared } from "./declared.ts";
import type { Diagnosis } from "./diagnosis.ts";
import type { LiveUpdate, WriterModel } from "./history.ts";
import type { KernelModel, WalkModel } from "./kernelModel.ts";
import type { NetworkModel } from "./network.ts";
import type { ScheduleData, Verdict } from "./verdict.ts";

/**
 * What the extension host and the engine worker say to each other. One engine serves one workspace folder: it builds its tree,
 * owns its machine, judges its programs and reads its kernel's memory. Closed unions; everything is plain data.
 */

/** Files of the tree that changed since the last `sync`, by path relative to the tree. The engine never reads a disk. */
export interface SyncParams {
	readonly changed: readonly { readonly path: string; readonly bytes: Uint8Array }[];
	readonly removed: readonly string[];
}

export interface BuildParams {
	readonly toolchain: "auto" | "bundled" | "host";
	/** Compiler to use for `host`; undefined: search PATH. */
	readonly toolchainPath?: string;
	/** The debug build: -O0 for what the Makefile says. */
	readonly unoptimized?: boolean;
}

export interface BuildSummary {
	readonly ok: boolean;
	readonly diagnostics: readonly Diagnostic[];
	/** For people: which compiler, how many files compiled and reused. */
	readonly summary: string;
	readonly toolchain: string;
	readonly compiled: number;
	readonly reused: number;
	/** What the tree wants of the machine contradicts itself, in words. */
	readonly warnings: readonly string[];
	/** Names in the root directory of the disk that was built. */
	readonly files?: readonly string[];
	/** Same number: nothing changed since the build with this number. */
	readonly revision: number;
}

/** The user's wishes; undefined: what the tree says. */
export interface MachineParams {
	readonly harts?: number;
	readonly memoryMiB?: number;
	readonly virtio?: "modern" | "legacy";
	readonly seed?: number;
	readonly translator: boolean;
	/** What the machine may keep of its past while it is inspected or debugged; 0: nothing. */
	readonly historyMiB?: number;
}

export interface ProgramInfo {
	readonly name: string;
	/** Path of the source with `main`, relative to the tree, when there is one. */
	readonly source?: string;
	/** Line of it (from 1) on which `main` is. */
	readonly main?: number;
}

export interface TaskInfo {
	readonly id: string;
	readonly title: string;
	/** The file of the tree that the task begins in. */
	readonly start?: string;
}

export interface TestInfo {
	readonly id: string;
	readonly task: string;
	readonly title: string;
	readonly program: string;
	readonly command: string;
	readonly expected: string;
	/** Line of the program's source (from 1) that the test begins at; absent: that of `main`. */
	readonly line?: number;
	/** Of a grade script's test: what it counts, the test that has to pass first, and where its function is. */
	readonly grade?: {
		readonly points: number;
		readonly parent?: string;
		readonly file: string;
		readonly line?: number;
	};
}

export interface LabInfo {
	readonly id: string;
	readonly title: string;
	readonly course: string;
	/** Names of the programs that the lab adds, in its order. */
	readonly programs: readonly string[];
	readonly tasks: readonly TaskInfo[];
	readonly tests: readonly TestInfo[];
	/** The handout's path, where the tree has one. */
	readonly handout?: string;
}

export interface ProgramTests {
	readonly program: string;
	readonly tests: readonly TestInfo[];
}

/** What the tree is, found without building it. */
export interface TreeInfo {
	readonly isKernelTree: boolean;
	readonly programs: readonly ProgramInfo[];
	readonly lab?: LabInfo;
	/** Programs whose own tests can be run one by one, as usertests has them. Their ids are no ids of the lab's. */
	readonly programTests?: readonly ProgramTests[];
	/** Which lab it was taken for and why, or why for none; a sentence for people. Absent: no kernel tree. */
	readonly recognised?: string;
	/** A Makefile or manifest that cannot be understood, in words. */
	readonly problem?: string;
}

export interface RunTestsParams {
	/** Test ids; empty: all of the lab. */
	readonly tests: readonly string[];
	readonly seeds: readonly number[];
	/** Each test that passed is run under the concurrency detectors, then by so many schedules; absent: it is not. */
	readonly explore?: number;
	readonly machine: MachineParams;
	/** What was executed is counted: the result has it. */
	readonly coverage?: boolean;
	/** Instead of judging what the program says: each kalloc of each test fails once, and the kernel is judged. With the first seed. */
	readonly everyKallocFails?: boolean;
}

/** By test, and of all together with the boot; files of the tree only. */
export interface TestsCoverage {
	readonly parts: readonly CoveragePart[];
	readonly together: CoverageReport;
}

export interface OpenedRun {
	/** The command that was run, where it is known. */
	readonly title: string;
	readonly harts: number;
	readonly instructions: number;
	/** It ended in the recorded state. */
	readonly same: boolean;
	/** The kernel is the one of the last build: programs have their lines. */
	readonly isBuilt: boolean;
}

export interface SourceLocation {
	readonly name: string;
	readonly file?: string;
	readonly line?: number;
}

export interface CommandResult {
	readonly end: string;
	/** Where the lab has a test for it. */
	readonly verdict?: Verdict;
	/** Of a command that no test judges, and of a boot that failed. */
	readonly diagnoses: readonly Diagnosis[];
	/** Of a program that says by itself whether it passed; see lab/knownPrograms.ts. */
	readonly known?: { readonly state: "passed" | "failed" | "unknown"; readonly says: string };
}

/** Requests of the host with their answers. A failed request is answered too, with the error's data. */
export interface EngineRequests {
	sync: { params: SyncParams; result: TreeInfo };
	build: { params: BuildParams; result: BuildSummary };
	/** The person has begun to edit: the compiler may be loaded now. */
	warm: { params: BuildParams; result: undefined };
	/** Boots the last good build; an earlier machine of this engine is gone. Answers when the machine runs. */
	boot: {
		params: MachineParams;
		result: { readonly harts: number; readonly memoryMiB: number; readonly virtio: string };
	};
	/** Waits for the prompt, types the command, waits for the next prompt; judges it where the lab has a test for it. */
	runCommand: {
		params: { readonly command: string };
		result: CommandResult;
	};
	/**
	 * Boots the machine and runs one test of the lab on it with a seed, instruction for instruction as `runTests` does; it stays for a
	 * person to look at.
	 */
	runTest: {
		params: { readonly test: string; readonly seed: number; readonly machine: MachineParams };
		result: EngineRequests["boot"]["result"] & EngineRequests["runCommand"]["result"];
	};
	runTests: {
		params: RunTestsParams;
		result: { readonly passed: number; readonly failed: number; readonly coverage?: TestsCoverage };
	};
	/** The live machine's run up to now as a file (machine/recording.ts). */
	saveRun: { params: undefined; result: { readonly bytes: Uint8Array; readonly title: string } };
	/** Does a recorded run again, to its end, as the live machine, which stands there with its history. */
	openRun: { params: { readonly bytes: Uint8Array }; result: OpenedRun };
	/** The texts of compile_commands.json, .clangd and c_cpp_properties.json for the tree, which lies in this directory. */
	compileCommands: {
		params: { readonly directory: string };
		result: { readonly commands: string; readonly clangd: string; readonly cppProperties: string };
	};
	/**
	 * What a name in a line (from 1) of a file of the tree is declared as, by the debug information of the last build: the last one of a chain
	 * such as `p->trapframe->a0`. Undefined where it has none, or where the file is newer than the build.
	 */
	declared: {
		params: { readonly path: string; readonly line: number; readonly chain: string };
		result: Declared | undefined;
	};
	/** A test's command by a schedule, up to the moment, as the bytes of a recording file. */
	recordSchedule: {
		params: { readonly test: string; readonly moment: ScheduleData; readonly machine: MachineParams };
		result: { readonly bytes: Uint8Array };
	};
	/** One message of a debug session's client (Debug Adapter Protocol); its answers come as `debug` events. */
	debug: { params: DebugMessage; result: undefined };
	/** Of a machine that shows its past: this moment is the present from now on. */
	newFuture: { params: undefined; result: undefined };
	toPresent: { params: undefined; result: undefined };
	input: { params: { readonly bytes: Uint8Array }; result: undefined };
	/** So many console bytes have been shown; the engine pauses (in wall time only) when too many are on their way. */
	consoleShown: { params: { readonly bytes: number }; result: undefined };
	pause: { params: undefined; result: undefined };
	resume: { params: undefined; result: undefined };
	/** Runs until the next page fault, and stands there, before its handler's first instruction; during a command, too. */
	stepToFault: { params: undefined; result: { readonly found: boolean } };
	stop: { params: undefined; result: undefined };
	/** The inspector's data, see kernelModel.ts; undefined without a machine. */
	model: { params: undefined; result: KernelModel | undefined };
	/** While on, `model` events come at most 10 times a second, each after the one before was drawn. */
	watchModel: { params: { readonly on: boolean }; result: undefined };
	modelDrawn: { params: undefined; result: undefined };
	/** Where an address of the guest lies in the sources. */
	symbolize: { params: { readonly address: string }; result: SourceLocation | undefined };
	/** Who last wrote the page-table entry at a physical address between two moments; does the run again, beside the machine. */
	writer: {
		params: { readonly address: string; readonly after: number; readonly before: number };
		result: WriterModel | undefined;
	};
	/** Who ran where in a part of the machine's past; undefined: it keeps none. */
	activity: { params: { readonly from: number; readonly to: number }; result: ActivityModel | undefined };
	/** The network card and its packets; undefined: there is none. */
	network: { params: undefined; result: NetworkModel | undefined };
	/** Sv39 walk of one address in one process' page table (pid 0: the kernel's). */
	walk: { params: { readonly pid: number; readonly address: string }; result: WalkModel | undefined };
	/** Ends the running build or test run; the request that waits for it fails with `cancelled`. */
	cancel: { params: undefined; result: undefined };
	/** Test hook: the worker throws outside of any request, as a defect of ours would. */
	crash: { params: undefined; result: undefined };
	/** The last request: ends all work, and answers when nothing of it is left, no process and no scratch file. */
	close: { params: undefined; result: undefined };
}

/** `past`: an earlier moment of its history is shown. */
export type MachineState = "none" | "running" | "paused" | "past" | "dead";

/** Why a machine stands or ended; see session/runController.ts `Stop`. */
export type StopKind = "asked" | "fault" | "step" | "breakpoint" | "watchpoint" | "seek" | "halt" | "panic" | "off";

/** A message of the Debug Adapter Protocol, and whose. */
export interface DebugMessage {
	readonly session: string;
	readonly message: DebugProtocol.ProtocolMessage;
}

/** What the engine tells without being asked. */
export interface EngineEvents {
	debug: DebugMessage;
	console: { readonly bytes: Uint8Array };
	/** The machine shows its past: the last bytes of what the console had shown then. Without: it is back in the present. */
	pastConsole: { readonly bytes?: Uint8Array };
	/** The future begins at an earlier moment: what came after it has not happened. With the console's last bytes then. */
	futureCut: { readonly bytes: Uint8Array };
	state: { readonly state: MachineState; readonly stop?: StopKind; readonly why?: string };
	/** Keys that the guest was not given: the machine shows its past. */
	typedInPast: { readonly bytes: Uint8Array };
	progress: { readonly step: string; readonly done: number; readonly total: number };
	testStarted: { readonly test: string; readonly seed: number };
	/** Of a test that is many runs. */
	testProgress: { readonly test: string; readonly done: number; readonly total: number };
	testOutput: { readonly bytes: Uint8Array };
	/** So many schedules of a test have been tried; of the places that race or use shared memory a hart was stopped before so many. */
	exploring: {
		readonly test: string;
		readonly done: number;
		readonly total: number;
		readonly strategy: string;
		readonly covered: { readonly stopped: number; readonly places: number };
	};
	verdict: Verdict;
	/** Why a machine that ran by itself panicked. */
	diagnosis: { readonly diagnoses: readonly Diagnosis[] };
	/** A machine that makes no progress: said once, the run continues. */
	stall: { readonly message: string };
	/** The whole model when the watching begins, then what changed. */
	model: { readonly model: LiveUpdate };
	/**
	 * The moment of its past at which the machine stands. Its log has those entries only that were otherwise than they are in the present;
	 * later ones had not come. Undefined: the machine is back in the present.
	 */
	past: { readonly model: KernelModel | undefined };
	log: { readonly level: "debug" | "info" | "warn" | "error"; readonly message: string };
}
