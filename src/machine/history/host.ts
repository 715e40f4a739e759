import type { Disposable } from "../../common/disposable.ts";
import type { ConsoleLine } from "../consoleLine.ts";
import type { CoreExports } from "../coreAbi.ts";
import type { Input } from "../input.ts";
import type { PointPlaces } from "../points.ts";
import type { Hart, StopReason, WatchFilter } from "../types.ts";
import type { Position } from "./position.ts";

/** What of a machine a history needs; only `Machine` makes one. */
export interface HistoryHost {
	readonly core: CoreExports;
	readonly bytes: Uint8Array;
	readonly view: DataView;
	readonly ramBytes: number;
	readonly diskBytes: number;
	readonly line: ConsoleLine;
	readonly input: Input;
	readonly harts: readonly Hart[];
	lastStop: number;
	pokes: number;
	readonly position: Position;
	/** Steps that byte loops made in bulk, so far; no part of the machine's state. */
	readonly bulkSteps: number;
	/** Runs the core; its STOP_* code. */
	enter(steps: number, flags: number): number;
	/** What a STOP_* code means to others; undefined: nothing. */
	stopped(stop: number): StopReason | undefined;
	/** Listeners hear nothing. */
	silence(silent: boolean): void;
	/** Only history's own points count, only others', or none. */
	activePoints(which: "own" | "others" | "none"): void;
	/** Regions of translated code sleep: from here on each one that runs is noted. */
	sleep(): void;
	/** Others' points. */
	readonly points: PointPlaces;
	addWatchpoint(address: bigint, length: number, access: "read" | "write" | "any", filter: WatchFilter): Disposable;
	/** Caches and observers inside of the machine, after STATE, RAM and disk went to another moment. */
	moved(): void;
}
