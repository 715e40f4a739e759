/**
 * Runs a bare-metal program in QEMU and on our core instruction by instruction, and tells the first difference.
 *   npx esbuild scripts/lockstep.ts --bundle --platform=node --format=esm --outfile=dist/lockstep.mjs
 *   node dist/lockstep.mjs KERNEL.elf [--from 0x80001234] [--steps 100000]
 *
 * One hart; devices are a UART that sends and the test finisher. What a program reads from devices and counters may
 * differ by right: there our register is given QEMU's value. Interrupts come at times of their own, so that the comparison
 * ends at the first one that our core takes.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { expandCompressed } from "../src/riscv/compressed.ts";
import { disassemble } from "../src/riscv/disassemble.ts";
import { fields } from "../src/riscv/fields.ts";
import { findInstruction } from "../src/riscv/isa.ts";
import { integerRegisters } from "../src/riscv/registers.ts";
import { CoreHost } from "../test/conformance/coreHost.ts";
import { cpu } from "../test/conformance/qemu.ts";

/** The part of GDB's remote serial protocol that stepping needs. */
class Gdb {
	private received = "";
	private wake: (() => void) | undefined;
	private closed = false;

	constructor(private readonly socket: Socket) {
		socket.setEncoding("latin1");
		socket.on("close", () => {
			this.closed = true;
			this.wake?.();
		});
		socket.on("data", (data: string) => {
			this.received += data;
			this.wake?.();
		});
	}

	async command(text: string): Promise<string> {
		const sum = [...text].reduce((total, letter) => total + letter.charCodeAt(0), 0) & 255;
		this.socket.write(`$${text}#${sum.toString(16).padStart(2, "0")}`);
		for (;;) {
			const packet = /\$([^#]*)#[0-9a-f]{2}/.exec(this.received);
			if (packet) {
				this.received = this.received.slice(packet.index + packet[0].length);
				this.socket.write("+");
				return packet[1] as string;
			}
			if (this.closed) throw new Error(`QEMU went away at ${text}`);
			await new Promise<void>((resolve) => {
				this.wake = resolve;
			});
		}
	}

	/** x0..x31 and pc. */
	async registers(): Promise<bigint[]> {
		const bytes = Buffer.from(await this.command("g"), "hex");
		return Array.from({ length: 33 }, (_, n) => bytes.readBigUInt64LE(8 * n));
	}

	async runTo(pc: bigint): Promise<void> {
		await this.command(`Z0,${pc.toString(16)},4`);
		await this.command("c");
		await this.command(`z0,${pc.toString(16)},4`);
	}
}

async function startQemu(kernel: string, folder: string) {
	const path = join(folder, "gdb");
	const options = "-machine virt -bios none -m 128M -display none -monitor none -serial null -S".split(" ");
	const child = spawn("qemu-system-riscv64", [
		...options,
		"-cpu",
		cpu,
		"-kernel",
		kernel,
		"-gdb",
		`unix:${path},server=on,wait=off`,
	]);
	for (let attempt = 0; ; attempt++) {
		const socket = await new Promise<Socket | undefined>((resolve) => {
			const candidate = connect(path, () => resolve(candidate));
			candidate.on("error", () => resolve(undefined));
		});
		if (socket) return { child, gdb: new Gdb(socket) };
		if (attempt > 100) throw new Error("QEMU offers no gdb server");
		await new Promise((resolve) => setTimeout(resolve, 50));
	}
}

const counters = new Set([0xb00, 0xb02, 0xc00, 0xc01, 0xc02, 0x344, 0x144, 0xf11, 0xf12, 0xf13]);

/** Is the value that this instruction reads the machine's own affair: a counter or a device register? */
function readsOutside(word: number, register: (n: number) => bigint, inRam: (address: bigint) => boolean): boolean {
	const instruction = findInstruction(word);
	if (instruction?.kind === "csr") return counters.has(fields.csr.get(word));
	if (instruction?.kind !== "load") return false;
	return !inRam(BigInt.asUintN(64, register(fields.rs1.get(word)) + BigInt(fields.imm12.get(word))));
}

const { values, positionals } = parseArgs({
	allowPositionals: true,
	options: { from: { type: "string" }, steps: { type: "string", default: "100000" } },
});
const kernel = positionals[0];
if (!kernel) throw new Error("usage: lockstep KERNEL.elf [--from ADDRESS] [--steps N]");

const folder = mkdtempSync(join(tmpdir(), "lockstep-"));
const ours = CoreHost.load(readFileSync(kernel));
const { child, gdb } = await startQemu(kernel, folder);
let difference = "";
try {
	await gdb.runTo(ours.entry);
	let theirs = await gdb.registers();
	// What the boot ROM leaves behind is not compared.
	for (let n = 1; n < 32; n++) ours.setRegister(n, theirs[n] as bigint);
	if (values.from) {
		const start = BigInt(values.from);
		await gdb.runTo(start);
		if (!ours.runTo(start)) throw new Error(`our core does not come to 0x${start.toString(16)}`);
		theirs = await gdb.registers();
	}
	const steps = Number(values.steps);
	for (let step = 0; step <= steps && !difference; step++) {
		const pc = ours.pc;
		const names = [...integerRegisters, "pc"];
		const mine = [...Array.from({ length: 32 }, (_, n) => ours.register(n)), pc];
		difference = names
			.flatMap((name, n) =>
				theirs[n] === mine[n] ? [] : [`  ${name}: QEMU 0x${theirs[n]?.toString(16)}, ours 0x${mine[n]?.toString(16)}`],
			)
			.join("\n");
		if (difference) {
			process.stdout.write(`first difference after ${step} steps, at 0x${theirs[32]?.toString(16)}:\n${difference}\n`);
			break;
		}
		const word = ours.wordAt(pc);
		const text = word === undefined ? "(no memory)" : disassemble(word, pc).text;
		const full = word !== undefined && (word & 3) !== 3 ? expandCompressed(word & 0xffff) : word;
		const excused =
			full !== undefined &&
			readsOutside(
				full,
				(n) => ours.register(n),
				(address) => ours.inRam(address),
			);
		ours.step();
		// QEMU ends, too, when the finisher is written.
		if (ours.stopped) {
			process.stdout.write(`no difference: the program ended after ${step + 1} steps\n`);
			break;
		}
		await gdb.command("s");
		theirs = await gdb.registers();
		if (excused && full !== undefined) ours.setRegister(fields.rd.get(full), theirs[fields.rd.get(full)] as bigint);
		if (ours.pc !== theirs[32]) process.stdout.write(`parted at 0x${pc.toString(16)}: ${text}\n`);
		if (step === steps) process.stdout.write(`no difference in ${steps} steps\n`);
	}
} finally {
	child.kill("SIGKILL");
	rmSync(folder, { recursive: true, force: true });
}
process.exit(difference ? 1 : 0);
