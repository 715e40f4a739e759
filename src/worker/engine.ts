import type { BuildOutput, BuildResult } from "../build/types.ts";
import type { ProgressListener } from "../common/cancellation.ts";
import { UserError } from "../common/errors.ts";
import type { SourceTree } from "../common/sourceTree.ts";
import { MemoryTree } from "../common/sourceTree.ts";
import type { LabCatalog } from "../lab/catalog.ts";
import type { LabManifest } from "../lab/manifest.ts";
import { findTest, type RunnableMachine, runLab, runTest, type TestObserver } from "../lab/runner.ts";
import { Shell } from "../lab/shell.ts";
import type {
	BuildParams,
	BuildSummary,
	EngineEvents,
	EngineRequests,
	MachineParams,
	RunTestsParams,
	SourceLocation,
	SyncParams,
	TreeInfo,
} from "../protocol/engine.ts";

/** What the inspector and the links read; implemented over src/kernelview. */
export interface KernelObserver extends TestObserver {
	model(): unknown;
	/** For the inspector: whole at first, then changes. */
	live(): { next(): unknown; readonly more: boolean; dispose(): void };
	walk(pid: number, address: string): unknown;
	moment(id: number): unknown;
	symbolize(address: string): SourceLocation | undefined;
	/** Page faults seen so far. */
	readonly faultCount: number;
}

/** What differs between Node and browsers, and what tests replace. */
export interface EngineParts {
	readonly catalog: LabCatalog;
	emit<K extends keyof EngineEvents>(kind: K, event: EngineEvents[K]): void;
	build(tree: SourceTree, params: BuildParams, onProgress: ProgressListener, signal: AbortSignal): Promise<BuildResult>;
	describeTree(tree: SourceTree): Promise<Omit<TreeInfo, "lab">>;
	createMachine(
		output: BuildOutput,
		params: MachineParams,
	): Promise<{ machine: RunnableMachine; harts: number; memoryMiB: number; virtio: string }>;
	observe(machine: RunnableMachine, output: BuildOutput, manifest: LabManifest | undefined): KernelObserver | undefined;
	/** Lets messages in. */
	breathe(): Promise<void>;
	/** Milliseconds, for pacing only; never seen by the guest. */
	now(): number;
}

