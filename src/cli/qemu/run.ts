import { type Disposable, DisposableStore, toDisposable } from "../../common/disposable.ts";
import { visible } from "../../common/visible.ts";
import { loadCore } from "../../env/node/core.ts";
import { Machine } from "../../machine/machine.ts";
import { RunController } from "../../session/runController.ts";
import { consoleWriter } from "../consoleWriter.ts";
import { guestCode } from "../exitCodes.ts";
import { type GdbListener, listenForGdb } from "../gdbListener.ts";
import { breathe } from "../machine.ts";
import type { QemuConfig } from "./arguments.ts";
import { QemuConsole } from "./console.ts";
import { Drive, readInput } from "./drive.ts";
import { QemuLog } from "./log.ts";
import { monitorCommand } from "./monitor.ts";
import { setsPmp } from "./pmp.ts";

/** Instructions between two looks at keys and signals: some milliseconds. */
const lookEvery = 1_000_000;
const signals: Readonly<Record<string, number>> = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 };

/** Runs a machine until the guest, the keys, the monitor, gdb or a signal ends it. Resolves to the exit code, as QEMU has it. */
export async function runMachine(config: QemuConfig): Promise<number> {
	const store = new DisposableStore();
	try {
		// First of all: a grade script connects as soon as make has printed its line, and gives up after two seconds.
		const gdb = config.gdbPort === undefined ? undefined : store.add(await listenForGdb(config.gdbPort));
		const kernel = await readInput(config.kernel);
		const drive = config.disk && (await Drive.open(config.disk));
		const machine = store.add(await createMachine(config, kernel, drive));
		const session = store.add(new Session(machine, config));
		if (gdb) await session.serve(gdb, kernel);
		const code = await session.run();
		await drive?.writeBack(machine.disk());
		return code;
	} finally {
		store.dispose();
	}
}

async function createMachine(config: QemuConfig, kernel: Uint8Array, drive: Drive | undefined): Promise<Machine> {
	const { harts, memoryBytes, virtio } = config;
	return Machine.create(
		{
			kernel,
			...(drive ? { disk: drive.bytes } : {}),
			...(harts !== undefined ? { harts } : {}),
			...(memoryBytes !== undefined ? { memoryBytes } : {}),
			virtio,
			// A kernel of the years before QEMU enforced PMP does not know of it, and was never to stop at its first user instruction.
			pmp: setsPmp(kernel),
			jit: "on",
		},
		{ core: await loadCore() },
	);
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

	private say(text: string): void {
		process.stderr.write(`xv6-lab qemu: ${visible(text)}\n`);
	}
}
