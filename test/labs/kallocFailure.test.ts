import { afterAll, expect, test } from "vitest";
import type { BuildOutput } from "../../src/build/types.ts";
import { breathe, createMachine } from "../../src/cli/machine.ts";
import { fromUtf8, utf8 } from "../../src/common/bytes.ts";
import { ElfFile } from "../../src/debuginfo/elf.ts";
import type { PhysicalMemory } from "../../src/machine/types.ts";
import { Shell } from "../../src/session/shell.ts";
import { build, catalog, closeToolchains, judgeOutput, summary } from "../support/lab.ts";

afterAll(closeToolchains);

/** FULL=1: every kalloc of each command fails once, on 1 and on 3 harts. The gate takes one in `sample`, and others on each number of harts. */
const full = process.env.FULL !== undefined;
const sample = full ? 1 : 23;
const budget = 20_000_000_000;
/** Waits of 10 million instructions. */
const patience = 100;

interface Subject {
	readonly lab: string;
	readonly solution: string;
	/** mmap, munmap, fork, exec, faults, and the kernel's own accesses to shared memory. */
	readonly commands: readonly string[];
	/** What runs after each failure, and what it says: a lock kept or a list broken would spoil it. */
	readonly next: readonly [command: string, output: string];
}

const subjects: readonly Subject[] = [
	{
		lab: "hw5-anonymous-mmap",
		solution: "3b",
		commands: [
			"prodcons1",
			"prodcons3",
			"mmaptests placement unmapping",
			"mmaptests syscalls execute execargs",
			"mmaptests privatecopy",
			"mmaptests children grandchild killed",
			"echo a | cat",
		],
		next: ["prodcons3", "total = 2048\n"],
	},
	{
		lab: "cs326-shared-page",
		solution: "1",
		commands: ["mmaptest", "shmtests execute nomunmap", "shmtests children parentfirst", "shmtests killing fault"],
		next: ["shmtests childfirst", "childfirst: OK\n"],
	},
	{
		lab: "cs326-shared-page",
		solution: "2",
		commands: ["mmaptest2", "shmtests2 execute nomunmap", "shmtests2 children named both", "shmtests2 killing fault"],
		next: ["shmtests2 zeroed", "zeroed: OK\n"],
	},
];

/** kalloc() that says no at its call number `kalloc_fails_at`; both numbers are the test's to set and to read. */
function failingKalloc(files: ReadonlyMap<string, Uint8Array>): Map<string, Uint8Array> {
	const path = "kernel/kalloc.c";
	const text = fromUtf8(files.get(path) ?? new Uint8Array());
	const head = "void*\nkalloc(void)\n{\n";
	if (!text.includes(head)) throw new Error(`${path} has no kalloc() to make fail`);
	const counting = "  if(__atomic_add_fetch(&kalloc_calls, 1, __ATOMIC_SEQ_CST) == kalloc_fails_at)\n    return 0;\n";
	const changed = text.replace(head, `uint64 kalloc_calls, kalloc_fails_at;\n\n${head}${counting}`);
	return new Map(files).set(path, utf8(changed));
}

/** The kernel's global variables of 8 bytes; it maps its memory directly. */
class Globals {
	private readonly addresses: ReadonlyMap<string, number>;

	constructor(
		private readonly memory: PhysicalMemory,
		output: BuildOutput,
	) {
		this.addresses = new Map(new ElfFile(output.kernel).symbols.map(({ name, address }) => [name, address]));
	}

	private offset(name: string): number {
		const address = this.addresses.get(name);
		if (address === undefined) throw new Error(`The kernel has no ${name}`);
		return address - Number(this.memory.base);
	}

	read(name: string, offset = 0): bigint {
		return this.word(BigInt(this.offset(name) + offset) + this.memory.base);
	}

	word(address: bigint): bigint {
		return this.memory.readU64(address) ?? 0n;
	}

	write(name: string, value: number): void {
		const word = new DataView(new ArrayBuffer(8));
		word.setBigUint64(0, BigInt(value), true);
		this.memory.write(this.memory.base + BigInt(this.offset(name)), new Uint8Array(word.buffer));
	}
}

/** Frames on the free list: struct { struct spinlock lock; struct run *freelist; } kmem. */
function freeFrames(globals: Globals, listOffset: number): number {
	let count = 0;
	for (let at = globals.read("kmem", listOffset); at !== 0n; at = globals.word(at)) count++;
	return count;
}

const cases = subjects.flatMap((subject) => [1, 3].map((harts) => ({ ...subject, harts })));

test.each(cases)("each kalloc fails once, $lab $solution, $harts harts: no panic, no frame lost", async (subject) => {
	const { lab, solution, commands, harts } = subject;
	const output = await build(failingKalloc(await catalog.workspace(lab, solution)));
	const { machine } = await createMachine(output, { harts, seed: harts, translator: true });
	const globals = new Globals(machine.memory, output);
	const shell = Shell.on(machine, { breathe });
	/** struct spinlock is locked, name, cpu. */
	const free = () => freeFrames(globals, 24);
	try {
		expect((await shell.waitForPrompt(budget)).kind).toBe("prompt");
		// The shell's heap grows with the first command of a kind, and stays.
		for (const command of commands) expect((await shell.run(command, budget)).end.kind).toBe("prompt");
		const ready = machine.snapshot();
		const before = free();
		expect(before).toBeGreaterThan(30_000);
		let points = 0;
		for (const [index, command] of commands.entries()) {
			machine.restore(ready);
			globals.write("kalloc_calls", 0);
			await shell.run(command, budget);
			const calls = Number(globals.read("kalloc_calls"));
			expect(calls).toBeGreaterThan(20);
			for (let call = 1 + ((index * 5 + harts) % sample); call <= calls; call += sample) {
				machine.restore(ready);
				globals.write("kalloc_calls", 0);
				globals.write("kalloc_fails_at", call);
				const { end, output: said } = await shell.run(command, budget);
				const where = `${command}, kalloc ${call} of ${calls}: ${said}`;
				expect(Number(globals.read("kalloc_calls")), where).toBeGreaterThanOrEqual(call);
				expect(end.kind, where).toBe("prompt");
				// A parent that gave up may have left children behind, which wait for each other for some ticks.
				for (let wait = 0; wait < patience && free() !== before; wait++) machine.run(10_000_000);
				const next = await shell.run(subject.next[0], budget);
				expect(next.output, where).toBe(subject.next[1]);
				expect(before - free(), where).toBe(0);
				points++;
			}
		}
		console.log(`${lab} ${solution}, ${harts} harts: ${points} single failures`);
	} finally {
		shell.dispose();
		machine.dispose();
	}
});

test("no memory where not all page tables were made ahead: mappages fails in a fault, and nothing is lost", async () => {
	const lab = "hw5-anonymous-mmap";
	const files = await catalog.workspace(lab, "3b");
	const path = "kernel/vm.c";
	const text = fromUtf8(files.get(path) as Uint8Array);
	const head = "mapvpages(pagetable_t pagetable, uint64 va, uint64 size)\n{\n";
	expect(text).toContain(head);
	files.set(path, utf8(text.replace(head, `${head}  va += PGROUNDDOWN(size / 2);\n  size = PGSIZE;\n`)));
	const manifest = await catalog.manifest(lab);
	const tests = manifest.tests.filter(({ id }) => id === "mmap-failures" || id === "mmap-familyfailures");
	expect(tests.length).toBe(2);
	expect(summary(await judgeOutput(await build(files), manifest, { tests }))).toEqual([]);
});
