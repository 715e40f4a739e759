import * as vscode from "vscode";
import { DisposableStore, MutableDisposable, toDisposable } from "../common/disposable.ts";
import { cancelled, UserError } from "../common/errors.ts";
import type { Logger } from "../common/logger.ts";
import type { Diagnosis } from "../protocol/diagnosis.ts";
import type { BuildSummary, CommandResult, EngineRequests, MachineState, TreeInfo } from "../protocol/engine.ts";
import type { LiveUpdate } from "../protocol/history.ts";
import { type RunInfo, runInfoOf } from "../protocol/inspector.ts";
import type { KernelModel } from "../protocol/kernelModel.ts";
import { BuildFailed } from "./buildFailure.ts";
import type { BuildDiagnostics } from "./diagnostics.ts";
import type { EngineClient, Platform } from "./engineClient.ts";
import { TreeMirror } from "./mirror.ts";
import { readSettings, type Settings } from "./settings.ts";
import { XvTerminal } from "./terminal.ts";

/** Where a build tells how far it is. */
export type BuildReport = vscode.Progress<{ message?: string; increment?: number }>;

/** Milliseconds that a command took, its test's own where it has one. */
interface Timed {
	readonly tookMs: number;
}

/** A build that is done sooner is nobody's wait. */
const saidAfterMs = 700;

const noTree: TreeInfo = { isKernelTree: false, programs: [] };

/** Everything about one folder with a kernel: its engine, its terminal, its last build. Engines start when first needed. */
export class LabFolder implements vscode.Disposable {
	private readonly store = new DisposableStore();
	private readonly engineStore = new MutableDisposable<DisposableStore>();
	private client: EngineClient | undefined;
	private readonly mirror: TreeMirror;
	private readonly changed = new vscode.EventEmitter<void>();
	private readonly builtRevision = new vscode.EventEmitter<BuildSummary>();
	private currentTree = noTree;
	private syncing: Promise<TreeInfo> = Promise.resolve(noTree);
	private readonly engineStarted = new vscode.EventEmitter<void>();
	private readonly failures = new vscode.EventEmitter<readonly Diagnosis[]>();
	private readonly models = new vscode.EventEmitter<LiveUpdate>();
	private readonly pasts = new vscode.EventEmitter<KernelModel | undefined>();
	private readonly runs = new vscode.EventEmitter<RunInfo | undefined>();
	private run: RunInfo | undefined;
	private currentState: MachineState = "none";
	/** Ends with the build that runs, however that ends. */
	private building: Promise<void> = Promise.resolve();
	/** Ends with the last command or test run. */
	private working: Promise<void> = Promise.resolve();
	/** Revision of the build that the running machine was booted from. */
	private bootedRevision: number | undefined;
	/** In the root directory of the last build's disk. */
	private files: readonly string[] = [];

	readonly terminal: XvTerminal;
	/** The tree's programs or the machine's state are no longer what they were. */
	readonly onDidChange = this.changed.event;
	readonly onDidBuild = this.builtRevision.event;
	/** A new engine, which knows of no wish of the one before. */
	readonly onDidStartEngine = this.engineStarted.event;
	/** A machine that no command drove has panicked. */
	readonly onFailure = this.failures.event;
	/** The kernel's memory, for those who asked the engine to watch it. */
	readonly onModel = this.models.event;
	/** As it was at the moment of the past that the machine shows; undefined: it is back in the present. */
	readonly onPast = this.pasts.event;
	/** A program was started from the editor, or judged; undefined: another machine, on which nothing ran yet. */
	readonly onDidRun = this.runs.event;

	constructor(
		readonly root: vscode.Uri,
		readonly name: string,
		private readonly platform: Platform,
		private readonly diagnostics: BuildDiagnostics,
		private readonly log: Logger,
	) {
		this.mirror = this.store.add(new TreeMirror(root));
		const self = this;
		this.terminal = this.store.add(
			new XvTerminal(`xv6 (${name})`, {
				get lineEditing() {
					return self.settings.lineEditing;
				},
				get names() {
					return { programs: self.currentTree.programs.map((program) => program.name), files: self.files };
				},
			}),
		);
		this.store.add(this.terminal.onInput((bytes) => void this.ask("input", { bytes })));
		this.store.add(this.terminal.onShown((bytes) => void this.ask("consoleShown", { bytes })));
		this.store.add(
			this.terminal.onRestartRequested(() => void vscode.commands.executeCommand("xv6Lab.restart", this.root)),
		);
		this.store.add(
			this.terminal.onClosed(() => {
				if (this.settings.stopOnClose && this.machineAlive) void this.stop();
			}),
		);
		this.store.add(this.changed);
		this.store.add(this.builtRevision);
		this.store.add(this.engineStarted);
		this.store.add(this.models);
		this.store.add(this.pasts);
		this.store.add(this.runs);
		this.store.add(this.failures);
		this.store.add(this.engineStore);
	}

