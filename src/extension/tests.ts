import * as vscode from "vscode";
import { DisposableStore } from "../common/disposable.ts";
import { UserError } from "../common/errors.ts";
import type { ScheduleData, TestInfo, VerdictData } from "../protocol/engine.ts";
import { plainCard, verdictCard } from "./card.ts";
import { cardWords } from "./cardWords.ts";
import { addCoverage, answerCoverage } from "./coverage.ts";
import { debugTest } from "./debug.ts";
import { failurePlace } from "./failureLine.ts";
import type { Folders } from "./folders.ts";
import type { LabFolder } from "./labFolder.ts";
import type { TestState } from "./progress.ts";
import { sourceUri } from "./terminalLinks.ts";

type Node =
	/** Of the lab, or of a program that has tests by itself. */
	| { readonly kind: "root"; readonly folder: LabFolder }
	| { readonly kind: "task"; readonly folder: LabFolder }
	| { readonly kind: "test"; readonly folder: LabFolder; readonly id: string };

/** Once; with each of many schedules; once with what was executed counted; with each kalloc failing in turn; under the detectors of races. */
type How = "once" | "many" | "coverage" | "kalloc" | "explore";

/** The Test Explorer: labs → tasks → tests of every open kernel, with a profile for each way to run them. */
export class LabTests implements vscode.Disposable {
	private readonly controller = vscode.tests.createTestController("xv6Lab", "xv6 Lab");
	private readonly nodes = new WeakMap<vscode.TestItem, Node>();
	private readonly store = new DisposableStore();
	private readonly changedResults = new vscode.EventEmitter<void>();
	/** The seed that a test's messages are about. */
	private readonly failedSeeds = new WeakMap<vscode.TestItem, number>();
	private lastFailed: vscode.TestItem | undefined;
	/** The verdict of each folder's last run in the terminal, while it is the last of its test. */
	private readonly live = new Map<LabFolder, VerdictData>();
	private readonly lastResults = new Map<string, Map<string, TestState>>();
	/** A test has a new result. */
	readonly onDidChangeResults = this.changedResults.event;
	readonly once: vscode.TestRunProfile;
	readonly many: vscode.TestRunProfile;
	readonly coverage: vscode.TestRunProfile;
	readonly everyKalloc: vscode.TestRunProfile;
	readonly explore: vscode.TestRunProfile;

	constructor(private readonly folders: Folders) {
		this.store.add(this.controller);
		this.controller.resolveHandler = async () => this.folders.refresh();
		this.controller.refreshHandler = async () => this.folders.refresh();
		const { Run } = vscode.TestRunProfileKind;
		this.once = this.controller.createRunProfile(
			vscode.l10n.t("Run"),
			Run,
			(request, token) => this.handle(request, token, "once"),
			true,
		);
		this.once.supportsContinuousRun = true;
		this.many = this.controller.createRunProfile(vscode.l10n.t("Run with many schedules"), Run, (request, token) =>
			this.handle(request, token, "many"),
		);
		const { Coverage } = vscode.TestRunProfileKind;
		this.coverage = this.controller.createRunProfile(vscode.l10n.t("Coverage"), Coverage, (request, token) =>
			this.handle(request, token, "coverage"),
		);
		answerCoverage(this.coverage);
		this.everyKalloc = this.controller.createRunProfile(
			vscode.l10n.t("Every kalloc fails once"),
			Run,
			(request, token) => this.handle(request, token, "kalloc"),
		);
		this.explore = this.controller.createRunProfile(vscode.l10n.t("Explore schedules"), Run, (request, token) =>
			this.handle(request, token, "explore"),
		);
		this.controller.createRunProfile(
			vscode.l10n.t("Debug"),
			vscode.TestRunProfileKind.Debug,
			(request, token) => this.debug(request, token),
			true,
		);
		this.store.add(folders.onDidChange(() => this.update()));
	}

