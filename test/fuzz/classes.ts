import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { planBuild } from "../../src/build/makefile/plan.ts";
import { runPerlScript } from "../../src/build/perlScript.ts";
import { utf8 } from "../../src/common/bytes.ts";
import { UserError } from "../../src/common/errors.ts";
import { ElfFile } from "../../src/debuginfo/elf.ts";
import { ProgramSymbols } from "../../src/debuginfo/symbolizer.ts";
import { unwind } from "../../src/debuginfo/unwind.ts";
import { loadCore } from "../../src/env/node/core.ts";
import { KernelView } from "../../src/kernelview/kernelView.ts";
import { observeKernel } from "../../src/kernelview/observe.ts";
import { renderTables } from "../../src/kernelview/tables.ts";
import { parseManifest } from "../../src/lab/manifest.ts";
import { loadElf } from "../../src/machine/elfLoader.ts";
import { parseInputLog } from "../../src/machine/inputLog.ts";
import { Machine } from "../../src/machine/machine.ts";
import {
	parseRecording,
	type Recording,
	recordedMachine,
	recordingOf,
	serializeRecording,
} from "../../src/machine/recording.ts";
import { isToInspector, parseFromInspector } from "../../src/protocol/inspectorMessages.ts";
import { arpReply, CardProgram, datagram, ping, ramAt } from "../support/cardProgram.ts";
import type { Random } from "../support/random.ts";
import { hw5Regions, programs, qemu, ramBase, stillMachine } from "../unit/kernelview/recorded.ts";
import { machineClasses } from "./machineClasses.ts";
import { damageBytes, damageJson, damageText, type Json } from "./mutate.ts";
import { networkClasses } from "./networkClasses.ts";

/**
 * One kind of input that a stranger can give. A case is made of a seed alone. It may end with a UserError; any other error,
 * a hang, or an answer that is wrong (thrown as an error here) is a find.
 */
export interface FuzzClass {
	/** What is damaged, and who reads it. */
	readonly about: string;
	/** Cases that the gate takes. */
	readonly sample: number;
	run(random: Random): void | Promise<void>;
}

/** The repository; the fuzzer is started there. */
const root = process.cwd();
const text = (path: string) => readFileSync(join(root, path), "utf8");
const golden = (name: string) =>
	new Uint8Array(gunzipSync(readFileSync(join(root, "test/golden/kernelview", `${name}.gz`))));

/** Read at first use. */
function lazily<T>(make: () => T): () => T {
	let made: { readonly value: T } | undefined;
	return () => {
		made ??= { value: make() };
		return made.value;
	};
}
const kernel = lazily(() => golden("kernel-3b"));
const disk = lazily(() => golden("disk"));
const ram = lazily(() => golden("ram"));
const makefile = lazily(() => text("xv6/Makefile"));
const usys = lazily(() => text("xv6/user/usys.pl"));
const manifest = lazily(() => JSON.parse(text("labs/hw5-anonymous-mmap/lab.json")) as Json);
const paths = lazily(() => [
	"Makefile",
	..."entry start main proc vm kalloc trap syscall sysproc sysfile fs bio log file exec pipe string uart console printf plic virtio_disk spinlock sleeplock"
		.split(" ")
		.map((name) => `kernel/${name}.c`),
	..."swtch trampoline kernelvec entry".split(" ").map((name) => `kernel/${name}.S`),
	"kernel/kernel.ld",
	"mkfs/mkfs.c",
	"user/usys.pl",
	"user/user.ld",
	..."init sh cat echo ls ulib printf umalloc".split(" ").map((name) => `user/${name}.c`),
]);