	get tree(): TreeInfo {
		return this.currentTree;
	}

	get lastRun(): RunInfo | undefined {
		return this.run;
	}

	private setRun(run: RunInfo | undefined): void {
		this.run = run;
		this.runs.fire(run);
	}

	get state(): MachineState {
		return this.currentState;
	}

	get machineAlive(): boolean {
		return this.currentState === "running" || this.currentState === "paused" || this.currentState === "past";
	}

	get settings(): Settings {
		return readSettings(this.root, this.platform.hasProcesses);
	}

	get hasEngine(): boolean {
		return this.client !== undefined;
	}

	/** Lets an engine go that has nothing but a copy of the tree; the next wish starts another. */
	rest(): void {
		if (this.uses === 0 && this.currentState === "none") this.engineStore.value = undefined;
	}

	/** Builds, commands and test runs that are not over. */
	private uses = 0;

	private async using<T>(work: Promise<T>): Promise<T> {
		this.uses++;
		try {
			return await work;
		} finally {
			this.uses--;
		}
	}

	/** The engine, started when there is none. After a crash the next call starts a new one. */
	engine(): EngineClient {
		if (this.client) return this.client;
		const store = new DisposableStore();
		const client = store.add(this.platform.startEngine());
		this.client = client;
		this.mirror.forget();
		store.add(toDisposable(() => (this.client = undefined)));
		store.add(client.on("console", ({ bytes }) => this.terminal.write(bytes)));
		store.add(client.on("pastConsole", ({ bytes }) => this.terminal.past(bytes)));
		store.add(
			client.on("futureCut", ({ bytes }) => {
				this.terminal.futureCut(bytes);
				// The verdict on a run that has not happened.
				this.setRun(undefined);
			}),
		);
		store.add(client.on("typedInPast", ({ bytes }) => void this.typedInPast(bytes)));
		store.add(client.on("state", ({ state, why }) => this.setState(state, why)));
		store.add(client.on("model", ({ model }) => this.models.fire(model)));
		store.add(client.on("past", ({ model }) => this.pasts.fire(model)));
		store.add(client.on("diagnosis", ({ diagnoses }) => this.failures.fire(diagnoses)));
		store.add(client.on("stall", ({ message }) => this.terminal.note(message)));
		store.add(client.on("log", ({ level, message }) => this.log[level](`${this.name}: ${message}`)));
		store.add(client.onCrash((why) => this.crashed(why)));
		this.engineStore.value = store;
		this.engineStarted.fire();
		return client;
	}

	/** What the last build's debug information says of a name; nothing where no engine runs yet: a hover starts none. */
	async declared(where: EngineRequests["declared"]["params"]): Promise<EngineRequests["declared"]["result"]> {
		return this.client?.request("declared", where);
	}

	/** Sends what changed on disk and reads again what the tree is. One after the other: the later look is the later message. */
	sync(): Promise<TreeInfo> {
		this.syncing = this.syncing.then(
			() => this.syncNow(),
			() => this.syncNow(),
		);
		return this.syncing;
	}

	private async syncNow(): Promise<TreeInfo> {
		const engine = this.engine();
		const changes = await this.mirror.changes();
		const before = this.currentTree.recognised;
		this.currentTree = await engine.request("sync", changes);
		const { recognised } = this.currentTree;
		if (recognised !== undefined && recognised !== before) this.log.info(`${this.name}: ${recognised}`);
		this.changed.fire();
		return this.currentTree;
	}

	/**
	 * Saves, syncs and builds. Throws BuildFailed when there are errors; they are in the Problems panel then.
	 * One build at a time: the engine ends a request when the next long one comes, so a second caller waits here for the first.
	 */
	build(report: BuildReport, token: vscode.CancellationToken, unoptimized = false): Promise<BuildSummary> {
		const result = this.building.then(() => {
			if (token.isCancellationRequested) throw cancelled();
			return this.using(this.buildNow(report, token, true, unoptimized));
		});
		this.building = result.then(
			() => undefined,
			() => undefined,
		);
		return result;
	}

	/** A build of what is on the disk, when nothing else runs. A person's build that comes meanwhile waits for it. */
	async buildInBackground(): Promise<void> {
		// The run that a person's build was for begins right after it, so both must be idle at once.
		for (let last: readonly unknown[] = []; last[0] !== this.working || last[1] !== this.building; ) {
			last = [this.working, this.building];
			await Promise.all(last);
			await new Promise((resolve) => setTimeout(resolve));
		}
		const never = new vscode.CancellationTokenSource();
		const result = this.building.then(() => this.buildNow({ report: () => undefined }, never.token, false));
		this.building = result.then(
			() => undefined,
			() => undefined,
		);
		await this.using(result);
	}

