import { AccessKind } from "../machine/accessWatch.ts";

/** Records that the explorer puts between those of the core, at a function's first instruction. pc: where it returns to. */
export const OwnKind = {
	/** sleep(channel = value, lock = address) */
	sleep: AccessKind.firstOwn,
	/** A trap handler returns; value: the mode that it returns to. */
	trapReturn: AccessKind.firstOwn + 1,
} as const;

/** One access, or call, of a watched run. */
export interface Point {
	/** Its number in the run; the same run has it again. */
	readonly record: number;
	readonly hart: number;
	readonly pc: number;
	readonly does: "read" | "write" | "use" | "unmap" | "wait" | "acquire" | "release" | "sleep" | "return";
	/** Bytes; 0: not known any more, or a call. */
	readonly size: number;
}

/** A spinlock that a hart holds. */
export interface Held {
	readonly lock: number;
	/** The swap that took it, and its instruction. */
	readonly record: number;
	readonly swap: number;
	/** Where acquire() was called from, or the swap itself. */
	readonly pc: number;
	/** Something was read since it was taken. */
	looked: boolean;
}

export type FindingKind =
	| "race"
	| "no-common-lock"
	| "lock-order"
	| "sleep-window"
	| "sleep-blind"
	| "held-at-sleep"
	| "held-in-user-mode"
	| "interrupts-on"
	| "released-by-another"
	| "deadlock"
	| "lock-again"
	| "stale-mapping"
	| "stale-space"
	| "count-drift";

/** A lock outside of the kernel's variables. */
export interface Beside {
	readonly lock: number;
	readonly name: string;
}

/** What a detector saw, before it has names. */
export interface Suspicion {
	readonly kind: FindingKind;
	/** The variable, or the lock. */
	readonly address: number;
	/** The other lock of an order. */
	readonly other?: number;
	/** A lock in the same page, when it was seen: it tells whose memory that is. */
	readonly beside?: Beside;
	readonly points: readonly Point[];
}
