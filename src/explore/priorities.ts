import type { ProgramSymbols } from "../debuginfo/symbolizer.ts";
import type { Decision } from "../machine/schedule.ts";
import type { Hart, Instructions } from "../machine/types.ts";
import type { Bench } from "./bench.ts";
import { processOn } from "./moment.ts";

/** Moments at which the hart that runs loses its priority: the depth of the bugs that are looked for, less one. */
const changes = 2;
/** Rounds that the others wait, and how often it is looked whether the first one still has something to do. */
const rounds = 40;

/**
 * Priority schedules (PCT, ASPLOS 2010): the hart with the highest priority runs alone while it has a process and waits for
 * no lock; at a few random moments it becomes the last. Made of parked harts, so that such a schedule is a list of decisions, too.
 */
export class Priorities {
	readonly decisions: Decision[] = [];
	/** Highest first. */
	private readonly order: number[];
	private readonly moments: Instructions[];
	private readonly start: Instructions;
	private readonly acquire: readonly [from: number, to: number];

	constructor(
		private readonly bench: Bench,
		private readonly kernel: ProgramSymbols,
		private readonly slice: number,
		/** Of the plain run. */
		length: Instructions,
		random: (below: number) => number,
	) {
		const { machine } = bench;
		this.start = machine.instret;
		this.order = machine.harts.map(({ id }) => id);
		for (let i = this.order.length - 1; i > 0; i--) {
			const j = random(i + 1);
			[this.order[i], this.order[j]] = [this.order[j] as number, this.order[i] as number];
		}
		this.moments = Array.from({ length: changes }, () => random(Math.max(1, length))).sort((a, b) => a - b);
		const code = kernel.attempt(() => kernel.elf?.symbol("acquire"));
		this.acquire = code ? [code.address, code.address + code.size] : [0, 0];
	}

	advance(most: Instructions): ReturnType<Bench["advance"]> {
		const { machine } = this.bench;
		const now = machine.instret - this.start;
		const [moment] = this.moments;
		const first = this.order.find((id) => this.hasWork(machine.harts[id] as Hart));
		if (moment !== undefined && now >= moment && first !== undefined) {
			this.moments.shift();
			this.order.splice(this.order.indexOf(first), 1);
			this.order.push(first);
		}
		const best = this.order.find((id) => this.hasWork(machine.harts[id] as Hart));
		if (best !== undefined) for (const hart of machine.harts) if (hart.id !== best) this.park(hart);
		const left = moment === undefined || moment <= now ? Number.POSITIVE_INFINITY : moment - now;
		return this.bench.advance(Math.max(1, Math.min(most, rounds * this.slice, left)));
	}

	private park({ id, steps, waiting }: Hart): void {
		// It would have to run to come there.
		if (waiting) return;
		const at = Number(steps);
		if (!this.bench.machine.decide({ hart: id, at, park: rounds })) return;
		this.decisions.push({ hart: id, at: this.bench.fromPrompt(id, at), park: rounds });
	}

	/** It runs a process, and does not spin for a lock. */
	private hasWork({ id, pc, waiting, mode }: Hart): boolean {
		if (waiting || !processOn(this.bench.machine, this.kernel, id)) return false;
		const at = Number(pc);
		return mode === 0 || at < this.acquire[0] || at >= this.acquire[1];
	}
}
