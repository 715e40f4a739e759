import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { breathe, createMachine } from "../../../src/cli/machine.ts";
import { utf8 } from "../../../src/common/bytes.ts";
import { ElfFile } from "../../../src/debuginfo/elf.ts";
import { ProgramSymbols } from "../../../src/debuginfo/symbolizer.ts";
import { type UnwindContext, unwind } from "../../../src/debuginfo/unwind.ts";
import { GuestMemory } from "../../../src/kernelview/guestMemory.ts";
import { canonical, rootOf, translate } from "../../../src/kernelview/sv39.ts";
import type { Machine } from "../../../src/machine/machine.ts";
import { expandCompressed } from "../../../src/riscv/compressed.ts";
import { CSR } from "../../../src/riscv/csr.ts";
import { fields } from "../../../src/riscv/fields.ts";
import { findInstruction, instructionLength } from "../../../src/riscv/isa.ts";
import { Shell } from "../../../src/session/shell.ts";
import { assemble } from "../../support/assembler.ts";
import { type Bytes, bytes, cie, elfWith, fde } from "../../support/dwarf.ts";
import { build, catalog, closeToolchains } from "../../support/lab.ts";

/** What survives a call, by the calling convention: sp and s0 to s11. */
const kept = [2, 8, 9, ...Array.from({ length: 10 }, (_, i) => 18 + i)];

