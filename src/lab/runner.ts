import { throwIfCancelled } from "../common/cancellation.ts";
import type { Disposable } from "../common/disposable.ts";
import { UserError } from "../common/errors.ts";
import type { SourceTree } from "../common/sourceTree.ts";
import type { Waits } from "../kernelview/waits.ts";
import type { Instructions, MachineSurface } from "../machine/types.ts";
import type { Diagnosis, RunEnd } from "../protocol/diagnosis.ts";
import type { FaultLine, FindingLine, Reason, StackLine, Verdict } from "../protocol/verdict.ts";
import { budgets } from "../session/budgets.ts";
import { describeEnd } from "../session/commandEnd.ts";
import type { RunnableMachine } from "../session/runnableMachine.ts";
import { type CommandResult, Shell } from "../session/shell.ts";
import { watchProgress } from "../session/waiting.ts";
import { unbegunTasks, Verdicts } from "./begun.ts";
import { bootPart, type CoverageCollector } from "./coverage/collector.ts";
import { diagnosisFiles } from "./diagnosisFiles.ts";
import { timerAt } from "./faults/irq.ts";
import { type Evidence, expectedText, explain, framesLost, judge, outcomeOf } from "./judge.ts";
import type { LabManifest, LabTest } from "./manifest.ts";
import { bootSeed, seedsByBoot, testSchedule } from "./schedules.ts";
import { readNamedSources } from "./sources.ts";
import { type DiskProgram, Witness } from "./witness.ts";

/** Characters that no test of a lab comes near; a kernel that prints the same fault for ever is stopped here, not by the budget. */
const mostOutput = 200_000;
/** Of a longer output a verdict shows this many lines of the beginning, and of the end. */
const firstLines = 60;
const lastLines = 40;

/** The kernel seen from outside while a test runs; implemented over src/kernelview. */
export interface TestObserver extends Disposable {
	/** Forgets what was seen so far: a test begins. */
	begin(): void;
	freeFrames(): number | undefined;
	faults(): readonly FaultLine[];
	findings(): readonly FindingLine[];
	/** Undefined: this kernel's processes are not known. */
	killed(): readonly number[] | undefined;
	framesAt(address: bigint): readonly { pid: number; frame: bigint }[] | undefined;
	/** Stack of the hart that is in the kernel's panic, or of the process that was killed. */
	stack(): readonly StackLine[];
	/** What each process waits for: a machine that makes no progress is stopped soon. */
	waits?(): Waits;
	/** Undefined: the kernel does not tell. */
	panicked?(): boolean | undefined;
	/** Why the run ended as it did; `file`: text of a file of the tree. */
	diagnose(end: RunEnd, file: (path: string) => string | undefined): readonly Diagnosis[];
}

/** What a verdict says of the machine that it was made on. */
export interface JudgeContext {
	readonly manifest: LabManifest;
	readonly harts: number;
	readonly seed: number;
	/** What the kernel was built from: known failures may ask for it. */
	readonly tree?: SourceTree;
	/** What the disk holds: whether these programs themselves ran is watched. */
	readonly programs?: readonly DiskProgram[];
	/** Sources of the lab's programs that differ in this tree, by program; see `changedPrograms`. */
	readonly changed?: ReadonlyMap<string, readonly string[]>;
	/** Evidence that is missing is no reason against a pass. */
	readonly allowUnchecked?: boolean;
}

/** Of tests that several runs share, each with a machine of its own. */
export interface TestShare {
	/** One of the runs tells why the kernel does not boot. It begins with the first seed, the others with the last. */
	readonly leads: boolean;
	/** Whether this run is the first to ask for the test with this index, with this seed. */
	take(index: number, seed: number): boolean;
	/** Nobody has asked for it. */
	isFree(index: number, seed: number): boolean;
}

export interface LabRunRequest extends Omit<JudgeContext, "seed"> {
	/** All tests run with each of them. What a seed means does not depend on the others: see schedules.ts. */
	readonly seeds: readonly number[];
	/** Default: all of the manifest. */
	readonly tests?: readonly LabTest[];
	/** However few the tests are: they are a part of the whole lab, whose tasks may not be begun. */
	readonly whole?: boolean;
	/** This run makes only the tests that it takes. */
	readonly share?: TestShare;
	/** `seed` is the one to boot with. */
	readonly createMachine: (harts: number, seed: number) => Promise<RunnableMachine>;
	readonly observe: (machine: RunnableMachine) => TestObserver | undefined;
	readonly breathe: () => Promise<void>;
	/** See session/shell.ts `ShellOptions`; for the boot and for each command. */
	readonly patience?: () => () => boolean;
	readonly signal?: AbortSignal;
	readonly onStart?: (test: LabTest, seed: number) => void;
	/** As soon as a test has ended, with its machine as it left it; that its task is not begun is not known yet. */
	readonly onEnd?: (verdict: Verdict) => void;
	readonly onVerdict?: (verdict: Verdict) => void;
	readonly onOutput?: (bytes: Uint8Array) => void;
	/** The timer's interrupt comes at this instruction of each test's command; see faults/irq.ts. */
	readonly timerAt?: Instructions;
	/** Told what the boot and each test execute; `createMachine` then has to make machines that tell it. */
	readonly coverage?: CoverageCollector;
}