/** The questions of verdicts, the page and the debugger to a program's symbols. */
function askSymbols(random: Random, bytes: Uint8Array): void {
	const symbols = new ProgramSymbols("kernel", bytes);
	const memory = ram();
	for (let i = 0; i < 24; i++) {
		const pc = 0x80000000 + random.below(0x9000);
		symbols.place(pc);
		symbols.symbolAt(pc);
		const context = {
			register: () => 0x80008000n,
			memory: (at: bigint, length: number) => valueAt(memory, at, length),
		};
		unwind(symbols, BigInt(pc), context);
		const { info } = symbols;
		if (!info) continue;
		symbols.attempt(() => info.localsAt(pc));
		symbols.attempt(() => info.lines.breakpointsOf("kernel/vm.c", 1 + random.below(400)));
	}
	const { info } = symbols;
	if (!info) return;
	for (const name of ["proc", "kmem", "cpu", "trapframe", "spinlock"]) {
		symbols.attempt(() => info.struct(name));
		symbols.attempt(() => info.variable(name));
	}
	symbols.attempt(() => info.functions);
	symbols.attempt(() => info.lines.files);
}

function valueAt(memory: Uint8Array, at: bigint, length: number): bigint | undefined {
	const offset = Number(at) - ramBase;
	if (!(offset >= 0 && offset + length <= memory.length)) return undefined;
	return memory.subarray(offset, offset + length).reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
}

/** Everything that asks a kernel view. */
function askView(view: KernelView): void {
	const model = view.model();
	renderTables(model, { pageTables: true });
	for (const { pid } of [{ pid: 0 }, ...model.processes.slice(0, 8)])
		for (const address of ["0x0", "0x3fffffd028", "0xffffffffffffffff"]) view.walk(pid, address);
	view.findings();
	view.stack();
	view.faults();
	view.killed();
	view.freeFrames();
	view.framesAt(0x3fffffd000n);
	view.diagnose({ kind: "panic", message: "x", output: "panic: x\n" }, () => undefined);
}

const makePieces =
	"$ ( ) { } $( $$ = := += ?= : :: % # \\ \t ; | > < ' \" ` endif else define endef ifdef include $(shell $(call $(foreach $(patsubst vpath .PHONY -include ../../x /etc/passwd".split(
		" ",
	);
const perlPieces = "{ } ( ) ; \" ' $ @ print sub my if foreach <<EOF shift entry return \\ # . , == qw".split(" ");
const jsonPieces = '{ } [ ] , : " \\ null 1e999 -1 "at" "bytes" "records" \\u0000'.split(" ");

const recorded = lazily(async (): Promise<Recording> => {
	const machine = await Machine.create(
		{ kernel: kernel(), disk: disk().slice(), memoryBytes: 128 << 20 },
		{ core: await loadCore(join(root, "dist")) },
	);
	try {
		machine.run(30_000_000);
		machine.console.write(utf8("ls\n"));
		machine.run(5_000_000);
		return recordingOf(machine, "ls");
	} finally {
		machine.dispose();
	}
});

const messages: readonly Json[] = [
	{ type: "ready" },
	{ type: "walk", id: 1, pid: 3, address: "0x3fffffd028" },
	{ type: "writer", id: 1, address: "0x87f4e0a8", after: 0, before: 12345678 },
	{ type: "control", id: 3, action: "pause" },
	{ type: "openSource", file: "kernel/vm.c", line: 12 },
	{ type: "debug", instret: 5 },
	{ type: "state", state: { machine: "running", canDebug: false, canAskWriter: true } },
	{ type: "run", run: { reasons: [], explanations: [], diagnoses: [] } },
	{ type: "answer", id: 4, error: "no" },
];
const types = new Set(["ready", "drawn", "walk", "writer", "control", "openSource", "debug"]);
const actions = new Set(["pause", "resume", "stepToFault", "boot"]);

