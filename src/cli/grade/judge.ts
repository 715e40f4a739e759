import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { Worker } from "node:worker_threads";
import { renderDiagnostic } from "../../build/diagnostics.ts";
import { BuildSession } from "../../build/session.ts";
import type { BuildOutput, BuildResult } from "../../build/types.ts";
import { fromUtf8, utf8 } from "../../common/bytes.ts";
import { UserError } from "../../common/errors.ts";
import { MemoryTree, type SourceTree } from "../../common/sourceTree.ts";
import { visible } from "../../common/visible.ts";
import { ProgramSymbols } from "../../debuginfo/symbolizer.ts";
import { atomicWrite } from "../../env/node/atomicWrite.ts";
import { distFolder } from "../../env/node/dist.ts";
import { hashOfFiles, readSubmission, shortHash } from "../../env/node/submission.ts";
import { type OpenedToolchains, openToolchains } from "../../env/node/toolchains.ts";
import { explore, exploreSchedule } from "../../explore/explore.ts";
import { LabExplorer } from "../../explore/labTests.ts";
import { renderFindings } from "../../explore/report.ts";
import type { CourseScript } from "../../grade/class/course.ts";
import type { BuildAnswer, ReadAnswer } from "../../grade/class/grade.ts";
import type { Unit, UnitResult } from "../../grade/class/lines.ts";
import { mistakesOf } from "../../grade/class/mistakes.ts";
import type { Policy } from "../../grade/class/policy.ts";
import { runName } from "../../grade/class/report/html.ts";
import { describe } from "../../lab/junit.ts";
import type { LabManifest, LabTest } from "../../lab/manifest.ts";
import { findTest, runLab } from "../../lab/runner.ts";
import { readNamedSources } from "../../lab/sources.ts";
import type { Machine } from "../../machine/machine.ts";
import { type Recording, recordingOf, serializeRecording } from "../../machine/recording.ts";
import type { Verdict } from "../../protocol/verdict.ts";
import { describeEnd } from "../../session/commandEnd.ts";
import type { JudgeWatchData } from "../../worker/judgeWatch.node.ts";
import { openCatalog } from "../assets.ts";
import { breathe, createMachine, explorableMachine, observe } from "../machine.ts";
import type { Course, FromJudge, ToJudge } from "./messages.ts";
import { runScriptTests, scriptSources } from "./scriptTests.ts";
import { manifestOf } from "./values.ts";

/** Where the watching thread says why it ends this process. */
const tellDescriptor = 3;
/** Who started this process; read before anything takes time, since it may be gone by then. */
const parent = process.ppid;
/** A verdict is read by people. */
const mostText = 60_000;
const mostDiagnostics = 20;
/** Instructions of a test that the detectors watch: what they find, they find early, and they take many times as long as a plain run. */
const mostWatched = 50_000_000;

/** Beside what the lab names, what verdicts look at in a tree; see lab/diagnosisFiles.ts. */
const lookedAt = ["kernel/syscall.h", "kernel/syscall.c"];

/** The process of a judge: `xv6-lab grade --judge`, with an IPC channel to the process that grades the class. */
export async function runJudge(): Promise<number> {
	// Ctrl-C is for the process that started this one, which ends it.
	process.on("SIGINT", () => undefined);
	// The system's killer is to take a judge, not who started it (Linux; others have no such file).
	try {
		writeFileSync("/proc/self/oom_score_adj", "800");
	} catch {}
	const send = (message: FromJudge) => void process.send?.(message);
	let room: JudgeRoom | undefined;
	let last: Promise<void> = Promise.resolve();
	const handle = async (request: ToJudge): Promise<void> => {
		try {
			if (request.ask === "open") {
				room = await JudgeRoom.open(request.course, request.policy, send);
				send({ kind: "ready" });
				return;
			}
			if (!room) throw new Error("the judge is not open");
			room.newWork();
			if (request.ask === "read") send({ kind: "read", answer: await room.read(request.path) });
			else if (request.ask === "build") send({ kind: "built", answer: await room.build() });
			else {
				await room.run(request.units, request.record);
				send({ kind: "ran" });
			}
		} catch (error) {
			const what = error instanceof Error ? error.message : String(error);
			send({
				kind: "failed",
				error: error instanceof UserError ? error.toData() : `failed in a way that is a defect of xv6-lab (${what})`,
			});
		}
	};
	process.on("message", (request: ToJudge) => {
		last = last.then(() => handle(request));
	});
	await new Promise<void>((done) => process.once("disconnect", done));
	// An exit waits for the threads, and one of them may be inside a compilation.
	process.kill(process.pid, "SIGKILL");
	return 0;
}

