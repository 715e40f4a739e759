import type { History } from "../machine/history.ts";
import type { Hart, MachineSurface, StopReason } from "../machine/types.ts";
import type { RunController, Stop } from "../session/runController.ts";
import type { Contexts, Thread } from "./contexts.ts";
import type { ExceptionHit } from "./exceptions.ts";

/** A machine that can be debugged; its history where it keeps one. */
export interface DebuggedMachine extends MachineSurface {
	readonly history?: History | undefined;
}

export type HaltReason =
	| "entry"
	| "breakpoint"
	| "function breakpoint"
	| "instruction breakpoint"
	| "data breakpoint"
	| "exception"
	| "step"
	| "pause"
	| "goto"
	| "over";

/** Why the machine stands, for a person. */
export interface Halt {
	readonly reason: HaltReason;
	readonly thread: Thread;
	/** A sentence. */
	readonly description: string;
	/** Two or three words for it, beside the thread's name. Where there are some, the sentence is an answer, and goes to the console as well. */
	readonly label?: string;
	/** The place where the machine stands shows what the sentence says: the client is not told to draw attention to it. */
	readonly obvious?: boolean;
	readonly text?: string;
	readonly breakpoints?: readonly number[];
	readonly exception?: ExceptionHit;
}

/** A place to run to, besides the user's breakpoints. */
export interface Goal {
	readonly pc: bigint;
	readonly when: (hart: Hart) => boolean;
}

/** What stepping needs of the debugger. */
export interface StepOwner {
	readonly machine: DebuggedMachine;
	readonly controller: RunController;
	readonly contexts: Contexts;
	readonly isPast: boolean;
	readonly wantsPause: boolean;
	breathe(): Promise<void>;
	runUntil(goals: readonly Goal[]): Promise<Halt>;
	toStop(stop: StopReason): Stop | undefined;
	haltOf(stop: Stop | undefined): Halt;
}