	/**
	 * All tests of one folder, as if asked for in the explorer.
	 * @param isElsewhere at the end: the person has gone to another view, which is not taken away.
	 */
	async runAll(folder: LabFolder, isElsewhere: () => boolean): Promise<void> {
		this.update();
		const root = this.controller.items.get(folder.root.toString());
		if (!root)
			throw new UserError(
				"lab-not-found",
				vscode.l10n.t("This tree has no lab with tests"),
				vscode.l10n.t("Add a lab.json or a lab's programs."),
			);
		await vscode.commands.executeCommand("workbench.view.testing.focus");
		await this.run(new vscode.TestRunRequest([root]), undefined, "once");
		await this.showResult(folder, !isElsewhere());
	}

	/** Opens the tree at the first test that failed, and says in numbers what the coloured signs say. */
	private async showResult(folder: LabFolder, open: boolean): Promise<void> {
		const results = this.results(folder);
		const tests = folder.tree.lab?.tests ?? [];
		const count = (state: TestState) => tests.filter(({ id }) => results.get(id) === state).length;
		const text = vscode.l10n.t(
			"{0} passed, {1} failed, {2} not begun",
			count("passed"),
			count("failed"),
			count("not-begun"),
		);
		void vscode.window.setStatusBarMessage(`$(beaker) xv6: ${text}`, 15_000);
		const first = open && tests.find(({ id }) => results.get(id) === "failed");
		const item = first && this.find(folder, first.id);
		if (item) await vscode.commands.executeCommand("vscode.revealTestInExplorer", item);
	}

	/** One test, and those that need it, as if chosen in the explorer. */
	async runOne(folder: LabFolder, test: string): Promise<void> {
		this.update();
		const item = this.find(folder, test);
		if (item) await this.run(new vscode.TestRunRequest([item]), undefined, "once");
	}

	/** The tests of one program with many schedules, as if asked for in the explorer. */
	async runSchedules(folder: LabFolder, program: string): Promise<void> {
		this.update();
		const tests = folder.tree.lab?.tests.filter((test) => test.program === program) ?? [];
		const items = tests.flatMap(({ id }) => this.find(folder, id) ?? []);
		if (items.length === 0) return;
		await vscode.commands.executeCommand("workbench.view.testing.focus");
		await this.run(new vscode.TestRunRequest(items), undefined, "many");
	}

	/** The run that a report is about becomes the folder's machine, which stands right before the second access, in the debugger. */
	async debugSchedule(
		chosen: { readonly test?: vscode.TestItem; readonly message?: vscode.TestMessage } | undefined,
	): Promise<void> {
		const { test, message } = chosen ?? {};
		const node = test && this.nodes.get(test);
		const text = message && (typeof message.message === "string" ? message.message : message.message.value);
		const moment = text === undefined ? undefined : moments.get(text);
		if (!test || node?.kind !== "test" || !moment) {
			throw new UserError(
				"usage",
				vscode.l10n.t("This report is of an earlier window"),
				vscode.l10n.t("Explore the test's schedules again."),
			);
		}
		const { folder, id } = node;
		const { machine } = folder.settings;
		await vscode.window.withProgress(
			{
				location: vscode.ProgressLocation.Notification,
				title: vscode.l10n.t("xv6: repeating the schedule"),
				cancellable: true,
			},
			async (_report, token) => {
				const subscription = token.onCancellationRequested(() => void folder.ask("cancel", undefined));
				try {
					const request = folder.engine().request("recordSchedule", { test: id, moment, machine });
					const { bytes } = await folder.exclusively(request);
					await folder.openRun(bytes, token);
				} finally {
					subscription.dispose();
				}
			},
		);
		const workspace = vscode.workspace.getWorkspaceFolder(folder.root);
		const name = vscode.l10n.t("Debug {0}", test.label);
		await vscode.debug.startDebugging(workspace, { type: "xv6", request: "attach", name });
	}

	/** Shows a verdict that came from a command in the explorer too; VS Code's own clock would begin here. */
	publish(folder: LabFolder, verdict: VerdictData, tookMs: number): void {
		this.update();
		const item = this.find(folder, verdict.test);
		if (!item) return;
		const run = this.controller.createTestRun(new vscode.TestRunRequest([item]), verdict.command, true);
		run.started(item);
		this.record(run, item, folder, [verdict], tookMs);
		run.end();
		this.live.set(folder, verdict);
	}

