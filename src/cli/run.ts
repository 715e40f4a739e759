import { hex } from "../common/bytes.ts";
import { UserError } from "../common/errors.ts";
import { visibleLine } from "../common/visible.ts";
import { NodeTree } from "../env/node/sourceTree.ts";
import { renderTables } from "../kernelview/tables.ts";
import { bootPart, CoverageCollector } from "../lab/coverage/collector.ts";
import { diagnosisFiles } from "../lab/diagnosisFiles.ts";
import { timerAt } from "../lab/faults/irq.ts";
import { describe } from "../lab/junit.ts";
import { judgeKnown } from "../lab/knownPrograms.ts";
import { runTest } from "../lab/runner.ts";
import { type Diagnosis, type RunEnd, renderDiagnoses } from "../protocol/diagnosis.ts";
import type { Verdict } from "../protocol/verdict.ts";
import { budgets } from "../session/budgets.ts";
import { openCatalog } from "./assets.ts";
import { buildForCli } from "./build.ts";
import { parseProgram, runCommand } from "./commandLine.ts";
import { consoleWriter } from "./consoleWriter.ts";
import { reportCoverage } from "./coverage.ts";
import { codeOfEnd, exitCodes } from "./exitCodes.ts";
import { faultOf, runWithFaults } from "./faults.ts";
import { openSession } from "./guestSession.ts";
import { breathe } from "./machine.ts";
import { machineParams, timeoutMs, toolchainKind, wholeNumber } from "./options.ts";
import { record } from "./replay.ts";
import { writeReport } from "./reportFile.ts";
import { sayEnd } from "./sayEnd.ts";

