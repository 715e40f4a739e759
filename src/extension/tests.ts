import * as vscode from "vscode";
import { DisposableStore } from "../common/disposable.ts";
import { UserError } from "../common/errors.ts";
import type { Verdict } from "../protocol/verdict.ts";
import { answerCoverage } from "./coverage.ts";
import { debugTest } from "./debug.ts";
import { debugSchedule } from "./debugSchedule.ts";
import type { Folders } from "./folders.ts";
import { refusesOneMachine } from "./gradedTest.ts";
import type { LabFolder } from "./labFolder.ts";
import type { TestState } from "./progress.ts";
import { readAloud, TestItems, testInfo } from "./testItems.ts";
import { momentOf } from "./testMessages.ts";
import { TestResults } from "./testResults.ts";
import { FolderTestRun, type How } from "./testRun.ts";

/** The Test Explorer: labs → tasks → tests of every open kernel, with a profile for each way to run them. */
export class LabTests implements vscode.Disposable {
	private readonly controller = vscode.tests.createTestController("xv6Lab", "xv6 Lab");
	private readonly items: TestItems;
	private readonly outcomes: TestResults;
	private readonly store = new DisposableStore();
	/** A test has a new result. */
	readonly onDidChangeResults: vscode.Event<void>;
	readonly once: vscode.TestRunProfile;
	readonly many: vscode.TestRunProfile;
	readonly coverage: vscode.TestRunProfile;
	readonly everyKalloc: vscode.TestRunProfile;
	readonly explore: vscode.TestRunProfile;

	constructor(private readonly folders: Folders) {
		this.store.add(this.controller);
		this.items = new TestItems(this.controller, folders);
		this.outcomes = this.store.add(new TestResults(this.items));
		this.onDidChangeResults = this.outcomes.onDidChange;
		this.controller.resolveHandler = async (item) => (item ? this.items.resolve(item) : this.folders.refresh());
		this.controller.refreshHandler = async () => this.folders.refresh();
		const { Run } = vscode.TestRunProfileKind;
		const profile = (label: string, how: How, kind = Run) =>
			this.controller.createRunProfile(
				label,
				kind,
				(request, token) => this.handle(request, token, how),
				how === "once",
			);
		this.once = profile(vscode.l10n.t("Run"), "once");
		this.once.supportsContinuousRun = true;
		this.many = profile(vscode.l10n.t("Run with many schedules"), "many");
		this.coverage = profile(vscode.l10n.t("Coverage"), "coverage", vscode.TestRunProfileKind.Coverage);
		answerCoverage(this.coverage);
		this.everyKalloc = profile(vscode.l10n.t("Every kalloc fails once"), "kalloc");
		this.explore = profile(vscode.l10n.t("Explore schedules"), "explore");
		this.controller.createRunProfile(
			vscode.l10n.t("Debug"),
			vscode.TestRunProfileKind.Debug,
			(request, token) => this.debug(request, token),
			true,
		);
		this.store.add(folders.onDidChange(() => this.items.update()));
		this.store.add(
			vscode.workspace.onDidChangeConfiguration((change) => {
				if (change.affectsConfiguration(readAloud)) this.items.rename();
			}),
		);
		this.store.add(vscode.workspace.onDidOpenTextDocument(({ uri }) => this.items.resolveAt(uri)));
	}

	/**
	 * All tests of one folder, as if asked for in the explorer.
	 * @param isElsewhere at the end: the person has gone to another view, which is not taken away.
	 */
	async runAll(folder: LabFolder, isElsewhere: () => boolean): Promise<void> {
		this.items.update();
		const root = this.items.rootOf(folder);
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
		const item = first && this.items.find(folder, first.id);
		if (item) await vscode.commands.executeCommand("vscode.revealTestInExplorer", item);
	}

	/** One test, and those that need it, as if chosen in the explorer. */
	async runOne(folder: LabFolder, test: string): Promise<void> {
		this.items.update();
		const item = this.items.find(folder, test);
		if (item) await this.run(new vscode.TestRunRequest([item]), undefined, "once");
	}

