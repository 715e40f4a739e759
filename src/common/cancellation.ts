import { cancelled } from "./errors.ts";

/** Throws the typed `cancelled` error once the signal has fired; called between the steps of long work. */
export function throwIfCancelled(signal: AbortSignal | undefined): void {
	if (signal?.aborted) throw cancelled();
}

/** How far long work has come. `done` of `total` steps; `total` may grow while work is found. */
export interface Progress {
	readonly step: string;
	readonly done: number;
	readonly total: number;
}

export type ProgressListener = (progress: Progress) => void;
