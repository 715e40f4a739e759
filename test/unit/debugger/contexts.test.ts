import { afterEach, describe, expect, test } from "vitest";
import { Contexts, type Thread } from "../../../src/debugger/contexts.ts";
import type { Machine } from "../../../src/machine/machine.ts";
import { boot } from "../../support/guest.ts";
import { type Age, ages } from "../../support/kernelAges.ts";
import { array, char, PaperKernel, pointer, struct, uint64 } from "../../support/paperKernel.ts";

/** Processes, harts and registers of kernels of several years, laid out by hand in a real machine's memory. */
const trapframe = struct("trapframe", {
	kernel_satp: uint64,
	kernel_sp: uint64,
	kernel_trap: uint64,
	epc: uint64,
	ra: uint64,
	sp: uint64,
	a0: uint64,
});
const frame = 0x80040000;
const [user, kernel] = [0x80050000, 0x80060000];

let machine: Machine;
afterEach(() => machine.dispose());

async function load(age: Age, fill: (paper: PaperKernel, at: (path: string) => number) => void): Promise<Contexts> {
	const variables = {
		...{ proc: array(age.proc, 4), [age.cpus]: array(age.cpu, 2), kernel_pagetable: pointer() },
		...{ stack0: array(char, 8192), frame: trapframe },
	};
	const paper = new PaperKernel(variables, { pages: 128 });
	fill(paper, (path) => paper.at(path));
	({ machine } = await boot({ kernel: paper.elf, harts: 2 }));
	machine.memory.write(paper.physical.base, new Uint8Array(paper.ram.buffer));
	return new Contexts(machine, paper.elf, new Map());
}

const frameMember = ({ proc }: Age) => (proc.members?.has("trapframe") ? "trapframe" : "tf");

describe.each(ages)("a kernel of $year", (age) => {
	const running = age.sleeping + 2;
	const fill = (paper: PaperKernel) => {
		paper.set("proc[0].state", age.sleeping).set("proc[0].pid", 1).set("proc[0].name", "init");
		paper.set("proc[0].context.ra", 0x80000123).set("proc[0].context.sp", 0x80041ff0).set("proc[0].context.s0", 7);
		paper.set("proc[0].kstack", 0x80041000).set("proc[0].pagetable", user);
		paper.set("proc[2].state", running).set("proc[2].pid", 30).set("proc[2].name", "a name of 16 ...");
		paper.set("proc[2].parent", paper.at("proc[0]")).set("proc[2].pagetable", user);
		paper.set(`proc[2].${frameMember(age)}`, frame);
		paper.set("proc[3].state", 77).set("proc[3].pid", 31);
		paper.set(`${age.cpus}[1].proc`, paper.at("proc[2]"));
		paper
			.poke(frame + 8, 0x80043000)
			.poke(frame + 24, 0x1234)
			.poke(frame + 32, 0x5678)
			.poke(frame + 48, 42);
	};

	test("has its processes as threads, and the harts that run none", async () => {
		const contexts = await load(age, fill);
		expect(contexts.threads().map(({ id, name, hart }) => [id, name, hart?.id])).toEqual([
			[1, "pid 1 init (sleeping)", undefined],
			[30, "pid 30 a name of 16 ... (running on hart 1)", 1],
			[31, "pid 31 (no name) (state 77)", undefined],
			[1_000_000, "hart 0 (scheduler)", 0],
		]);
		const [init, child] = contexts.processes();
		expect(child && contexts.parentOf(child)?.pid).toBe(1);
		expect(init && contexts.parentOf(init)).toBeUndefined();
		expect([contexts.pidOnHart(0), contexts.pidOnHart(1), contexts.threadOn(1).id, contexts.thread(31)?.id]).toEqual([
			...[0, 30, 30, 31],
		]);
		expect(contexts.thread(32)).toBeUndefined();
	});

	test("has a sleeping process' registers where swtch put them, and no others", async () => {
		const contexts = await load(age, fill);
		const registers = contexts.registers(contexts.thread(1) as Thread);
		expect([registers?.mode, registers?.pc, registers?.interrupted]).toEqual(["kernel", 0x80000123n, false]);
		const register = (index: number) => registers?.context.register(index);
		expect([register(1), register(2), register(8), register(5), register(10)]).toEqual([
			...[0x80000123n, 0x80041ff0n, 7n, undefined, undefined],
		]);
		// Its kernel code sees the program's memory, too.
		expect([registers?.space.name, registers?.space.fallback?.name]).toEqual(["k", "u1"]);
		// One that was never switched away from has none.
		expect(contexts.registers(contexts.thread(31) as Thread)).toBeUndefined();
	});

	test("has a program's registers in its trap frame, and its kernel stack's top there or above the stack", async () => {
		const contexts = await load(age, fill);
		const [init, child] = contexts.processes();
		if (!init || !child) return expect.unreachable();
		const registers = contexts.userRegisters(child);
		const register = (index: number) => registers?.context.register(index);
		expect([registers?.mode, registers?.pc, register(0), register(1), register(10), register(4)]).toEqual([
			...["user", 0x1234n, 0n, 0x5678n, 42n, undefined],
		]);
		expect([contexts.kernelStackTop(child), contexts.kernelStackTop(init), contexts.userRegisters(init)]).toEqual([
			...[0x80043000n, 0x80042000n, undefined],
		]);
	});
});

describe("a hart", () => {
	const [age] = ages as [Age];
	const fill = (paper: PaperKernel) => {
		paper.set("proc[0].state", 3).set("proc[0].pid", 5).set("cpus[0].proc", paper.at("proc[0]"));
		paper.set("cpus[1].proc", 0x1234);
	};

	test("on its boot stack runs its scheduler, whatever cpus[] says; where the stack begins it is not on it yet", async () => {
		let stack = 0n;
		const contexts = await load(age, (paper, at) => {
			fill(paper);
			stack = BigInt(at("stack0"));
		});
		const [hart] = machine.harts;
		for (const [sp, pid] of [
			[stack, 5],
			[stack + 1n, 0],
			[stack + 8192n, 0],
			[stack + 8193n, 5],
		] as const) {
			hart?.setRegister(2, sp);
			expect(contexts.pidOnHart(0), `sp ${sp - stack} above stack0`).toBe(pid);
		}
	});

	test("whose cpus[] entry points to no process runs none", async () => {
		const contexts = await load(age, fill);
		expect(contexts.threadOn(1)).toMatchObject({ id: 1_000_001, process: undefined });
	});
});

describe("the kernel's own memory", () => {
	const [age] = ages as [Age];

	test("is what its page table maps, else what a hart in the kernel uses, else physical", async () => {
		let variable = 0n;
		const contexts = await load(age, (paper, at) => {
			paper.set("kernel_pagetable", kernel);
			variable = BigInt(at("kernel_pagetable"));
		});
		expect(contexts.kernelSpace().root).toBe(BigInt(kernel));
		machine.memory.write(variable, new Uint8Array(8));
		expect(contexts.kernelSpace().root).toBeUndefined();
	});

	test("without debug information is harts, and nothing more", async () => {
		const paper = new PaperKernel({ proc: array(age.proc, 4) }, { debug: false });
		({ machine } = await boot({ kernel: paper.elf, harts: 2 }));
		const contexts = new Contexts(machine, paper.elf, new Map());
		expect([contexts.processes(), contexts.procType(), contexts.trapframeType()]).toEqual([[], undefined, undefined]);
		expect(contexts.threads().map(({ name }) => name)).toEqual(["hart 0 (scheduler)", "hart 1 (scheduler)"]);
		expect(contexts.kernel.problem).toMatch(/without debug information/);
	});
});