/** `xv6-lab run`: build, boot, run one program, judge it where the lab has a test for it. */
export async function runRun(argv: string[]): Promise<number> {
	const { values, positionals } = parseProgram(argv, "run", runCommand);
	const command = positionals.join(" ");
	if (command === "") throw new UserError("usage", "Missing PROGRAM", "Write: xv6-lab run PROGRAM [ARG…] [--dir DIR].");
	const dir = values.dir ?? ".";
	const tree = new NodeTree(dir);
	const catalog = openCatalog();
	const { manifest } = await catalog.labOf(tree, false);
	const output = await buildForCli(dir, { toolchain: toolchainKind(values.toolchain), quiet: true });
	checkProgram(positionals[0] ?? "", output.programs);
	const params = machineParams(values);
	const fault = faultOf(values);
	if (fault) {
		if (values.record || values.tables || values["memory-report"])
			throw new UserError("usage", "Runs with faults make no recording or report", "Leave the option out.");
		return runWithFaults(command, fault, { output, tree, manifest, params, limit: timeoutMs(values.timeout) });
	}
	const irq = values.irq === undefined ? undefined : wholeNumber(values.irq, "--irq", 0, Number.MAX_SAFE_INTEGER);
	const coverage = values.coverage === undefined ? undefined : new CoverageCollector(output);
	const session = await openSession(output, {
		params,
		...(coverage ? { counting: true } : {}),
		manifest,
		timeoutMs: timeoutMs(values.timeout),
		onOutput: consoleWriter(process.stdout),
	});
	const { shell, view, harts, machine } = session;
	try {
		coverage?.begin(machine, bootPart);
		const boot = await shell.waitForPrompt(budgets.boot);
		coverage?.begin(machine, positionals[0] ?? "");
		const files = await diagnosisFiles(tree);
		const explain = (end: RunEnd) => {
			const diagnoses = view.diagnose(end, files);
			const text = renderDiagnoses(diagnoses);
			if (text !== "") process.stdout.write(`\n${text}\n`);
			return diagnoses;
		};
		if (boot.kind !== "prompt") {
			const why = explain({ ...boot, output: shell.console });
			sayEnd(boot, machine.instret, why);
			return codeOfEnd(boot);
		}
		if (irq !== undefined) {
			const { hart, pc } = await timerAt(machine, command, irq, { breathe });
			const where = view.symbolize(pc);
			const place = where?.file === undefined ? "" : ` (${where.file}:${where.line})`;
			process.stderr.write(`xv6-lab: timer at instruction ${irq}: hart ${hart}, ${where?.name ?? hex(pc)}${place}\n`);
		}
		const test = manifest?.tests.find((candidate) => (candidate.command ?? candidate.program) === command);
		let code: number;
		let diagnoses: readonly Diagnosis[];
		if (manifest && test) {
			const verdict = await runTest(
				{
					manifest,
					harts,
					seed: params.seed ?? 0,
					tree,
					programs: output.programs,
					changed: await catalog.changedIn(manifest, tree),
				},
				test,
				shell,
				view,
				machine,
			);
			const sign = verdict.outcome === "passed" ? "✓" : verdict.outcome === "not-checked" ? "?" : "✗";
			process.stdout.write(`\n${sign} ${visibleLine(verdict.title)}\n`);
			if (verdict.outcome !== "passed") process.stdout.write(`${describe(verdict).replace(/^/gm, "  ")}\n`);
			code = codeOfVerdict(verdict);
			diagnoses = verdict.diagnoses;
		} else {
			view.begin();
			const { end, output: printed, instructions } = await shell.run(command, budgets.command);
			process.stdout.write("\n");
			const elf = output.programs.find(({ name }) => name === positionals[0])?.elf;
			const atPrompt = end.kind === "prompt";
			const known = atPrompt ? judgeKnown(await catalog.knownPrograms(tree), command, printed, elf) : undefined;
			diagnoses = explain({ ...end, output: printed, passed: known?.state === "passed" });
			sayEnd(end, instructions, diagnoses);
			if (known) process.stdout.write(`${knownSigns[known.state]} ${visibleLine(known.says)}\n`);
			const failed = atPrompt && (known?.state === "failed" || hasFailed(printed, diagnoses));
			code = failed ? exitCodes.failed : codeOfEnd(end);
		}
		if (values.tables) process.stdout.write(`\n${renderTables(view.model(), { diagnoses })}`);
		if (values["memory-report"]) {
			await writeReport(values["memory-report"], `${JSON.stringify(view.model(), undefined, "\t")}\n`);
		}
		return code;
	} finally {
		coverage?.end();
		if (coverage && values.coverage) await reportCoverage(values.coverage, coverage, dir);
		if (values.record) await record(values.record, machine, command);
		session.dispose();
	}
}

const knownSigns = { passed: "✓", failed: "✗", unknown: "?" } as const;

/** Whether the program did not do what it is for: as it says by its exit status, or as the shell and the kernel say of it. */
function hasFailed(printed: string, diagnoses: readonly Diagnosis[]): boolean {
	if (/^exec \S+ failed/m.test(printed)) return true;
	const faults = diagnoses.filter(({ kind }) => kind === "user-fault");
	// Of a kernel whose processes are not known, its own words are all there is.
	if (faults.length === 0 && /^usertrap\(\): unexpected scause/m.test(printed)) return true;
	return faults.some(({ severity }) => severity === "error") || diagnoses.some(({ kind }) => kind === "exit-status");
}

/** Says at once, not after a boot, that the file system has no such program. */
export function checkProgram(program: string, programs: readonly { readonly name: string }[]): void {
	if (program === "cd" || program.includes("/") || programs.some(({ name }) => name === program)) return;
	throw new UserError(
		"program-not-found",
		`This tree has no program ${program}`,
		`Add $U/_${program} to UPROGS in the Makefile, or run one of: ${programs.map(({ name }) => name).join(" ")}.`,
	);
}

function codeOfVerdict({ outcome, end }: Verdict): number {
	if (outcome === "passed") return exitCodes.done;
	if (end === "panic") return exitCodes.panic;
	return end === "stall" || end === "stuck" ? exitCodes.timeout : exitCodes.failed;
}