class JudgeRoom {
	private files: ReadonlyMap<string, Uint8Array> = new Map();
	private output: BuildOutput | undefined;
	private toolchains: OpenedToolchains | undefined;
	/** What two trees share is compiled once. */
	private readonly session = new BuildSession();

	private constructor(
		private readonly script: CourseScript | undefined,
		private readonly manifest: LabManifest,
		private readonly policy: Policy,
		private readonly watch: Worker,
		private readonly send: (message: FromJudge) => void,
	) {}

	static async open(course: Course, policy: Policy, send: (message: FromJudge) => void): Promise<JudgeRoom> {
		const { cpuSeconds, memoryMiB } = policy;
		const workerData: JudgeWatchData = { cpuSeconds, memoryMiB, tell: tellDescriptor, parent };
		const watch = new Worker(resolve(join(distFolder(), "worker/judgeWatch.node.cjs")), { workerData });
		return new JudgeRoom(course.script, await manifestOf(course), policy, watch, send);
	}

	/** Something new begins, with a time of its own. */
	newWork(): void {
		this.watch.postMessage("new");
	}

	private get tree(): MemoryTree {
		return new MemoryTree("the submission", this.files);
	}

	async read(path: string): Promise<ReadAnswer> {
		this.files = new Map();
		this.output = undefined;
		try {
			const { files, root, notes } = await readSubmission(path);
			const more: string[] = [];
			this.files = files;
			if (!files.has("Makefile") && !this.script) {
				const own = (await openCatalog().workspace(this.manifest.id)).get("Makefile");
				if (own) this.files = new Map(files).set("Makefile", own);
				more.push("There is no Makefile in it: the lab's own is used");
			}
			return { tree: hashOfFiles(this.files), root, notes: [...notes, ...more].map((note) => visible(note)) };
		} catch (error) {
			if (error instanceof UserError) return { notes: [], problem: visible(error.message) };
			throw error;
		}
	}

	async build(): Promise<BuildAnswer> {
		const start = process.cpuUsage();
		const spent = () => since(start);
		try {
			if (this.script) return { ...(await this.buildWhole()), cpuMs: spent() };
			const judged = await openCatalog().judged(this.manifest, this.tree);
			const kernel = await this.make(this.tree, "kernel");
			if (!kernel.output) return { changed: [], problem: failedBuild(kernel, this.files), cpuMs: spent() };
			let failed: BuildResult | undefined;
			for (const disk of judged.disks) {
				const result = await this.make(disk.tree, "disk");
				if (!result.output) {
					failed ??= result;
					continue;
				}
				const { disk: image, programs } = result.output;
				this.output = { ...kernel.output, disk: image, programs };
				const hash = await this.kernelHash(this.output);
				return { kernel: hash, says: disk.says, changed: [...judged.changed], cpuMs: spent() };
			}
			return { changed: [], problem: failed ? failedBuild(failed, this.files) : "There is no disk", cpuMs: spent() };
		} catch (error) {
			if (error instanceof UserError) return { changed: [], problem: visible(error.message), cpuMs: spent() };
			throw error;
		}
	}

	/** A script judges the tree's own disk: what it types, the tree's own programs answer. */
	private async buildWhole(): Promise<Omit<BuildAnswer, "cpuMs">> {
		const result = await this.make(this.tree);
		if (!result.output) return { changed: [], problem: failedBuild(result, this.files) };
		this.output = result.output;
		return { kernel: await this.kernelHash(result.output), changed: [] };
	}

	private async make(tree: SourceTree, only?: "kernel" | "disk"): Promise<BuildResult> {
		this.toolchains ??= await openToolchains({ kind: "bundled" });
		const { toolchain, wasi } = this.toolchains;
		return this.session.build({ tree, toolchain, wasi, ...(only === undefined ? {} : { only }) });
	}

