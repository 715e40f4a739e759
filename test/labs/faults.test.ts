import { afterAll, expect, test } from "vitest";
import type { BuildOutput } from "../../src/build/types.ts";
import { breathe, createMachine, observe } from "../../src/cli/machine.ts";
import { fromUtf8, utf8 } from "../../src/common/bytes.ts";
import { MemoryTree } from "../../src/common/sourceTree.ts";
import { crashSweep } from "../../src/lab/faults/crash.ts";
import { type Fault, kallocOf, type Sweep } from "../../src/lab/faults/fault.ts";
import { timerAt } from "../../src/lab/faults/irq.ts";
import { groupRuns, renderSweep } from "../../src/lab/faults/report.ts";
import { sweep } from "../../src/lab/faults/sweep.ts";
import { runFaultTests } from "../../src/lab/faults/tests.ts";
import { SLICE_LENGTH } from "../../src/machine/core/layout.ts";
import type { Machine } from "../../src/machine/machine.ts";
import type { Instructions } from "../../src/machine/types.ts";
import { Shell } from "../../src/session/shell.ts";
import { build, catalog, closeToolchains } from "../support/lab.ts";

afterAll(closeToolchains);

const full = process.env.FULL !== undefined;
const budget = 20_000_000_000;
const lab = "hw5-anonymous-mmap";
const solution = "3b";
/** Code of scause; the CSR and its bit SIE. */
const supervisorTimer = 5;
const sstatus = 0x100;
const supervisorInterrupts = 2n;

/** The solution, with one place of one file changed. */
async function kernel(path?: string, from = "", to = ""): Promise<BuildOutput> {
	const files = await catalog.workspace(lab, solution);
	if (path !== undefined) {
		const text = fromUtf8(files.get(path) as Uint8Array);
		expect(text.split(from).length, `${path} has this once: ${from}`).toBe(2);
		files.set(path, utf8(text.replace(from, to)));
	}
	return build(files);
}

/** Work of as many plain runs, each judged as a faulty one is, and of a sweep. */
interface Measured {
	plain: Work;
	sweep: Work;
}

/** Work of the guest and of this process: only the first is the same on a busy computer. */
interface Work {
	readonly instructions: Instructions;
	readonly cpuMs: number;
}

/** What was done from one call of the returned function to the next. A restore takes a machine's own count back, so each run is counted. */
function workOf(machine: Machine): () => Work {
	let instructions = 0;
	const run = machine.run.bind(machine);
	machine.run = (...args) => {
		const before = machine.instret;
		try {
			return run(...args);
		} finally {
			instructions += machine.instret - before;
		}
	};
	let last = { instructions: 0, cpuMs: process.cpuUsage().user / 1000 };
	return () => {
		const now = { instructions, cpuMs: process.cpuUsage().user / 1000 };
		const since = { instructions: now.instructions - last.instructions, cpuMs: now.cpuMs - last.cpuMs };
		last = now;
		return since;
	};
}

async function withFault(output: BuildOutput, command: string, fault: Fault, measured?: Measured): Promise<Sweep> {
	const params = { harts: 1, seed: 0, translator: true };
	const another = async () => (await createMachine(output, params)).machine;
	const machine = await another();
	const shell = Shell.on(machine, { breathe });
	const view = observe(machine, output, undefined);
	try {
		expect((await shell.waitForPrompt(budget)).kind).toBe("prompt");
		const common = { machine, shell, fault, command, budget };
		if (fault.kind === "crash") return await crashSweep({ ...common, another, breathe });
		const request = { ...common, view, kalloc: kallocOf(output.kernel), file: () => undefined };
		if (!measured) return await sweep(request);
		// Once before, so that both are measured with everything translated.
		const { total } = await sweep(request);
		const ready = machine.snapshot();
		const work = workOf(machine);
		for (let i = 0; i < total; i++) {
			machine.restore(ready);
			view.begin();
			expect((await shell.run(command, budget)).end.kind).toBe("prompt");
			view.findings();
		}
		measured.plain = work();
		machine.restore(ready);
		const made = await sweep(request);
		measured.sweep = work();
		return made;
	} finally {
		view.dispose();
		shell.dispose();
		machine.dispose();
	}
}

