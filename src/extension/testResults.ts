import * as vscode from "vscode";
import type { Verdict } from "../protocol/verdict.ts";
import type { LabFolder } from "./labFolder.ts";
import type { TestState } from "./progress.ts";
import type { TestItems } from "./testItems.ts";
import { faultsMessage, schedulesMessage, verdictMessages } from "./testMessages.ts";

/** The results of this window's runs, told to VS Code and remembered. */
export class TestResults implements vscode.Disposable {
	private readonly changed = new vscode.EventEmitter<void>();
	/** The seed that a test's messages are about. */
	private readonly failedSeeds = new WeakMap<vscode.TestItem, number>();
	private lastFailed: vscode.TestItem | undefined;
	/** The verdict of each folder's last run in the terminal, while it is the last of its test. */
	private readonly live = new Map<LabFolder, Verdict>();
	private readonly states = new Map<string, Map<string, TestState>>();
	/** A test has a new result. */
	readonly onDidChange = this.changed.event;

	constructor(private readonly items: TestItems) {}

	/** The last result of each test of a folder. */
	of(folder: LabFolder): ReadonlyMap<string, TestState> {
		return this.states.get(folder.root.toString()) ?? new Map();
	}

	/** A test has passed since the window opened. */
	get somePassed(): boolean {
		return [...this.states.values()].some((results) => [...results.values()].includes("passed"));
	}

	/** The folder's machine stands where this verdict was given. */
	isOfMachine(folder: LabFolder, verdict: Verdict): void {
		this.live.set(folder, verdict);
	}

	/** The run that a message is about, by the argument that VS Code gives to the buttons on it; without one the last that failed. */
	runOfMessage(hint: unknown): { folder: LabFolder; test: string; seed: number; isLive: boolean } | undefined {
		const item = (hint as { test?: vscode.TestItem } | undefined)?.test ?? this.lastFailed;
		const found = item && this.items.idOf(item);
		if (!item || !found) return undefined;
		const { folder, id: test } = found;
		const seed = this.failedSeeds.get(item) ?? folder.settings.machine.seed ?? 0;
		const live = this.live.get(folder);
		const isLive =
			folder.machineAlive && live?.test === test && live.seed === seed && folder.lastRun?.command === live.command;
		return { folder, test, seed, isLive };
	}

	/** One result for all seeds of a test: passed only if every seed passed. */
	record(
		run: vscode.TestRun,
		item: vscode.TestItem,
		folder: LabFolder,
		verdicts: readonly Verdict[],
		duration?: number,
	): void {
		const bad = verdicts.filter((verdict) => verdict.outcome !== "passed");
		if (this.live.get(folder)?.test === item.id) this.live.delete(folder);
		if (bad[0]) {
			this.failedSeeds.set(item, bad[0].seed);
			this.lastFailed = item;
		}
		if (verdicts.length > 0) this.remember(folder, item.id, stateOf(bad));
		if (verdicts.length === 0) run.skipped(item);
		else if (bad.length === 0) run.passed(item, duration);
		else if (bad.every(isSilent)) {
			run.appendOutput(`${bad[0]?.reasons[0]?.message}\r\n`, undefined, item);
			run.skipped(item);
		} else this.recordFailures(run, item, folder, bad, verdicts.length, duration);
	}

	private recordFailures(
		run: vscode.TestRun,
		item: vscode.TestItem,
		folder: LabFolder,
		bad: readonly Verdict[],
		all: number,
		duration: number | undefined,
	): void {
		const first = bad[0];
		const messages = first ? verdictMessages(first, item, folder) : [];
		if (bad.length > 1) messages.unshift(schedulesMessage(bad, all));
		if (bad.every((verdict) => verdict.outcome === "errored")) run.errored(item, messages, duration);
		else run.failed(item, messages, duration);
	}

	/** The result of a test whose command ran with each kalloc failing: not its own result, which stays what it was. */
	recordFaults(
		run: vscode.TestRun,
		item: vscode.TestItem,
		verdict: Verdict,
		folder: LabFolder,
		duration: number,
	): void {
		if (verdict.outcome === "passed") run.passed(item, duration);
		else if (verdict.outcome === "not-checked") run.skipped(item);
		else run.failed(item, faultsMessage(verdict, folder), duration);
	}

	private remember(folder: LabFolder, test: string, state: TestState | undefined): void {
		const key = folder.root.toString();
		const results = this.states.get(key) ?? new Map<string, TestState>();
		if (state === undefined) results.delete(test);
		else results.set(test, state);
		this.states.set(key, results);
		this.changed.fire();
	}

	dispose(): void {
		this.changed.dispose();
	}
}

/** It says nothing of what a student wrote. */
const isSilent = ({ outcome }: Verdict) => outcome === "not-begun" || outcome === "not-checked";

/** Of a test by its verdicts that are no pass; undefined: it could not be checked, so nothing is known. */
function stateOf(bad: readonly Verdict[]): TestState | undefined {
	if (bad.length === 0) return "passed";
	if (bad.every(({ outcome }) => outcome === "not-begun")) return "not-begun";
	return bad.every(isSilent) ? undefined : "failed";
}
