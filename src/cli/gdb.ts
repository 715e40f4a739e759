import type { Socket } from "node:net";
import { hex } from "../common/bytes.ts";
import type { Disposable } from "../common/disposable.ts";
import { Contexts } from "../debugger/contexts.ts";
import { GdbStub } from "../debugger/gdbStub.ts";
import type { DebuggedMachine } from "../debugger/halt.ts";
import type { RunController } from "../session/runController.ts";
import { type GdbListener, listenForGdb } from "./gdbListener.ts";
import { breathe } from "./machine.ts";
import { pageTableText, registersText } from "./qemu/monitor.ts";

interface GdbServerOptions {
	readonly machine: DebuggedMachine;
	readonly controller: RunController;
	readonly kernel: Uint8Array;
	/** gdb asked to end the machine. */
	kill(): void;
	/** A gdb that says what it can do is there: not a script that sends two packets. */
	greeted?(): void;
}

/** Listens for gdb on the loopback address only; one gdb at a time. */
export async function serveGdb(
	options: GdbServerOptions,
	port: number,
	say: (text: string) => void,
): Promise<Disposable> {
	const listener = await listenForGdb(port);
	say(`gdb: target remote 127.0.0.1:${listener.port}`);
	connectGdb(listener, options);
	return listener;
}

/** A client finds a machine that stands, as with any stub. */
export function connectGdb(listener: GdbListener, options: GdbServerOptions): void {
	listener.onConnection((socket) => attach(socket, options));
}

function attach(socket: Socket, options: GdbServerOptions): void {
	const { machine, controller } = options;
	const stub = new GdbStub({
		machine,
		controller,
		send: (text) => void socket.write(text, "latin1"),
		breathe,
		monitor: (command) => monitor(options, command),
		greeted: () => options.greeted?.(),
		close: (how) => {
			socket.end();
			if (how === "kill") options.kill();
		},
	});
	controller.pause();
	socket.on("data", (bytes) => stub.push(bytes.toString("latin1")));
	socket.on("close", () => {
		stub.dispose();
		if (controller.state === "paused") controller.resume();
	});
	socket.resume();
}

const help = [
	"info mem          the page table of the current space, as ranges",
	"info registers    registers of every hart, as QEMU's monitor shows them",
	"info processes    pid, state, name and page-table root of each process",
	"info history      what can be gone back to",
	"seek N            to instruction N",
	"present           to the present",
	"who ADDRESS       goes to right before the last write to a physical address",
].join("\n");

function monitor({ machine, kernel, controller }: GdbServerOptions, command: string): string | undefined {
	const [word, argument] = command.split(/\s+/);
	const { history } = machine;
	if (command === "help" || command === "") return help;
	if (command === "info mem") return pageTableText(machine);
	if (command === "info registers") return registersText(machine);
	if (command === "info processes" || command === "info procs") {
		const contexts = new Contexts(machine, kernel, new Map());
		const rows = contexts
			.processes()
			.map(
				({ pid, state, name, space, hart }) =>
					`${String(pid).padStart(4)}  ${state.padEnd(9)} ${name.padEnd(16)} root ${hex(space.root ?? 0n)}${hart === undefined ? "" : `  hart ${hart}`}`,
			);
		return rows.length > 0 ? rows.join("\n") : "No process exists (yet), or this kernel has no proc[].";
	}
	if (!history)
		return ["seek", "present", "who"].includes(word ?? "") || command === "info history"
			? "This machine keeps no history."
			: undefined;
	const at = () => {
		controller.follow({ kind: "seek", position: machine.instret }, history.isPast);
		return `Instruction ${machine.instret}${history.isPast ? ", in the past" : ", the present"}. Say 'flushregs' (maintenance flush register-cache) to gdb.`;
	};
	if (command === "info history")
		return `From instruction ${history.oldest.steps} to ${history.present.steps}; now at ${machine.instret}. ${Math.round(history.usage.bytes / 1024)} KiB in ${history.usage.checkpoints} checkpoints.`;
	if (word === "seek" && /^\d+$/.test(argument ?? "")) {
		history.seek(Number(argument));
		return at();
	}
	if (word === "present") {
		history.toPresent();
		return at();
	}
	if (word === "who" && /^0x[0-9a-fA-F]+$/.test(argument ?? "")) {
		const write = history.lastWrite(BigInt(argument as string), 8);
		if (!write) return "Nobody wrote there as far as the history goes.";
		if (write.hart !== undefined) history.stepBack(write.hart);
		return `${write.hart === undefined ? "A device" : `Hart ${write.hart} at pc ${hex(write.pc)}`} wrote it last. ${at()}`;
	}
	return undefined;
}
