import { UserError } from "../../common/errors.ts";
import { inBytes, limits } from "../../common/limits.ts";
import type { Position } from "./lines.ts";

/** Counts work, in steps: {@link Work.spendSteps} with a place. */
export type Spend = (steps: number) => void;

/** Steps for an entry of a list, which stays in memory, or a comparison of texts; the smallest step is a comparison of characters. */
export const entrySteps = 16;

/**
 * What reading a tree's Makefile and planning its build may cost. Counted rather than timed, so that the same tree ends at the same
 * place on every machine. Both methods throw UserError `limit-reached`.
 */
export class Work {
	private characters = 0;
	private steps = 0;

	/** Text that is read or made. */
	spendText(characters: number, position: Position): void {
		this.characters += characters;
		if (this.characters <= limits.expandedText) return;
		throw new UserError(
			"limit-reached",
			`Expanding the variables of this Makefile takes too much work: the limit is ${inBytes(limits.expandedText)} of text`,
			"Look for a variable that expands to several copies of another one, which does the same.",
			position,
		);
	}

	/** Comparisons, entries of lists, and the like: whatever can grow faster than the text does. */
	spendSteps(steps: number, position: Position): void {
		this.steps += steps;
		if (this.steps <= limits.planSteps) return;
		throw new UserError(
			"limit-reached",
			`Working out what this Makefile builds takes too much work: the limit is ${limits.planSteps / 1e6} million steps`,
			"Look for long lists that are used many times, and for rules or variables that are given again and again for the same target.",
			position,
		);
	}
}