	/** The tests of one program with many schedules, as if asked for in the explorer. */
	async runSchedules(folder: LabFolder, program: string): Promise<void> {
		this.items.update();
		const tests = folder.tree.lab?.tests.filter((test) => test.program === program) ?? [];
		const items = tests.flatMap(({ id }) => this.items.find(folder, id) ?? []);
		if (items.length === 0) return;
		await vscode.commands.executeCommand("workbench.view.testing.focus");
		await this.run(new vscode.TestRunRequest(items), undefined, "many");
	}

	/** The run that a report is about, in the debugger. */
	async debugSchedule(
		chosen: { readonly test?: vscode.TestItem; readonly message?: vscode.TestMessage } | undefined,
	): Promise<void> {
		const { test, message } = chosen ?? {};
		const found = test && this.items.idOf(test);
		const moment = message && momentOf(message);
		if (!test || !found || !moment) {
			throw new UserError(
				"usage",
				vscode.l10n.t("This report is of an earlier window"),
				vscode.l10n.t("Explore the test's schedules again."),
			);
		}
		await debugSchedule(found.folder, found.id, test.label, moment);
	}

	/** Shows a verdict that came from a command in the explorer too; VS Code's own clock would begin here. */
	publish(folder: LabFolder, verdict: Verdict, tookMs: number): void {
		this.items.update();
		const item = this.items.find(folder, verdict.test);
		if (!item) return;
		const run = this.controller.createTestRun(new vscode.TestRunRequest([item]), verdict.command, true);
		run.started(item);
		this.outcomes.record(run, item, folder, [verdict], tookMs);
		run.end();
		this.outcomes.isOfMachine(folder, verdict);
	}

	/** The last result of each test of a folder, of this window's runs. */
	results(folder: LabFolder): ReadonlyMap<string, TestState> {
		return this.outcomes.of(folder);
	}

	/** The item of one test of a folder. */
	find(folder: LabFolder, test: string): vscode.TestItem | undefined {
		return this.items.find(folder, test);
	}

	/** The test that an item of the explorer is. */
	testOf(item: vscode.TestItem): ReturnType<TestItems["testOf"]> {
		return this.items.testOf(item);
	}

	/** The run that a message is about, by the argument that VS Code gives to the buttons on it; without one the last that failed. */
	runOfMessage(hint: unknown): ReturnType<TestResults["runOfMessage"]> {
		return this.outcomes.runOfMessage(hint);
	}

	/** A test has passed since the window opened. */
	get somePassed(): boolean {
		return this.outcomes.somePassed;
	}

	dispose(): void {
		this.store.dispose();
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
			for (const [folder, items] of this.items.selected(request)) {
				if (token?.isCancellationRequested || cancel.token.isCancellationRequested) break;
				await new FolderTestRun(run, folder, items, how, this.outcomes).start(cancel.token);
			}
		} finally {
			run.end();
			for (const subscription of tokens) subscription?.dispose();
			cancel.dispose();
		}
	}

	/** One machine, so one test: the first of those that are meant. Its result stays what it was. */
	private async debug(request: vscode.TestRunRequest, token: vscode.CancellationToken): Promise<void> {
		for (const [folder, all] of this.items.selected(request)) {
			const items = all.filter((one) => !testInfo(folder, one.id)?.grade);
			const item = items.find((one) => this.results(folder).get(one.id) === "failed") ?? items[0] ?? all[0];
			const test = item && testInfo(folder, item.id);
			if (!item || !test || token.isCancellationRequested || refusesOneMachine(test)) continue;
			const run = this.controller.createTestRun(new vscode.TestRunRequest([item], request.exclude, request.profile));
			try {
				await debugTest(folder, test, this.results(folder).get(item.id) === "failed", run);
			} finally {
				run.end();
			}
			return;
		}
	}
}