const all = (kind: Fault["kind"]): Fault => ({ kind, at: "all" });
const bad = (made: Sweep) => groupRuns(made.runs).filter(({ runs }) => runs[0].outcome !== "handled");

test("our kernel stands every fault, and a sweep costs no more than plain runs", async () => {
	const output = await kernel();
	const none = { instructions: 0, cpuMs: 0 };
	const measured: Measured = { plain: none, sweep: none };
	const made = await withFault(output, "prodcons3", all("kalloc"), measured);
	expect(bad(made), renderSweep(made)).toEqual([]);
	expect(made.runs.length).toBe(made.total);
	expect(made.total).toBeGreaterThan(20);
	const { plain, sweep } = measured;
	const told = ({ instructions, cpuMs }: Work) =>
		`${(instructions / 1e6).toFixed(0)} M instructions in ${cpuMs.toFixed(0)} ms`;
	console.log(`${made.total} runs: ${told(plain)} plain, ${told(sweep)} with faults`);
	// A faulty run waits until the processes that it left behind have gone: idle instructions, which cost little.
	expect(sweep.instructions / plain.instructions).toBeLessThan(2);
	if (full) expect(sweep.cpuMs / plain.cpuMs).toBeLessThan(1.3);
	const crashed = await withFault(output, "mkdir d", all("crash"));
	expect(bad(crashed), renderSweep(crashed)).toEqual([]);
	expect(crashed.total).toBeGreaterThan(5);
	const asked = await withFault(output, "wc README", all("disk"));
	expect(asked.total).toBeGreaterThan(3);
	expect(bad(asked), renderSweep(asked)).toEqual([]);
	expect(asked.runs.every(({ what }) => /^the driver panicked: virtio_disk_intr/.test(what))).toBe(true);
});

test("a system call that does not check kalloc: the panic, and which call failed", async () => {
	const output = await kernel("kernel/pipe.c", "  if(pi){\n", "  if(1){\n");
	const made = await withFault(output, "echo a | cat", all("kalloc"));
	const [group, ...others] = bad(made);
	expect(others).toEqual([]);
	const [run] = group?.runs ?? [];
	expect(run?.outcome).toBe("failed");
	expect(run?.what).toMatch(/^the kernel panicked/);
	expect(run?.calls.map(({ name }) => name).slice(0, 3)).toEqual(["newpipe", "pipealloc", "sys_pipe"]);
	expect(run?.calls[0]?.file).toBe("kernel/pipe.c");
	expect(run?.diagnoses[0]?.kind).toBe("kernel-fault");
	// The same once more, alone, and to the letter.
	const alone = await withFault(output, "echo a | cat", { kind: "kalloc", at: run?.at as number });
	expect(alone.runs).toEqual([run]);
});

test("a leak on the error path: how many frames, of what kind", async () => {
	const failing = "PTE_FLAGS(pte) & ~PTE_V) != 0){\n";
	const output = await kernel("kernel/vm.c", `${failing}    kfree(mem);\n`, failing);
	const made = await withFault(output, "echo hi", all("kalloc"));
	const groups = bad(made);
	expect(groups.length).toBeGreaterThan(0);
	for (const { runs } of groups) {
		expect(runs[0].what).toMatch(/lost/);
		expect(runs[0].calls.map(({ name }) => name)).toContain("copypage");
		expect(runs[0].diagnoses.map(({ kind }) => kind)).toContain("lost-memory");
	}
	expect(made.runs.filter(({ outcome }) => outcome === "handled").length).toBeGreaterThan(10);
});

test("a log whose header is written too late does not survive a crash", async () => {
	const output = await kernel("kernel/log.c", "  write_head();\n  install_trans();\n", "  install_trans();\n");
	const made = await withFault(output, "mkdir d", all("crash"));
	const groups = bad(made);
	expect(groups.length).toBeGreaterThan(0);
	expect(groups[0]?.runs[0].what).toMatch(/^the file system is damaged after the next boot/);
});