/** A slice of the machine between two looks at the mailbox. */
const sliceMs = 8;
/** Guest time runs at 10 MHz. */
const ticksPerMs = 10_000;
const firstSlice = 500_000;
/** The console stops the machine (in wall time) above the high mark and lets it go on below the low one; bytes on their way. */
const highMark = 512 * 1024;
const lowMark = 128 * 1024;
const modelEveryMs = 100;
/** An update may take this part of the guest's time. */
const modelShare = 1 / 40;
/** Most characters given at once, well below the 128 of xv6's console buffer. */
const mostTyped = 100;
/** Instructions that a busy guest is given to read a piece of input. */
const readingTime = 5_000_000;
/** Budget of a command that no test judges: an hour of the fastest machine. */
const unjudgedBudget = 2_000_000_000_000;
const bootBudget = 20_000_000_000;

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
	/** The inspector is open: it wants the model of every machine that boots. */
	private watching = false;

	constructor(private readonly parts: EngineParts) {}

	readonly handlers: Handlers = {
		sync: (params) => this.sync(params),
		build: (params) => this.cancellable((signal) => this.build(params, signal)),
		boot: (params) => this.boot(params),
		runCommand: ({ command }) => this.cancellable((signal) => this.runCommand(command, signal)),
		runTests: (params) => this.cancellable((signal) => this.runTests(params, signal)),
		input: async ({ bytes }) => this.live?.input(bytes),
		consoleShown: async ({ bytes }) => this.live?.shown(bytes),
		pause: async () => this.live?.pause(),
		resume: async () => this.live?.resume(),
		stepToFault: async () => ({ found: (await this.live?.stepToFault()) ?? false }),
		stop: async () => this.stop("The machine was stopped."),
		model: async () => this.live?.observer?.model(),
		watchModel: async ({ on }) => {
			this.watching = on;
			this.live?.watch(on);
			return undefined;
		},
		moment: async ({ id }) => this.live?.observer?.moment(id),
		modelDrawn: async () => this.live?.drawn(),
		symbolize: async ({ address }) => this.live?.observer?.symbolize(address),
		walk: async ({ pid, address }) => this.live?.observer?.walk(pid, address),
		cancel: async () => {
			this.work?.abort();
			return undefined;
		},
		crash: async () => {
			setTimeout(() => {
				throw new Error("a crash was asked for");
			}, 0);
			return undefined;
		},
	};

	dispose(): void {
		this.work?.abort();
		this.live?.dispose();
	}

	/** Runs one long request; `cancel` ends it, and a second long request waits for nobody: it ends the first. */
	private async cancellable<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
		this.work?.abort();
		const controller = new AbortController();
		this.work = controller;
		try {
			return await work(controller.signal);
		} finally {
			if (this.work === controller) this.work = undefined;
		}
	}

	private async sync({ changed, removed }: SyncParams): Promise<TreeInfo> {
		for (const { path, bytes } of changed) this.files.set(path, bytes);
		for (const path of removed) this.files.delete(path);
		const info = await this.parts.describeTree(this.tree);
		try {
			this.manifest = info.isKernelTree ? await this.parts.catalog.labOf(this.tree) : undefined;
		} catch (error) {
			if (!(error instanceof UserError)) throw error;
			this.manifest = undefined;
			return { ...info, problem: error.format() };
		}
		return this.manifest ? { ...info, lab: labInfo(this.manifest) } : info;
	}

	private async build(params: BuildParams, signal: AbortSignal): Promise<BuildSummary> {
		const result = await this.parts.build(
			this.tree,
			params,
			(progress) => this.parts.emit("progress", progress),
			signal,
		);
		const { stats } = result;
		const changed = stats.compiled > 0 || stats.linked > 0 || this.output === undefined;
		if (result.output && changed) this.revision++;
		if (result.output) this.output = result.output;
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
			revision: this.revision,
		};
	}

	private builtOutput(): BuildOutput {
		if (this.output) return this.output;
		throw new UserError("file-not-found", "There is no kernel yet", 'Run "xv6: Build Kernel" first.');
	}

	private async boot(params: MachineParams): Promise<EngineRequests["boot"]["result"]> {
		const output = this.builtOutput();
		this.live?.dispose();
		this.live = undefined;
		const { machine, ...shape } = await this.parts.createMachine(output, params);
		const observer = this.parts.observe(machine, output, this.manifest);
		this.live = new LiveMachine(machine, observer, this.parts, { harts: shape.harts, seed: params.seed ?? 0 });
		this.live.watch(this.watching);
		this.live.start();
		return shape;
	}

	private async stop(why: string): Promise<undefined> {
		if (!this.live) return undefined;
		this.work?.abort();
		this.live.end(why, "none");
		return undefined;
	}

	private async runCommand(command: string, signal: AbortSignal): Promise<EngineRequests["runCommand"]["result"]> {
		const live = this.live;
		if (!live) throw new UserError("file-not-found", "No machine runs", 'Run "xv6: Boot" first.');
		const { manifest } = this;
		const test = manifest?.tests.find((candidate) => (candidate.command ?? candidate.program) === command);
		return live.drive(signal, async (shell) => {
			const boot = await shell.waitForPrompt(bootBudget);
			if (boot.kind !== "prompt") return { end: boot.kind };
			if (manifest && test) {
				const verdict = await runTest({ manifest, tree: this.tree, ...live.shape }, test, shell, live.observer);
				return { end: verdict.end, verdict };
			}
			const result = await shell.run(command, unjudgedBudget);
			return { end: result.end.kind };
		});
	}

	private async runTests(params: RunTestsParams, signal: AbortSignal): Promise<EngineRequests["runTests"]["result"]> {
		const { manifest } = this;
		if (!manifest) throw new UserError("lab-not-found", "This tree has no lab", "Add a lab.json, or a lab's programs.");
		const output = this.builtOutput();
		const tests = params.tests.length > 0 ? params.tests.map((id) => findTest(manifest, id)) : manifest.tests;
		let passed = 0;
		let failed = 0;
		for (const seed of params.seeds) {
			let harts = 1;
			const verdicts = await runLab({
				manifest,
				tree: this.tree,
				tests,
				harts: params.machine.harts ?? output.wish.harts,
				seed,
				signal,
				createMachine: async () => {
					const made = await this.parts.createMachine(output, { ...params.machine, seed });
					harts = made.harts;
					return made.machine;
				},
				observe: (machine) => this.parts.observe(machine, output, manifest),
				breathe: () => this.parts.breathe(),
				onStart: (test) => this.parts.emit("testStarted", { test: test.id, seed }),
				onOutput: (bytes) => this.parts.emit("testOutput", { bytes }),
				onVerdict: (verdict) => this.parts.emit("verdict", { ...verdict, harts }),
			});
			passed += verdicts.filter((verdict) => verdict.outcome === "passed").length;
			failed += verdicts.filter((verdict) => verdict.outcome !== "passed").length;
		}
		return { passed, failed };
	}
}