	/** Of all that a verdict is a function of. */
	private async kernelHash(output: BuildOutput): Promise<string> {
		const hash = createHash("sha256");
		const part = (name: string, bytes: Uint8Array) => {
			hash.update(`${name}\0${bytes.length}\0`);
			hash.update(bytes);
		};
		part("kernel", output.kernel);
		part("disk", output.disk);
		part("machine", utf8(JSON.stringify([output.wish, this.harts(output)])));
		for (const [path, text] of await readNamedSources(this.manifest, this.tree)) part(path, utf8(text));
		for (const [path, text] of this.script ? await scriptSources(this.script, this.tree) : []) part(path, utf8(text));
		for (const path of lookedAt) part(path, this.files.get(path) ?? new Uint8Array());
		return shortHash(hash.digest("hex"));
	}

	private harts(output: BuildOutput): number {
		return this.policy.harts ?? output.wish.harts;
	}

	async run(units: readonly Unit[], record?: string): Promise<void> {
		const of = (strategy: Unit["strategy"]) => units.filter((unit) => unit.strategy === strategy);
		const runs = of("run");
		if (this.script) return this.runScript(this.script, runs);
		if (runs.length > 0) await this.runTests(runs, record);
		for (const unit of of("seeds")) await this.runSeeds(unit);
		await this.runDirected(of("directed"));
		for (const unit of of("detectors")) await this.runDetectors(unit);
	}

	private async runScript(script: CourseScript, units: readonly Unit[]): Promise<void> {
		const { output } = this;
		if (!output) throw new Error("nothing is built");
		const wanted = new Map(units.map((unit) => [unit.test, unit]));
		const harts = this.harts(output);
		let start = process.cpuUsage();
		await runScriptTests(
			{ script, tree: this.tree, output, harts, tests: [...wanted.keys()] },
			{
				begin: (test) => {
					const unit = wanted.get(test);
					if (unit) this.begin(unit);
				},
				done: (verdict, stateHash) => {
					const unit = wanted.get(verdict.title);
					const cpuMs = since(start);
					start = process.cpuUsage();
					if (!unit) return;
					const told = { harts, command: verdict.command, instructions: verdict.instructions, cpuMs, stateHash };
					this.send({ kind: "result", result: { kind: "unit", ...told, ...unitOf(unit), ...ofVerdict(verdict) } });
				},
			},
		);
	}

	/** All from one boot. Where there is none, the first test of the lab tells why, whichever are wanted. */
	private async runTests(units: readonly Unit[], record: string | undefined): Promise<void> {
		const wanted = new Map(units.map((unit) => [unit.test, unit]));
		const tests = this.manifest.tests.filter(({ id }) => wanted.has(id));
		const [first] = this.manifest.tests;
		const runs = new Map<Unit, Recording>();
		const isFailure = ({ outcome }: Verdict) => outcome === "failed" || outcome === "errored";
		const ended = (verdict: Verdict, machine: Machine) => {
			const unit = wanted.get(verdict.test);
			if (record !== undefined && unit && isFailure(verdict)) runs.set(unit, recordingOf(machine, verdict.title));
		};
		const deliver = (verdict: Verdict, told: Told) => {
			const unit = wanted.get(verdict.test);
			if (!unit) return;
			if (!isFailure(verdict)) runs.delete(unit);
			this.send({ kind: "result", result: { ...told, ...unitOf(unit), ...ofVerdict(verdict) } });
		};
		const begin = (test: LabTest) => {
			const unit = wanted.get(test.id);
			if (unit) this.begin(unit);
		};
		const orBoot = first !== undefined && !wanted.has(first.id);
		const notBooted = await this.judge(tests, [0], { deliver, ended, begin, orBoot });
		if (notBooted) await this.judge(this.manifest.tests, [0], { deliver, ended });
		for (const [unit, recording] of runs) {
			const bytes = await serializeRecording(recording);
			await atomicWrite([{ path: join(record ?? "", runName(unit.kernel, unit.test)), bytes }]);
		}
	}

