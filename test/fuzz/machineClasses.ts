import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync, gzipSync, inflateRawSync } from "node:zlib";
import { packet } from "../../src/debugger/gdbPackets.ts";
import { GdbStub } from "../../src/debugger/gdbStub.ts";
import { DebugSession } from "../../src/debugger/session.ts";
import { frame, MessageReader } from "../../src/debugger/stream.ts";
import { ElfFile } from "../../src/debuginfo/elf.ts";
import { loadCore } from "../../src/env/node/core.ts";
import { findTree, readArchive } from "../../src/grade/class/archive/submission.ts";
import { observeKernel } from "../../src/kernelview/observe.ts";
import { Machine } from "../../src/machine/machine.ts";
import { RunController } from "../../src/session/runController.ts";
import { assemble } from "../support/assembler.ts";
import { BlockDriver, base, place } from "../support/blockDriver.ts";
import { elfOf, ramBase, smallRam } from "../support/guest.ts";
import type { Random } from "../support/random.ts";
import type { FuzzClass } from "./classes.ts";
import { damageBytes, damageJson, type Json } from "./mutate.ts";

const golden = (name: string) =>
	new Uint8Array(gunzipSync(readFileSync(join(process.cwd(), "test/golden/kernelview", `${name}.gz`))));
let kept: { readonly kernel: Uint8Array; readonly disk: Uint8Array } | undefined;
function images() {
	kept ??= { kernel: golden("kernel-3b"), disk: golden("disk") };
	return kept;
}
const core = () => loadCore(join(process.cwd(), "dist"));

/** Numbers at which devices and rings have their edges. */
const edges = [0, 1, 2, 3, 7, 8, 9, 0xff, 0x100, 0x7fff, 0x8000, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff];
const number = (random: Random) =>
	random.chance(40) ? random.pick(edges) : random.below(0x7fffffff) * 2 + random.below(2);

/** Windows of the virt board: test finisher left out, which ends the machine. */
const windows = [
	[0x02000000, 0x10000],
	[0x0c000000, 0x400000],
	[0x10000000, 0x100],
	[0x10001000, 0x200],
	[0x10002000, 0x200],
	[0x10008000, 0x200],
	[0x00101000, 0x24],
	[0x30000000, 0x10000],
] as const;

/** A guest that reads and writes device registers and steps over each fault. */
function registerProgram(random: Random, accesses: number): string {
	const lines = ["la t0, handler", "csrw mtvec, t0", "li t0, -1", "csrw mie, t0"];
	for (let i = 0; i < accesses; i++) {
		const [start, size] = random.pick(windows);
		const address = start + (random.chance(60) ? 4 * random.below(size / 4) : random.below(size));
		lines.push(`li a0, 0x${address.toString(16)}`, `li a1, 0x${number(random).toString(16)}`);
		lines.push(`${random.pick(["sw", "sw", "sb", "sh", "sd", "lw", "lb", "ld", "lhu"] as const)} a1, 0(a0)`);
		if (random.chance(10)) lines.push("csrsi mstatus, 8");
		if (random.chance(5)) lines.push("fence");
	}
	lines.push(
		"csrw mie, zero",
		"end: j end",
		".align 2",
		"handler:",
		"csrr t0, mcause",
		"blt t0, zero, back",
		"csrr t0, mepc",
	);
	return [...lines, "addi t0, t0, 4", "csrw mepc, t0", "back:", "li t1, 0x80", "csrc mie, t1", "mret"].join("\n");
}

async function hashOf(
	kernel: Uint8Array,
	harts: number,
	jit: "on" | "off",
	steps: number,
	disk?: Uint8Array,
): Promise<string> {
	const machine = await Machine.create(
		{
			kernel,
			harts,
			jit,
			memoryBytes: disk ? 128 << 20 : smallRam,
			...(disk ? { disk: disk.slice() } : { disk: new Uint8Array(8192) }),
		},
		{ core: await core() },
	);
	try {
		machine.run(steps);
		return machine.stateHash();
	} finally {
		machine.dispose();
	}
}