describe("the bundled kernel, instruction by instruction", () => {
	let machine: Machine;
	let memory: GuestMemory;
	let symbols: ProgramSymbols;
	let booted: ReturnType<Machine["snapshot"]>;

	beforeAll(async () => {
		const output = await build(await catalog.workspace(undefined));
		({ machine } = await createMachine(output, { harts: 1, seed: 0, translator: true }));
		const shell = Shell.on(machine, { breathe });
		expect((await shell.waitForPrompt(1_500_000_000)).kind).toBe("prompt");
		shell.dispose();
		symbols = new ProgramSymbols("kernel", output.kernel);
		memory = GuestMemory.of(machine);
		booted = machine.snapshot();
	});
	afterAll(async () => {
		machine.dispose();
		await closeToolchains();
	});

	const hart = () => machine.harts[0] as NonNullable<(typeof machine.harts)[0]>;
	const read = (address: bigint, size: number) => {
		const va = canonical(address);
		const physical = va === undefined ? undefined : translate(memory, rootOf(hart().csr(CSR.satp) ?? 0n), va);
		if (physical === undefined) return undefined;
		return size === 8 ? memory.big(physical) : BigInt(memory.unsigned(physical, size) ?? 0);
	};
	const context = (): UnwindContext => ({
		register: (index) => hart().register(index),
		memory: read,
		csr: (number) => hart().csr(number),
	});
	const runTo = (name: string) => {
		const point = machine.addBreakpoint(BigInt(symbols.symbol(name) ?? 0), { mode: 1 });
		expect(machine.run(400_000_000).kind).toBe("breakpoint");
		point.dispose();
	};
	const nameAt = (pc: bigint) => symbols.symbolAt(Number(pc))?.name;

	/** Follows calls and returns as the processor makes them, and compares the unwound stack with them at every instruction. */
	function follow(steps: number, outer: readonly bigint[], until: string): number {
		/** Open calls, innermost last: where each returns to, and what its caller had in the registers that survive. */
		const open: { returnsTo: bigint; saved: readonly bigint[] }[] = [];
		let looked = 0;
		for (let i = 0; i < steps; i++) {
			const { pc } = hart();
			if (nameAt(pc) === until) break;
			const { frames } = unwind(symbols, pc, context());
			const expected = [pc, ...open.toReversed().map(({ returnsTo }) => returnsTo), ...outer];
			const where = `${symbols.symbolAt(Number(pc))?.name}+${symbols.symbolAt(Number(pc))?.offset}`;
			expect(`${where}: ${frames.map((frame) => frame.pc.toString(16)).join(" ")}`).toBe(
				`${where}: ${expected.map((address) => address.toString(16)).join(" ")}`,
			);
			open.toReversed().forEach(({ saved }, depth) => {
				const caller = frames[depth + 1];
				kept.forEach((register, k) => {
					const value = caller?.context.register(register);
					if (value !== saved[k])
						expect(`${where}: frame ${depth + 1}, x${register} is ${value}`).toBe(
							`${where}: frame ${depth + 1}, x${register} is ${saved[k]}`,
						);
				});
				// What a call may destroy is not made up.
				expect(caller?.context.register(10)).toBeUndefined();
			});
			looked++;
			const half = memory.unsigned(Number(pc), 2) ?? 0;
			const length = instructionLength(half);
			const word = (length === 2 ? expandCompressed(half) : memory.u32(Number(pc))) ?? 0;
			const mnemonic = findInstruction(word)?.mnemonic;
			const isJump = mnemonic === "jal" || mnemonic === "jalr";
			if (isJump && fields.rd.get(word) === 1)
				open.push({ returnsTo: pc + BigInt(length), saved: kept.map((register) => hart().register(register)) });
			else if (mnemonic === "jalr" && fields.rd.get(word) === 0 && fields.rs1.get(word) === 1) open.pop();
			machine.run(1);
		}
		return looked;
	}

	test("a system call's stack is that of the calls that were made", () => {
		machine.restore(booted);
		machine.console.write(utf8("echo hello\n"));
		for (let i = 0; i < 40; i++) {
			runTo("usertrap");
			if (hart().csr(CSR.scause) === 8n && hart().register(17) === 16n) break;
		}
		expect(follow(2500, [], "swtch")).toBeGreaterThan(1500);
	});

	test("the way into a program leads through exec and the file system", () => {
		machine.restore(booted);
		machine.console.write(utf8("ls\n"));
		runTo("exec");
		const outer = unwind(symbols, hart().pc, context())
			.frames.slice(1)
			.map(({ pc }) => pc);
		expect(outer.map((pc) => nameAt(pc - 1n))).toEqual(["sys_exec", "syscall", "usertrap"]);
		expect(follow(2500, outer, "swtch")).toBeGreaterThan(1500);
	});

	test("an interrupt of the kernel leads on to what it interrupted", () => {
		machine.restore(booted);
		machine.console.write(utf8("grep the README\n"));
		let inside: readonly bigint[] = [];
		// Most ticks come in the scheduler's loop; some within a call.
		for (let i = 0; i < 60 && inside.length < 3; i++) {
			runTo("kernelvec");
			inside = unwind(symbols, hart().csr(CSR.sepc) ?? 0n, context()).frames.map(({ pc }) => pc);
		}
		expect(inside.length).toBeGreaterThan(1);
		const entered = hart().register(2);
		const before = unwind(symbols, hart().pc, context());
		expect(before.frames[1]).toMatchObject({ interrupted: true, pc: inside[0] });
		expect(before.frames[1]?.context.register(10)).toBe(hart().register(10));
		expect(before.frames[1]?.context.register(2)).toBe(entered);
		expect(follow(400, inside, "swtch")).toBeGreaterThan(100);
	});

	test("a process that was switched out returns from swtch", () => {
		machine.restore(booted);
		machine.console.write(utf8("echo hello\n"));
		runTo("swtch");
		// swtch(old, new): what `new` holds is a stack that returns.
		const saved = Number(hart().register(11));
		const word = (index: number) => memory.big(saved + 8 * index);
		const registers = new Map(
			[[1, 0], [2, 1], ...Array.from({ length: 12 }, (_, i) => [i < 2 ? 8 + i : 16 + i, 2 + i] as const)].map(
				([register, index]) => [register as number, word(index as number)],
			),
		);
		const { frames } = unwind(
			symbols,
			word(0) ?? 0n,
			{ register: (index) => registers.get(index), memory: read },
			{ returned: true },
		);
		expect(frames.map(({ place }) => place.symbol)).toEqual(
			expect.arrayContaining([expect.stringMatching(/^(scheduler|sched)$/)]),
		);
		expect(frames.length).toBeGreaterThan(1);
	});

	test("no more frames than were asked for", () => {
		machine.restore(booted);
		machine.console.write(utf8("ls\n"));
		runTo("exec");
		const all = unwind(symbols, hart().pc, context()).frames;
		expect(all).toHaveLength(4);
		expect(unwind(symbols, hart().pc, context(), { most: 2 }).frames.map(({ pc }) => pc)).toEqual(
			all.slice(0, 2).map(({ pc }) => pc),
		);
	});
});