/**
 * Boots once for all seeds that only the tests run with, and runs each test with each seed from the same booted moment: no
 * test sees what another did to the kernel. Throws only for cancellation and for a machine that cannot be made; every other
 * failure is a verdict.
 */
export async function runLab(request: LabRunRequest): Promise<Verdict[]> {
	const { manifest } = request;
	const tests = request.tests ?? manifest.tests;
	// A run of all tests shows only some; a test asked for by name should be seen to fail.
	const isWhole = request.share === undefined && (tests.length > 1 || request.whole === true);
	const verdicts = await verdictsOf(request, isWhole, (verdict) => request.onVerdict?.(verdict));
	const { share } = request;
	const groups = seedsByBoot(request.seeds);
	for (const seeds of share?.leads === false ? groups.reverse() : groups) {
		if (share && !seeds.some((seed) => tests.some((_, index) => share.isFree(index, seed)))) continue;
		await runFromBoot(request, seeds, tests, (verdict) => {
			request.onEnd?.(verdict);
			verdicts.add(verdict);
		});
	}
	return verdicts.end();
}

/** Of a lab, or of single tests: those may fail. */
export async function verdictsOf(
	{ manifest, tree }: Pick<LabRunRequest, "manifest" | "tree">,
	isWhole: boolean,
	deliver: (verdict: Verdict) => void,
): Promise<Verdicts> {
	const sources = isWhole ? await readNamedSources(manifest, tree) : new Map<string, string>();
	return new Verdicts(manifest, unbegunTasks(manifest, sources), deliver);
}

/** `seeds` share a boot. */
async function runFromBoot(
	request: LabRunRequest,
	seeds: readonly number[],
	tests: readonly LabTest[],
	deliver: (verdict: Verdict) => void,
): Promise<void> {
	const { harts, signal, coverage } = request;
	const machine = await request.createMachine(harts, bootSeed(seeds[0] ?? 0));
	let observer: TestObserver | undefined;
	const options = {
		breathe: request.breathe,
		...(signal ? { signal } : {}),
		...(request.patience ? { patience: request.patience } : {}),
		...(request.onOutput ? { onOutput: request.onOutput } : {}),
	};
	const shell = Shell.on(
		machine,
		options,
		watchProgress(machine, () => observer),
	);
	try {
		observer = request.observe(machine);
		coverage?.begin(machine, bootPart);
		const boot = await shell.waitForPrompt(budgets.judgedBoot(harts));
		const result: CommandResult = { end: boot, output: shell.console, instructions: machine.instret };
		const booted = boot.kind === "prompt";
		// A snapshot looks at each page of RAM: a machine that runs one test has no use for it.
		const moment = booted && seeds.length * tests.length > 1 ? machine.snapshot() : undefined;
		let first: Verdict | undefined;
		const { share } = request;
		if (!booted && share?.leads === false) return;
		for (const seed of seeds) {
			const context = { ...request, seed };
			for (const [index, test] of tests.entries()) {
				if (booted && share?.take(index, seed) === false) continue;
				throwIfCancelled(signal);
				request.onStart?.(test, seed);
				if (!booted) {
					const reasons = [bootReason(result)];
					const verdict: Verdict = first
						? notBooted(first, test, seed)
						: await makeVerdict(context, test, result, reasons, "errored", observer);
					first ??= verdict;
					deliver(verdict);
					continue;
				}
				if (moment) machine.restore(moment);
				const schedule = testSchedule(seed);
				if (schedule) machine.setSchedule(schedule);
				if (request.timerAt !== undefined) {
					await timerAt(machine, test.setup?.[0] ?? test.command ?? test.program, request.timerAt, request);
				}
				coverage?.begin(machine, test.id);
				deliver(await runTest(context, test, shell, observer, machine));
			}
		}
	} finally {
		coverage?.end();
		observer?.dispose();
		shell.dispose();
		machine.dispose();
	}
}