test("a driver that does not look at the status: nobody notices", async () => {
	const output = await kernel("kernel/virtio_disk.c", "if(r->status != 0)", "if(0)");
	const made = await withFault(output, "mkdir d", all("disk"));
	expect(
		made.runs.some(({ outcome, what }) => outcome === "failed" && /^nobody noticed/.test(what)),
		renderSweep(made),
	).toBe(true);
});

test("tests of a lab with faults are verdicts of the kernel", async () => {
	for (const [id, step] of full
		? ([
				[lab, solution],
				["cs326-shared-page", "1"],
				["cs326-shared-page", "2"],
			] as const)
		: ([[lab, solution]] as const)) {
		const files = await catalog.workspace(id, step);
		const output = await build(files);
		const manifest = await catalog.manifest(id);
		const verdicts = await runFaultTests({
			manifest,
			tests: full
				? manifest.tests.filter((one) => !/usertests|forktest|stress/.test(one.command ?? one.program))
				: manifest.tests.slice(0, 1),
			fault: all("kalloc"),
			harts: 3,
			seed: 0,
			tree: new MemoryTree("tree", files),
			kalloc: kallocOf(output.kernel),
			createMachine: async () => (await createMachine(output, { harts: 3, seed: 0, translator: true })).machine,
			observe: (machine) => observe(machine, output, manifest),
			breathe,
			onVerdict: ({ title, outcome }, made) => console.log(`${title}: ${made?.total} calls, ${outcome}`),
		});
		const wrong = verdicts.filter(({ outcome }) => outcome === "failed" || outcome === "errored");
		expect(wrong.map(({ title, actual }) => `${title}\n${actual}`)).toEqual([]);
		expect(verdicts.some(({ outcome }) => outcome === "passed")).toBe(true);
	}
});

test("--irq: the timer's interrupt comes right before the instruction that was asked for, or when interrupts are on", async () => {
	const output = await kernel();
	const { machine } = await createMachine(output, { harts: 1, seed: 0, translator: true });
	const shell = Shell.on(machine, { breathe });
	expect((await shell.waitForPrompt(budget)).kind).toBe("prompt");
	const ready = machine.snapshot();
	const begin = machine.instret;
	const taken: { readonly pc: bigint; readonly steps: number }[] = [];
	const listening = machine.onTrap(({ interrupt, cause, pc, instret }) => {
		if (interrupt && cause === supervisorTimer) taken.push({ pc, steps: instret - begin });
	});
	// Moments of the same run without it, with interrupts on and off.
	machine.setSchedule({ kind: "directed", slice: SLICE_LENGTH, decisions: [] });
	machine.console.write(utf8("prodcons1\n"));
	const [on, off]: [number[], number[]] = [[], []];
	while (machine.instret < begin + 4_000_000) {
		machine.run(997);
		const [hart] = machine.harts;
		const isOn = ((hart?.csr(sstatus) ?? 0n) & supervisorInterrupts) !== 0n;
		const open = hart?.mode === 0 || (hart?.mode === 1 && isOn);
		if (hart?.waiting === false) (open ? on : off).push(machine.instret - begin);
	}
	expect([on.length, off.length].every((count) => count > 2)).toBe(true);
	const some = (list: readonly number[]) => [0.1, 0.5, 0.9].map((part) => list[Math.floor(part * list.length)] ?? 0);
	for (const at of [...some(on), ...some(off)]) {
		machine.restore(ready);
		const { hart, pc } = await timerAt(machine, "prodcons1", at, { breathe });
		expect(hart).toBe(0);
		expect(machine.instret).toBe(begin);
		taken.length = 0;
		const { end, output: said } = await shell.run("prodcons1", budget);
		expect([end.kind, said]).toEqual(["prompt", "total = 55\n"]);
		const first = taken.find(({ steps }) => steps >= at);
		if (on.includes(at)) expect(first).toEqual({ steps: at, pc });
		else expect(first?.steps).toBeGreaterThan(at);
		// The same once more is the same run.
		const hash = machine.stateHash();
		machine.restore(ready);
		await timerAt(machine, "prodcons1", at, { breathe });
		await shell.run("prodcons1", budget);
		expect(machine.stateHash()).toBe(hash);
	}
	listening.dispose();
	shell.dispose();
	machine.dispose();
});
