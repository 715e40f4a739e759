import { UserError } from "../common/errors.ts";
import { ProgramSymbols } from "../debuginfo/symbolizer.ts";
import { loadWatchCore } from "../env/node/core.ts";
import { NodeTree } from "../env/node/sourceTree.ts";
import { explore } from "../explore/explore.ts";
import { renderFindings } from "../explore/report.ts";
import { describeEnd } from "../session/commandEnd.ts";
import { machineFor } from "../worker/compose.ts";
import { openCatalog } from "./assets.ts";
import { buildForCli } from "./build.ts";
import { exploreCommand, parseCommand } from "./commandLine.ts";
import { codeOfEnd, exitCodes } from "./exitCodes.ts";
import { breathe } from "./machine.ts";
import { machineParams, toolchainKind } from "./options.ts";
import { checkProgram } from "./run.ts";

/** `xv6-lab explore`: one watched run of a program; exit 1 when a detector found something. */
export async function runExplore(argv: string[]): Promise<number> {
	const { values, positionals } = parseCommand(argv, "explore", exploreCommand);
	const command = positionals.join(" ");
	if (command === "") {
		throw new UserError("usage", "Missing PROGRAM", "Write: xv6-lab explore PROGRAM [ARG…] [--dir DIR].");
	}
	const dir = values.dir ?? ".";
	const { manifest } = await openCatalog().labOf(new NodeTree(dir), false);
	const output = await buildForCli(dir, { toolchain: toolchainKind(values.toolchain), quiet: true });
	checkProgram(positionals[0] ?? "", output.programs);
	const params = machineParams(values);
	// The seed is the explored run's; the boot is always the same.
	const machineOf = { ...params, seed: 0, translator: false };
	const { machine } = await machineFor(await loadWatchCore(), output, machineOf, undefined, true);
	try {
		const { end, findings, benign } = await explore({
			machine,
			kernel: new ProgramSymbols("kernel", output.kernel),
			command,
			seed: params.seed ?? 0,
			breathe,
			...(manifest?.benignRaces ? { benign: manifest.benignRaces } : {}),
			onOutput: (bytes) => void process.stderr.write(bytes),
		});
		const why = describeEnd(end, machine.instret);
		process.stderr.write(why === "" ? "\n" : `\nxv6-lab: ${why}\n`);
		process.stdout.write(values.json ? `${JSON.stringify(findings, undefined, "\t")}\n` : renderFindings(findings));
		const races = benign === 1 ? "1 known benign race" : `${benign} known benign races`;
		const left = benign === 0 ? "" : `, ${races} left out`;
		process.stderr.write(`xv6-lab: ${findings.length === 0 ? "nothing" : findings.length} found${left}\n`);
		return findings.length > 0 ? exitCodes.failed : codeOfEnd(end);
	} finally {
		machine.dispose();
	}
}
