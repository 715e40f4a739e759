/** Runs at most `most` jobs at once, in the order of their coming. */
export class Limiter {
	private running = 0;
	private readonly waiting: (() => void)[] = [];

	constructor(private readonly most: number) {}

	async run<T>(job: () => Promise<T>): Promise<T> {
		if (this.running >= this.most) await new Promise<void>((resolve) => this.waiting.push(resolve));
		else this.running++;
		try {
			return await job();
		} finally {
			// The place is handed over, not given back, so that nobody can slip in between.
			const next = this.waiting.shift();
			if (next) next();
			else this.running--;
		}
	}
}
