import { visibleLine } from "../../common/visible.ts";
import { ProgressLine } from "../progressLine.ts";

/** How far a class has come, and how long the rest will take. */
export class ClassProgress {
	private readonly line: ProgressLine;
	private readonly start = performance.now();
	private finished = 0;
	/** Submissions that were not known from before: the others say nothing about time. */
	private worked = 0;

	constructor(
		private readonly terminal: Pick<NodeJS.WriteStream, "isTTY" | "columns" | "write">,
		private readonly total: number,
		private readonly jobs: number,
	) {
		this.line = new ProgressLine(terminal);
		this.line.show({ step: `grading, ${jobs} at a time`, done: 0, total });
	}

	done(source: string, worked: boolean): void {
		this.finished++;
		if (worked) this.worked++;
		const left = this.total - this.finished;
		const each = (performance.now() - this.start) / Math.max(1, this.worked);
		const rest = this.worked < this.jobs || left === 0 ? "" : `, about ${duration(each * left)} to go`;
		this.line.show({ step: `${visibleLine(source)}${rest}`, done: this.finished, total: this.total });
		// A log has no line that is written over: it gets one now and then.
		const tenth = (number: number) => Math.floor((10 * number) / this.total);
		if (this.terminal.isTTY || left === 0 || tenth(this.finished) === tenth(this.finished - 1)) return;
		this.terminal.write(`xv6-lab: ${this.finished} of ${this.total} submissions${rest}\n`);
	}

	clear(): void {
		this.line.clear();
	}
}

export function duration(ms: number): string {
	const seconds = Math.max(1, Math.round(ms / 1000));
	if (seconds < 90) return `${seconds} s`;
	const minutes = Math.round(seconds / 60);
	return minutes < 90 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