	/** The compiler will be needed soon. */
	warm(): void {
		this.engine()
			.request("warm", this.settings.build)
			.catch((error: Error) => this.log.debug(`${this.name}: warm: ${error.message}`));
	}

	/** Keeps builds in the background out of a command or a test run, which the engine would end for them. */
	async exclusively<T>(work: Promise<T>): Promise<T> {
		const done = work.then(
			() => undefined,
			() => undefined,
		);
		this.working = this.working.then(() => done);
		return this.using(work);
	}

	private async buildNow(
		report: BuildReport,
		token: vscode.CancellationToken,
		save = true,
		unoptimized = false,
	): Promise<BuildSummary> {
		const store = new DisposableStore();
		if (save) {
			// What stands in the terminal is of the build before.
			const say = () => this.terminal.isOpen && this.terminal.note(vscode.l10n.t("building…"));
			const timer = setTimeout(say, saidAfterMs);
			store.add(toDisposable(() => clearTimeout(timer)));
		}
		try {
			return await this.buildSaid(report, token, store, save, unoptimized);
		} finally {
			store.dispose();
		}
	}

	private async buildSaid(
		report: BuildReport,
		token: vscode.CancellationToken,
		store: DisposableStore,
		save: boolean,
		unoptimized: boolean,
	): Promise<BuildSummary> {
		if (save) await this.saveDocuments();
		await this.sync();
		const engine = this.engine();
		let built: BuildSummary;
		let shown = 0;
		store.add(
			engine.on("progress", ({ step, done, total }) => {
				const percent = total > 0 ? (100 * done) / total : 0;
				report.report({ message: `${step} (${done} of ${total})`, increment: Math.max(0, percent - shown) });
				shown = Math.max(shown, percent);
			}),
		);
		store.add(token.onCancellationRequested(() => void this.ask("cancel", undefined)));
		try {
			const summary = await engine.request("build", {
				...this.settings.build,
				...(unoptimized ? { unoptimized } : {}),
			});
			this.diagnostics.publish(this.root, summary);
			this.log.info(`${this.name}: ${summary.summary}`);
			for (const warning of summary.warnings) this.log.warn(`${this.name}: ${warning}`);
			this.files = summary.files ?? this.files;
			this.builtRevision.fire(summary);
			built = summary;
		} catch (error) {
			// Nothing was compiled: a Makefile or manifest that cannot be understood has its place in the Problems panel too.
			if (!(error instanceof UserError && error.position)) throw error;
			this.diagnostics.publishError(this.root, error);
			throw BuildFailed.before(error);
		}
		if (!built.ok) throw BuildFailed.of(built);
		return built;
	}

	/** Builds, and boots unless the machine already runs this very build. */
	async ensureBooted(
		report: BuildReport,
		token: vscode.CancellationToken,
		options: { readonly restart?: boolean; readonly showTerminal?: boolean } = {},
	): Promise<void> {
		const summary = await this.build(report, token);
		if (options.showTerminal !== false) this.terminal.show(true);
		if (!options.restart && this.machineAlive && this.bootedRevision === summary.revision) return;
		report.report({ message: "booting" });
		this.terminal.machineStarted();
		this.setRun(undefined);
		const { machine } = this.settings;
		const shape = await this.exclusively(this.engine().request("boot", machine));
		this.booted(summary, shape, machine.seed ?? 0);
	}

	/** Builds, boots, and runs one test of the lab in the terminal, with the schedule of a seed. */
	async runTest(test: string, seed: number, report: BuildReport, token: vscode.CancellationToken) {
		const summary = await this.build(report, token);
		this.terminal.show(true);
		this.terminal.machineStarted();
		const { machine } = this.settings;
		// A program's own test is named as it is typed.
		const command = this.tree.lab?.tests.find(({ id }) => id === test)?.command ?? test;
		report.report({ message: command });
		const result = await this.command(command, () => this.engine().request("runTest", { test, seed, machine }), token);
		this.booted(summary, result, seed);
		return result;
	}

	private booted(summary: BuildSummary, shape: EngineRequests["boot"]["result"], seed: number): void {
		const { harts, memoryMiB, virtio } = shape;
		this.log.info(`${this.name}: booted with ${harts} harts, ${memoryMiB} MiB, ${virtio} virtio, seed ${seed}`);
		this.bootedRevision = summary.revision;
		for (const warning of summary.warnings) this.terminal.note(warning);
	}

