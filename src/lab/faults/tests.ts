import { throwIfCancelled } from "../../common/cancellation.ts";
import type { SourceTree } from "../../common/sourceTree.ts";
import type { Reason, Verdict } from "../../protocol/verdict.ts";
import { budgets } from "../../session/budgets.ts";
import { describeEnd } from "../../session/commandEnd.ts";
import type { RunHost } from "../../session/runController.ts";
import type { RunnableMachine } from "../../session/runnableMachine.ts";
import { Shell } from "../../session/shell.ts";
import { watchProgress } from "../../session/waiting.ts";
import { diagnosisFiles } from "../diagnosisFiles.ts";
import type { LabManifest, LabTest } from "../manifest.ts";
import { crashSweep } from "./crash.ts";
import type { Fault, FaultObserver, Sweep } from "./fault.ts";
import { groupRuns, renderSweep, sentenceOf } from "./report.ts";
import { sweep } from "./sweep.ts";

interface FaultTestsRequest extends RunHost {
	readonly manifest: LabManifest;
	readonly tests: readonly LabTest[];
	readonly fault: Fault;
	readonly harts: number;
	readonly seed: number;
	readonly tree: SourceTree;
	readonly createMachine: () => Promise<RunnableMachine>;
	readonly observe: (machine: RunnableMachine) => (FaultObserver & { dispose(): void }) | undefined;
	/** Address of kalloc() in the kernel; undefined: it has none. */
	readonly kalloc: number | undefined;
	readonly signal?: AbortSignal;
	readonly onStart?: (test: LabTest) => void;
	readonly onProgress?: (test: LabTest, done: number, total: number) => void;
	readonly onVerdict?: (verdict: Verdict, sweep: Sweep | undefined) => void;
}

/** Each test's command under faults, from one booted moment. What the program says is not judged, but what becomes of the kernel. */
export async function runFaultTests(request: FaultTestsRequest): Promise<Verdict[]> {
	const { fault, tests, signal } = request;
	const machine = await request.createMachine();
	const view = request.observe(machine);
	const shell = Shell.on(
		machine,
		request,
		watchProgress(machine, () => view),
	);
	const verdicts: Verdict[] = [];
	const deliver = (verdict: Verdict, made?: Sweep) => {
		verdicts.push(verdict);
		request.onVerdict?.(verdict, made);
	};
	try {
		const files = await diagnosisFiles(request.tree);
		const boot = await shell.waitForPrompt(budgets.judgedBoot(request.harts));
		const booted = machine.snapshot();
		for (const test of tests) {
			throwIfCancelled(signal);
			request.onStart?.(test);
			if (boot.kind !== "prompt" || !view) {
				const why =
					boot.kind === "prompt" ? "this kernel cannot be seen from outside" : describeEnd(boot, machine.instret);
				deliver(verdictOf(request, test, "errored", [{ kind: "boot", message: `Nothing was tried: ${why}` }]));
				continue;
			}
			machine.restore(booted);
			for (const command of test.setup ?? []) await shell.run(command, test.budget);
			const command = test.command ?? test.program;
			const common = { machine, shell, fault, command, budget: test.budget, ...(signal ? { signal } : {}) };
			const onProgress = (done: number, total: number) => request.onProgress?.(test, done, total);
			const made =
				fault.kind === "crash"
					? await crashSweep({
							...common,
							breathe: () => request.breathe(),
							another: request.createMachine,
							onProgress,
						})
					: await sweep({ ...common, view, kalloc: request.kalloc, file: files, onProgress });
			deliver(judged(request, test, made), made);
		}
		return verdicts;
	} finally {
		view?.dispose();
		shell.dispose();
		machine.dispose();
	}
}

function judged(request: FaultTestsRequest, test: LabTest, made: Sweep): Verdict {
	if (made.plainFailed) {
		const message = "Nothing was tried: without a fault the command does not come back to the prompt";
		return verdictOf(request, test, "not-checked", [{ kind: "not-checked", message }]);
	}
	const groups = groupRuns(made.runs).filter(({ runs }) => runs[0].outcome !== "handled");
	const reasons = groups.map((group): Reason => {
		const failed = group.runs[0].outcome === "failed";
		return { kind: failed ? "fault" : "not-checked", message: sentenceOf(made, group) };
	});
	const failed = groups.find(({ runs }) => runs[0].outcome === "failed")?.runs[0];
	const outcome = failed ? "failed" : reasons.length > 0 ? "not-checked" : "passed";
	return {
		...verdictOf(request, test, outcome, reasons),
		actual: renderSweep(made),
		diagnoses: failed?.diagnoses ?? [],
		stack: failed?.calls ?? [],
	};
}

function verdictOf(
	{ manifest, harts, seed }: FaultTestsRequest,
	test: LabTest,
	outcome: Verdict["outcome"],
	reasons: readonly Reason[],
): Verdict {
	return {
		lab: manifest.id,
		test: test.id,
		task: test.task,
		title: test.title,
		program: test.program,
		command: test.command ?? test.program,
		outcome,
		end: "prompt",
		expected: "",
		actual: "",
		reasons,
		...{ explanations: [], faults: [], findings: [], stack: [], diagnoses: [] },
		instructions: 0,
		harts,
		seed,
	};
}