function labInfo(manifest: LabManifest): NonNullable<TreeInfo["lab"]> {
	return {
		id: manifest.id,
		title: manifest.title,
		course: manifest.course,
		tasks: manifest.tasks.map(({ id, title }) => ({ id, title })),
		tests: manifest.tests.map((test) => ({
			id: test.id,
			task: test.task,
			title: test.title,
			program: test.program,
			command: test.command ?? test.program,
			expected: test.expect.output,
		})),
	};
}

/** The machine behind the terminal: runs by itself, or is driven by a command; one of the two at a time. */
class LiveMachine {
	private state: "running" | "paused" | "over" = "running";
	private driven = false;
	private slice = firstSlice;
	private unshown = 0;
	/** When the next update may come, and whether the inspector has drawn the last. */
	private nextModel = 0;
	private models: ReturnType<KernelObserver["live"]> | undefined;
	private isDrawn = true;
	private isStale = false;
	private wake: (() => void) | undefined;
	private wakeNap: (() => void) | undefined;
	private readonly shell: Shell;
	private signal: AbortSignal | undefined;
	/** Keys that the guest has not been given yet. */
	private readonly typed: number[] = [];
	private fedAt = 0;
	/** Nothing but input can wake the guest. */
	private sleepUntilInput = false;

	constructor(
		private readonly machine: RunnableMachine,
		readonly observer: KernelObserver | undefined,
		private readonly parts: EngineParts,
		readonly shape: { readonly harts: number; readonly seed: number },
	) {
		machine.console.onData((bytes) => {
			this.unshown += bytes.length;
			// A copy: the machine reuses its buffer, and the message is sent later.
			parts.emit("console", { bytes: bytes.slice() });
		});
		machine.onStall((report) => parts.emit("stall", { message: report.message }));
		machine.onGuestError((text) =>
			parts.emit("log", { level: "warn", message: `The guest's driver is wrong: ${text}` }),
		);
		this.shell = new Shell(machine, { breathe: () => this.breathe() });
	}

	start(): void {
		this.parts.emit("state", { state: "running" });
		void this.pump();
	}

	/** Runs the machine by itself until it is over; steps aside while a command drives it. */
	private async pump(): Promise<void> {
		while (this.state !== "over") {
			const waitMs = this.driven ? 0 : this.runSlice();
			const guestWaits = waitMs > 0 || this.sleepUntilInput;
			if (this.feed(guestWaits)) this.sleepUntilInput = false;
			else if (waitMs > 0) await this.nap(waitMs);
			await this.breathe();
		}
	}

	/** Milliseconds until the guest's next timer; 0: it has something to do. */
	private runSlice(): number {
		if (this.state !== "running") return 0;
		const start = this.parts.now();
		const stop = this.machine.run(this.slice, { stopWhenWaiting: true });
		const took = Math.max(this.parts.now() - start, 0.05);
		if (stop.kind === "budget") {
			this.slice = Math.max(10_000, Math.min(50_000_000, Math.round((this.slice * sliceMs) / took)));
		}
		if (stop.kind === "halt") this.end(`The machine was switched off with code ${stop.code}.`, "dead");
		else if (this.shell.panic !== undefined) this.end(`The kernel panicked: ${this.shell.panic}.`, "dead");
		else if (stop.kind === "idle") this.sleepUntilInput = true;
		else if (stop.kind === "waiting") return stop.ticks / ticksPerMs;
		return 0;
	}

	/** An idle guest costs the host nothing: until its timer, a key or any other message about this machine. */
	private nap(ms: number): Promise<void> {
		return new Promise((resolve) => {
			const done = () => {
				clearTimeout(timer);
				this.wakeNap = undefined;
				resolve();
			};
			const timer = setTimeout(done, ms);
			this.wakeNap = done;
		});
	}

	/** Lets messages in, sends the model when it is due, and holds the machine while it is paused or the console is behind. */
	private async breathe(): Promise<void> {
		await this.parts.breathe();
		if (this.driven) this.feed(false);
		this.sendModel();
		while (this.held) {
			await new Promise<void>((resolve) => {
				this.wake = resolve;
			});
			this.wake = undefined;
		}
		if (this.driven && this.signal?.aborted) this.machine.requestStop();
	}