export const fuzzClasses: Readonly<Record<string, FuzzClass>> = {
	...machineClasses,
	...networkClasses,
	elf: {
		about: "a kernel's ELF file: loader and symbols",
		sample: 3,
		run(random) {
			const all = kernel();
			const end = Math.min(all.length, 4096);
			// Headers are at both ends.
			const spans = [
				undefined,
				{ from: 0, to: 256 },
				{ from: 0, to: end },
				{ from: all.length - 2048, to: all.length },
			];
			const bytes = damageBytes(random, all, random.pick(spans));
			attempt(() => loadElf(bytes, 128 << 20, ["tohost"]));
			attempt(() => {
				const elf = new ElfFile(bytes);
				for (const { name } of elf.symbols.slice(0, 4)) elf.symbol(name);
				elf.loaded(0x80000000, 64);
			});
			askSymbols(random, bytes);
		},
	},
	dwarf: {
		about: "a kernel's debug information: places, locals, types, calls",
		sample: 3,
		run(random) {
			const elf = new ElfFile(kernel());
			const debug = elf.sections.filter(({ name, size }) => name.startsWith(".debug_") && size > 0);
			const { offset, size } = random.pick(debug);
			askSymbols(random, damageBytes(random, kernel(), { from: offset, to: offset + size }));
		},
	},
	disk: {
		about: "fs.img: a boot and `ls`, looked at",
		sample: 1,
		async run(random) {
			const all = disk();
			// The super block, log, inodes, bitmap and first directories.
			const image = damageBytes(random, all, { from: 0, to: Math.min(all.length, 64 << 10) });
			await runMachine({
				kernel: kernel(),
				disk: random.chance(10) ? image.slice(0, random.below(image.length)) : image,
			});
		},
	},
	makefile: {
		about: "a Makefile: what it would build",
		sample: 10,
		run(random) {
			const damaged = damageText(random, makefile(), makePieces);
			planBuild("tree", {
				paths: paths(),
				text: (path: string) => (path === "Makefile" ? damaged : ""),
			});
		},
	},
	usys: {
		about: "usys.pl",
		sample: 40,
		run(random) {
			runPerlScript(damageText(random, usys(), perlPieces), "user/usys.pl");
		},
	},
	manifest: {
		about: "lab.json",
		sample: 40,
		run(random) {
			const source = JSON.stringify(damageJson(random, manifest()), undefined, "\t");
			parseManifest(random.chance(4) ? damageText(random, source, jsonPieces) : source, "lab.json");
		},
	},
	"input-log": {
		about: "an input log",
		sample: 40,
		run(random) {
			const log: Json = {
				version: 3,
				records: [
					{ at: 5, moment: "steps", bytes: [108, 115, 10] },
					{ at: 9, moment: "idle", bytes: [], schedule: { kind: "seeded", seed: 4 } },
					{ at: 9, moment: "ready", bytes: [] },
				],
				end: { hash: "0123456789abcdef" },
			};
			const source = JSON.stringify(damageJson(random, log));
			const { records } = parseInputLog(random.chance(4) ? damageText(random, source, jsonPieces) : source);
			for (const { at, bytes } of records)
				if (!Number.isSafeInteger(at) || bytes.some((byte) => byte < 0 || byte > 255))
					throw new Error("taken as it is");
		},
	},
	recording: {
		about: "a recorded run: reading it, and the machine that it gives",
		sample: 2,
		async run(random) {
			const whole = await recorded();
			if (random.chance(2)) {
				await parseRecording(damageBytes(random, await serializeRecording(whole)), 64 << 20);
				return;
			}
			// A whole file that lies: checksums are right, options, input or kernel are not.
			const { kernel: image, disk: _, ...rest } = whole;
			const lie = damageJson(random, JSON.parse(JSON.stringify(rest)) as Json) as unknown as Recording;
			const bytes = random.chance(3) ? damageBytes(random, image, { from: 0, to: 512 }) : image;
			const file = await serializeRecording({ ...lie, kernel: bytes, ...(random.chance(2) ? { disk: disk() } : {}) });
			const parsed = await parseRecording(file, 64 << 20);
			if (parsed.options.memoryBytes > 256 << 20) return;
			const machine = await recordedMachine(parsed, { core: await loadCore(join(root, "dist")) });
			try {
				machine.run(2_000_000);
				machine.stateHash();
			} finally {
				machine.dispose();
			}
		},
	},
	messages: {
		about: "messages of the inspector's page and its host",
		sample: 200,
		run(random) {
			const message = damageJson(random, random.pick(messages));
			const taken = parseFromInspector(message);
			if (taken && !types.has(taken.type)) throw new Error(`taken: ${JSON.stringify(message).slice(0, 200)}`);
			if (taken?.type === "control" && !actions.has(taken.action)) throw new Error(`taken: ${taken.action}`);
			if (taken && JSON.stringify(taken).length > 5000) throw new Error("a message without a limit");
			isToInspector(message);
		},
	},
	e1000: {
		about: "a network driver that writes anything anywhere: registers, rings, descriptors, frames",
		sample: 30,
		async run(random) {
			const program = wildDriver(random);
			const options = { kernel: program.kernel, memoryBytes: 4 << 20, network: { peer: random.pick(peers) } } as const;
			const parts = { core: await loadCore(join(root, "dist")) };
			const hashes: string[] = [];
			for (const jit of ["off", "on"] as const) {
				const machine = await Machine.create({ ...options, jit }, parts);
				machine.run(3_000_000);
				hashes.push(machine.stateHash());
				machine.dispose();
			}
			if (hashes[0] !== hashes[1]) throw new Error("the translated run went another way");
		},
	},
	ram: {
		about: "guest memory under the kernel view",
		sample: 1,
		run(random) {
			const memory = ram().slice();
			const machine = stillMachine(memory, qemu.registers);
			const view = new KernelView(machine, kernel(), programs, { regions: hw5Regions });
			// The kernel's data, and the frames at the end of RAM where tables and processes are.
			const spans = [
				{ from: 0x8000, to: 0x24000 },
				{ from: memory.length - (1 << 20), to: memory.length },
			];
			for (let round = 0; round < 3; round++) {
				memory.set(damageBytes(random, memory, random.pick(spans)));
				askView(view);
			}
			view.dispose();
		},
	},
};

