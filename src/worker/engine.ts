import { clangdFile, compileCommands, compileCommandsFile, cppPropertiesFile } from "../build/compileCommands.ts";
import { rootNames } from "../build/diskImage.ts";
import type { BuildOutput } from "../build/types.ts";
import { UserError } from "../common/errors.ts";
import type { SourceTree } from "../common/sourceTree.ts";
import { MemoryTree } from "../common/sourceTree.ts";
import type { LaunchArguments } from "../debugger/target.ts";
import { ProgramSymbols } from "../debuginfo/symbolizer.ts";
import { LabExplorer, withExploration } from "../explore/labTests.ts";
import { recordSchedule } from "../explore/record.ts";
import { parseScheduleText } from "../explore/scheduleText.ts";
import { buffersInOtherHands } from "../kernelview/cardBuffers.ts";
import { handoutFile } from "../lab/catalog.ts";
import { CoverageCollector } from "../lab/coverage/collector.ts";
import { onlyFiles } from "../lab/coverage/coverage.ts";
import { diagnosisFiles } from "../lab/diagnosisFiles.ts";
import { kallocOf } from "../lab/faults/fault.ts";
import { runFaultTests } from "../lab/faults/tests.ts";
import { expectedText } from "../lab/judge.ts";
import { judgeKnown } from "../lab/knownPrograms.ts";
import type { LabManifest } from "../lab/manifest.ts";
import { findTest, runLab, runTest } from "../lab/runner.ts";
import { bootSeed, testSchedule } from "../lab/schedules.ts";
import { serializeRecording } from "../machine/recording.ts";
import type { ActivityMark } from "../protocol/activity.ts";
import type { CoverageReport } from "../protocol/coverage.ts";
import type { RunEnd } from "../protocol/diagnosis.ts";
import type {
	BuildParams,
	BuildSummary,
	EngineRequests,
	MachineParams,
	OpenedRun,
	RunTestsParams,
	SyncParams,
	TestsCoverage,
	TreeInfo,
} from "../protocol/engine.ts";
import type { Verdict } from "../protocol/verdict.ts";
import { budgets } from "../session/budgets.ts";
import type { RunnableMachine } from "../session/runnableMachine.ts";
import { activityIn } from "./activity.ts";
import { Debugging } from "./debugging.ts";
import { Declarations } from "./declarations.ts";
import { Grading } from "./grading.ts";
import { LiveMachine, machineOff } from "./liveMachine.ts";
import { OwnTests } from "./ownTests.ts";
import type { BootedBuild, EngineParts } from "./parts.ts";
import { replayToEnd } from "./recordedRun.ts";
import { whoWrote, writerInHistory } from "./writer.ts";

type Handlers = {
	[K in keyof EngineRequests]: (params: EngineRequests[K]["params"]) => Promise<EngineRequests[K]["result"]>;
};

/** One folder's tree, build, machine and verdicts. All requests of the host end here; see protocol/engine.ts. */
export class Engine {
	private readonly files = new Map<string, Uint8Array>();
	private readonly tree: SourceTree = new MemoryTree("the workspace", this.files);
	private manifest: LabManifest | undefined;
	private output: BuildOutput | undefined;
	private revision = 0;
	private live: LiveMachine | undefined;
	private work: AbortController | undefined;
	/** Long requests that are not over yet, with what they leave behind. */
	private readonly open = new Set<Promise<unknown>>();
	/** The inspector is open: it wants the model of every machine that boots. */
	private watching = false;

	private readonly debugging: Debugging;
	private readonly grading: Grading;
	private readonly ownTests = new OwnTests();
	private readonly declarations = new Declarations();
	/** What the machine was booted from: a build in the background may be newer. */
	private booted: BootedBuild | undefined;
	/** What a machine may keep of its past; 0: nothing. */
	private historyMiB = 256;
	/** Of the recorded run that is open. */
	private marks: readonly ActivityMark[] = [];
	/** The command that the machine ran last. */
	private command = "";

	constructor(private readonly parts: EngineParts) {
		this.grading = new Grading(parts);
		this.debugging = new Debugging(parts, {
			boot: (args) => this.bootForDebugger(args),
			running: () => this.live,
			keepHistory: (live) => this.keepHistory(live),
			hasFile: (path) => this.files.has(path),
			hart: () => this.marks.at(-1)?.hart,
			built: () => this.booted ?? this.builtOutput(),
		});
	}

