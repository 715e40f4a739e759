import { type ChildProcess, fork } from "node:child_process";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { UserError } from "../../common/errors.ts";
import { inBytes, limits } from "../../common/limits.ts";
import { distFolder } from "../../env/node/dist.ts";
import { type BuildAnswer, type Judge, JudgeStopped, type ReadAnswer } from "../../grade/class/grade.ts";
import type { Unit, UnitResult } from "../../grade/class/lines.ts";
import type { Policy } from "../../grade/class/policy.ts";
import type { Course, FromJudge, ToJudge } from "./messages.ts";

/** A judge that only waits is stopped after so many times its limit of work. */
const mostWaits = 10;
/** A judge that has seen so many submissions makes place for a fresh one. */
const mostSubmissions = 40;
const shownOfStderr = 2000;
/** From a message that a judge did not take to its end, where it is ending. */
const deafMs = 5000;

export interface JudgeOptions {
	readonly course: Course;
	readonly policy: Policy;
	/** Of a name in the folder of the class. */
	readonly pathOf: (source: string) => string;
	/** A folder for the runs of tests that fail. */
	readonly record?: string;
}

/** A judge in a process of its own. */
export class JudgeProcess implements Judge {
	private child: ChildProcess | undefined;
	private submissions = 0;
	private listener: ((message: FromJudge) => void) | undefined;
	private fail: ((why: string) => void) | undefined;
	private timer: NodeJS.Timeout | undefined;
	private said = "";
	/** Why there is no process, of one that ended by itself. */
	private ended = "ended between two pieces of work";

	constructor(private readonly options: JudgeOptions) {}

	get used(): boolean {
		return this.submissions > 0;
	}

	async read(source: string): Promise<ReadAnswer> {
		if (this.submissions >= mostSubmissions) this.end();
		await this.start();
		let answer: ReadAnswer | undefined;
		await this.ask({ ask: "read", path: this.options.pathOf(source) }, "read", (message) => {
			if (message.kind === "read") answer = message.answer;
		});
		this.submissions++;
		return answer as ReadAnswer;
	}

	async build(): Promise<BuildAnswer> {
		let answer: BuildAnswer | undefined;
		await this.ask({ ask: "build" }, "built", (message) => {
			if (message.kind === "built") answer = message.answer;
		});
		return answer as BuildAnswer;
	}

	async run(units: readonly Unit[], begin: (unit: Unit) => void, done: (result: UnitResult) => void): Promise<void> {
		const { record } = this.options;
		await this.ask({ ask: "run", units, ...(record === undefined ? {} : { record }) }, "ran", (message) => {
			if (message.kind === "begin") begin(message.unit);
			else if (message.kind === "result") done(message.result);
		});
	}

	end(why = "was ended"): void {
		clearTimeout(this.timer);
		this.child?.kill("SIGKILL");
		this.child = undefined;
		this.submissions = 0;
		this.fail?.(why);
	}

	private async start(): Promise<void> {
		if (this.child) return;
		const { policy, course } = this.options;
		const child = fork(join(distFolder(), "cli/xv6-lab.mjs"), ["grade", "--judge"], {
			execArgv: [`--max-old-space-size=${policy.memoryMiB}`],
			stdio: ["ignore", "ignore", "pipe", "pipe", "ipc"],
		});
		this.child = child;
		this.said = "";
		let why = "";
		let printed = 0;
		child.stderr?.setEncoding("utf8").on("data", (text: string) => {
			printed += text.length;
			this.said = (this.said + text).slice(-shownOfStderr);
			if (printed > limits.resultBytes) {
				why = `printed more than ${inBytes(limits.resultBytes)}`;
				child.kill("SIGKILL");
			}
		});
		(child.stdio[3] as Readable).setEncoding("utf8").on("data", (text: string) => {
			why += text;
		});
		child.on("message", (message: FromJudge) => {
			if (this.child === child) this.listener?.(message);
		});
		// After the last of its pipes is read.
		child.on("close", (code, signal) => {
			if (this.child !== child) return;
			this.child = undefined;
			this.submissions = 0;
			this.ended = why !== "" ? why : endOf(code, signal, this.said);
			this.fail?.(this.ended);
		});
		child.on("error", (error) => {
			if (this.child === child) this.fail?.(`could not be started (${error.message})`);
		});
		await this.ask({ ask: "open", course, policy }, "ready", () => undefined);
	}

	private ask(request: ToJudge, last: FromJudge["kind"], take: (message: FromJudge) => void): Promise<void> {
		const { child } = this;
		if (!child) return Promise.reject(new JudgeStopped(this.ended));
		return new Promise((resolve, reject) => {
			const settle = (outcome: () => void) => {
				clearTimeout(this.timer);
				this.listener = undefined;
				this.fail = undefined;
				outcome();
			};
			this.fail = (why) => settle(() => reject(new JudgeStopped(why)));
			const wait = () => {
				clearTimeout(this.timer);
				const seconds = mostWaits * this.options.policy.cpuSeconds;
				this.timer = setTimeout(() => this.end(`was not done after ${seconds} s`), seconds * 1000);
			};
			this.listener = (message) => {
				wait();
				take(message);
				if (message.kind === last) settle(resolve);
				else if (message.kind === "failed") {
					const { error } = message;
					settle(() => reject(typeof error === "string" ? new JudgeStopped(error) : UserError.fromData(error)));
				}
			};
			wait();
			child.send(request, (error) => {
				if (!error) return;
				// It is ending: its end says why. One that lives and does not listen is stopped.
				clearTimeout(this.timer);
				this.timer = setTimeout(() => this.end(`does not listen (${error.message})`), deafMs);
			});
		});
	}
}

function endOf(code: number | null, signal: NodeJS.Signals | null, said: string): string {
	if (/heap out of memory|Out of memory/i.test(said)) return "ran out of memory";
	if (signal) return `was ended by the system (${signal})`;
	const last = said.trim().split("\n").at(-1) ?? "";
	return `ended with code ${code}${last === "" ? "" : `: ${last}`}`;
}
