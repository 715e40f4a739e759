import * as vscode from "vscode";
import { DisposableStore } from "../common/disposable.ts";
import { UserError } from "../common/errors.ts";
import { rateOf } from "../explore/progress.ts";
import type { Verdict } from "../protocol/verdict.ts";
import { addCoverage } from "./coverage.ts";
import type { LabFolder } from "./labFolder.ts";
import { testInfo, topOf } from "./testItems.ts";
import type { TestResults } from "./testResults.ts";

/** Once; with each of many schedules; once with what was executed counted; with each kalloc failing in turn; under the detectors of races. */
export type How = "once" | "many" | "coverage" | "kalloc" | "explore";

/** Runs between two lines of progress. */
const progressEvery = 10;

/** A test that has no result yet. */
interface Open {
	readonly item: vscode.TestItem;
	readonly verdicts: Verdict[];
	began: number;
	duration: number;
}

/** Tests of one folder in one run: its build, its engine's events, and a result for each test. */
export class FolderTestRun {
	private readonly open: Map<string, Open>;
	private readonly seeds: readonly number[];

	constructor(
		private readonly run: vscode.TestRun,
		private readonly folder: LabFolder,
		private readonly items: readonly vscode.TestItem[],
		private readonly how: How,
		private readonly results: TestResults,
	) {
		this.open = new Map(items.map((item) => [item.id, { item, verdicts: [], began: 0, duration: 0 }]));
		const { machine, seeds } = folder.settings;
		const first = machine.seed ?? 0;
		this.seeds = how === "many" ? Array.from({ length: seeds }, (_, i) => first + i) : [first];
	}

	/** Each test has a result when this ends, or is skipped. */
	async start(token: vscode.CancellationToken): Promise<void> {
		if (!(await this.build(token))) return;
		const following = this.follow(token);
		try {
			await this.runInEngine();
		} catch (error) {
			if (!(error instanceof UserError)) throw error;
			if (error.code !== "cancelled") this.say(error.format());
		} finally {
			following.dispose();
		}
		// What was not tried with every seed has not passed, but may have failed.
		for (const { item, verdicts, duration } of this.open.values()) {
			if (verdicts.some(({ outcome }) => outcome === "failed" || outcome === "errored"))
				this.results.record(this.run, item, this.folder, verdicts, duration);
			else this.run.skipped(item);
		}
	}

	private say(line: string, item?: vscode.TestItem): void {
		this.run.appendOutput(`${line.replaceAll("\n", "\r\n")}\r\n`, undefined, item);
	}

	/** False: the build failed, and that is the result. */
	private async build(token: vscode.CancellationToken): Promise<boolean> {
		const { run, items } = this;
		for (const item of items) run.enqueued(item);
		try {
			await this.folder.build({ report: ({ message }) => this.say(message ?? "") }, token);
			return true;
		} catch (error) {
			const top = items[0] && topOf(items[0]);
			// One red root with the reason, not twenty red tests.
			if (top && error instanceof UserError && error.code !== "cancelled")
				run.errored(top, new vscode.TestMessage(error.format()));
			for (const item of items) run.skipped(item);
			if (error instanceof UserError) return false;
			throw error;
		}
	}

	private follow(token: vscode.CancellationToken): vscode.Disposable {
		const { seeds, how, open } = this;
		const engine = this.folder.engine();
		const store = new DisposableStore();
		/** When the first schedule of a test began. */
		const exploring = new Map<string, number>();
		store.add(
			engine.on("testStarted", ({ test, seed }) => {
				const started = open.get(test);
				if (!started) return;
				started.began = performance.now();
				this.run.started(started.item);
				const { item } = started;
				const turn = seed - (seeds[0] ?? 0) + 1;
				if (how === "many") this.say(vscode.l10n.t("{0}: schedule {1} of {2}", item.label, turn, seeds.length), item);
			}),
		);
		store.add(
			engine.on("testProgress", ({ test, done, total }) => {
				const item = open.get(test)?.item;
				if (!item || done % progressEvery !== 0) return;
				this.say(vscode.l10n.t("{0}: kalloc {1} of {2}", item.label, done + 1, total), item);
			}),
		);
		store.add(
			engine.on("exploring", ({ test, done, total, strategy, covered }) => {
				const item = open.get(test)?.item;
				if (done === 0) exploring.set(test, performance.now());
				if (!item || done % progressEvery !== 0) return;
				const rate = rateOf(done, (performance.now() - (exploring.get(test) ?? 0)) / 1000);
				const now = vscode.l10n.t("{0}: schedule {1} of {2} ({3})", item.label, done + 1, total, strategy);
				const { stopped, places } = covered;
				const speed = rate === undefined ? [] : [vscode.l10n.t("{0} a second", rate)];
				const where = places === 0 ? [] : [vscode.l10n.t("harts stopped at {0} of {1} places", stopped, places)];
				this.say([now, ...speed, ...where].join(", "), item);
			}),
		);
		store.add(engine.on("verdict", (verdict) => this.take(verdict)));
		store.add(token.onCancellationRequested(() => void this.folder.ask("cancel", undefined)));
		return store;
	}

	private take(verdict: Verdict): void {
		const test = this.open.get(verdict.test);
		if (!test) return;
		const { item, verdicts } = test;
		this.say(verdict.actual, item);
		verdicts.push(verdict);
		test.duration += performance.now() - test.began;
		if (verdicts.length < this.seeds.length) return;
		if (this.how === "kalloc") this.results.recordFaults(this.run, item, verdict, this.folder, test.duration);
		else this.results.record(this.run, item, this.folder, verdicts, test.duration);
		this.open.delete(verdict.test);
	}

	private sayOfGraded(item: vscode.TestItem): void {
		if (!testInfo(this.folder, item.id)?.grade) return;
		const why = vscode.l10n.t(
			"{0}: skipped. A grade script runs machines of its own, in which no kalloc is made to fail.",
			item.label,
		);
		this.say(why, item);
	}

	private async runInEngine(): Promise<void> {
		const { folder, how, items, seeds } = this;
		const { machine, seeds: schedules } = folder.settings;
		if (how === "kalloc") for (const item of items) this.sayOfGraded(item);
		const request = folder.engine().request("runTests", {
			...{ tests: items.map(({ id }) => id), seeds: [...seeds], machine },
			...(how === "coverage" ? { coverage: true } : {}),
			...(how === "kalloc" ? { everyKallocFails: true } : {}),
			...(how === "explore" ? { explore: schedules } : {}),
		});
		const { coverage } = await folder.exclusively(request);
		if (coverage) addCoverage(this.run, folder.root, coverage, (test) => items.find(({ id }) => id === test));
	}
}