	/** The last result of each test of a folder, of this window's runs. */
	results(folder: LabFolder): ReadonlyMap<string, TestState> {
		return this.lastResults.get(folder.root.toString()) ?? new Map();
	}

	/** The run that a message is about, by the argument that VS Code gives to the buttons on it; without one the last that failed. */
	runOfMessage(hint: unknown): { folder: LabFolder; test: string; seed: number; isLive: boolean } | undefined {
		const item = (hint as { test?: vscode.TestItem } | undefined)?.test ?? this.lastFailed;
		const node = item && this.nodes.get(item);
		if (!item || node?.kind !== "test") return undefined;
		const { folder, id: test } = node;
		const seed = this.failedSeeds.get(item) ?? folder.settings.machine.seed ?? 0;
		const live = this.live.get(folder);
		const isLive =
			folder.machineAlive && live?.test === test && live.seed === seed && folder.lastRun?.command === live.command;
		return { folder, test, seed, isLive };
	}

	/** A test has passed since the window opened. */
	get somePassed(): boolean {
		return [...this.lastResults.values()].some((results) => [...results.values()].includes("passed"));
	}

	private remember(folder: LabFolder, test: string, state: TestState): void {
		const key = folder.root.toString();
		const results = this.lastResults.get(key) ?? new Map<string, TestState>();
		this.lastResults.set(key, results.set(test, state));
		this.changedResults.fire();
	}

	dispose(): void {
		this.changedResults.dispose();
		this.store.dispose();
	}

	/** Makes the items equal to the trees; an item that stays keeps its results. */
	private update(): void {
		const wanted = new Set<string>();
		for (const folder of this.folders.all) {
			this.updatePrograms(folder, wanted);
			const lab = folder.tree.lab;
			if (!lab) continue;
			const key = folder.root.toString();
			wanted.add(key);
			const root = this.item(this.controller.items, key, `${lab.title} (${folder.name})`, folder.root, {
				kind: "root",
				folder,
			});
			root.description = folder.tree.recognised ?? "";
			for (const task of lab.tasks) {
				const tests = lab.tests.filter((test) => test.task === task.id);
				if (tests.length === 0) {
					root.children.delete(task.id);
					continue;
				}
				const parent = this.item(root.children, task.id, `${task.id}: ${task.title}`, undefined, {
					kind: "task",
					folder,
				});
				parent.sortText = String(lab.tasks.indexOf(task)).padStart(3, "0");
				this.updateTests(parent, tests, folder);
			}
		}
		this.controller.items.forEach((item) => {
			if (!wanted.has(item.id)) this.controller.items.delete(item.id);
		});
	}

	/** Tests that programs have by themselves: a root each, below the lab's. */
	private updatePrograms(folder: LabFolder, wanted: Set<string>): void {
		for (const { program, tests } of folder.tree.programTests ?? []) {
			const key = programRoot(folder, program);
			wanted.add(key);
			const { source } = folder.tree.programs.find(({ name }) => name === program) ?? {};
			const uri = source === undefined ? undefined : vscode.Uri.joinPath(folder.root, source);
			const root = this.item(this.controller.items, key, `${program} (${folder.name})`, uri, { kind: "root", folder });
			root.sortText = `~${program}`;
			this.updateTests(root, tests, folder);
		}
	}

	/** A test that another has to pass before stands below that one. */
	private updateTests(task: vscode.TestItem, tests: readonly TestInfo[], folder: LabFolder): void {
		const items = new Map<string, vscode.TestItem>();
		const kept = new Map<vscode.TestItem, Set<string>>([[task, new Set()]]);
		for (const [i, test] of tests.entries()) {
			const { source, main } = folder.tree.programs.find((program) => program.name === test.program) ?? {};
			const [file, line] = test.grade ? [test.grade.file, test.grade.line] : [source, test.line ?? main];
			const uri = file ? vscode.Uri.joinPath(folder.root, file) : undefined;
			const parent = items.get(test.grade?.parent ?? "") ?? task;
			const item = this.item(parent.children, test.id, test.title, uri, { kind: "test", folder, id: test.id });
			item.description = test.grade ? pointsOf(test.grade.points) : test.command;
			item.range = line === undefined ? undefined : startOf(line);
			item.sortText = String(i).padStart(3, "0");
			items.set(test.id, item);
			kept.get(parent)?.add(test.id);
			kept.set(item, new Set());
		}
		for (const [item, ids] of kept) {
			item.children.forEach((child) => {
				if (!ids.has(child.id)) item.children.delete(child.id);
			});
		}
	}