	readonly handlers: Handlers = {
		sync: (params) => this.sync(params),
		build: (params) => this.cancellable((signal) => this.build(params, signal)),
		warm: async (params) => {
			await this.parts.warm(params);
			return undefined;
		},
		boot: (params) => this.boot(params),
		runCommand: ({ command }) => this.cancellable((signal) => this.runCommand(command, signal)),
		runTest: (params) => this.cancellable((signal) => this.runTest(params, signal)),
		runTests: (params) => this.cancellable((signal) => this.runTests(params, signal)),
		compileCommands: async ({ directory }) => {
			const commands = await compileCommands(this.tree);
			return {
				commands: compileCommandsFile(commands, directory),
				clangd: clangdFile(commands),
				cppProperties: cppPropertiesFile(),
			};
		},
		declared: async (params) => this.declarations.at(params, this.output),
		saveRun: () => this.saveRun(),
		openRun: ({ bytes }) => this.cancellable((signal) => this.openRun(bytes, signal)),
		recordSchedule: (params) => this.cancellable((signal) => this.recordSchedule(params, signal)),
		debug: async (message) => this.debugging.receive(message),
		newFuture: async () => this.tell((live) => live.controller.newFuture()),
		toPresent: async () => this.tell((live) => live.controller.toPresent()),
		input: async ({ bytes }) => this.tell((live) => live.controller.type(bytes)),
		consoleShown: async ({ bytes }) => this.tell((live) => live.shown(bytes)),
		pause: async () => this.tell((live) => live.controller.pause()),
		resume: async () => this.tell((live) => live.controller.resume()),
		stepToFault: async () => ({ found: (await this.live?.stepToFault()) ?? false }),
		stop: async () => this.stop("The machine was stopped."),
		model: async () => this.live?.observer?.model(),
		watchModel: async ({ on }) => {
			this.watching = on;
			return this.tell((live) => this.watch(live));
		},
		modelDrawn: async () => this.tell((live) => live.drawn()),
		symbolize: async ({ address }) => this.live?.observer?.symbolize(address),
		walk: async ({ pid, address }) => this.live?.observer?.walk(pid, address),
		network: async () => {
			const network = this.live?.machine.network?.model();
			const kernel = network && this.live?.observer?.model();
			return kernel
				? { ...network, mistakes: [...network.mistakes, ...buffersInOtherHands(network, kernel)] }
				: network;
		},
		activity: async (part) => {
			const { live } = this;
			return live?.observer && activityIn(live.machine, live.observer, part, this.marks);
		},
		writer: async ({ address, after, before }) => {
			if (!this.live || !this.booted) return undefined;
			const question = { address: BigInt(address), after, before };
			const known = writerInHistory(this.live.machine, this.booted.kernel, question);
			if (known !== "outside") return known;
			const again = await this.parts.again(this.live.machine);
			return whoWrote(again, this.booted.kernel, this.parts, question);
		},
		cancel: async () => {
			this.work?.abort();
			return undefined;
		},
		crash: async () => {
			setTimeout(() => {
				throw new Error("a crash on request");
			}, 0);
			return undefined;
		},
		close: async () => {
			this.dispose();
			await Promise.allSettled(this.open);
			return undefined;
		},
	};

	/** A request that has no answer of its own, and no effect without a machine. */
	private async tell(work: (live: LiveMachine) => void): Promise<undefined> {
		if (this.live) work(this.live);
		return undefined;
	}

	dispose(): void {
		this.work?.abort();
		this.debugging.dispose();
		this.live?.dispose();
	}