	private get held(): boolean {
		if (this.state === "over" || (this.driven && this.signal?.aborted)) return false;
		return this.state === "paused" || this.unshown > highMark || (this.sleepUntilInput && !this.driven);
	}

	private release(): void {
		this.wakeNap?.();
		this.wake?.();
	}

	/** Gives the machine to a command. */
	async drive<T>(signal: AbortSignal, work: (shell: Shell) => Promise<T>): Promise<T> {
		if (this.state === "over")
			throw new UserError("file-not-found", "The machine is off", 'Run "xv6: Restart Machine".');
		this.driven = true;
		this.signal = signal;
		const release = () => this.release();
		signal.addEventListener("abort", release);
		this.release();
		this.shell.signal = signal;
		try {
			return await work(this.shell);
		} finally {
			signal.removeEventListener("abort", release);
			this.shell.signal = undefined;
			this.driven = false;
			this.sendModel(true);
			if (this.shell.panic !== undefined) this.end(`The kernel panicked: ${this.shell.panic}.`, "dead");
		}
	}

	input(bytes: Uint8Array): undefined {
		const first = this.typed.length === 0;
		for (const byte of bytes) this.typed.push(byte);
		if (first) this.feed(true);
		this.sleepUntilInput = false;
		this.release();
	}

	/**
	 * Gives the guest a line at a time: xv6's console drops what does not fit its buffer of 128 characters, and a paste is
	 * longer. The next piece goes when the guest waits, or has had long enough to read the one before.
	 */
	private feed(guestWaits: boolean): boolean {
		if (this.typed.length === 0 || this.machine.console.pending > 0) return false;
		if (!guestWaits && this.machine.instret - this.fedAt < readingTime) return false;
		const end = this.typed.findIndex((byte) => byte === 0x0a || byte === 0x0d);
		const length = Math.min(end < 0 ? this.typed.length : end + 1, mostTyped);
		this.machine.console.write(Uint8Array.from(this.typed.splice(0, length)));
		this.fedAt = this.machine.instret;
		return true;
	}

	shown(bytes: number): undefined {
		this.unshown = Math.max(0, this.unshown - bytes);
		if (this.unshown <= lowMark) this.release();
	}

	pause(): undefined {
		if (this.state !== "running") return;
		this.state = "paused";
		this.parts.emit("state", { state: "paused" });
		this.sendModel(true);
	}

	resume(): undefined {
		if (this.state !== "paused") return;
		this.state = "running";
		this.parts.emit("state", { state: "running" });
		this.release();
	}

	async stepToFault(): Promise<boolean> {
		const { observer } = this;
		if (!observer || this.state === "over" || this.driven) return false;
		const before = observer.faultCount;
		this.resume();
		while (this.state === "running" && observer.faultCount === before) await this.parts.breathe();
		this.pause();
		return observer.faultCount > before;
	}

	/** The inspector opened, or was loaded again: it begins with a whole model. */
	watch(on: boolean): undefined {
		this.models?.dispose();
		this.models = on ? this.observer?.live() : undefined;
		this.isDrawn = true;
		if (on) this.sendModel(true);
	}

	drawn(): undefined {
		this.isDrawn = true;
		if (this.isStale || (this.state !== "running" && this.models?.more)) this.sendModel(true);
	}

	/** `now`: something happened that the inspector must not miss; else when it is time. */
	private sendModel(now = false): void {
		if (!this.models) return;
		if (!this.isDrawn) {
			this.isStale ||= now;
			return;
		}
		const start = this.parts.now();
		if (!now && (start < this.nextModel || this.state !== "running")) return;
		this.isStale = false;
		this.isDrawn = false;
		this.parts.emit("model", { model: this.models.next() });
		const end = this.parts.now();
		this.nextModel = end + Math.max(modelEveryMs, (end - start) / modelShare);
	}

	/** The machine runs no more; its memory stays readable for the inspector until the next boot. */
	end(why: string, state: "none" | "dead"): void {
		if (this.state === "over") return;
		this.state = "over";
		this.release();
		this.sendModel(true);
		this.parts.emit("state", { state, why });
	}

	dispose(): void {
		this.state = "over";
		this.release();
		this.shell.dispose();
		this.observer?.dispose();
		this.machine.dispose();
	}
}
