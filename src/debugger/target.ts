import type { Disposable } from "../common/disposable.ts";
import type { RunEnd } from "../protocol/diagnosis.ts";
import type { RunController } from "../session/runController.ts";
import type { FindingEvent } from "./exceptions.ts";
import type { DebuggedMachine } from "./halt.ts";

/** Arguments of `launch` and `attach` (see docs/debugging.md and package.json, `debuggers`). */
export interface LaunchArguments {
	/** User program that is run at the shell and stopped in its `main`; undefined: the kernel boots, and the shell waits. */
	readonly program?: string;
	/** The command line; default: the program's name. */
	readonly command?: string;
	/** Stops at the first line of `main`, the program's or the kernel's. Default: true with a program, else false. */
	readonly stopOnEntry?: boolean;
	/** `debug`: built with -O0, so that every variable has a value. `as-built` (default): as the tree's Makefile says. */
	readonly build?: "debug" | "as-built";
	readonly harts?: number;
	readonly seed?: number;
	/** Folder of the kernel tree, where the host does not know it. */
	readonly tree?: string;
	/** The seed is a test's: the schedule begins when the shell asks for the command. */
	readonly asTest?: boolean;
	/** `failure`: runs on from `main` to what fails (a panic, a fault that kills, …), and stands right before it. */
	readonly until?: "failure";
	/** The machine keeps no history: nothing goes backwards, and it is a little faster. */
	readonly history?: boolean;
}

/** A machine with what is needed to debug it. */
export interface DebugTarget extends Disposable {
	readonly machine: DebuggedMachine;
	readonly controller: RunController;
	readonly kernel: Uint8Array;
	readonly programs: ReadonlyMap<string, Uint8Array>;
	/** The hart that a recorded run is about, where it stands: about to make the second access of a race, for one. */
	readonly hart?: number | undefined;
	/** How the client names the folder that the debug information's file names are relative to: a path, or a URI. */
	readonly root: string;
	/** The shell asks for the command: the last moment before it is typed. */
	prepare?(): void;
	/** The tree has this file; false: the build made it, and nobody can open it. */
	hasFile(path: string): boolean;
	/** Sentences about why a run would end like this where it stands, as far as they are proved. */
	diagnose?(end: RunEnd): readonly string[];
	/** What is wrong with the kernel's memory, when it is first seen. */
	readonly onFinding?: FindingEvent;
}

/** Where machines come from: a folder of the disk, or the engine that a window has. */
export interface DebugHost {
	launch(args: LaunchArguments, say: (text: string) => void): Promise<DebugTarget>;
	/** The machine that runs already. */
	attach(args: LaunchArguments): Promise<DebugTarget>;
	breathe(): Promise<void>;
}
