import type { InputMoment } from "../inputLog.ts";
import type { Instructions } from "../types.ts";

/**
 * A moment of a run. Between two steps several things may happen without one (slices end, time is skipped, an interrupt is
 * taken, input comes); `moment` and `changes` say how far that is.
 */
export interface Position {
	/** Steps that all harts together have made. */
	readonly steps: Instructions;
	readonly moment: InputMoment;
	/** Inputs that have come since power-on, and a debugger's changes. */
	readonly changes: number;
}

/** In the order in which they come between two steps. */
const momentOrder: readonly InputMoment[] = ["steps", "waiting", "idle", "ready"];

export function compareMoments(a: InputMoment, b: InputMoment): number {
	return momentOrder.indexOf(a) - momentOrder.indexOf(b);
}

/** Negative: `a` is earlier. */
export function comparePositions(a: Position, b: Position): number {
	if (a.steps !== b.steps) return a.steps - b.steps;
	return compareMoments(a.moment, b.moment) || a.changes - b.changes;
}

/** A position, or the first one with these steps and this moment. */
export interface Target {
	readonly steps: Instructions;
	readonly moment: InputMoment;
	readonly changes?: number;
}

export function withoutChanges({ steps, moment }: Position): Target {
	return { steps, moment };
}

export function isAtOrBefore(position: Position, { steps, moment, changes }: Target): boolean {
	if (changes !== undefined) return comparePositions(position, { steps, moment, changes }) <= 0;
	if (position.steps !== steps) return position.steps < steps;
	return compareMoments(position.moment, moment) <= 0;
}
