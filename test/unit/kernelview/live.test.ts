import { join } from "node:path";
import { expect, test } from "vitest";
import { utf8 } from "../../../src/common/bytes.ts";
import { KernelView } from "../../../src/kernelview/kernelView.ts";
import { renderTables } from "../../../src/kernelview/tables.ts";
import { Machine } from "../../../src/machine/machine.ts";
import { Shell } from "../../../src/session/shell.ts";
import { coreModule } from "../../support/guest.ts";
import { hw5Regions, programs, recorded } from "./recorded.ts";

const budget = 20_000_000_000;
const golden = join(import.meta.dirname, "../../golden/kernelview");

/** The recorded kernel on our machine, at its prompt. */
async function boot(kernel: string, harts: number) {
	const image = recorded(kernel);
	const machine = await Machine.create(
		{ kernel: image, disk: recorded("disk"), harts, jit: "off" },
		{ core: coreModule() },
	);
	const view = new KernelView(machine, image, programs, { regions: hw5Regions });
	view.attach();
	const shell = Shell.on(machine, { breathe: async () => {} });
	expect((await shell.waitForPrompt(budget)).kind).toBe("prompt");
	return { machine, view, shell };
}

test("the kernel without task 3b: each program's report, and what is wrong with prodcons3", async () => {
	const { machine, view, shell } = await boot("kernel-2b", 1);
	const booted = machine.snapshot();
	for (const program of ["private", "privleak", "prodcons1", "prodcons2", "prodcons3"]) {
		machine.restore(booted);
		view.begin();
		const result = await shell.run(program, budget);
		expect(result.end.kind).toBe("prompt");
		// Guest time changes with the machine's slices; what happened does not.
		const model = view.model();
		const report = renderTables({ ...model, log: model.log.map((entry) => ({ ...entry, instret: 0 })), harts: [] });
		await expect(`${result.output}\n${report}`).toMatchFileSnapshot(join(golden, `2b-${program}.txt`));
		const ids = model.findings.map(({ id }) => id);
		expect(ids).toEqual(program === "prodcons3" ? ["family-frames-differ", "junk-read"] : []);
	}
	const faults = view.faults();
	expect(faults.every(({ file }) => file === "user/common.h")).toBe(true);
	expect(faults.map(({ text }) => text.replace(/frame \d+/, "frame F"))).toContain(
		"6 prodcons3: load 0x3fffffb000 in mapped region (shared, family 0): got frame F",
	);
	const page = view.framesAt(0x3fffffd000n) ?? [];
	expect(new Set(page.map(({ frame }) => frame)).size).toBe(1);
	expect(page.length).toBe(3);
	view.dispose();
	machine.dispose();
});

test.each([1, 3])("the whole solution: nothing to find in any program, %i harts", async (harts) => {
	const { machine, view, shell } = await boot("kernel-3b", harts);
	view.begin();
	const free = view.freeFrames();
	const totals: string[] = [];
	for (const program of ["private", "privleak", "prodcons1", "prodcons2", "prodcons3"]) {
		totals.push((await shell.run(program, budget)).output.trim());
		expect(view.findings()).toEqual([]);
	}
	expect(totals).toEqual(["total = 55", "total = 55", "total = 55", "total = 0", "total = 2048"]);
	expect(view.freeFrames()).toBe(free);
	expect(view.killed()).toEqual([]);
	const shared = view.framesAt(0x3fffffb000n) ?? [];
	expect(new Set(shared.slice(-3).map(({ frame }) => frame)).size).toBe(1);
	view.dispose();
	machine.dispose();
});

test("which hart runs which process, in user mode or in the kernel, and what the others sleep on", async () => {
	const { machine, view, shell } = await boot("kernel-3b", 3);
	const idle = view.model();
	expect(idle.harts.map(({ pid }) => pid)).toEqual([0, 0, 0]);
	expect(idle.processes.map(({ name, sleepsOn }) => `${name} on ${sleepsOn}`)).toEqual([
		"init on proc[0]",
		"sh on cons.r",
	]);
	machine.console.write(utf8("prodcons3\n"));
	const seen = new Set<string>();
	for (let i = 0; i < 500 && seen.size < 2; i++) {
		machine.run(20_000);
		const { harts, processes } = view.model();
		for (const { id, pid, mode, source } of harts) {
			const process = processes.find((candidate) => candidate.pid === pid);
			if (process?.name !== "prodcons3") continue;
			expect(process.hart).toBe(id);
			if (mode === "user") expect(source?.file).toMatch(/^user\//);
			seen.add(mode);
		}
	}
	expect([...seen].sort()).toEqual(["supervisor", "user"]);
	shell.dispose();
	view.dispose();
	machine.dispose();
});
