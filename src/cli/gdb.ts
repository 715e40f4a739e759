import { createServer, type Socket } from "node:net";
import { type Disposable, toDisposable } from "../common/disposable.ts";
import { UserError } from "../common/errors.ts";
import { Contexts } from "../debugger/contexts.ts";
import { GdbStub } from "../debugger/gdbStub.ts";
import type { DebuggedMachine } from "../debugger/halt.ts";
import type { RunController } from "../session/runController.ts";
import { breathe } from "./machine.ts";

export interface GdbServerOptions {
	readonly machine: DebuggedMachine;
	readonly controller: RunController;
	readonly kernel: Uint8Array;
	readonly port: number;
	say(text: string): void;
	/** gdb asked to end the machine. */
	kill(): void;
}

/** Listens for gdb on the loopback address only; one gdb at a time. */
export async function serveGdb(options: GdbServerOptions): Promise<Disposable> {
	const { machine, controller, port, say } = options;
	let busy: Socket | undefined;
	const server = createServer((socket) => {
		if (busy) {
			socket.destroy();
			return;
		}
		busy = socket;
		socket.setNoDelay(true);
		const stub = new GdbStub({
			machine,
			controller,
			send: (text) => void socket.write(text, "latin1"),
			breathe,
			monitor: (command) => monitor(options, command),
			close: (how) => {
				socket.end();
				if (how === "kill") options.kill();
			},
		});
		// gdb finds a machine that stands, as with any stub.
		controller.pause();
		socket.on("data", (bytes) => stub.push(bytes.toString("latin1")));
		socket.on("error", () => socket.destroy());
		socket.on("close", () => {
			busy = undefined;
			stub.dispose();
			if (controller.state === "paused") controller.resume();
		});
	});
	await new Promise<void>((resolve, reject) => {
		server.once("error", (error: NodeJS.ErrnoException) => {
			const what =
				error.code === "EADDRINUSE" ? `Port ${port} is in use` : `Cannot listen on port ${port}: ${error.message}`;
			reject(new UserError("usage", what, "Choose another port with --gdb PORT."));
		});
		server.listen(port, "127.0.0.1", resolve);
	});
	const address = server.address();
	const at = typeof address === "object" && address ? address.port : port;
	say(`gdb: target remote 127.0.0.1:${at}`);
	return toDisposable(() => {
		busy?.destroy();
		server.close();
	});
}

const help = [
	"info mem          the page table of the current space, as ranges",
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
	if (command === "info mem") return ranges(machine);
	if (command === "info processes" || command === "info procs") {
		const contexts = new Contexts(machine, kernel, new Map());
		const rows = contexts
			.processes()
			.map(
				({ pid, state, name, space, hart }) =>
					`${String(pid).padStart(4)}  ${state.padEnd(9)} ${name.padEnd(16)} root 0x${(space.root ?? 0n).toString(16)}${hart === undefined ? "" : `  hart ${hart}`}`,
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
		return `${write.hart === undefined ? "A device" : `Hart ${write.hart} at pc 0x${write.pc.toString(16)}`} wrote it last. ${at()}`;
	}
	return undefined;
}

/** As QEMU's `info mem` prints it: virtual range, physical start, flags. */
function ranges(machine: DebuggedMachine): string {
	const hart = machine.harts.find(({ mode }) => mode !== 3) ?? machine.harts[0];
	const root = hart && machine.spaceOf(hart.id);
	if (root === undefined) return "No page table is in use.";
	const rows: { va: bigint; pa: bigint; size: bigint; flags: bigint }[] = [];
	const walk = (table: bigint, level: number, base: bigint) => {
		for (let i = 0n; i < 512n; i++) {
			const pte = machine.memory.readU64(table + 8n * i) ?? 0n;
			if ((pte & 1n) === 0n) continue;
			const va = base | (i << BigInt(12 + 9 * level));
			const pa = ((pte >> 10n) & 0xfffffffffffn) << 12n;
			if ((pte & 14n) === 0n) {
				if (level > 0) walk(pa, level - 1, va);
				continue;
			}
			const size = 1n << BigInt(12 + 9 * level);
			const last = rows.at(-1);
			if (last && last.va + last.size === va && last.pa + last.size === pa && last.flags === (pte & 0xffn))
				last.size += size;
			else if (rows.length < 10_000) rows.push({ va, pa, size, flags: pte & 0xffn });
		}
	};
	walk(root, 2, 0n);
	const letters = "vrwxugad";
	const flags = (bits: bigint) =>
		[...letters]
			.slice(1)
			.map((letter, i) => ((bits >> BigInt(i + 1)) & 1n ? letter : "-"))
			.join("");
	const hex = (value: bigint) => value.toString(16).padStart(16, "0");
	return [
		"vaddr            paddr            size             attr",
		...rows.map(({ va, pa, size, flags: bits }) => `${hex(va)} ${hex(pa)} ${hex(size)} ${flags(bits)}`),
	].join("\n");
}
