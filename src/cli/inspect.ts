import type { BuildOutput } from "../build/types.ts";
import { utf8 } from "../common/bytes.ts";
import { UserError } from "../common/errors.ts";
import { NodeTree } from "../env/node/sourceTree.ts";
import type { KernelView } from "../kernelview/kernelView.ts";
import { observeKernel } from "../kernelview/observe.ts";
import { renderTables } from "../kernelview/tables.ts";
import { diagnosisFiles } from "../lab/diagnosisFiles.ts";
import type { MachineSurface } from "../machine/types.ts";
import type { RunEnd } from "../protocol/diagnosis.ts";
import { budgets } from "../session/budgets.ts";
import { Shell } from "../session/shell.ts";
import { openCatalog } from "./assets.ts";
import { buildForCli } from "./build.ts";
import { exitCodes } from "./exitCodes.ts";
import { breathe, createMachine } from "./machine.ts";
import { buildOptions, machineOptions, machineParams, parse, toolchainKind, wholeNumber } from "./options.ts";

const usage =
	"inspect [DIR] [--command CMD]… [--json] [--page-tables] [--walk PID:ADDRESS]… [--log LINES] [--stop-at-fault N] [--harts N] [--seed S]";
/** Steps on the way to a fault: the tables show the moment shortly after it. */
const stepInstructions = 2000;
const faultBudget = 2_000_000_000;

/** `xv6-lab inspect`: boots, runs commands, and prints what the kernel did to memory as tables, or with --json as the memory report. */
export async function runInspect(argv: string[]): Promise<number> {
	const options = {
		...machineOptions,
		...buildOptions,
		command: { type: "string", multiple: true },
		json: { type: "boolean" },
		"page-tables": { type: "boolean" },
		walk: { type: "string", multiple: true },
		log: { type: "string" },
		"stop-at-fault": { type: "string" },
	} as const;
	const { values, positionals } = parse(argv, options, usage);
	const folder = positionals[0] ?? ".";
	const walks = (values.walk ?? []).map(parseWalk);
	const logLines = values.log === undefined ? undefined : wholeNumber(values.log, "--log", 0, 1_000_000);
	const stopAt =
		values["stop-at-fault"] === undefined
			? undefined
			: wholeNumber(values["stop-at-fault"], "--stop-at-fault", 1, 1_000_000);
	const { manifest } = await openCatalog().labOf(new NodeTree(folder), true);
	const toolchain = toolchainKind(values.toolchain);
	const output: BuildOutput = await buildForCli(folder, { toolchain });
	const { machine } = await createMachine(output, machineParams(values));
	let view: KernelView | undefined;
	const shell = new Shell(machine, { breathe, onOutput: (bytes) => void process.stderr.write(bytes) });
	try {
		view = observeKernel(machine, output, manifest?.regions);
		let end: RunEnd = await shell.waitForPrompt(budgets.boot);
		let code = endCode(end.kind);
		if (code === exitCodes.done) view.begin();
		for (const command of values.command ?? []) {
			if (code !== exitCodes.done) break;
			if (stopAt !== undefined) {
				machine.console.write(utf8(`${command}\n`));
				await runToFault(machine, view, stopAt);
				break;
			}
			const result = await shell.run(command, budgets.command);
			end = { ...result.end, output: result.output };
			code = endCode(end.kind);
		}
		process.stderr.write("\n");
		if (stopAt === undefined) view.diagnose(end, await diagnosisFiles(new NodeTree(folder)));
		const model = view.model();
		process.stdout.write(
			values.json
				? `${JSON.stringify(model, undefined, "\t")}\n`
				: renderTables(model, {
						pageTables: values["page-tables"] === true,
						...(logLines !== undefined ? { logLines } : {}),
					}),
		);
		for (const { pid, address } of walks) process.stdout.write(walkText(view, pid, address));
		return code;
	} finally {
		view?.dispose();
		shell.dispose();
		machine.dispose();
	}
}

/** Runs until the log has so many faults; gives up when the program makes none. */
async function runToFault(machine: MachineSurface, view: KernelView, count: number): Promise<void> {
	const start = machine.instret;
	while (view.faultCount < count && machine.instret - start < faultBudget) {
		if (machine.run(stepInstructions).kind !== "budget") return;
		await breathe();
	}
}

function parseWalk(text: string): { pid: number; address: string } {
	const match = /^(\d{1,9}):(0x[0-9a-fA-F]{1,16})$/.exec(text);
	if (!match) throw new UserError("usage", `--walk ${text} is no process and address`, "Write --walk 4:0x3fffffd028.");
	return { pid: Number(match[1]), address: match[2] as string };
}

function walkText(view: KernelView, pid: number, address: string): string {
	const walk = view.walk(pid, address);
	if (!walk) return `\nWalk of ${address}: there is no process ${pid}\n`;
	const steps = walk.steps.map(
		(step) =>
			`  level ${step.level}  index ${step.index}  at ${step.pteAddress}  ${step.pte}  ${step.bits}  ${step.meaning}\n`,
	);
	return `\nWalk of ${address} in ${pid === 0 ? "the kernel" : `pid ${pid}`}\n${steps.join("")}  ${walk.result}\n`;
}

function endCode(kind: RunEnd["kind"]): number {
	if (kind === "prompt") return exitCodes.done;
	if (kind === "panic") return exitCodes.panic;
	return kind === "halt" ? exitCodes.failed : exitCodes.timeout;
}
