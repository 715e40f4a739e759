/** The Test Explorer: what the extension puts into it, and what its runs told. */

import {
	CancellationTokenSource,
	type FileCoverage,
	type Range,
	TestMessage,
	type TestRunRequest,
	type Uri,
} from "./values.ts";

export class StandInItems {
	private readonly items = new Map<string, StandInItem>();
	constructor(private readonly parent: StandInItem | undefined) {}
	get size(): number {
		return this.items.size;
	}
	get(id: string): StandInItem | undefined {
		return this.items.get(id);
	}
	add(item: StandInItem): void {
		item.parent = this.parent;
		this.items.set(item.id, item);
	}
	delete(id: string): void {
		this.items.delete(id);
	}
	forEach(visit: (item: StandInItem) => void): void {
		for (const item of [...this.items.values()]) visit(item);
	}
	/** As the Test Explorer sorts. */
	get sorted(): StandInItem[] {
		const key = ({ sortText, label }: StandInItem) => sortText ?? label;
		return [...this.items.values()].sort((a, b) => (key(a) < key(b) ? -1 : 1));
	}
}

export class StandInItem {
	parent: StandInItem | undefined;
	sortText: string | undefined;
	description: string | undefined;
	range: Range | undefined;
	canResolveChildren = false;
	readonly children = new StandInItems(this);
	constructor(
		readonly id: string,
		public label: string,
		readonly uri: Uri | undefined,
	) {}
}

/** What became of a test's item, as the Test Explorer was told. */
export interface Outcome {
	readonly state: string;
	readonly item: StandInItem;
	readonly messages: readonly TestMessage[];
}

export class StandInRun {
	readonly outcomes: Outcome[] = [];
	readonly covered: InstanceType<typeof FileCoverage>[] = [];
	output = "";
	ended = false;
	readonly source = new CancellationTokenSource();
	readonly token = this.source.token;
	constructor(readonly request: InstanceType<typeof TestRunRequest>) {}
	private told(state: string, item: StandInItem, messages: TestMessage | readonly TestMessage[] = []): void {
		if (this.ended) throw new Error("the run has ended");
		this.outcomes.push({ state, item, messages: messages instanceof TestMessage ? [messages] : messages });
	}
	enqueued(item: StandInItem): void {
		this.told("enqueued", item);
	}
	started(item: StandInItem): void {
		this.told("started", item);
	}
	passed(item: StandInItem): void {
		this.told("passed", item);
	}
	skipped(item: StandInItem): void {
		this.told("skipped", item);
	}
	failed(item: StandInItem, messages: TestMessage | readonly TestMessage[]): void {
		this.told("failed", item, messages);
	}
	errored(item: StandInItem, messages: TestMessage | readonly TestMessage[]): void {
		this.told("errored", item, messages);
	}
	appendOutput(text: string): void {
		if (/(^|[^\r])\n/.test(text)) throw new Error("a line of a run's output ends with a carriage return");
		this.output += text;
	}
	addCoverage(coverage: InstanceType<typeof FileCoverage>): void {
		this.covered.push(coverage);
	}
	end(): void {
		this.ended = true;
	}
}

/** One that a test presses. */
export interface StandInProfile {
	readonly label: string;
	readonly kind: number;
	readonly handler: (request: object, token: CancellationTokenSource["token"]) => Promise<void>;
	loadDetailedCoverage?: (run: object, coverage: object, token: object) => Promise<object[]>;
	loadDetailedCoverageForTest?: (run: object, coverage: object, test: StandInItem, token: object) => Promise<object[]>;
}

export class StandInController {
	readonly items = new StandInItems(undefined);
	readonly profiles: StandInProfile[] = [];
	createTestItem(id: string, label: string, uri?: Uri): StandInItem {
		return new StandInItem(id, label, uri);
	}
	createRunProfile(label: string, kind: number, handler: StandInProfile["handler"]): StandInProfile {
		const profile: StandInProfile = { label, kind, handler };
		this.profiles.push(profile);
		return profile;
	}
	/** `runs`: every run of the window, in its order. */
	constructor(private readonly runs: StandInRun[]) {}
	createTestRun(request: InstanceType<typeof TestRunRequest>): StandInRun {
		const run = new StandInRun(request);
		this.runs.push(run);
		return run;
	}
	dispose(): void {}
}
