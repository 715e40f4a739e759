/** So many at once. */
const burst = 64;
/** By the clock: so many milliseconds at once, and this share of all time. */
const burstMs = 15;
const share = 1 / 400;
/** Who asks again before the guest has done so much gets the same answer: asking the clock costs as much as an entry of the log. */
const askAfter = 1_000_000;

/**
 * How often something dear may be done. By guest time, a run stays a function of its inputs: one more after so many instructions. By a
 * clock, where a person watches, it takes no more than a small share of the guest's time.
 */
export class Allowance {
	private clock: (() => number) | undefined;
	private left = burst;
	private refilled = 0;
	private askedAt = 0;

	constructor(
		private readonly instret: () => number,
		private readonly instructionsEach: number,
	) {}

	/** Starts over; `clock`: milliseconds, default: guest time. */
	pace(clock?: () => number): void {
		this.clock = clock;
		this.left = clock ? burstMs : burst;
		this.refilled = clock ? clock() : this.instret();
	}

	/** It may be done now. */
	get ready(): boolean {
		const now = this.instret();
		if (this.left <= 0 && this.clock && now - this.askedAt < askAfter) return false;
		this.askedAt = now;
		this.refill(now);
		return this.left > 0;
	}

	/** Does it; also when it is not ready: then what follows comes later. */
	spend(work: () => void, price = 1): void {
		const begin = this.clock?.() ?? 0;
		work();
		this.left -= this.clock ? this.clock() - begin : price;
	}

	private refill(now: number): void {
		if (this.clock) {
			const ms = this.clock();
			this.left = Math.min(burstMs, this.left + (ms - this.refilled) * share);
			this.refilled = ms;
			return;
		}
		const earned = Math.floor((now - this.refilled) / this.instructionsEach);
		if (earned <= 0) return;
		this.left = Math.min(burst, this.left + earned);
		this.refilled = now;
	}
}