/** A ZIP of stored and deflated entries, as small as it gets. */
function zipOf(files: ReadonlyMap<string, Uint8Array>): Uint8Array {
	const parts: Buffer[] = [];
	const central: Buffer[] = [];
	let at = 0;
	for (const [name, bytes] of files) {
		const path = Buffer.from(name);
		const local = Buffer.alloc(30);
		local.writeUInt32LE(0x04034b50, 0);
		local.writeUInt32LE(bytes.length, 18);
		local.writeUInt32LE(bytes.length, 22);
		local.writeUInt16LE(path.length, 26);
		const entry = Buffer.alloc(46);
		entry.writeUInt32LE(0x02014b50, 0);
		entry.writeUInt32LE(bytes.length, 20);
		entry.writeUInt32LE(bytes.length, 24);
		entry.writeUInt16LE(path.length, 28);
		entry.writeUInt32LE(at, 42);
		parts.push(local, path, Buffer.from(bytes));
		central.push(entry, path);
		at += 30 + path.length + bytes.length;
	}
	const list = Buffer.concat(central);
	const end = Buffer.alloc(22);
	end.writeUInt32LE(0x06054b50, 0);
	end.writeUInt16LE(files.size, 8);
	end.writeUInt16LE(files.size, 10);
	end.writeUInt32LE(list.length, 12);
	end.writeUInt32LE(at, 16);
	return new Uint8Array(Buffer.concat([...parts, list, end]));
}

function tarOf(files: ReadonlyMap<string, Uint8Array>): Uint8Array {
	const parts: Buffer[] = [];
	for (const [name, bytes] of files) {
		const header = Buffer.alloc(512);
		header.write(name, 0);
		header.write("0000644\0", 100);
		header.write(`${bytes.length.toString(8).padStart(11, "0")}\0`, 124);
		header.write("        0", 148);
		header.write("ustar\0", 257);
		header.write(
			`${header
				.reduce((sum, byte) => sum + byte, 0)
				.toString(8)
				.padStart(6, "0")}\0 `,
			148,
		);
		parts.push(header, Buffer.from(bytes), Buffer.alloc((512 - (bytes.length % 512)) % 512));
	}
	return new Uint8Array(Buffer.concat([...parts, Buffer.alloc(1024)]));
}

const submission = new Map(
	["Makefile", "kernel/main.c", "kernel/defs.h", "user/sh.c", "mkfs/mkfs.c", "README"].map((path) => [
		`student/${path}`,
		new TextEncoder().encode(`${path}\n`.repeat(20)),
	]),
);

const inflate = (bytes: Uint8Array, format: "raw" | "gzip", most: number) =>
	new Uint8Array(
		format === "raw" ? inflateRawSync(bytes, { maxOutputLength: most }) : gunzipSync(bytes, { maxOutputLength: most }),
	);

const dapCommands =
	"initialize launch attach configurationDone setBreakpoints setFunctionBreakpoints setInstructionBreakpoints setDataBreakpoints dataBreakpointInfo setExceptionBreakpoints threads stackTrace scopes variables evaluate setVariable setExpression readMemory writeMemory disassemble exceptionInfo next stepIn stepOut stepBack reverseContinue pause breakpointLocations source xv6/whoWrote xv6/timeline xv6/goToInstruction xv6/type".split(
		" ",
	);
const dapArguments: readonly Json[] = [
	{ threadId: 1, frameId: 1, variablesReference: 1, start: 0, count: 10 },
	{
		source: { path: "kernel/vm.c" },
		breakpoints: [{ line: 12, condition: "a == 1", hitCondition: "3", logMessage: "{a}" }],
	},
	{ expression: "*(struct proc *)0x80010000", context: "watch", frameId: 0 },
	{ memoryReference: "0x80000000", offset: 0, count: 64, data: "AAAA", instructionOffset: -4, instructionCount: 8 },
	{ breakpoints: [{ name: "main" }, { instructionReference: "0x80000000" }, { dataId: "x", accessType: "write" }] },
	{ name: "a0", value: "12", variablesReference: 3, instret: 5, address: "0x80000000", filters: ["panic"] },
];

