import type { KernelView } from "../kernelview/kernelView.ts";
import { lastPanic } from "../session/consoleText.ts";
import type { GradeGuest } from "./guest.ts";
import { gradeLimits } from "./limits.ts";
import { linesMatch } from "./linesMatch.ts";
import type { HostPrograms } from "./programs.ts";
import { find, type RegexOperation } from "./pythonRegex.ts";
import type { GradeMessage, GradeOutcome, GradeResult, GradeRun, GradeTest } from "./types.ts";

/** A value of JSON: what a script's side may say. */
type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

export interface HostParts {
	readonly guest: GradeGuest;
	readonly view: KernelView;
	readonly programs: HostPrograms;
	readonly sources: ReadonlyMap<string, string>;
}

const operations: ReadonlySet<string> = new Set(["match", "fullmatch", "search", "findall"]);
const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/** Answers what gradelib.py and its siblings ask. Whatever a script sends, the answer is JSON; it has no other way out. */
export class GradeHost {
	private tests: readonly GradeTest[] = [];
	private runs: GradeRun[] = [];
	private output = "";
	private isDone = false;
	private readonly questions: Readonly<Record<string, (args: readonly Json[]) => Json>> = {
		tests: ([list]) => this.declared(list as Json),
		begin: ([index]) => this.begin(Number(index)),
		end: ([index, outcome, message]) => this.end(Number(index), String(outcome), String(message)),
		done: () => {
			this.isDone = true;
			return null;
		},
		regex: ([operation, pattern, flags, text]) =>
			regex(String(operation), String(pattern), Number(flags), String(text)),
		lines: ([text, wanted, no]) => {
			try {
				return { message: linesMatch(String(text), strings(wanted), strings(no)) ?? null };
			} catch (error) {
				return { error: (error as Error).message };
			}
		},
		random: ([length]) => randomText(Number(length)),
		resetDisk: () => {
			this.parts?.guest.resetDisk();
			return null;
		},
		start: ([breakpoints, seconds, makeArgs]) => this.start(strings(breakpoints), Number(seconds), strings(makeArgs)),
		step: () => this.step(),
		write: ([text]) => {
			this.machine.write(String(text));
			return null;
		},
		stop: () => this.stop(),
		program: ([how, argv]) => ({ ...this.needed.programs.call(String(how), strings(argv)) }),
	};

	/** Without a machine a script's tests can only be listed. */
	constructor(
		private readonly script: string,
		private readonly wanted: ReadonlySet<string> | undefined,
		private readonly parts: HostParts | undefined,
		private readonly post: (message: GradeMessage) => void,
	) {}

	/** The script called run_tests. */
	get done(): boolean {
		return this.isDone;
	}

	answer(question: string): string {
		const [name, ...args] = JSON.parse(question) as [string, ...Json[]];
		const known = Object.hasOwn(this.questions, name) ? this.questions[name] : undefined;
		if (!known) throw new Error(`there is no question ${name}`);
		return JSON.stringify(known(args));
	}

	private get needed(): HostParts {
		if (this.parts) return this.parts;
		throw new Error("it asks for the machine outside of a test");
	}

	private get machine(): GradeGuest {
		return this.needed.guest;
	}

	/** Gives the numbers of the tests that are to run. */
	private declared(list: Json): Json {
		const entries = (list as readonly Json[]).map((entry) => entry as readonly [string, number, number | null]);
		const seen = new Map<string, number>();
		const ids = entries.map(([title]) => {
			const id = title.trim();
			const count = (seen.get(id) ?? 0) + 1;
			seen.set(id, count);
			return count === 1 ? id : `${id} (${count})`;
		});
		const lines = linesOf(
			this.script,
			entries.map(([title]) => title.trim()),
		);
		this.tests = entries.map(([title, points, parent], i) => ({
			id: ids[i] as string,
			title,
			points,
			...(parent === null ? {} : { parent: ids[parent] as string }),
			...(lines[i] === undefined ? {} : { line: lines[i] }),
		}));
		this.post({ kind: "tests", tests: this.tests });
		if (!this.parts) return [];
		return ids.flatMap((id, i) => (this.wanted === undefined || this.wanted.has(id) ? [i] : []));
	}

