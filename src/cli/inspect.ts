import type { BuildOutput } from "../build/types.ts";
import { UserError } from "../common/errors.ts";
import { NodeTree } from "../env/node/sourceTree.ts";
import type { KernelView } from "../kernelview/kernelView.ts";
import { renderTables } from "../kernelview/tables.ts";
import { diagnosisFiles } from "../lab/diagnosisFiles.ts";
import type { RunEnd } from "../protocol/diagnosis.ts";
import { budgets } from "../session/budgets.ts";
import type { CommandEnd } from "../session/commandEnd.ts";
import { openCatalog } from "./assets.ts";
import { buildForCli } from "./build.ts";
import { inspectCommand, parseCommand } from "./commandLine.ts";
import { consoleWriter } from "./consoleWriter.ts";
import { codeOfEnd } from "./exitCodes.ts";
import { type GuestSession, openSession } from "./guestSession.ts";
import { machineParams, timeoutMs, toolchainKind, wholeNumber } from "./options.ts";
import { sayEnd } from "./sayEnd.ts";

/** `xv6-lab inspect`: boots, runs commands, and prints what the kernel did to memory as tables, or with --json as the memory report. */
export async function runInspect(argv: string[]): Promise<number> {
	const { values, positionals } = parseCommand(argv, "inspect", inspectCommand);
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
	const session = await openSession(output, {
		params: machineParams(values),
		manifest,
		timeoutMs: timeoutMs(values.timeout),
		onOutput: consoleWriter(process.stderr),
	});
	try {
		const { shell, view } = session;
		let end = await shell.waitForPrompt(budgets.boot);
		let output: { readonly output?: string } = {};
		if (end.kind === "prompt") view.begin();
		for (const command of values.command ?? []) {
			if (end.kind !== "prompt") break;
			if (stopAt !== undefined) {
				end = await runToFault(session, command, stopAt);
				break;
			}
			const result = await shell.run(command, budgets.command);
			end = result.end;
			output = { output: result.output };
		}
		const runEnd: RunEnd = { ...end, ...output };
		const diagnoses = stopAt === undefined ? view.diagnose(runEnd, await diagnosisFiles(new NodeTree(folder))) : [];
		process.stderr.write("\n");
		sayEnd(end, session.machine.instret, diagnoses);
		const model = view.model();
		process.stdout.write(
			values.json
				? `${JSON.stringify(model, undefined, "\t")}\n`
				: renderTables(model, {
						pageTables: values["page-tables"] === true,
						diagnoses,
						...(logLines !== undefined ? { logLines } : {}),
					}),
		);
		for (const { pid, address } of walks) process.stdout.write(walkText(view, pid, address));
		return codeOfEnd(end);
	} finally {
		session.dispose();
	}
}

/** Stands at a fault, before its handler's first instruction, as soon as the log has so many; the command may also end before. */
async function runToFault(session: GuestSession, command: string, count: number): Promise<CommandEnd> {
	const { controller, machine, shell, view } = session;
	const given = new AbortController();
	shell.signal = given.signal;
	const whole = shell.run(command, budgets.faultSearch).then(({ end }) => end);
	const fault = controller.runTo((found) =>
		machine.onTrap(() => {
			if (view.faultCount >= count) found({ kind: "fault" });
		}),
	);
	const first = await Promise.race([whole, fault.then(() => undefined)]);
	given.abort();
	await whole.catch(() => undefined);
	return first ?? { kind: "prompt" };
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
