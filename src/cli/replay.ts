import { readFile } from "node:fs/promises";
import { UserError } from "../common/errors.ts";
import { visibleLine } from "../common/visible.ts";
import { atomicWrite } from "../env/node/atomicWrite.ts";
import { loadCore } from "../env/node/core.ts";
import type { Machine } from "../machine/machine.ts";
import { parseRecording, recordedMachine, recordingOf, serializeRecording } from "../machine/recording.ts";
import { RunController } from "../session/runController.ts";
import { parseCommand, replayCommand } from "./commandLine.ts";
import { consoleWriter } from "./consoleWriter.ts";
import { exitCodes } from "./exitCodes.ts";
import { breathe } from "./machine.ts";

/** Instructions between two looks at signals. */
const lookEvery = 20_000_000;

/** `xv6-lab run --record`: the run up to now as a file. */
export async function record(file: string, machine: Machine, title: string): Promise<void> {
	await atomicWrite([{ path: file, bytes: await serializeRecording(recordingOf(machine, title)) }]);
}

/** `xv6-lab replay`: a recorded run again; exit code 1 where it does not end in the recorded state. */
export async function runReplay(argv: string[]): Promise<number> {
	const { values, positionals } = parseCommand(argv, "replay", replayCommand);
	const [file, more] = positionals;
	if (!file || more) throw new UserError("usage", "`replay` takes one file", "Write: xv6-lab replay FILE.");
	const recording = await parseRecording(await readBytes(file));
	const machine = await recordedMachine(recording, { core: await loadCore() }, values["no-jit"] ? "off" : "on");
	const controller = new RunController(machine, { breathe });
	machine.console.onData(consoleWriter(process.stdout));
	try {
		await controller.run({
			step: () => lookEvery,
			look: ({ kind }) => kind === "requested" || kind === "halt" || undefined,
			expectsInput: true,
		});
		const same = machine.stateHash() === recording.hash;
		const what = recording.title === "" ? "" : ` of ${visibleLine(recording.title)}`;
		const steps = machine.instret.toLocaleString("en");
		const verdict = same ? "the same state as recorded" : "another state than recorded";
		process.stderr.write(`\nxv6-lab: replayed ${steps} instructions${what}: ${verdict}\n`);
		return same ? exitCodes.done : exitCodes.failed;
	} finally {
		controller.dispose();
		machine.dispose();
	}
}

async function readBytes(path: string): Promise<Uint8Array> {
	try {
		return new Uint8Array(await readFile(path));
	} catch (error) {
		const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
		const what = missing ? `There is no file ${path}` : `Cannot read ${path}: ${(error as Error).message}`;
		throw new UserError(missing ? "file-not-found" : "file-unreadable", what, "Check the path.", { file: path });
	}
}