describe("a small program on paper", () => {
	const base = 0x80000000n;
	const size = 0x100;
	const code = assemble(
		`
	start: jal main
	1: j 1b
	.org 0x80000020
	main: jal middle
	ret
	.org 0x80000040
	middle: jalr ra, 0(t0)
	sd t1, 0(s1)
	ret
	.org 0x80000060
	leaf: sd t1, 0(s1)
	ret
	.org 0x80000080
	nocfi: .word 0
	.org 0x800000a0
	end: nop`,
		base,
	);
	const at = (name: string) => Number(code.symbols.get(name));
	/** 16 bytes of the stack each, ra in the upper word, s0 below. */
	const frame = bytes().u8(0x0e, 16, 0x81, 1, 0x88, 2);
	const names = ["start", "main", "middle", "leaf", "nocfi", "end"];
	const program = (described: readonly string[], more: { entry?: number; program?: Bytes } = {}) => {
		const frames = cie({ initial: bytes().u8(0x0c, 2, 0) });
		for (const name of described) frames.raw(fde(0, at(name), 0x20, more.program ?? frame).list);
		const section = (name: string): [string, Bytes] => [name, frames];
		const symbols = names
			.slice(0, -1)
			.map((name, i) => ({ name, address: at(name), size: at(names[i + 1] as string) - at(name) }));
		return new ProgramSymbols(
			"paper",
			elfWith({
				code: code.bytes,
				symbols,
				sections: Object.fromEntries([section(".debug_frame")]),
				entry: more.entry ?? at("start"),
			}),
		);
	};
	/** A stack of frames from sp on: saved s0 and return address of each. */
	const stack = (...returns: number[]) => {
		const words = new Map<bigint, bigint>();
		returns.forEach((address, i) => {
			words.set(0x1000n + BigInt(16 * i), 0x9000n + BigInt(i));
			words.set(0x1008n + BigInt(16 * i), BigInt(address));
		});
		const registers: Record<number, bigint> = { 1: 0x77n, 2: 0x1000n, 8: 0x8888n, 10: 5n };
		const context: UnwindContext = { register: (index) => registers[index], memory: (address) => words.get(address) };
		return { words, registers, context };
	};
	const all = ["start", "main", "middle", "leaf"];
	const told = (symbols: ProgramSymbols, pc: number, context: UnwindContext, options = {}) =>
		unwind(symbols, BigInt(pc), context, options).frames.map(
			({ place, at }) => `${place.symbol}+${at - Number(base) - (place.address - Number(base) - (place.offset ?? 0))}`,
		);

	test("its calls end at its entry", () => {
		const { context } = stack(at("middle") + 4, at("main") + 4, at("start") + 4, 0x1234);
		expect(told(program(all), at("leaf"), context)).toEqual(["leaf+0", "middle+3", "main+3", "start+3"]);
	});

	test("a frame's own registers are those of its callee's call", () => {
		const { context } = stack(at("middle") + 4, at("main") + 4, at("start") + 4);
		const { frames } = unwind(program(all), BigInt(at("leaf")), context);
		expect(frames.map(({ context: { register } }) => [register(2), register(8), register(1), register(10)])).toEqual([
			[0x1000n, 0x8888n, 0x77n, 5n],
			[0x1010n, 0x9000n, undefined, undefined],
			[0x1020n, 0x9001n, undefined, undefined],
			[0x1030n, 0x9002n, undefined, undefined],
		]);
		expect(frames.map(({ cfa }) => cfa)).toEqual([0x1010n, 0x1020n, 0x1030n, undefined]);
		expect(frames[1]?.context.register(0)).toBe(0n);
		expect(frames.map(({ pc }) => Number(pc - base))).toEqual([0x60, 0x44, 0x24, 4]);
	});

	test.each<[string, number[], string[]]>([
		["a return address of nothing", [0], ["leaf+0"]],
		["a return address outside of the code", [0x1234], ["leaf+0"]],
		["a word that is not there", [], ["leaf+0"]],
		["a return address in code without information or sense", [at("nocfi") + 4], ["leaf+0", "nocfi+3"]],
	])("ends at %s", (_, returns, expected) => {
		expect(told(program(all), at("leaf"), stack(...returns).context)).toEqual(expected);
	});

	test("ends where a frame does not lie above the last one", () => {
		const { context } = stack(at("middle") + 4, at("main") + 4, at("start") + 4);
		const none = program(all, { program: bytes().u8(0x81, 1) });
		const { registers } = stack();
		registers[1] = BigInt(at("middle") + 4);
		// Every frame has the same address: the second one is damage.
		const same = unwind(none, BigInt(at("leaf")), {
			register: (index) => registers[index],
			memory: () => BigInt(at("middle") + 4),
		});
		expect(same.frames.length).toBeLessThan(3);
		expect(told(program(all), at("leaf"), context)).toHaveLength(4);
	});

	test("ends after 64 frames of a function that calls itself", () => {
		const returns = Array.from({ length: 100 }, () => at("middle") + 4);
		expect(told(program(all), at("leaf"), stack(...returns).context)).toHaveLength(64);
	});

	test("a main that nobody calls is the end: the kernel's is entered by mret", () => {
		const called = stack(at("main") + 4, at("start") + 4, 0x1234);
		const entry = { entry: at("nocfi") };
		expect(told(program(all, entry), at("middle"), called.context)).toEqual(["middle+0", "main+3", "start+3"]);
		// The word before that return address calls something else.
		const left = stack(at("main") + 4, at("leaf") + 4, 0x1234);
		expect(told(program(all, entry), at("middle"), left.context)).toEqual(["middle+0", "main+3"]);
	});

	test("a thread that begins, or a call that returns", () => {
		const { context } = stack(at("main") + 4, at("start") + 4);
		// It "returns" to the first byte of a function that nobody called.
		expect(told(program(all), at("middle"), context, { returned: true })).toEqual(["middle+0", "main+3", "start+3"]);
		expect(told(program(all), at("middle") + 4, context, { returned: true })).toEqual([
			"middle+3",
			"main+3",
			"start+3",
		]);
		expect(told(program(all), at("middle") + 4, context)).toEqual(["middle+4", "main+3", "start+3"]);
	});

	test("code that runs elsewhere than it was linked is found by its link, and leads nowhere below", () => {
		const far = 0x3ffffff000n;
		const link = (pc: bigint) => (pc >= far ? pc - far + base : pc);
		const { context } = stack(at("middle") + 4, at("main") + 4, at("start") + 4);
		expect(told(program(all), Number(far) + 0x60, context, { link })).toEqual([
			"leaf+0",
			"middle+3",
			"main+3",
			"start+3",
		]);
		const below = stack(Number(far) + 0x44, at("main") + 4);
		expect(told(program(all), at("leaf"), below.context, { link })).toEqual(["leaf+0"]);
	});

	test("without call-frame information a call's stub returns by ra, and other code goes along frame pointers", () => {
		const { context, registers, words } = stack();
		registers[1] = BigInt(at("main") + 4);
		expect(told(program(["start", "main"]), at("leaf"), context).slice(0, 2)).toEqual(["leaf+0", "main+3"]);
		// The word before s0 is the return address, the one before that the caller's s0.
		const bare = new ProgramSymbols(
			"bare",
			elfWith({
				code: new Uint8Array(size),
				entry: 0,
				symbols: [{ name: "data", address: Number(base), size, type: 1 }],
			}),
		);
		registers[8] = 0x2010n;
		words
			.set(0x2008n, base + 0x44n)
			.set(0x2000n, 0x2030n)
			.set(0x2028n, base + 0x24n)
			.set(0x2020n, 0n);
		const { frames } = unwind(bare, base + 0x60n, context);
		expect(frames.map(({ pc, cfa }) => [pc - base, cfa])).toEqual([
			[0x60n, 0x2010n],
			[0x44n, 0x2030n],
			[0x24n, undefined].map((value, i) => (i === 1 ? frames[2]?.cfa : value)),
		]);
		registers[8] = 0x2011n;
		expect(unwind(bare, base + 0x60n, context).frames).toHaveLength(1);
	});

	test("an address of no symbol has no stack", () => {
		expect(unwind(program(all), 0x1234n, stack().context).frames).toEqual([]);
		expect(new ElfFile(elfWith({ code: code.bytes })).symbols).toEqual([]);
	});
});