	private item(
		list: vscode.TestItemCollection,
		id: string,
		label: string,
		uri: vscode.Uri | undefined,
		node: Node,
	): vscode.TestItem {
		let item = list.get(id);
		if (!item || item.uri?.toString() !== uri?.toString()) {
			item = this.controller.createTestItem(id, label, uri);
			list.add(item);
		}
		item.label = label;
		this.nodes.set(item, node);
		return item;
	}

	/** The item of one test of a folder's lab. */
	find(folder: LabFolder, test: string): vscode.TestItem | undefined {
		let found: vscode.TestItem | undefined;
		const visit = (items: vscode.TestItemCollection): void => {
			found ??= items.get(test);
			if (found) return;
			items.forEach((item) => {
				visit(item.children);
			});
		};
		this.controller.items.get(folder.root.toString())?.children.forEach((task) => {
			visit(task.children);
		});
		for (const { program } of folder.tree.programTests ?? []) {
			const root = this.controller.items.get(programRoot(folder, program));
			if (root) visit(root.children);
		}
		return found;
	}

	/** The lab's test that an item of the explorer is. */
	testOf(
		item: vscode.TestItem,
	): { readonly folder: LabFolder; readonly id: string; readonly command: string } | undefined {
		const node = this.nodes.get(item);
		const test = node?.kind === "test" ? testInfo(node.folder, node.id) : undefined;
		return node && test && { folder: node.folder, id: test.id, command: test.command };
	}

	private async handle(request: vscode.TestRunRequest, token: vscode.CancellationToken, how: How): Promise<void> {
		if (!request.continuous) return this.run(request, token, how);
		// Continuous run: whenever a source of an affected tree is saved; saves during a run are one more run together.
		let last = Promise.resolve();
		let waiting = false;
		const saved = vscode.workspace.onDidSaveTextDocument((document) => {
			if (waiting || !this.folders.of(document.uri)) return;
			waiting = true;
			// A run that fails by a defect of ours is reported by VS Code; the next save runs again all the same.
			last = last
				.catch(() => undefined)
				.then(() => {
					waiting = false;
					return this.run(request, token, how);
				});
		});
		token.onCancellationRequested(() => saved.dispose());
	}

	private async run(
		request: vscode.TestRunRequest,
		token: vscode.CancellationToken | undefined,
		how: How,
	): Promise<void> {
		const run = this.controller.createTestRun(request);
		// The run's own token is the stop button's; a run that a command began is known to VS Code by nothing else.
		const cancel = new vscode.CancellationTokenSource();
		const tokens = [token, run.token].map((each) => each?.onCancellationRequested(() => cancel.cancel()));
		try {
			for (const [folder, items] of this.selected(request)) {
				if (token?.isCancellationRequested || cancel.token.isCancellationRequested) break;
				await this.runFolder(run, folder, items, cancel.token, how);
			}
		} finally {
			run.end();
			for (const subscription of tokens) subscription?.dispose();
			cancel.dispose();
		}
	}

	/** One machine, so one test: the first of those that are meant. Its result stays what it was. */
	private async debug(request: vscode.TestRunRequest, token: vscode.CancellationToken): Promise<void> {
		for (const [folder, items] of this.selected(request)) {
			const item = items.find((one) => this.results(folder).get(one.id) === "failed") ?? items[0];
			const test = item && testInfo(folder, item.id);
			if (!item || !test || token.isCancellationRequested) continue;
			const run = this.controller.createTestRun(new vscode.TestRunRequest([item], request.exclude, request.profile));
			try {
				await debugTest(folder, test, this.results(folder).get(item.id) === "failed", run);
			} finally {
				run.end();
			}
			return;
		}
	}