	private begin(index: number): Json {
		this.runs = [];
		this.output = "";
		const test = this.tests[index];
		if (test) this.post({ kind: "begin", test: test.id });
		return null;
	}

	private end(index: number, outcome: string, message: string): Json {
		const test = this.tests[index];
		if (!test) return null;
		const failed = outcome !== "passed" && outcome !== "not-graded";
		const seen = failed && this.runs.length > 0 ? this.seen() : nothing;
		this.post({
			kind: "result",
			result: {
				test,
				outcome: outcome as GradeOutcome,
				message,
				output: this.output.slice(-gradeLimits.shown),
				runs: this.runs,
				...seen,
			},
		});
		return null;
	}

	/** What the kernel shows of the run that a failure comes from: the machine still stands where it ended. */
	private seen(): Pick<GradeResult, "diagnoses" | "findings" | "faults" | "stack"> {
		const { view, sources } = this.needed;
		const { end } = this.runs.at(-1) as GradeRun;
		const panic = lastPanic(this.output);
		const kind = end === "breakpoint" ? "prompt" : end;
		return {
			diagnoses: view.diagnose(
				{ kind, output: this.output, ...(kind === "panic" && panic !== undefined ? { message: panic } : {}) },
				(path) => sources.get(path),
			),
			findings: view.findings(),
			faults: view.faults(),
			stack: view.stack(),
		};
	}

	private start(breakpoints: readonly string[], seconds: number, makeArgs: readonly string[]): Json {
		if (this.runs.length >= gradeLimits.runs) throw new Error(`one test starts the machine ${gradeLimits.runs} times`);
		if (makeArgs.length > 0) return { notGraded: `not graded: it runs make with ${makeArgs.join(" ")}` };
		const missing = this.machine.start(breakpoints, seconds);
		this.output = "";
		return missing === undefined ? {} : { missing };
	}

	private step(): Json {
		this.post({ kind: "alive" });
		const { text, end } = this.machine.step();
		this.output += text;
		this.post(text === "" ? { kind: "alive" } : { kind: "console", text });
		if (end === "wall") throw new Error("this computer is too slow: the run took longer than its wall-time limit");
		return { text, end: end ?? null };
	}

	private stop(): Json {
		const { text, run } = this.machine.stop();
		this.output += text;
		this.runs.push(run);
		return { text };
	}
}

const nothing = { diagnoses: [], findings: [], faults: [], stack: [] } as const;

function strings(value: Json | undefined): string[] {
	return Array.isArray(value) ? value.map(String) : [];
}

function regex(operation: string, pattern: string, flags: number, text: string): Json {
	if (!operations.has(operation)) return { error: `no operation ${operation}` };
	try {
		return { found: find(operation as RegexOperation, pattern, flags, text) as unknown as Json };
	} catch (error) {
		return { error: (error as Error).message };
	}
}

function randomText(length: number): string {
	const bytes = crypto.getRandomValues(new Uint8Array(Math.max(0, Math.min(length || 0, 1000))));
	return [...bytes].map((byte) => letters[byte % letters.length]).join("");
}

/** Lines of the decorators, in the order of the titles; undefined where a title is made up by the script. */
function linesOf(script: string, titles: readonly string[]): (number | undefined)[] {
	const lines = script.split("\n");
	const decorators = lines.flatMap((line, i) => (/^\s*@test\(/.test(line) ? [i] : []));
	if (decorators.length === titles.length) return decorators.map((at) => at + 1);
	return titles.map((title) => {
		const at = decorators.find((i) => (lines[i] as string).includes(title));
		return at === undefined ? undefined : at + 1;
	});
}
