import { Session } from "node:inspector";
import { performance } from "node:perf_hooks";

/** Newer than the Node that the types are of; VS Code's own may lack it. */
const { threadCpuUsage } = process as { threadCpuUsage?: () => { user: number; system: number } };

const nobody = new Int32Array(new SharedArrayBuffer(4));

/**
 * Time that this thread has computed: other programs of a busy machine do not count. Wall time where Node cannot tell.
 * Linux brings the account of a running thread up to date every 4 ms only, but also when the thread goes to sleep: so it does.
 */
export function threadCpuMs(): number {
	if (!threadCpuUsage) return performance.now();
	Atomics.wait(nobody, 0, 0, 0.001);
	const { user, system } = threadCpuUsage.call(process);
	return (user + system) / 1000;
}

/** A turn of the event loop, with its place on the profiler's clock (microseconds). */
interface Turn {
	readonly ms: number;
	readonly from: number;
	readonly to: number;
	phase: string;
}

/** Turns shorter than this are of no interest. */
const leastMs = 1;

/**
 * How long the turns of this thread's event loop take, everything in them together: our tasks, VS Code's, and the collector's;
 * and for the long ones what they were busy with.
 */
export class LoopWatch {
	private readonly long: Turn[] = [];
	private readonly profiler = new Profiler();
	private marked = 0;
	private last = threadCpuMs();
	private lastAt = microseconds();
	private count = 0;
	private running = true;

	/** Code of files whose path begins so is ours. */
	constructor(private readonly ours: string) {
		const turn = () => {
			const now = threadCpuMs();
			const at = microseconds();
			if (now - this.last > leastMs) this.long.push({ ms: now - this.last, from: this.lastAt, to: at, phase: "" });
			this.last = now;
			this.lastAt = at;
			this.count++;
			if (this.running) setImmediate(turn);
		};
		setImmediate(turn);
	}

	/** Names what was done since the last mark. */
	mark(phase: string): void {
		for (; this.marked < this.long.length; this.marked++) (this.long[this.marked] as Turn).phase = phase;
	}

	async stop(): Promise<{ turns: number; longest: string[] }> {
		this.running = false;
		await this.profiler.stop();
		const sorted = [...this.long].sort((a, b) => b.ms - a.ms);
		return { turns: this.count, longest: sorted.slice(0, 5).map((turn) => this.describe(turn)) };
	}

	/** Turns in which we computed for longer. */
	over(ms: number): string[] {
		const long = this.long.filter((turn) => this.oursOf(turn) > ms);
		return long.map((turn) => `${this.describe(turn)}\n${this.profiler.work(turn)}`);
	}

	/**
	 * What our code computed in a turn: the samples of it, which VS Code's work is not in, without the time that the turn waited
	 * for a processor, which may have been taken from anybody's samples. On a machine that is not busy no turn waits.
	 */
	private oursOf(turn: Turn): number {
		const waited = Math.max(0, (turn.to - turn.from) / 1000 - turn.ms);
		return Math.min(turn.ms, this.profiler.spent(turn, this.ours) - waited);
	}

	private describe(turn: Turn): string {
		const ours = Math.max(0, this.oursOf(turn)).toFixed(1);
		const wall = ((turn.to - turn.from) / 1000).toFixed(1);
		return `${turn.ms.toFixed(1)} ms, of them ${ours} ours, in ${wall} ms of the clock (${turn.phase})`;
	}
}

/** The clock of V8's profiler. */
function microseconds(): number {
	return Number(process.hrtime.bigint() / 1000n);
}

interface ProfileNode {
	readonly id: number;
	readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
	readonly children?: readonly number[];
}

interface Profile {
	readonly nodes: readonly ProfileNode[];
	readonly startTime: number;
	readonly samples?: readonly number[];
	readonly timeDeltas?: readonly number[];
}

/** What this thread is busy with, sampled. */
class Profiler {
	private readonly session = new Session();
	private readonly nodes = new Map<number, ProfileNode>();
	private readonly parents = new Map<number, number>();
	private profile: Profile | undefined;

	constructor() {
		this.session.connect();
		this.session.post("Profiler.enable");
		this.session.post("Profiler.setSamplingInterval", { interval: 250 });
		this.session.post("Profiler.start");
	}

	stop(): Promise<void> {
		return new Promise((resolve, reject) => {
			this.session.post("Profiler.stop", (error, result) => {
				this.session.disconnect();
				this.profile = result?.profile as Profile | undefined;
				for (const node of this.profile?.nodes ?? []) {
					this.nodes.set(node.id, node);
					for (const child of node.children ?? []) this.parents.set(child, node.id);
				}
				if (error) reject(error);
				else resolve();
			});
		});
	}

	/**
	 * Milliseconds of samples in a turn with our code on the stack; those without a stack too where that code ran in the
	 * same turn: a worker's message is read by nobody's code before our listener has it.
	 */
	spent(turn: Turn, folder: string): number {
		let own = 0;
		let nobodys = 0;
		for (const [id, time] of this.samples(turn)) {
			const stack = this.stack(id);
			if (stack.some(({ url }) => url.includes(folder))) own += time;
			else if (stack[0]?.functionName === "(program)") nobodys += time;
		}
		return own > 0 ? (own + nobodys) / 1000 : 0;
	}

	/** The stacks of a turn, the most frequent first, innermost frame first. */
	work(turn: Turn): string {
		const frame = ({ functionName, url, lineNumber }: ProfileNode["callFrame"]) =>
			`${functionName || "(anonymous)"} ${url.split("/").slice(-2).join("/")}:${lineNumber + 1}`;
		return [...this.samples(turn)]
			.sort((a, b) => b[1] - a[1])
			.slice(0, 8)
			.map(([id, us]) => `    ${(us / 1000).toFixed(1)} ms ${this.stack(id).slice(0, 14).map(frame).join(" < ")}`)
			.join("\n");
	}

	/** Microseconds of a turn by the innermost node. */
	private samples({ from, to }: Turn): Map<number, number> {
		const spent = new Map<number, number>();
		const { startTime = 0, samples = [], timeDeltas = [] } = this.profile ?? {};
		let at = startTime;
		for (const [index, sample] of samples.entries()) {
			const delta = timeDeltas[index] ?? 0;
			at += delta;
			if (at >= from && at <= to) spent.set(sample, (spent.get(sample) ?? 0) + delta);
		}
		return spent;
	}

	private stack(id: number): ProfileNode["callFrame"][] {
		const frames: ProfileNode["callFrame"][] = [];
		for (let next: number | undefined = id; next !== undefined; next = this.parents.get(next)) {
			const node = this.nodes.get(next);
			if (node) frames.push(node.callFrame);
		}
		return frames;
	}
}