async function smallMachine(): Promise<{ readonly kernel: Uint8Array; readonly machine: Machine }> {
	const kernel = elfOf(assemble("start: addi a0, a0, 1\nsd a0, 256(sp)\nj start", ramBase).bytes);
	return { kernel, machine: await Machine.create({ kernel, memoryBytes: smallRam }, { core: await core() }) };
}

const breathe = () => new Promise<void>((resolve) => setImmediate(resolve));

export const machineClasses: Readonly<Record<string, FuzzClass>> = {
	archive: {
		about: "a submission as .zip, .tar and .tar.gz",
		sample: 10,
		run(random) {
			const whole = random.pick([zipOf, tarOf])(submission);
			const damaged = damageBytes(
				random,
				whole,
				random.pick([undefined, { from: 0, to: 600 }, { from: whole.length - 400, to: whole.length }]),
			);
			const bytes = random.chance(20) ? new Uint8Array(gzipSync(damaged)) : damaged;
			const { files } = readArchive(
				random.chance(10) ? bytes.subarray(0, random.below(bytes.length + 1)) : bytes,
				inflate,
			);
			for (const path of files.keys())
				if (path.startsWith("/") || path.split("/").includes("..")) throw new Error(`a path that leads out: ${path}`);
			findTree(files, inflate);
		},
	},
	virtio: {
		about: "rings, descriptors and registers of the disk, as no driver writes them",
		sample: 10,
		run(random) {
			const driver = new BlockDriver(random.pick([1, 2] as const), random.pick([1, 2, 8] as const), 16).start();
			const { view, bytes } = driver.bench;
			for (let i = 0; i < 60; i++) {
				const kind = random.below(6);
				if (kind === 0) driver.write(random.chance(80) ? 4 * random.below(0x80) : random.below(0x200), number(random));
				else if (kind === 1) driver.read(random.below(0x200));
				else if (kind === 2)
					driver.descriptor(
						random.below(driver.size),
						random.chance(50)
							? base + BigInt(random.below(0x50000))
							: BigInt(number(random)) << BigInt(random.below(33)),
						number(random),
						{
							flags: random.below(8),
							next: random.chance(50) ? random.below(driver.size) : random.below(0x10000),
						},
					);
				else if (kind === 3) view.setUint16(driver.rings.available + 2 * random.below(12), random.below(0x10000), true);
				else if (kind === 4) {
					driver.header(place.buffers, random.below(14), number(random));
					driver.offer(
						driver.chain([
							{ at: place.buffers, length: random.pick([16, 15, 0, 17]) },
							{ at: place.buffers + 0x100, length: number(random), write: random.chance(50) },
							{ at: place.buffers + 0x40, length: random.pick([0, 1, 2]), write: random.chance(80) },
						]),
					);
				} else driver.write(0x70, random.below(256));
				driver.notify();
			}
			if (bytes.length !== driver.bench.ramBytes + driver.disk.length) throw new Error("the memory has another size");
		},
	},
	registers: {
		about: "device registers, written and read by a guest on 1 to 3 harts; the translator against the interpreter",
		sample: 2,
		async run(random) {
			const harts = 1 + random.below(3);
			const kernel = elfOf(assemble(registerProgram(random, 120), ramBase).bytes);
			const [first, second] = [await hashOf(kernel, harts, "on", 60_000), await hashOf(kernel, harts, "off", 60_000)];
			if (first !== second) throw new Error("translator and interpreter differ");
		},
	},
	harts: {
		about: "damaged kernels on 8 harts, looked at; the translator against the interpreter",
		sample: 1,
		async run(random) {
			const { kernel: whole, disk } = images();
			const text = new ElfFile(whole).sections.find(({ name }) => name === ".text");
			const kernel = text ? damageBytes(random, whole, { from: text.offset, to: text.offset + text.size }) : whole;
			const machine = await Machine.create(
				{ kernel, harts: 8, disk: disk.slice(), memoryBytes: 128 << 20 },
				{ core: await core() },
			);
			const view = observeKernel(machine, { kernel, programs: [] });
			try {
				machine.run(8_000_000);
				view.model();
				view.diagnose({ kind: "timeout", output: "" }, () => undefined);
			} finally {
				view.dispose();
				machine.dispose();
			}
			const [first, second] = [
				await hashOf(kernel, 8, "on", 2_000_000, disk),
				await hashOf(kernel, 8, "off", 2_000_000, disk),
			];
			if (first !== second) throw new Error("translator and interpreter differ");
		},
	},
	dap: {
		about: "messages of a debugger's client (Debug Adapter Protocol), as a stream",
		sample: 2,
		async run(random) {
			const { kernel, machine } = await smallMachine();
			machine.keepHistory();
			const controller = new RunController(machine, { breathe });
			controller.start("paused");
			try {
				const target = async () => ({
					machine,
					controller,
					kernel,
					programs: new Map<string, Uint8Array>(),
					root: "/tree",
					hasFile: () => true,
					dispose: () => undefined,
				});
				const session = new DebugSession({ launch: target, attach: target, breathe }, () => undefined);
				const messages: Json[] = [];
				const reader = new MessageReader(
					(message) => messages.push(message as Json),
					() => undefined,
				);
				const request = (command: string, args: Json): Json => ({
					seq: messages.length + 1,
					type: "request",
					command,
					arguments: args,
				});
				const all = [request("initialize", {}), request("attach", {})];
				for (let i = 0; i < 20; i++) {
					const sound = request(random.pick(dapCommands), random.pick(dapArguments));
					all.push(random.chance(70) ? damageJson(random, sound) : sound);
				}
				let bytes = Uint8Array.from(all.flatMap((message) => [...frame(message as object)]));
				if (random.chance(30)) bytes = damageBytes(random, bytes) as Uint8Array<ArrayBuffer>;
				for (let at = 0; at < bytes.length; ) {
					const size = 1 + random.below(400);
					reader.push(bytes.subarray(at, at + size));
					at += size;
				}
				for (const message of messages) {
					// Actions that run on end by a pause, as a person would press it.
					const done = session.receive(message);
					const pause = setTimeout(
						() => void session.receive({ seq: 9999, type: "request", command: "pause", arguments: { threadId: 1 } }),
						20,
					);
					await done;
					clearTimeout(pause);
				}
				await session.receive({ seq: 10_000, type: "request", command: "disconnect", arguments: {} });
			} finally {
				controller.dispose();
				machine.dispose();
			}
		},
	},
	gdb: {
		about: "packets of gdb's remote protocol",
		sample: 2,
		async run(random) {
			const { machine } = await smallMachine();
			const controller = new RunController(machine, { breathe });
			controller.start("paused");
			try {
				const stub = new GdbStub({ machine, controller, send: () => undefined, breathe, close: () => undefined });
				const sound = [
					"g",
					"m80000000,10",
					"M80000000,2:abcd",
					"p20",
					"P20=0000000000000080",
					"Z0,80000000,4",
					"z0,80000000,4",
					"Z2,80000100,8",
					"s",
					"?",
					"Hg1",
					"qSupported:xmlRegisters",
					"qXfer:features:read:target.xml:0,ffb",
					"vCont?",
					"vCont;s:1",
					"bs",
					"qRcmd,68656c70",
					"X80000000,2:ab",
					"T1",
					"qfThreadInfo",
				];
				for (let i = 0; i < 30; i++) {
					const text = random.pick(sound);
					const at = random.below(text.length);
					const damaged = random.chance(60)
						? text.slice(0, at) + String.fromCharCode(32 + random.below(95)) + text.slice(at + random.below(2))
						: text;
					stub.push(random.chance(10) ? damaged : packet(damaged));
					await breathe();
				}
				stub.push("\x03");
				await breathe();
			} finally {
				controller.dispose();
				machine.dispose();
			}
		},
	},
};
