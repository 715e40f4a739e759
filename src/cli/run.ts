import { utf8 } from "../common/bytes.ts";
import { UserError } from "../common/errors.ts";
import { atomicWrite } from "../env/node/atomicWrite.ts";
import { NodeTree } from "../env/node/sourceTree.ts";
import { renderTables } from "../kernelview/tables.ts";
import { diagnosisFiles } from "../lab/diagnosisFiles.ts";
import { describe } from "../lab/junit.ts";
import { runTest } from "../lab/runner.ts";
import { type RunEnd, renderDiagnoses } from "../protocol/diagnosis.ts";
import { budgets } from "../session/budgets.ts";
import { Shell } from "../session/shell.ts";
import { openCatalog } from "./assets.ts";
import { buildForCli } from "./build.ts";
import { exitCodes } from "./exitCodes.ts";
import { breathe, createMachine, observe } from "./machine.ts";
import { buildOptions, machineOptions, machineParams, parse, toolchainKind } from "./options.ts";
import { record } from "./replay.ts";

const usage = "run PROGRAM [ARG…] [--dir DIR] [--memory-report FILE.json] [--tables] [--record FILE]";

/** `xv6-lab run`: build, boot, run one program, judge it where the lab has a test for it. */
export async function runRun(argv: string[]): Promise<number> {
	const options = {
		...machineOptions,
		...buildOptions,
		dir: { type: "string" },
		"memory-report": { type: "string" },
		tables: { type: "boolean" },
		record: { type: "string" },
	} as const;
	const { values, positionals } = parse(argv, options, usage);
	const command = positionals.join(" ");
	if (command === "") throw new UserError("usage", "`run` takes a program", `Write: xv6-lab ${usage}.`);
	const dir = values.dir ?? ".";
	const tree = new NodeTree(dir);
	const catalog = openCatalog();
	const { manifest } = await catalog.labOf(tree, false);
	const output = await buildForCli(dir, { toolchain: toolchainKind(values.toolchain), quiet: true });
	checkProgram(positionals[0] ?? "", output.programs);
	const params = machineParams(values);
	const { machine, harts } = await createMachine(output, params);
	const observer = observe(machine, output, manifest);
	const shell = new Shell(machine, { breathe, onOutput: (bytes) => void process.stdout.write(bytes) });
	try {
		const boot = await shell.waitForPrompt(budgets.boot);
		const files = await diagnosisFiles(new NodeTree(dir));
		const explain = (end: RunEnd) => {
			const text = renderDiagnoses(observer.diagnose(end, files));
			if (text !== "") process.stdout.write(`\n${text}\n`);
		};
		if (boot.kind !== "prompt") {
			explain({ ...boot, output: shell.console });
			return endCode(boot.kind, boot.kind === "halt" ? boot.code : 0);
		}
		const test = manifest?.tests.find((candidate) => (candidate.command ?? candidate.program) === command);
		let code: number;
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
				observer,
				machine,
			);
			const sign = verdict.outcome === "passed" ? "✓" : verdict.outcome === "not-checked" ? "?" : "✗";
			process.stdout.write(`\n${sign} ${verdict.title}\n`);
			if (verdict.outcome !== "passed") process.stdout.write(`${describe(verdict).replace(/^/gm, "  ")}\n`);
			code =
				verdict.outcome === "passed" ? exitCodes.done : verdict.end === "panic" ? exitCodes.panic : exitCodes.failed;
		} else {
			observer.begin();
			const { end, output: printed } = await shell.run(command, budgets.command);
			process.stdout.write("\n");
			explain({ ...end, output: printed });
			const failed = end.kind === "prompt" && couldNotRun.test(printed);
			code = failed ? exitCodes.failed : endCode(end.kind, end.kind === "halt" ? end.code : 0);
		}
		if (values.tables) process.stdout.write(`\n${renderTables(observer.model())}`);
		if (values["memory-report"]) await report(values["memory-report"], observer.model());
		return code;
	} finally {
		if (values.record) await record(values.record, machine, command);
		shell.dispose();
		observer.dispose();
		machine.dispose();
	}
}

/** The shell of xv6 shows no exit status; what shell and kernel print when a program did not run to its end is all there is. */
const couldNotRun = /^(?:exec \S+ failed|usertrap\(\): unexpected scause)/m;

/** Says at once, not after a boot, that the file system has no such program. */
export function checkProgram(program: string, programs: readonly { readonly name: string }[]): void {
	if (program === "cd" || program.includes("/") || programs.some(({ name }) => name === program)) return;
	throw new UserError(
		"program-not-found",
		`This tree has no program ${program}`,
		`Add $U/_${program} to UPROGS in the Makefile, or run one of: ${programs.map(({ name }) => name).join(" ")}.`,
	);
}

function endCode(kind: string, guestCode: number): number {
	switch (kind) {
		case "prompt":
			return exitCodes.done;
		case "panic":
			return exitCodes.panic;
		case "timeout":
		case "stuck":
			return exitCodes.timeout;
		default:
			return guestCode;
	}
}

async function report(path: string, model: unknown): Promise<void> {
	await atomicWrite([{ path, bytes: utf8(`${JSON.stringify(model, undefined, "\t")}\n`) }]);
}