	/** The tests that a request means, by tree. */
	private selected(request: vscode.TestRunRequest): Map<LabFolder, vscode.TestItem[]> {
		const excluded = new Set(request.exclude ?? []);
		const result = new Map<LabFolder, vscode.TestItem[]>();
		const visit = (item: vscode.TestItem): void => {
			if (excluded.has(item)) return;
			const node = this.nodes.get(item);
			if (node?.kind === "test") result.set(node.folder, [...(result.get(node.folder) ?? []), item]);
			const children: vscode.TestItem[] = [];
			item.children.forEach((child) => {
				children.push(child);
			});
			for (const child of children.sort((a, b) => ((a.sortText ?? "") < (b.sortText ?? "") ? -1 : 1))) visit(child);
		};
		if (request.include) for (const item of request.include) visit(item);
		else {
			this.controller.items.forEach((root) => {
				// All of usertests takes a minute: with a lab beside it, they run where they are meant.
				const folder = this.nodes.get(root)?.folder;
				if (!folder?.tree.lab || root.id === folder.root.toString()) visit(root);
			});
		}
		return result;
	}

	private async runFolder(
		run: vscode.TestRun,
		folder: LabFolder,
		items: readonly vscode.TestItem[],
		token: vscode.CancellationToken,
		how: How,
	): Promise<void> {
		const root = rootOf(items[0]);
		for (const item of items) run.enqueued(item);
		const report = { report: ({ message }: { message?: string }) => run.appendOutput(`${message ?? ""}\r\n`) };
		try {
			await folder.build(report, token);
		} catch (error) {
			// One red root with the reason, not twenty red tests.
			if (root && error instanceof UserError && error.code !== "cancelled") {
				run.errored(root, new vscode.TestMessage(error.format()));
			}
			for (const item of items) run.skipped(item);
			if (error instanceof UserError) return;
			throw error;
		}
		await this.runBuilt(run, folder, items, token, how);
	}

	private async runBuilt(
		run: vscode.TestRun,
		folder: LabFolder,
		items: readonly vscode.TestItem[],
		token: vscode.CancellationToken,
		how: How,
	): Promise<void> {
		const settings = folder.settings;
		const engine = folder.engine();
		const first = settings.machine.seed ?? 0;
		const seeds = how === "many" ? Array.from({ length: settings.seeds }, (_, i) => first + i) : [first];
		const open = new Map(
			items.map((item) => [item.id, { item, verdicts: [] as VerdictData[], began: 0, duration: 0 }]),
		);
		const store = new DisposableStore();
		store.add(
			engine.on("testStarted", ({ test, seed }) => {
				const started = open.get(test);
				if (!started) return;
				started.began = performance.now();
				run.started(started.item);
				if (how !== "many") return;
				const turn = vscode.l10n.t("{0}: schedule {1} of {2}", started.item.label, seed - first + 1, seeds.length);
				run.appendOutput(`${turn}\r\n`, undefined, started.item);
			}),
		);
		store.add(
			engine.on("testProgress", ({ test, done, total }) => {
				const item = open.get(test)?.item;
				if (!item || done % progressEvery !== 0) return;
				run.appendOutput(
					`${vscode.l10n.t("{0}: kalloc {1} of {2}", item.label, done + 1, total)}\r\n`,
					undefined,
					item,
				);
			}),
		);
		store.add(
			engine.on("exploring", ({ test, done, total, strategy }) => {
				const item = open.get(test)?.item;
				if (!item || done % 10 !== 0) return;
				const turn = vscode.l10n.t("{0}: schedule {1} of {2} ({3})", item.label, done + 1, total, strategy);
				run.appendOutput(`${turn}\r\n`, undefined, item);
			}),
		);
		store.add(
			engine.on("verdict", (verdict) => {
				const test = open.get(verdict.test);
				if (!test) return;
				run.appendOutput(`${verdict.actual.replaceAll("\n", "\r\n")}\r\n`, undefined, test.item);
				test.verdicts.push(verdict);
				test.duration += performance.now() - test.began;
				if (test.verdicts.length < seeds.length) return;
				if (how === "kalloc") recordFaults(run, test.item, verdict, folder, test.duration);
				else this.record(run, test.item, folder, test.verdicts, test.duration);
				open.delete(verdict.test);
			}),
		);
		store.add(token.onCancellationRequested(() => void folder.ask("cancel", undefined)));
		try {
			const tests = items.map((item) => item.id);
			const { coverage } = await folder.exclusively(
				engine.request("runTests", {
					...{ tests, seeds, machine: settings.machine },
					...(how === "coverage" ? { coverage: true } : {}),
					...(how === "kalloc" ? { everyKallocFails: true } : {}),
					...(how === "explore" ? { explore: settings.seeds } : {}),
				}),
			);
			const byId = new Map(items.map((item) => [item.id, item]));
			if (coverage) addCoverage(run, folder.root, coverage, (test) => byId.get(test));
		} catch (error) {
			if (!(error instanceof UserError)) throw error;
			if (error.code !== "cancelled") run.appendOutput(`${error.format()}\r\n`);
		} finally {
			store.dispose();
		}
		// What was not tried with every seed has not passed, but may have failed.
		for (const { item, verdicts, duration } of open.values()) {
			if (verdicts.some((verdict) => verdict.outcome === "failed" || verdict.outcome === "errored"))
				this.record(run, item, folder, verdicts, duration);
			else run.skipped(item);
		}
	}