const peers = ["echo", "greeting", "nettest"] as const;
const cardRegisters = [
	0, 0xc0, 0xc8, 0xd0, 0xd8, 0x100, 0x400, 0x2800, 0x2804, 0x2808, 0x2810, 0x2818, 0x3800, 0x3804, 0x3808, 0x3810,
	0x3818, 0x5200, 0x5400, 0x5404,
];

/** A driver that starts the card, and then does what comes. */
function wildDriver(random: Random): CardProgram {
	const program = new CardProgram().start();
	const frames = [
		() => ping(random.below(256), random.below(1500)),
		() => arpReply(),
		() => datagram(random.below(65536), new Uint8Array(random.below(1400)).fill(7), random.below(65536)),
		() => datagram(53, damageBytes(random, new Uint8Array(40).fill(1), { from: 0, to: 40 })),
	];
	const word = () =>
		random.pick([random.below(2 ** 32), random.below(64), 0xffff_ffff, ramAt.receive + random.below(4096)]);
	for (let i = 0; i < 12; i++) {
		const frame = (random.pick(frames) as () => Uint8Array)();
		switch (random.below(5)) {
			case 0:
				program.register(random.pick(cardRegisters), word());
				break;
			case 1:
				program.write(random.pick([ramAt.receive, ramAt.transmit]) + 4 * random.below(40), word());
				break;
			case 2:
				program.send(random.below(8), damageBytes(random, frame, { from: 0, to: frame.length }));
				break;
			case 3:
				program.register(random.pick([0x2818, 0x3818]), random.below(10));
				break;
			default:
				program.send(random.below(8), frame, 40 + random.below(frame.length));
		}
	}
	return program;
}

/** What is refused in words is well. */
function attempt(work: () => void): void {
	try {
		work();
	} catch (error) {
		if (!(error instanceof UserError)) throw error;
	}
}

async function runMachine(image: { readonly kernel: Uint8Array; readonly disk: Uint8Array }): Promise<void> {
	const machine = await Machine.create(
		{ ...image, memoryBytes: 128 << 20 },
		{ core: await loadCore(join(root, "dist")) },
	);
	const view = observeKernel(machine, { kernel: image.kernel, programs: [] });
	try {
		machine.run(30_000_000);
		machine.console.write(utf8("ls\n"));
		machine.run(10_000_000);
		askView(view);
	} finally {
		view.dispose();
		machine.dispose();
	}
}

/** One case. Throws for a find only. */
export async function runCase(kind: FuzzClass, random: Random): Promise<void> {
	try {
		await kind.run(random);
	} catch (error) {
		if (!(error instanceof UserError)) throw error;
		if (error.message === "" || error.nextStep === "") throw new Error("an error without words");
	}
}
