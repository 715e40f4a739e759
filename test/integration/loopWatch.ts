import { performance } from "node:perf_hooks";

/** Newer than the Node that the types are of; VS Code's own may lack it. */
const { threadCpuUsage } = process as { threadCpuUsage?: () => { user: number; system: number } };

/** Time that this thread has computed: other programs of a busy machine do not count. Wall time where Node cannot tell. */
export function threadCpuMs(): number {
	if (!threadCpuUsage) return performance.now();
	const { user, system } = threadCpuUsage.call(process);
	return (user + system) / 1000;
}

/** How long the turns of this thread's event loop take, everything in them together: our tasks, VS Code's, and the collector's. */
export class LoopWatch {
	private readonly long: { readonly phase: string; readonly ms: number }[] = [];
	private current: { phase: string; ms: number }[] = [];
	private last = threadCpuMs();
	private count = 0;
	private running = true;

	constructor() {
		const turn = () => {
			const now = threadCpuMs();
			if (now - this.last > 1) this.current.push({ phase: "", ms: now - this.last });
			this.last = now;
			this.count++;
			if (this.running) setImmediate(turn);
		};
		setImmediate(turn);
	}

	/** Names what was done since the last mark. */
	mark(phase: string): void {
		for (const turn of this.current) this.long.push({ ...turn, phase });
		this.current = [];
	}

	stop(): { turns: number; longest: string[] } {
		this.running = false;
		const sorted = [...this.long].sort((a, b) => b.ms - a.ms);
		return { turns: this.count, longest: sorted.slice(0, 5).map(({ phase, ms }) => `${ms.toFixed(1)} ms (${phase})`) };
	}

	over(ms: number): string[] {
		return this.long.filter((turn) => turn.ms > ms).map((turn) => `${turn.ms.toFixed(1)} ms (${turn.phase})`);
	}
}
