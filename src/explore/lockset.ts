import { hartsMax } from "./races.ts";
import type { Held, Point, Suspicion } from "./records.ts";

interface Variable {
	/** The only hart so far; -1: there are several. */
	owner: number;
	written: boolean;
	told: boolean;
	/** Locks held at every access since a second hart came; undefined: none came. */
	locks: number[] | undefined;
	readonly last: (Point | undefined)[];
	lastWrite: Point | undefined;
	/** The last access without any lock, or the one after which no lock was left that all have. */
	odd: Point | undefined;
}

/**
 * Which lock protects a small global variable (Eraser)? An order by accident, through another lock, hides a race on it from
 * happens-before in almost every schedule. Not for structures and pages: those are handed over, and sleep locks protect them.
 */
export class Lockset {
	private readonly variables = new Map<number, Variable>();

	constructor(private readonly report: (suspicion: Suspicion) => void) {}

	access(address: number, point: Point, held: readonly Held[]): void {
		let variable = this.variables.get(address);
		if (!variable) {
			const last = Array<Point | undefined>(hartsMax).fill(undefined);
			variable = {
				owner: point.hart,
				written: false,
				told: false,
				locks: undefined,
				last,
				lastWrite: undefined,
				odd: undefined,
			};
			this.variables.set(address, variable);
		}
		if (variable.told) return;
		if (variable.owner !== point.hart) variable.owner = -1;
		if (variable.owner === -1) {
			const isHeld = (lock: number) => held.some((one) => one.lock === lock);
			if (!variable.locks) variable.locks = held.map(({ lock }) => lock);
			else if (!variable.locks.every(isHeld)) variable.locks = variable.locks.filter(isHeld);
			if (variable.locks.length === 0 && (held.length === 0 || !variable.odd)) variable.odd = point;
			if (point.does === "write") variable.written = true;
			this.judge(address, variable, point);
		}
		variable.last[point.hart] = point;
		if (point.does === "write") variable.lastWrite = point;
	}

	private judge(address: number, variable: Variable, point: Point): void {
		const { odd, last, lastWrite } = variable;
		if (variable.told || !variable.written || !odd) return;
		// Beside the odd one a place of another hart, where one of the two writes.
		const others = [point, lastWrite, ...last].filter(
			(other) => other && other.hart !== odd.hart && (odd.does === "write" || other.does === "write"),
		) as Point[];
		const other = others.find((one) => one.does === "write") ?? others[0];
		if (!other) return;
		variable.told = true;
		const points = [odd, other].sort((a, b) => a.record - b.record);
		this.report({ kind: "no-common-lock", address, points });
	}
}