	/** One result for all seeds of a test: passed only if every seed passed. */
	private record(
		run: vscode.TestRun,
		item: vscode.TestItem,
		folder: LabFolder,
		verdicts: readonly VerdictData[],
		duration?: number,
	): void {
		const bad = verdicts.filter((verdict) => verdict.outcome !== "passed");
		if (this.live.get(folder)?.test === item.id) this.live.delete(folder);
		if (bad[0]) {
			this.failedSeeds.set(item, bad[0].seed);
			this.lastFailed = item;
		}
		if (verdicts.length > 0) {
			const notBegun = bad.length > 0 && bad.every((verdict) => verdict.outcome === "not-begun");
			this.remember(folder, item.id, bad.length === 0 ? "passed" : notBegun ? "not-begun" : "failed");
		}
		if (verdicts.length === 0) run.skipped(item);
		else if (bad.length === 0) run.passed(item, duration);
		else if (bad.every((verdict) => verdict.outcome === "not-begun" || verdict.outcome === "not-checked")) {
			run.appendOutput(`${bad[0]?.reasons[0]?.message}\r\n`, undefined, item);
			run.skipped(item);
		} else this.recordFailures(run, item, folder, bad, verdicts.length, duration);
	}

	private recordFailures(
		run: vscode.TestRun,
		item: vscode.TestItem,
		folder: LabFolder,
		bad: readonly VerdictData[],
		all: number,
		duration: number | undefined,
	): void {
		const first = bad[0];
		const messages = first ? toMessages(first, item, folder) : [];
		if (bad.length > 1) messages.unshift(new vscode.TestMessage(seedsMessage(bad, all)));
		if (bad.every((verdict) => verdict.outcome === "errored")) run.errored(item, messages, duration);
		else run.failed(item, messages, duration);
	}
}

function rootOf(item: vscode.TestItem | undefined): vscode.TestItem | undefined {
	return item?.parent ? rootOf(item.parent) : item;
}

/** The root of a program's own tests: an id that is no path of a tree. */
function programRoot(folder: LabFolder, program: string): string {
	return `${folder.root} ${program}`;
}

/** A test of a folder's lab, or of one of its programs. */
export function testInfo({ tree }: LabFolder, id: string): TestInfo | undefined {
	const lists = [tree.lab?.tests ?? [], ...(tree.programTests ?? []).map(({ tests }) => tests)];
	return lists.flat().find((test) => test.id === id);
}

