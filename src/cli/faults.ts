import type { BuildOutput } from "../build/types.ts";
import { UserError } from "../common/errors.ts";
import { visible } from "../common/visible.ts";
import type { NodeTree } from "../env/node/sourceTree.ts";
import { diagnosisFiles } from "../lab/diagnosisFiles.ts";
import { crashSweep } from "../lab/faults/crash.ts";
import { type Fault, kallocOf, parseCrash, parseFail, type Sweep } from "../lab/faults/fault.ts";
import { renderSweep } from "../lab/faults/report.ts";
import { sweep } from "../lab/faults/sweep.ts";
import { runFaultTests } from "../lab/faults/tests.ts";
import type { LabManifest, LabTest } from "../lab/manifest.ts";
import type { MachineParams } from "../protocol/engine.ts";
import type { Verdict } from "../protocol/verdict.ts";
import { budgets } from "../session/budgets.ts";
import { describeEnd } from "../session/commandEnd.ts";
import { codeOfEnd, exitCodes } from "./exitCodes.ts";
import { openSession } from "./guestSession.ts";
import { breathe, createMachine, observe } from "./machine.ts";
import { ProgressLine } from "./progressLine.ts";

interface FaultOptions {
	readonly fail?: string | undefined;
	readonly crash?: string | undefined;
	readonly irq?: string | undefined;
	readonly coverage?: string | undefined;
}

/** The fault of --fail or --crash; undefined: neither was given. */
export function faultOf({ fail, crash, irq, coverage }: FaultOptions): Fault | undefined {
	if ([fail, crash, irq].filter((option) => option !== undefined).length > 1) {
		throw new UserError("usage", "--fail, --crash and --irq are three experiments", "Give one of them.");
	}
	const fault = fail !== undefined ? parseFail(fail) : crash !== undefined ? parseCrash(crash) : undefined;
	if (fault && coverage !== undefined) {
		throw new UserError("usage", "--coverage counts runs without faults", "Leave out --fail or --crash.");
	}
	return fault;
}

/** `xv6-lab run PROGRAM --fail …`: exit 1 when the kernel did not stand it. */
export async function runWithFaults(
	command: string,
	fault: Fault,
	{
		output,
		tree,
		manifest,
		params,
		limit,
	}: {
		output: BuildOutput;
		tree: NodeTree;
		manifest: LabManifest | undefined;
		params: MachineParams;
		/** Milliseconds for all runs together. */
		limit: number | undefined;
	},
): Promise<number> {
	const signal = limit === undefined ? undefined : AbortSignal.timeout(limit);
	const session = await openSession(output, { params, manifest, timeoutMs: undefined, onOutput: () => {} });
	const progress = new ProgressLine(process.stderr);
	try {
		const { machine, shell, view } = session;
		shell.signal = signal;
		const boot = await shell.waitForPrompt(budgets.boot);
		if (boot.kind !== "prompt") {
			process.stderr.write(`xv6-lab: ${describeEnd(boot, machine.instret)}\n`);
			return codeOfEnd(boot);
		}
		const common = {
			...{ machine, shell, fault, command, budget: budgets.command },
			onProgress: (done: number, total: number) => progress.show({ step: command, done, total }),
			...(signal ? { signal } : {}),
		};
		const another = async () => (await createMachine(output, params)).machine;
		const made =
			fault.kind === "crash"
				? await crashSweep({ ...common, another, breathe })
				: await sweep({ ...common, view, kalloc: kallocOf(output.kernel), file: await diagnosisFiles(tree) });
		progress.clear();
		process.stdout.write(visible(renderSweep(made)));
		if (made.plainFailed) return codeOfEnd(made.plainFailed as Parameters<typeof codeOfEnd>[0]);
		const none = made.runs.length === 0 && fault.at !== "all";
		return none || made.runs.some(({ outcome }) => outcome !== "handled") ? exitCodes.failed : exitCodes.done;
	} catch (error) {
		if (!signal?.aborted || !(error instanceof UserError) || error.code !== "cancelled") throw error;
		progress.clear();
		process.stderr.write("xv6-lab: timed out\n");
		return exitCodes.timeout;
	} finally {
		progress.clear();
		session.dispose();
	}
}

/** `xv6-lab test --fail …`. */
export async function testWithFaults(
	fault: Fault,
	{
		output,
		tree,
		manifest,
		tests,
		params,
		onVerdict,
	}: {
		output: BuildOutput;
		tree: NodeTree;
		manifest: LabManifest;
		tests: readonly LabTest[];
		params: MachineParams;
		onVerdict: (verdict: Verdict, sweep: Sweep | undefined) => void;
	},
): Promise<Verdict[]> {
	const progress = new ProgressLine(process.stderr);
	const verdicts = await runFaultTests({
		...{ manifest, tests, fault, tree, breathe },
		harts: params.harts ?? output.wish.harts,
		seed: params.seed ?? 0,
		kalloc: kallocOf(output.kernel),
		createMachine: async () => (await createMachine(output, params)).machine,
		observe: (machine) => observe(machine, output, manifest),
		onProgress: (test, done, total) => progress.show({ step: test.title, done, total }),
		onVerdict: (verdict, made) => {
			progress.clear();
			onVerdict(verdict, made);
		},
	});
	progress.clear();
	return verdicts;
}