	/** Builds for a debug session, which boots the machine itself; the terminal is that machine's. */
	async buildToDebug(report: BuildReport, token: vscode.CancellationToken, unoptimized: boolean): Promise<void> {
		const summary = await this.build(report, token, unoptimized);
		this.terminal.show(true);
		this.terminal.machineStarted();
		this.setRun(undefined);
		// A later Run of this very build may continue with its machine; of the other build it may not.
		this.bootedRevision = summary.revision;
	}

	private asksAboutPast = false;

	/** What is typed would make another future than the one that is known. */
	private async typedInPast(bytes: Uint8Array): Promise<void> {
		if (this.asksAboutPast) return;
		this.asksAboutPast = true;
		try {
			const future = vscode.l10n.t("New Future From Here");
			const present = vscode.l10n.t("Go to the Present");
			const question = vscode.l10n.t(
				"The machine shows its past. If what you type is given to it here, what came after this moment will not have happened.",
			);
			const choice = await vscode.window.showWarningMessage(question, { modal: true }, present, future);
			if (choice === undefined) return;
			await this.ask(choice === future ? "newFuture" : "toPresent", undefined);
			await this.ask("input", { bytes });
		} finally {
			this.asksAboutPast = false;
		}
	}

	/** A recorded run becomes this folder's machine, which stands at its end. */
	async openRun(bytes: Uint8Array, token: vscode.CancellationToken): Promise<EngineRequests["openRun"]["result"]> {
		const subscription = token.onCancellationRequested(() => void this.ask("cancel", undefined));
		try {
			await this.sync();
			this.terminal.show(true);
			this.terminal.machineStarted();
			this.setRun(undefined);
			this.bootedRevision = undefined;
			return await this.exclusively(this.engine().request("openRun", { bytes }));
		} finally {
			subscription.dispose();
		}
	}

	/** Types a command at the guest's shell and waits for its end. */
	runCommand(command: string, token: vscode.CancellationToken): Promise<CommandResult & Timed> {
		return this.command(command, () => this.engine().request("runCommand", { command }), token);
	}

	/** What a person started by name, how it ended, and how long its test took: without the boot, as in the Test Explorer. */
	private async command<T extends EngineRequests["runCommand"]["result"]>(
		command: string,
		work: () => Promise<T>,
		token: vscode.CancellationToken,
	): Promise<T & Timed> {
		const store = new DisposableStore();
		store.add(token.onCancellationRequested(() => void this.ask("cancel", undefined)));
		let began = performance.now();
		store.add(this.engine().on("testStarted", () => (began = performance.now())));
		try {
			const begun: RunInfo = { command, reasons: [], explanations: [], diagnoses: [] };
			this.setRun(begun);
			const result = await this.exclusively(work());
			const { verdict, end } = result;
			this.setRun(verdict ? runInfoOf(verdict) : { ...begun, end, diagnoses: result.diagnoses });
			const judged = verdict ? [verdict.outcome, ...verdict.reasons.map((reason) => reason.message)].join(": ") : end;
			this.log.info(`${this.name}: ${command}: ${judged}`);
			return { ...result, tookMs: performance.now() - began };
		} finally {
			store.dispose();
		}
	}

	async stop(): Promise<void> {
		await this.ask("stop", undefined);
	}

	/** Requests whose failure is the engine's end, which is reported once, elsewhere. */
	async ask(
		kind: "input" | "consoleShown" | "cancel" | "stop" | "newFuture" | "toPresent" | "watchModel" | "modelDrawn",
		params: never | object | undefined,
	): Promise<void> {
		if (!this.client) return;
		try {
			await this.client.request(kind, params as never);
		} catch (error) {
			this.log.debug(`${this.name}: ${kind}: ${(error as Error).message}`);
		}
	}

	dispose(): void {
		this.store.dispose();
	}

	private async saveDocuments(): Promise<void> {
		const prefix = `${this.root.path}/`;
		for (const document of vscode.workspace.textDocuments) {
			if (document.isDirty && !document.isUntitled && document.uri.path.startsWith(prefix)) await document.save();
		}
	}

	private setState(state: MachineState, why: string | undefined): void {
		this.currentState = state;
		if (state === "dead" || state === "none") {
			this.bootedRevision = undefined;
			this.terminal.machineEnded(why ?? vscode.l10n.t("The machine is off."));
		}
		this.changed.fire();
	}

	private crashed(why: string): void {
		this.log.error(`${this.name}: the engine ended unexpectedly: ${why}`);
		this.engineStore.value = undefined;
		this.setState("dead", vscode.l10n.t("The engine crashed ({0}). No file was touched.", why));
		const restart = vscode.l10n.t("Restart Machine");
		const message = vscode.l10n.t("xv6 Lab: the engine of {0} crashed: {1}", this.name, why);
		void vscode.window.showErrorMessage(message, restart).then((choice) => {
			if (choice === restart) void vscode.commands.executeCommand("xv6Lab.restart", this.root);
		});
	}
}