	private async runSeeds(unit: Unit): Promise<void> {
		const test = findTest(this.manifest, unit.test);
		const [first, last] = unit.seeds;
		this.begin(unit);
		const start = process.cpuUsage();
		let [failed, tried] = [0, 0];
		let worst: Verdict | undefined;
		let told: Told | undefined;
		const seeds = Array.from({ length: last - first + 1 }, (_, i) => first + i);
		const count = (verdict: Verdict, of: Told) => {
			tried++;
			told = of;
			if (verdict.outcome === "passed" || verdict.outcome === "not-checked") return;
			failed++;
			worst ??= verdict;
		};
		// Each schedule has a time of its own.
		await this.judge([test], seeds, { deliver: count, begin: () => this.newWork() });
		if (!told) return;
		const cpuMs = since(start);
		const pass: Pick<UnitResult, "outcome" | "text" | "reason" | "mistakes" | "seed"> = {
			...{ outcome: "passed", text: "", reason: "", mistakes: [], seed: last },
		};
		const own = worst ? ofVerdict(worst) : pass;
		const head = `${failed} of ${tried} schedules failed, the first with seed ${worst?.seed}:`;
		const text = worst ? `${head}\n${own.text}` : "";
		const reason = worst ? `With seed ${worst.seed}: ${own.reason}` : "";
		this.send({ kind: "result", result: { ...told, ...unitOf(unit), ...own, text, reason, cpuMs } });
	}

	/** Harts stop where the detectors saw races and shared memory. What they report is told by their own unit. */
	private async runDirected(units: readonly Unit[]): Promise<void> {
		const { output, manifest } = this;
		if (units.length === 0) return;
		if (!output) throw new Error("nothing is built");
		const harts = this.harts(output);
		const explorer = new LabExplorer({
			kernel: new ProgramSymbols("kernel", output.kernel),
			manifest,
			createMachine: (watch) => explorableMachine(output, { harts, translator: true }, watch),
			breathe,
		});
		try {
			for (const unit of units) {
				const test = findTest(manifest, unit.test);
				this.begin(unit);
				const start = process.cpuUsage();
				// Each schedule has a time of its own.
				const found = await explorer.explore(test, unit.seeds[1], () => this.newWork(), mostWatched);
				const { harm, stateHash, instructions } = found;
				const title = harm && visible(`Schedule ${harm.schedule} fails: ${harm.kind}`);
				this.send({
					kind: "result",
					result: {
						...{ kind: "unit", ...unitOf(unit), outcome: harm ? "failed" : "passed", harts, stateHash, instructions },
						text: harm ? clip(visible(harm.text)) : "",
						reason: title ?? "",
						mistakes: harm ? [{ key: `schedule ${visible(harm.kind)}`, text: title ?? "" }] : [],
						...{ seed: 0, command: test.command ?? test.program, cpuMs: since(start) },
					},
				});
			}
		} finally {
			explorer.dispose();
		}
	}

	private async runDetectors(unit: Unit): Promise<void> {
		const { output, manifest } = this;
		if (!output) throw new Error("nothing is built");
		const test = findTest(manifest, unit.test);
		this.begin(unit);
		const start = process.cpuUsage();
		const harts = this.harts(output);
		const command = test.command ?? test.program;
		const { end, findings, stateHash, instret } = await explore({
			createMachine: (watch) => explorableMachine(output, { harts, translator: true }, watch),
			kernel: new ProgramSymbols("kernel", output.kernel),
			command,
			schedule: exploreSchedule(0),
			breathe,
			budget: mostWatched,
			...(manifest.benignRaces ? { benign: manifest.benignRaces } : {}),
		});
		const cut = `Watched for ${mostWatched.toLocaleString("en")} instructions, since the command was not done by then.`;
		const ended = end.kind === "prompt" ? "" : end.kind === "timeout" ? cut : describeEnd(end, instret);
		const text = clip(visible([renderFindings(findings), ended].filter(Boolean).join("\n")));
		this.send({
			kind: "result",
			result: {
				kind: "unit",
				...unitOf(unit),
				outcome: findings.length > 0 ? "failed" : "passed",
				text: findings.length > 0 ? text : "",
				reason: visible(findings.map(({ title }) => title).join("; ")),
				mistakes: findings.map(({ kind, variable, title }) => ({
					key: `${kind} ${variable.replace(/\[\d+\]/g, "[*]")}`,
					text: visible(title),
				})),
				...{ seed: 0, harts, command, stateHash, instructions: instret, cpuMs: since(start) },
			},
		});
	}