/** One test on a machine whose shell waits at its prompt. */
export async function runTest(
	request: JudgeContext,
	test: LabTest,
	shell: Shell,
	observer: TestObserver | undefined,
	machine?: MachineSurface,
): Promise<Verdict> {
	for (const command of test.setup ?? []) {
		const result = await shell.run(command, test.budget);
		if (result.end.kind === "prompt") continue;
		const reason: Reason = { kind: "end", message: `The preparing command '${command}' did not end at the prompt` };
		return makeVerdict(request, test, result, [reason], "failed", observer);
	}
	observer?.begin();
	const witness = machine && request.programs ? new Witness(machine, request.programs) : undefined;
	try {
		const freeBefore = observer?.freeFrames();
		const result = await shell.run(test.command ?? test.program, test.budget, { mostOutput });
		const evidence: Evidence = {
			freeBefore,
			freeAfter: observer?.freeFrames(),
			findings: observer?.findings() ?? [],
			killed: observer?.killed(),
			framesAt: (address) => observer?.framesAt(address),
			run: witness?.report(),
			changed: request.changed?.get(test.program) ?? [],
		};
		const reasons = judge(test, result, evidence);
		const outcome = outcomeOf(reasons);
		const allowed = outcome === "not-checked" && request.allowUnchecked === true;
		const lost = framesLost(result, evidence);
		return await makeVerdict(request, test, result, reasons, allowed ? "passed" : outcome, observer, lost);
	} finally {
		witness?.dispose();
	}
}

/** What a person would read of a text that repeats itself without end: how it begins, and how it ends. */
function abridged(output: string): string {
	const lines = output.split("\n");
	const left = lines.length - firstLines - lastLines;
	if (left <= 1) return output;
	const middle = `… ${left.toLocaleString("en")} more lines …`;
	return [...lines.slice(0, firstLines), middle, ...lines.slice(-lastLines)].join("\n");
}

function bootReason(result: CommandResult): Reason {
	const said = result.output.trimEnd().split("\n").slice(-3).join(" / ");
	const how = describeEnd(result.end, result.instructions).replace(/\.$/, "");
	return { kind: "boot", message: `The kernel did not reach its shell. ${how}. Last words: ${said || "none"}` };
}

/** The boot failed for every test alike: the first one's verdict tells it, the others say where it is told. */
function notBooted(first: Verdict, test: LabTest, seed: number): Verdict {
	const message = `Not run, because the kernel did not reach its shell: see "${first.title}"`;
	return {
		...first,
		...{ test: test.id, task: test.task, title: test.title, program: test.program },
		command: test.command ?? test.program,
		seed,
		expected: expectedText(test),
		actual: "",
		reasons: [{ kind: "boot", message }],
		...{ explanations: [], faults: [], findings: [], stack: [], diagnoses: [] },
	};
}

async function makeVerdict(
	request: JudgeContext,
	test: LabTest,
	result: CommandResult,
	reasons: readonly Reason[],
	outcome: Verdict["outcome"],
	observer: TestObserver | undefined,
	lost?: number,
): Promise<Verdict> {
	const findings = observer?.findings() ?? [];
	const passed = outcome === "passed";
	const files = passed ? undefined : await diagnosisFiles(request.tree);
	const sources = passed ? undefined : await readNamedSources(request.manifest, request.tree);
	const ended: RunEnd = { ...result.end, output: result.output, judged: true };
	const diagnoses = files && observer ? observer.diagnose(ended, files) : [];
	return {
		lab: request.manifest.id,
		test: test.id,
		task: test.task,
		title: test.title,
		program: test.program,
		command: test.command ?? test.program,
		outcome,
		end: result.end.kind,
		expected: expectedText(test),
		actual: abridged(result.output),
		reasons,
		explanations: passed
			? []
			: explain(request.manifest, test, { result, findings, lost, diagnoses, ...(sources ? { sources } : {}) }),
		faults: passed ? [] : (observer?.faults() ?? []),
		findings: passed ? [] : findings,
		stack: passed ? [] : (observer?.stack() ?? []),
		diagnoses,
		instructions: result.instructions,
		harts: request.harts,
		seed: request.seed,
	};
}

export function findTest(manifest: LabManifest, id: string): LabTest {
	const test = manifest.tests.find((candidate) => candidate.id === id);
	if (test) return test;
	const known = manifest.tests.map((candidate) => candidate.id).join(", ");
	throw new UserError("lab-not-found", `Lab ${manifest.id} has no test ${id}`, `Its tests are: ${known}.`);
}