	/** Runs one long request; `cancel` ends it, and a second long request waits for nobody: it ends the first. */
	private async cancellable<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
		this.work?.abort();
		const controller = new AbortController();
		this.work = controller;
		const result = work(controller.signal);
		this.open.add(result);
		try {
			return await result;
		} finally {
			this.open.delete(result);
			if (this.work === controller) this.work = undefined;
		}
	}

	private async sync({ changed, removed }: SyncParams): Promise<TreeInfo> {
		for (const { path, bytes } of changed) this.files.set(path, bytes);
		this.declarations.edited([...changed.map(({ path }) => path), ...removed]);
		for (const path of removed) this.files.delete(path);
		const info = await this.parts.describeTree(this.tree);
		try {
			const found = info.isKernelTree ? await this.parts.catalog.labOf(this.tree, true) : undefined;
			this.manifest = found?.manifest;
			const handout = (await this.tree.read(handoutFile)) && { handout: handoutFile };
			const own = this.manifest && { ...labInfo(this.manifest), ...handout };
			if (!found) return info;
			const { lab, says } = await this.grading.describe(this.tree, own);
			const recognised = says === undefined ? found.why : own ? `${found.why}. ${says}` : says;
			const programTests = await this.ownTests.list(this.tree, info.programs);
			return {
				...{ ...info, recognised },
				...(lab ? { lab } : {}),
				...(programTests.length > 0 ? { programTests } : {}),
			};
		} catch (error) {
			if (!(error instanceof UserError)) throw error;
			this.manifest = undefined;
			return { ...info, problem: error.format() };
		}
	}

	private async build(params: BuildParams, signal: AbortSignal): Promise<BuildSummary> {
		const isBuilt = this.declarations.building();
		const result = await this.parts.build(
			this.tree,
			params,
			(progress) => this.parts.emit("progress", progress),
			signal,
		);
		const { stats } = result;
		if (result.output) {
			// By what was built: all of it may come from a cache, and be another kernel than the last one.
			const { kernel, disk } = result.output;
			const { output: before } = this;
			if (!before || !sameBytes(before.kernel, kernel) || !sameBytes(before.disk, disk)) this.revision++;
			this.output = result.output;
			isBuilt();
		}
		const seconds = (stats.wallMs / 1000).toFixed(1);
		const counts = `${stats.compiled} compiled, ${stats.reused} up to date`;
		return {
			ok: result.output !== undefined,
			diagnostics: result.diagnostics.map((diagnostic) => ({ ...diagnostic })),
			summary: `${result.output ? "built" : "not built"} in ${seconds} s by ${stats.toolchain} (${counts})`,
			toolchain: stats.toolchain,
			compiled: stats.compiled,
			reused: stats.reused,
			warnings: result.output?.wish.warnings ?? [],
			...(result.output ? { files: rootNames(result.output.disk) } : {}),
			revision: this.revision,
		};
	}

	private builtOutput(): BuildOutput {
		if (this.output) return this.output;
		throw new UserError("not-built", "There is no kernel yet", 'Run "xv6: Build Kernel" first.');
	}

	private async boot(params: MachineParams): Promise<EngineRequests["boot"]["result"]> {
		const { live, shape } = await this.power(params);
		live.start();
		return shape;
	}

	/** The machine of a debug session: at its first instruction, standing. */
	private async bootForDebugger(args: LaunchArguments): Promise<LiveMachine> {
		const { harts } = args;
		const seed = args.asTest ? bootSeed(args.seed ?? 0) : args.seed;
		const { live } = await this.power({ translator: true, ...(harts ? { harts } : {}), ...(seed ? { seed } : {}) });
		if (args.history !== false) this.keepHistory(live);
		live.controller.start("paused");
		return live;
	}

	/** `seed`: what verdicts on this machine say. */
	private async power(params: MachineParams, seed = params.seed ?? 0) {
		this.historyMiB = params.historyMiB ?? this.historyMiB;
		const output = this.builtOutput();
		this.live?.dispose();
		this.live = undefined;
		const { machine, ...shape } = await this.parts.createMachine(output, params);
		return { live: this.take(machine, output, { harts: shape.harts, seed }), shape };
	}

	/** From now on this is the machine of terminal and inspector. */
	private take(machine: RunnableMachine, booted: BootedBuild, shape: { harts: number; seed: number }): LiveMachine {
		this.live?.dispose();
		this.booted = booted;
		this.command = "";
		this.marks = [];
		const observer = this.parts.observe(machine, booted, this.manifest);
		this.live = new LiveMachine(machine, observer, this.parts, { ...shape, programs: booted.programs });
		if (this.watching) this.watch(this.live);
		return this.live;
	}

	/** The inspector looks at this machine: it can be asked about its past from now on. */
	private watch(live: LiveMachine): void {
		if (this.watching) this.keepHistory(live);
		live.watch(this.watching);
	}

	private keepHistory(live: LiveMachine): void {
		if (this.historyMiB > 0) live.keepHistory(this.historyMiB * 1024 * 1024);
	}

	private async saveRun(): Promise<EngineRequests["saveRun"]["result"]> {
		if (!this.live) throw machineOff("No machine runs");
		return { bytes: await this.parts.record(this.live.machine, this.command), title: this.command };
	}

	private async openRun(bytes: Uint8Array, signal: AbortSignal): Promise<OpenedRun> {
		const { machine, recording } = await this.parts.recorded(bytes);
		const { kernel, title, options, hash, marks = [] } = recording;
		const isBuilt = this.output !== undefined && sameBytes(this.output.kernel, kernel);
		const booted = { kernel, programs: isBuilt && this.output ? this.output.programs : [] };
		const live = this.take(machine, booted, { harts: options.harts, seed: options.seed });
		live.keepHistory(Math.max(this.historyMiB, 16) * 1024 * 1024);
		this.command = title;
		this.marks = marks.map((mark) => ({ ...mark, kind: "race" }));
		const same = await replayToEnd(live, hash, signal);
		return { title, harts: options.harts, instructions: machine.instret, same, isBuilt };
	}

	private async stop(why: string): Promise<undefined> {
		if (!this.live) return undefined;
		this.work?.abort();
		this.live.powerOff(why);
		return undefined;
	}

	private async runCommand(command: string, signal: AbortSignal): Promise<EngineRequests["runCommand"]["result"]> {
		const live = this.live;
		if (!live) throw machineOff("No machine runs");
		this.command = command;
		const { manifest } = this;
		const test = manifest?.tests.find((candidate) => (candidate.command ?? candidate.program) === command);
		return live.drive(signal, async (shell) => {
			const boot = await shell.waitForPrompt(budgets.boot);
			const files = await diagnosisFiles(this.tree);
			const why = (end: RunEnd) => live.observer?.diagnose(end, files) ?? [];
			if (boot.kind !== "prompt") return { end: boot.kind, diagnoses: why({ ...boot, output: shell.console }) };
			if (manifest && test) {
				const changed = await this.parts.catalog.changedIn(manifest, this.tree);
				this.parts.emit("testStarted", { test: test.id, seed: live.shape.seed });
				const verdict = await runTest(
					{ manifest, tree: this.tree, changed, ...live.shape },
					test,
					shell,
					live.observer,
					live.machine,
				);
				return { end: verdict.end, verdict, diagnoses: [] };
			}
			live.observer?.begin();
			const { end, output } = await shell.run(command, budgets.watchedCommand, { expectsInput: true });
			const elf = live.shape.programs?.find(({ name }) => name === command.trim().split(/\s+/)[0])?.elf;
			const programs = end.kind === "prompt" ? await this.parts.catalog.knownPrograms(this.tree) : [];
			const known = judgeKnown(programs, command, output, elf);
			const diagnoses = why({ ...end, output, passed: known?.state === "passed" });
			return { end: end.kind, diagnoses, ...(known ? { known } : {}) };
		});
	}

	private async runTest(
		{ test: id, seed, machine }: EngineRequests["runTest"]["params"],
		signal: AbortSignal,
	): Promise<EngineRequests["runTest"]["result"]> {
		const manifest = this.labOf(id);
		const test = findTest(manifest, id);
		const { live, shape } = await this.power({ ...machine, seed: bootSeed(seed) }, seed);
		this.command = test.command ?? test.program;
		const changed = await this.parts.catalog.changedIn(manifest, this.tree);
		const context = { manifest, tree: this.tree, changed, ...live.shape };
		const result = await live.drive(signal, async (shell) => {
			// It never ran by itself: what it does is a function of the seed.
			const boot = await shell.waitForPrompt(budgets.judgedBoot(shape.harts));
			if (boot.kind !== "prompt") {
				const files = await diagnosisFiles(this.tree);
				return { end: boot.kind, diagnoses: live.observer?.diagnose({ ...boot, output: shell.console }, files) ?? [] };
			}
			const schedule = testSchedule(seed);
			if (schedule) live.machine.setSchedule(schedule);
			this.parts.emit("testStarted", { test: id, seed });
			const verdict = await runTest(context, test, shell, live.observer, live.machine);
			return { end: verdict.end, verdict, diagnoses: [] };
		});
		live.start();
		return { ...shape, ...result };
	}

	private async runTests(params: RunTestsParams, signal: AbortSignal): Promise<EngineRequests["runTests"]["result"]> {
		const output = this.builtOutput();
		const all = params.tests.length === 0;
		if (all && params.everyKallocFails && !this.manifest) throw noLab();
		const coverage = params.coverage ? new CoverageCollector(output) : undefined;
		const graded = params.tests.filter((id) => this.grading.isGraded(id));
		const own = params.tests.filter((id) => !graded.includes(id));
		const verdicts: Verdict[] = [];
		for (const [manifest, ids] of all ? this.allTests() : this.byLab(own)) {
			const judge = params.everyKallocFails
				? this.failEveryKalloc(params, manifest, ids, output, signal)
				: this.runLabTests(manifest, ids, params, output, signal, coverage);
			verdicts.push(...(await judge));
		}
		if (params.everyKallocFails) return countsOf(verdicts);
		if (all || graded.length > 0) verdicts.push(...(await this.grading.run(params, graded, output, this.tree, signal)));
		return { ...countsOf(verdicts), ...(coverage?.isEmpty === false ? { coverage: this.reportOf(coverage) } : {}) };
	}

	/** The lab that a test is of: the tree's, or a program's own tests. */
	private labOf(test: string): LabManifest {
		const program = this.ownTests.programOf(test);
		if (program !== undefined) return this.ownTests.lab(program, this.builtOutput());
		if (this.manifest) return this.manifest;
		throw noLab();
	}

	private byLab(tests: readonly string[]): ReadonlyMap<LabManifest, readonly string[]> {
		const labs = new Map<string | undefined, LabManifest>();
		const result = new Map<LabManifest, string[]>();
		for (const test of tests) {
			const program = this.ownTests.programOf(test);
			const lab = labs.get(program) ?? this.labOf(test);
			labs.set(program, lab);
			result.set(lab, [...(result.get(lab) ?? []), test]);
		}
		return result;
	}

	private allTests(): ReadonlyMap<LabManifest, readonly string[]> {
		const { manifest } = this;
		return new Map(manifest ? [[manifest, manifest.tests.map(({ id }) => id)]] : []);
	}

	private async runLabTests(
		manifest: LabManifest,
		ids: readonly string[],
		params: RunTestsParams,
		output: BuildOutput,
		signal: AbortSignal,
		coverage: CoverageCollector | undefined,
	): Promise<Verdict[]> {
		const tests = ids.map((id) => findTest(manifest, id));
		const changed = await this.parts.catalog.changedIn(manifest, this.tree);
		let harts = 1;
		const judged = await runLab({
			manifest,
			tree: this.tree,
			tests,
			programs: output.programs,
			changed,
			harts: params.machine.harts ?? output.wish.harts,
			seeds: params.seeds,
			signal,
			createMachine: async (_, seed) => {
				const made = await this.parts.createMachine(output, { ...params.machine, seed }, coverage !== undefined);
				harts = made.harts;
				return made.machine;
			},
			...(coverage ? { coverage } : {}),
			observe: (machine) => this.parts.observe(machine, output, manifest, { steps: false }),
			breathe: () => this.parts.breathe(),
			onStart: (test, seed) => this.parts.emit("testStarted", { test: test.id, seed }),
			onOutput: (bytes) => this.parts.emit("testOutput", { bytes }),
			onVerdict: (verdict) => {
				if (params.explore === undefined) this.parts.emit("verdict", { ...verdict, harts });
			},
		});
		return params.explore === undefined ? judged : await this.explore(judged, params, params.explore, manifest, signal);
	}

	private async recordSchedule(
		{ test: id, moment, machine: params }: EngineRequests["recordSchedule"]["params"],
		signal: AbortSignal,
	): Promise<EngineRequests["recordSchedule"]["result"]> {
		const manifest = this.labOf(id);
		const output = this.builtOutput();
		const { setup = [], command, program, title, budget } = findTest(manifest, id);
		const machine = await this.parts.explorable(output, params, false);
		try {
			const recording = await recordSchedule({
				machine,
				kernel: new ProgramSymbols("kernel", output.kernel),
				setup,
				command: command ?? program,
				schedule: parseScheduleText(moment.schedule),
				title: `${title} (schedule ${moment.schedule})`,
				budget,
				breathe: () => this.parts.breathe(),
				signal,
				...(moment.before ? { before: moment.before } : {}),
				...(moment.places ? { places: moment.places } : {}),
			});
			return { bytes: await serializeRecording(recording) };
		} finally {
			machine.dispose();
		}
	}

	/** The verdicts, with what detectors and schedules say of those that passed; each is told when it is known. */
	private async explore(
		judged: Verdict[],
		{ machine, seeds }: RunTestsParams,
		schedules: number,
		manifest: LabManifest,
		signal: AbortSignal,
	): Promise<Verdict[]> {
		const output = this.builtOutput();
		const explorer = new LabExplorer({
			kernel: new ProgramSymbols("kernel", output.kernel),
			manifest,
			createMachine: (watch) => this.parts.explorable(output, machine, watch),
			breathe: () => this.parts.breathe(),
			signal,
		});
		const verdicts: Verdict[] = [];
		try {
			for (const verdict of judged) {
				// What has failed is explained already, and the detectors' run is the same for every seed.
				const wanted = verdict.outcome === "passed" && verdict.seed === seeds[0];
				const { test } = verdict;
				const found = wanted
					? await explorer.explore(findTest(manifest, test), schedules, (progress) =>
							this.parts.emit("exploring", { test, ...progress }),
						)
					: undefined;
				const told = found ? withExploration(verdict, found) : verdict;
				verdicts.push(told);
				this.parts.emit("verdict", told);
			}
		} finally {
			explorer.dispose();
		}
		return verdicts;
	}

	private reportOf(coverage: CoverageCollector): TestsCoverage {
		const own = (report: CoverageReport) => onlyFiles(report, (file) => this.files.has(file));
		const parts = coverage.reports().map(({ name, report }) => ({ name, report: own(report) }));
		return { parts, together: own(coverage.together()) };
	}

	private async failEveryKalloc(
		{ machine: wish, seeds }: RunTestsParams,
		manifest: LabManifest,
		ids: readonly string[],
		output: BuildOutput,
		signal: AbortSignal,
	): Promise<Verdict[]> {
		const params = { ...wish, seed: seeds[0] ?? 0 };
		const tests = ids.map((id) => findTest(manifest, id));
		return runFaultTests({
			...{ manifest, tests, signal, tree: this.tree },
			fault: { kind: "kalloc", at: "all" },
			harts: wish.harts ?? output.wish.harts,
			seed: params.seed,
			kalloc: kallocOf(output.kernel),
			createMachine: async () => (await this.parts.createMachine(output, params)).machine,
			observe: (machine) => this.parts.observe(machine, output, manifest, { steps: false }),
			breathe: () => this.parts.breathe(),
			onStart: (test) => this.parts.emit("testStarted", { test: test.id, seed: params.seed }),
			onProgress: (test, done, total) => this.parts.emit("testProgress", { test: test.id, done, total }),
			onVerdict: (verdict) => this.parts.emit("verdict", verdict),
		});
	}
}

function countsOf(verdicts: readonly Verdict[]): { passed: number; failed: number } {
	const passed = verdicts.filter((verdict) => verdict.outcome === "passed").length;
	return { passed, failed: verdicts.length - passed };
}

function noLab(): UserError {
	return new UserError("lab-not-found", "This tree has no lab", "Add a lab.json, or a lab's programs.");
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
	return a === b || (a.length === b.length && a.every((byte, i) => byte === b[i]));
}

function labInfo(manifest: LabManifest): NonNullable<TreeInfo["lab"]> {
	return {
		id: manifest.id,
		title: manifest.title,
		course: manifest.course,
		programs: manifest.programs,
		tasks: manifest.tasks.map(({ id, title, start }) => ({ id, title, ...(start ? { start } : {}) })),
		tests: manifest.tests.map((test) => ({
			id: test.id,
			task: test.task,
			title: test.title,
			program: test.program,
			command: test.command ?? test.program,
			expected: expectedText(test),
		})),
	};
}
