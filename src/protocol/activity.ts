import type { SourcePoint } from "./kernelModel.ts";

/** Who ran where in a part of a run: what the page draws as lanes of harts and of processes. Times are steps of all harts together. */
export interface ActivityModel {
	readonly from: number;
	readonly to: number;
	/** What can be asked for: the machine remembers so much of its past. */
	readonly oldest: number;
	readonly present: number;
	readonly harts: number;
	/** Those that do something in this part, by pid. */
	readonly processes: readonly { readonly pid: number; readonly name: string }[];
	/** By their begin. */
	readonly spans: readonly ActivitySpan[];
	/** Places that a report is about, wherever they are in the run. */
	readonly marks: readonly ActivityMark[];
	/** Short lock holds and traps that were left out; a closer look shows them. */
	readonly left: number;
	/** What this kernel does not tell, in words. */
	readonly notes: readonly string[];
}

/**
 * - `runs`: the hart has the process
 * - `trap`: a process is in the kernel; `what` says why
 * - `waits`: a hart spins in acquire() while another holds the lock; `what` is the lock
 * - `holds`: from the return of acquire() to the call of release()
 * - `sleeps`: a process, until it is woken; `what` is the channel
 * - `ready`: it could run, and no hart has it
 */
export type ActivityKind = "runs" | "trap" | "waits" | "holds" | "sleeps" | "ready";

export interface ActivitySpan {
	readonly kind: ActivityKind;
	readonly from: number;
	readonly to: number;
	/** It had begun before this part of the run, or was not over at its end. */
	readonly open?: true;
	/** 0: no process. */
	readonly pid: number;
	/** Where it began; undefined: on none. */
	readonly hart?: number;
	readonly what: string;
	/** Who called acquire() or sleep(). */
	readonly source?: SourcePoint;
	/** Who woke it. */
	readonly by?: { readonly pid: number; readonly hart: number };
}

export interface ActivityMark {
	readonly at: number;
	readonly hart: number;
	readonly kind: "race" | "deadlock";
	readonly text: string;
}

/** No part that is asked for has more. */
export const mostActivity = 20_000_000;
