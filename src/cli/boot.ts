import { readFile } from "node:fs/promises";
import { utf8 } from "../common/bytes.ts";
import { type Disposable, toDisposable } from "../common/disposable.ts";
import { UserError } from "../common/errors.ts";
import { visible } from "../common/visible.ts";
import { describePlace, ProgramSymbols } from "../debuginfo/symbolizer.ts";
import { atomicWrite } from "../env/node/atomicWrite.ts";
import { loadCore } from "../env/node/core.ts";
import { NodeTree } from "../env/node/sourceTree.ts";
import type { KernelView } from "../kernelview/kernelView.ts";
import { type ObservedBuild, observeKernel } from "../kernelview/observe.ts";
import { diagnosisFiles } from "../lab/diagnosisFiles.ts";
import { parseInputLog } from "../machine/inputLog.ts";
import { Machine, type MachineParts } from "../machine/machine.ts";
import type { MachineOptions } from "../machine/types.ts";
import { board } from "../machine/virtBoard.ts";
import { type RunEnd, renderDiagnoses } from "../protocol/diagnosis.ts";
import { BootSession, type SessionIo } from "./bootSession.ts";
import { printStatistics } from "./bootStats.ts";
import { buildForCli } from "./build.ts";
import { bootCommand, parseCommand } from "./commandLine.ts";
import { consoleWriter } from "./consoleWriter.ts";
import { exitCodes } from "./exitCodes.ts";
import { withFirmware } from "./firmware.ts";
import { breathe } from "./machine.ts";
import { machineParams, timeoutMs, toolchainKind } from "./options.ts";
import { writePcap } from "./pcapFile.ts";
import { attachTerminal } from "./terminal.ts";

/** `xv6-lab boot`: an interactive console on a terminal; scripted with --command or --until. */
export async function runBoot(argv: string[]): Promise<number> {
	const { values, positionals } = parseCommand(argv, "boot", bootCommand);
	if (values.pmp !== undefined && values.pmp !== "on" && values.pmp !== "off") {
		throw new UserError("usage", `--pmp ${values.pmp} is not known`, "It is on or off.");
	}
	const params = machineParams(values);
	const limit = timeoutMs(values.timeout);
	const { programs, ...image } = values.kernel
		? await fromFiles(values.kernel, values.disk)
		: await fromTree(positionals[0] ?? ".", values.toolchain);
	const machineOptionsOf: MachineOptions = {
		...image,
		...(params.harts !== undefined ? { harts: params.harts } : {}),
		...(params.memoryMiB !== undefined ? { memoryBytes: params.memoryMiB * 1024 * 1024 } : {}),
		...(params.virtio !== undefined ? { virtio: params.virtio } : {}),
		...(values.pmp !== undefined ? { pmp: values.pmp === "on" } : {}),
		seed: params.seed ?? 0,
		jit: params.translator ? "on" : "off",
	};
	const firmware = values.bios === undefined ? undefined : await readBytes(values.bios);
	if (firmware && !values.kernel) {
		throw new UserError(
			"usage",
			"--bios: there is no --kernel",
			"Write for example --bios fw_dynamic.bin --kernel kernel.",
		);
	}
	const images =
		firmware && withFirmware(firmware, image.kernel, machineOptionsOf.memoryBytes ?? board.ram.defaultSize);
	const log = values.replay === undefined ? undefined : parseInputLog(await readText(values.replay));
	let symbols: ProgramSymbols | undefined;
	const parts: MachineParts = {
		core: await loadCore(),
		symbolize: (pc) => {
			symbols ??= new ProgramSymbols("kernel", image.kernel);
			const place = symbols.place(Number(pc));
			return place.symbol === undefined ? undefined : describePlace(place);
		},
		...(log ? { replay: log.records } : {}),
		...(images ? { extraImages: images.extraImages } : {}),
	};
	const machine = await Machine.create({ ...machineOptionsOf, ...(images ? { kernel: images.kernel } : {}) }, parts);
	const capture = values.pcap === undefined ? undefined : capturePackets(machine, values.pcap);
	// A measured run is not looked at, and neither is one that was looked at before.
	const view =
		values.stats || log ? undefined : observeKernel(machine, { kernel: image.kernel, programs }, [], { steps: false });
	const files = await diagnosisFiles(values.kernel ? undefined : new NodeTree(positionals[0] ?? "."));
	const commands = values.command ?? [];
	const scripted = values.command !== undefined || values.until !== undefined || log !== undefined;
	// A person waits for the prompt; what a script sees must not depend on the host.
	if (!scripted) view?.paceBy(() => performance.now());
	const session = new BootSession(machine, terminalIo(scripted), {
		commands,
		until: values.until === undefined ? undefined : regularExpression(values.until),
		deadline: limit === undefined ? undefined : performance.now() + limit,
		scripted,
		replay: log !== undefined,
		explain: (end) => (view ? explain(view, end, files) : ""),
		kernel: view,
	});
	const start = performance.now();
	const gdb = values.gdb === undefined ? undefined : await openGdb(machine, session, image.kernel, values.gdb);
	if (gdb && values.wait) session.controller.start("paused");
	try {
		const code = await session.run();
		if (values.record) await save(values.record, utf8(machine.recordInput()));
		if (!log?.end) return code;
		return report(machine, log.end.hash);
	} finally {
		gdb?.dispose();
		capture?.dispose();
		if (values.stats) printStatistics(machine, (performance.now() - start) / 1000);
		if (values.persist) await save(values.persist, machine.disk());
		view?.dispose();
		machine.dispose();
	}
}