function pointsOf(points: number): string {
	return points === 1 ? vscode.l10n.t("1 point") : vscode.l10n.t("{0} points", points);
}

/** Runs of a sweep between two lines of its progress. */
const progressEvery = 10;

/** The result of a test whose command ran with each kalloc failing: not its own result, which stays what it was. */
function recordFaults(
	run: vscode.TestRun,
	item: vscode.TestItem,
	verdict: VerdictData,
	folder: LabFolder,
	duration: number,
): void {
	if (verdict.outcome === "passed") return run.passed(item, duration);
	if (verdict.outcome === "not-checked") return run.skipped(item);
	const message = new vscode.TestMessage(
		[...verdict.reasons.map((reason) => reason.message), "", verdict.actual].join("\n"),
	);
	message.stackTrace = stackOf(verdict.stack, folder);
	const [place] = message.stackTrace;
	if (place?.uri && place.position) message.location = new vscode.Location(place.uri, place.position);
	run.failed(item, message, duration);
}

/** The begin of a line (from 1). */
function startOf(line: number): vscode.Range {
	return new vscode.Range(line - 1, 0, line - 1, 0);
}

function seedsMessage(bad: readonly VerdictData[], all: number): string {
	const seeds = bad.map((verdict) => verdict.seed).join(", ");
	return vscode.l10n.t("{0} of {1} schedules fail: seeds {2}", bad.length, all, seeds);
}

/** Moments of schedules by the text of the message that they are told in: VS Code gives a command a copy of it. */
const moments = new Map<string, ScheduleData>();

function stackOf(
	stack: readonly { readonly name: string; readonly file?: string; readonly line?: number }[],
	folder: LabFolder,
): vscode.TestMessageStackFrame[] {
	return stack.map((frame) => {
		const uri = frame.file ? sourceUri(folder.root, frame.file) : undefined;
		const position = frame.line ? new vscode.Position(frame.line - 1, 0) : undefined;
		return new vscode.TestMessageStackFrame(frame.name, uri, position);
	});
}

/**
 * The explanation with its stack, and the difference where the output is wrong: VS Code shows of a difference nothing else.
 * Plain text: of a Markdown message it would hold up this thread for longer than 10 ms. The link to the inspector is a button on it.
 */
function toMessages(verdict: VerdictData, item: vscode.TestItem, folder: LabFolder): vscode.TestMessage[] {
	const explanation = new vscode.TestMessage(plainCard(verdictCard(verdict), cardWords()));
	explanation.stackTrace = stackOf(verdict.stack, folder);
	const reports = (verdict.exploration ?? []).map((report) => {
		// VS Code shows the first line alone where there is room for one: the rules around a report say nothing.
		const message = new vscode.TestMessage(report.text.replace(/^=+\n|\n=+\s*$/g, ""));
		message.stackTrace = stackOf(report.stack, folder);
		moments.set(message.message as string, report.moment);
		return message;
	});
	const messages =
		reports.length > 0 && verdict.reasons.every(({ kind }) => kind === "concurrency")
			? reports
			: [explanation, ...reports];
	const source = folder.tree.programs.find(({ name }) => name === verdict.program)?.source;
	const place = source === undefined ? undefined : failurePlace(verdict, source);
	const named = place && sourceUri(folder.root, place.file);
	for (const message of messages) {
		message.contextValue = reports.includes(message) ? "xv6Lab.schedule" : "xv6Lab.verdict";
		const [top] = message.stackTrace ?? [];
		if (reports.includes(message) && top?.uri && top.position)
			message.location = new vscode.Location(top.uri, top.position);
		else if (place && named) message.location = new vscode.Location(named, startOf(place.line));
		else if (item.uri) message.location = new vscode.Location(item.uri, item.range ?? startOf(1));
	}
	const wrong = verdict.reasons.find((reason) => reason.kind === "output");
	if (!wrong) return messages;
	const difference = vscode.TestMessage.diff(wrong.message, verdict.expected, verdict.actual);
	difference.contextValue = "xv6Lab.verdict";
	// Of two messages at one place VS Code peeks at the difference, and the explanation is not seen.
	return [...messages, difference];
}
