import { readFile } from "node:fs/promises";
import { utf8 } from "../common/bytes.ts";
import { DisposableStore } from "../common/disposable.ts";
import { UserError } from "../common/errors.ts";
import { atomicWrite } from "../env/node/atomicWrite.ts";
import { parseInputLog } from "../machine/inputLog.ts";
import { Machine, type MachineParts } from "../machine/machine.ts";
import type { MachineOptions, StopReason } from "../machine/types.ts";
import { printStatistics } from "./bootStats.ts";
import { buildForCli } from "./build.ts";
import { exitCodes } from "./exitCodes.ts";
import { breathe, loadCore } from "./machine.ts";
import { buildOptions, machineOptions, machineParams, parse, toolchainKind } from "./options.ts";
import { attachTerminal } from "./terminal.ts";

const usage =
	"boot [DIR] | --kernel ELF [--disk IMG] [--harts N] [--memory 128M] [--virtio modern|legacy] [--pmp off] [--seed S] [--no-jit] " +
	"[--command CMD]… [--until REGEX] [--timeout SEC] [--stats] [--record FILE] [--replay FILE] [--persist IMG]";

/** Instructions between two looks at keys, prompts and the clock. */
const lookEvery = 500_000;
/** A prompt counts after the console was silent for so long. */
const quiet = 400_000;

const promptAtEnd = /(?:^|\n)\$ $/;
const panicLine = /panic: .*\n/;

/** `xv6-lab boot`: an interactive console on a terminal; scripted with --command or --until. */
export async function runBoot(argv: string[]): Promise<number> {
	const options = {
		...machineOptions,
		...buildOptions,
		kernel: { type: "string" },
		disk: { type: "string" },
		pmp: { type: "string" },
		command: { type: "string", multiple: true },
		until: { type: "string" },
		timeout: { type: "string" },
		stats: { type: "boolean" },
		record: { type: "string" },
		replay: { type: "string" },
		persist: { type: "string" },
	} as const;
	const { values, positionals } = parse(argv, options, usage);
	if (values.pmp !== undefined && values.pmp !== "on" && values.pmp !== "off") {
		throw new UserError("usage", `--pmp ${values.pmp} is not known`, "It is on or off.");
	}
	const params = machineParams(values);
	const image = values.kernel
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
	const parts: MachineParts = {
		core: await loadCore(),
		...(values.replay ? { replay: parseInputLog(await readText(values.replay)) } : {}),
	};
	const machine = await Machine.create(machineOptionsOf, parts);
	const session = new Session(machine, {
		commands: values.command ?? [],
		until: values.until === undefined ? undefined : regularExpression(values.until),
		deadline: values.timeout === undefined ? undefined : performance.now() + 1000 * seconds(values.timeout),
		scripted: values.command !== undefined || values.until !== undefined,
	});
	const start = performance.now();
	try {
		return await session.run();
	} finally {
		if (values.stats) printStatistics(machine, (performance.now() - start) / 1000);
		if (values.record) await save(values.record, utf8(machine.inputLog.serialize()));
		if (values.persist) await save(values.persist, machine.disk());
		machine.dispose();
	}
}

type Image = Pick<MachineOptions, "kernel" | "disk" | "harts" | "memoryBytes" | "virtio" | "pmp">;

async function fromFiles(kernel: string, disk: string | undefined): Promise<Image> {
	return { kernel: await readBytes(kernel), ...(disk ? { disk: await readBytes(disk) } : {}) };
}

async function fromTree(dir: string, toolchain: string | undefined): Promise<Image> {
	const output = await buildForCli(dir, { toolchain: toolchainKind(toolchain) });
	const { kernel, disk, wish } = output;
	return { kernel, disk, harts: wish.harts, memoryBytes: wish.memoryBytes, virtio: wish.virtio, pmp: wish.pmp };
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

function seconds(text: string): number {
	const value = Number(text);
	if (value > 0 && Number.isFinite(value)) return value;
	throw new UserError("usage", `--timeout ${text} is not a number of seconds`, "Write for example --timeout 60.");
}

interface SessionOptions {
	readonly commands: readonly string[];
	readonly until: RegExp | undefined;
	/** On the clock of `performance.now`. */
	readonly deadline: number | undefined;
	readonly scripted: boolean;
}

/** One run of a machine against this process' terminal or against a script. */
class Session {
	private text = "";
	private typed = 0;
	private quietFor = 0;
	private panicked = false;
	private quit = false;
	private wake: (() => void) | undefined;

	constructor(
		private readonly machine: Machine,
		private readonly options: SessionOptions,
	) {}

	async run(): Promise<number> {
		const store = new DisposableStore();
		const { machine, options } = this;
		store.add(machine.console.onData((bytes) => this.received(bytes)));
		store.add(machine.onStall((report) => process.stderr.write(`\nxv6-lab: ${report.message}\n`)));
		if (!options.scripted) {
			const send = (bytes: Uint8Array) => {
				machine.console.write(bytes);
				this.wake?.();
			};
			const quit = () => {
				this.quit = true;
				this.wake?.();
			};
			store.add(attachTerminal(send, quit));
		}
		try {
			return await this.loop();
		} finally {
			store.dispose();
		}
	}

	private async loop(): Promise<number> {
		for (;;) {
			const before = this.text.length;
			const at = this.machine.instret;
			const stop = this.machine.run(lookEvery);
			this.quietFor = this.text.length === before ? this.quietFor + (this.machine.instret - at) : 0;
			const code = this.ended(stop);
			if (code !== undefined) return code;
			if (stop.kind === "idle" && !this.options.scripted) await this.input();
			else await breathe();
		}
	}

	/** The exit code when it is over. */
	private ended(stop: StopReason): number | undefined {
		const { options } = this;
		if (stop.kind === "halt") return stop.code;
		if (this.quit) return exitCodes.done;
		if (options.until?.test(this.text)) return exitCodes.done;
		if (this.panicked && options.scripted) {
			this.machine.run(2_000_000);
			return exitCodes.panic;
		}
		if (options.deadline !== undefined && performance.now() > options.deadline) {
			process.stderr.write("\nxv6-lab: time-out\n");
			return exitCodes.timeout;
		}
		if (!options.scripted || options.until) return undefined;
		const idle = stop.kind === "idle";
		const prompt =
			promptAtEnd.test(this.text) && this.machine.console.pending === 0 && (this.quietFor >= quiet || idle);
		if (!prompt) return idle ? exitCodes.timeout : undefined;
		const command = options.commands[this.typed++];
		if (command === undefined) return exitCodes.done;
		this.text = "";
		this.quietFor = 0;
		this.machine.console.write(utf8(`${command}\n`));
		return undefined;
	}

	/** Nothing but a key can wake the guest. */
	private input(): Promise<void> {
		return new Promise((resolve) => {
			const timer = setTimeout(resolve, 200);
			this.wake = () => {
				clearTimeout(timer);
				resolve();
			};
		});
	}

	private received(bytes: Uint8Array): void {
		process.stdout.write(bytes);
		this.text += new TextDecoder("latin1").decode(bytes);
		this.panicked ||= panicLine.test(this.text.slice(-bytes.length - 400));
		if (this.text.length > 2_000_000) this.text = this.text.slice(-1_000_000);
	}
}