function capturePackets(machine: Machine, file: string): Disposable {
	if (machine.network) return writePcap(machine.network, file);
	throw new UserError(
		"usage",
		"--pcap: this kernel has no network card",
		"Leave it out; a network lab's tree has one.",
	);
}

/** gdb may go backwards, too. */
async function openGdb(machine: Machine, session: BootSession, kernel: Uint8Array, text: string): Promise<Disposable> {
	const port = Number(text);
	if (!/^\d+$/.test(text) || port > 65535)
		throw new UserError(
			"usage",
			`--gdb ${text} is not a port`,
			"Write a number from 1 to 65535, for example --gdb 26000.",
		);
	machine.keepHistory();
	const { serveGdb } = await import("./gdb.ts");
	const options = { machine, controller: session.controller, kernel, kill: () => session.end() };
	return serveGdb(options, port, (line) => void process.stderr.write(`xv6-lab: ${line}\n`));
}

/** Of the command that came to this end; what is said of the machine as a whole is said once. */
function explain(view: KernelView, end: RunEnd, files: (path: string) => string | undefined): string {
	const diagnoses = view.diagnose(end, files).filter(({ kind }) => kind !== "no-pmp" || !toldOfPmp.has(view));
	toldOfPmp.add(view);
	if (end.kind === "prompt") view.begin();
	return renderDiagnoses(diagnoses);
}

const toldOfPmp = new WeakSet<KernelView>();

/** Says whether a replay ended where the recorded run did. */
function report(machine: Machine, hash: string): number {
	const same = machine.stateHash() === hash;
	const steps = machine.instret.toLocaleString("en");
	process.stderr.write(
		`\nxv6-lab: replayed ${steps} instructions: ${same ? "the same state" : "another state"} as recorded\n`,
	);
	return same ? exitCodes.done : exitCodes.failed;
}

function terminalIo(scripted: boolean): SessionIo {
	const { stdout, stderr } = process;
	return {
		write: consoleWriter(stdout),
		// A reader that went away (`| head`) never drains.
		drained: () =>
			new Promise((resolve) => {
				for (const event of ["drain", "close", "error"]) stdout.once(event, () => resolve());
			}),
		say: (text) => void stderr.write(`\nxv6-lab: ${visible(text)}\n`),
		now: () => performance.now(),
		breathe,
		attach: (send, quit, ended) => {
			stdout.once("error", quit);
			const keys = scripted ? undefined : attachTerminal(send, quit, ended);
			return toDisposable(() => {
				stdout.off("error", quit);
				keys?.dispose();
			});
		},
	};
}

type Image = Pick<
	MachineOptions,
	"kernel" | "disk" | "harts" | "memoryBytes" | "virtio" | "pmp" | "network" | "rtc"
> & {
	readonly programs: ObservedBuild["programs"];
};

async function fromFiles(kernel: string, disk: string | undefined): Promise<Image> {
	return { kernel: await readBytes(kernel), programs: [], ...(disk ? { disk: await readBytes(disk) } : {}) };
}

async function fromTree(dir: string, toolchain: string | undefined): Promise<Image> {
	const output = await buildForCli(dir, { toolchain: toolchainKind(toolchain) });
	const { kernel, disk, wish, programs } = output;
	return {
		kernel,
		disk,
		harts: wish.harts,
		memoryBytes: wish.memoryBytes,
		virtio: wish.virtio,
		pmp: wish.pmp,
		...(wish.rtc !== undefined ? { rtc: wish.rtc } : {}),
		...(wish.network ? { network: wish.network } : {}),
		programs,
	};
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

async function readText(path: string): Promise<string> {
	return new TextDecoder().decode(await readBytes(path));
}

async function save(path: string, bytes: Uint8Array): Promise<void> {
	await atomicWrite([{ path, bytes }]);
}

function regularExpression(text: string): RegExp {
	try {
		return new RegExp(text, "m");
	} catch (error) {
		throw new UserError("usage", `--until: ${(error as Error).message}`, "Write a JavaScript regular expression.");
	}
}
