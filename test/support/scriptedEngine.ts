import type { EngineClient } from "../../src/extension/engineClient.ts";
import type {
	BuildSummary,
	EngineEvents,
	EngineRequests,
	LabInfo,
	TestInfo,
	TreeInfo,
} from "../../src/protocol/engine.ts";
import type { Verdict } from "../../src/protocol/verdict.ts";

type Kind = keyof EngineRequests;
type Answers = {
	[K in Kind]?: (
		params: EngineRequests[K]["params"],
	) => EngineRequests[K]["result"] | Promise<EngineRequests[K]["result"]>;
};

/** An engine whose answers a test gives, for what its host does with them: ends of runs that no kernel reaches at will. */
export class ScriptedEngine implements EngineClient {
	readonly asked: { readonly kind: Kind; readonly params: unknown }[] = [];
	private readonly listeners = new Map<keyof EngineEvents, Set<(event: never) => void>>();
	private readonly crashes = new Set<(why: string) => void>();
	disposed = false;

	/** `answers` may be changed between requests. */
	constructor(
		readonly tree: TreeInfo,
		readonly answers: Answers,
	) {}

	async request<K extends Kind>(kind: K, params: EngineRequests[K]["params"]): Promise<EngineRequests[K]["result"]> {
		this.asked.push({ kind, params });
		const usual: Answers = {
			sync: () => this.tree,
			build: () => built(),
			boot: () => {
				this.emit("state", { state: "running" });
				return { harts: 1, memoryMiB: 128, virtio: "modern" };
			},
		};
		const answer: Answers[K] = this.answers[kind] ?? usual[kind];
		return (await answer?.(params)) as EngineRequests[K]["result"];
	}

	on<K extends keyof EngineEvents>(kind: K, listener: (event: EngineEvents[K]) => void) {
		const own = this.listeners.get(kind) ?? new Set();
		this.listeners.set(kind, own.add(listener));
		return { dispose: () => own.delete(listener) };
	}

	emit<K extends keyof EngineEvents>(kind: K, event: EngineEvents[K]): void {
		for (const listener of [...(this.listeners.get(kind) ?? [])]) listener(event as never);
	}

	onCrash = (listener: (why: string) => void) => {
		this.crashes.add(listener);
		return { dispose: () => this.crashes.delete(listener) };
	};

	dispose(): void {
		this.disposed = true;
	}

	async close(): Promise<void> {}

	crash(why: string): void {
		for (const listener of [...this.crashes]) listener(why);
	}

	/** The parameters of each request of a kind, in their order. */
	of<K extends Kind>(kind: K): EngineRequests[K]["params"][] {
		return this.asked.filter((one) => one.kind === kind).map(({ params }) => params as EngineRequests[K]["params"]);
	}
}

export const built = (change: Partial<BuildSummary> = {}): BuildSummary => ({
	...{
		ok: true,
		diagnostics: [],
		summary: "built",
		toolchain: "bundled",
		compiled: 0,
		reused: 1,
		warnings: [],
		revision: 1,
	},
	...change,
});

/** `task:id`, `task:id:program`: tests of a lab. */
export function labOf(...tests: readonly (string | TestInfo)[]): LabInfo {
	const all = tests.map((test): TestInfo => {
		if (typeof test !== "string") return test;
		const [task = "", id = "", program = id] = test.split(":");
		return { id, task, title: `${id} works`, program, command: id, expected: "" };
	});
	const tasks = [...new Set(all.map(({ task }) => task))].map((id) => ({ id, title: `task ${id}` }));
	return { id: "lab", title: "A Lab", course: "A Course", programs: [], tasks, tests: all };
}

export const verdictOf = (test: string, change: Partial<Verdict> = {}): Verdict => ({
	...{
		lab: "lab",
		test,
		task: "1",
		title: `${test} works`,
		program: test,
		command: test,
		outcome: "passed",
		end: "prompt",
	},
	...{ expected: "", actual: "", reasons: [], explanations: [], faults: [], findings: [], stack: [], diagnoses: [] },
	...{ instructions: 1, harts: 1, seed: 0 },
	...change,
});