	private begin(unit: Unit): void {
		this.newWork();
		this.send({ kind: "begin", unit });
	}

	/** True: it did not boot, and `orBoot` wanted to be told so instead. */
	private async judge(
		tests: readonly LabTest[],
		seeds: readonly number[],
		{ deliver, ended, begin, orBoot = false }: Judging,
	): Promise<boolean> {
		const { output, manifest } = this;
		if (!output) throw new Error("nothing is built");
		const harts = this.harts(output);
		let machine: Machine | undefined;
		let began = process.cpuUsage();
		let notBooted = false;
		const told = new Map<string, Told>();
		const keyOf = ({ test, seed }: Verdict) => `${seed} ${test}`;
		await runLab({
			manifest,
			tree: this.tree,
			tests,
			seeds,
			programs: output.programs,
			harts,
			whole: true,
			createMachine: async (_, seed) => {
				machine = (await createMachine(output, { harts, seed, translator: true })).machine;
				return machine;
			},
			observe: (one) => observe(one, output, manifest),
			breathe,
			onStart: (test) => begin?.(test),
			onEnd: (verdict) => {
				const cpuMs = since(began);
				began = process.cpuUsage();
				notBooted ||= orBoot && verdict.reasons.some(({ kind }) => kind === "boot");
				if (notBooted || !machine) return;
				const { command, instructions } = verdict;
				told.set(keyOf(verdict), { kind: "unit", harts, command, instructions, cpuMs, stateHash: machine.stateHash() });
				ended?.(verdict, machine);
			},
			onVerdict: (verdict) => {
				const its = told.get(keyOf(verdict));
				if (its && !notBooted) deliver(verdict, its);
			},
		});
		return notBooted;
	}
}

/** What becomes of verdicts. */
interface Judging {
	readonly deliver: (verdict: Verdict, told: Told) => void;
	/** A test has ended, on this machine. */
	readonly ended?: (verdict: Verdict, machine: Machine) => void;
	readonly begin?: (test: LabTest) => void;
	/** Where nothing boots, no verdict is delivered. */
	readonly orBoot?: boolean;
}

type Told = Pick<UnitResult, "kind" | "harts" | "command" | "stateHash" | "instructions" | "cpuMs">;

function unitOf({ kernel, test, strategy, seeds }: Unit): Unit {
	return { kernel, test, strategy, seeds };
}

function ofVerdict(verdict: Verdict): Pick<UnitResult, "outcome" | "text" | "reason" | "mistakes" | "seed"> {
	const { outcome, reasons, seed } = verdict;
	if (outcome === "passed") return { outcome, text: "", reason: "", mistakes: [], seed };
	const reason = visible(reasons.map(({ message }) => message).join("; "));
	return { outcome, text: clip(describe(verdict)), reason: clip(reason), mistakes: mistakesOf(verdict), seed };
}

function clip(text: string): string {
	return text.length <= mostText
		? text
		: `${text.slice(0, mostText)}\n… and ${(text.length - mostText).toLocaleString("en")} more characters`;
}

function since(start: NodeJS.CpuUsage): number {
	const { user, system } = process.cpuUsage(start);
	return Math.round((user + system) / 1000);
}

function failedBuild({ diagnostics }: BuildResult, files: ReadonlyMap<string, Uint8Array>): string {
	const errors = diagnostics.filter(({ severity }) => severity === "error");
	const rendering = {
		colour: false,
		sourceLine: (file: string, line: number) => fromUtf8(files.get(file) ?? new Uint8Array()).split(/\r?\n/)[line - 1],
		path: (file: string) => file,
	};
	const shown = errors.slice(0, mostDiagnostics).map((one) => renderDiagnostic(one, rendering));
	const more = errors.length > mostDiagnostics ? [`… and ${errors.length - mostDiagnostics} more errors`] : [];
	const count = errors.length === 1 ? "1 error" : `${errors.length} errors`;
	return clip(visible([`The build failed with ${count}`, ...shown, ...more].join("\n")));
}
