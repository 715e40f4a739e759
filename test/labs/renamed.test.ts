import { afterAll, expect, test } from "vitest";
import { breathe, createMachine, observe } from "../../src/cli/machine.ts";
import type { FaultEntry, KernelModel } from "../../src/protocol/kernelModel.ts";
import { Shell } from "../../src/session/shell.ts";
import { build, catalog, closeToolchains, judgeOutput } from "../support/lab.ts";

afterAll(closeToolchains);

const lab = "hw5-anonymous-mmap";
const budget = 20_000_000_000;

/** The lab's solution with other names in its kernel; names of files stay. */
async function renamed(names: Readonly<Record<string, string>>, step = "3b"): Promise<Map<string, Uint8Array>> {
	const words = new RegExp(`(?<!\\.h|["/\\w])\\b(${Object.keys(names).join("|")})\\b(?!\\.[chS]\\b)`, "g");
	const files = new Map(await catalog.workspace(lab, step));
	for (const [path, bytes] of files) {
		if (!/^kernel\/.*\.[chS]$/.test(path)) continue;
		const text = new TextDecoder().decode(bytes);
		const changed = text.replace(words, (word) => names[word] as string);
		files.set(path, new TextEncoder().encode(changed));
	}
	return files;
}

/** What the inspector shows of such a kernel after prodcons3, with the shell waiting. */
async function look(names: Readonly<Record<string, string>>) {
	const output = await build(await renamed(names));
	const { machine } = await createMachine(output, { harts: 1, translator: true });
	const shell = Shell.on(machine, { breathe });
	const view = observe(machine, output, await catalog.manifest(lab));
	try {
		expect((await shell.waitForPrompt(budget)).kind).toBe("prompt");
		expect((await shell.run("prodcons3", budget)).output).toContain("total = 2048");
		const model = view.model();
		const shellSpace = model.spaces.findLast(({ pid }) => pid > 0);
		return { model, walk: view.walk(shellSpace?.pid ?? -1, "0x0") };
	} finally {
		view.dispose();
		shell.dispose();
		machine.dispose();
	}
}

const faults = (model: KernelModel) => model.log.filter((entry): entry is FaultEntry => entry.type === "fault");
const noteOf = (model: KernelModel, panel: keyof KernelModel["notes"]) => (model.notes[panel] ?? []).join("\n");
const lists = {
	kmem: "pool",
	freelist: "chain",
	kernel_pagetable: "kernel_root",
	syscalls: "handlers",
	panicked: "given_up",
};
const process = { proc: "task", cpus: "cores" };

test("a kernel whose `proc` has another name: page tables, frames and faults as hardware shows them", async () => {
	const { model, walk } = await look(process);
	expect(noteOf(model, "processes")).toMatch(/no array `proc`[\s\S]*no array `cpus`/);
	expect(noteOf(model, "address-space")).toContain("Without `proc`");
	expect(noteOf(model, "faults")).toContain("Without `proc`");
	expect(noteOf(model, "findings")).toContain("Without `proc`");
	// init and the shell, whose tables are alive; prodcons3's are gone.
	expect(model.processes.map(({ name }) => name)).toEqual(["?", "?"]);
	const user = model.spaces.filter(({ pid }) => pid > 0);
	for (const { ranges } of user) {
		expect(ranges.some(({ permissions, present }) => permissions === "r-xu" && present > 0)).toBe(true);
		expect(ranges.at(-1)?.kind).toBe("trampoline");
	}
	expect(walk?.result).toMatch(/frame|0x8/);
	expect(model.frames.counts["."]).toBeGreaterThan(20_000);
	expect(model.frames.counts.L).toBeUndefined();
	expect(faults(model).filter(({ outcome }) => outcome === "mapped").length).toBe(3);
	expect(faults(model).map(({ outcome }) => outcome)).not.toContain("open");
	expect(model.findings).toEqual([]);
});

test("a kernel whose lists have other names: processes, spaces and frames are whole, calls say what they lack", async () => {
	const { model } = await look(lists);
	expect(model.processes.map(({ name }) => name)).toEqual(["init", "sh"]);
	expect(model.notes.processes ?? []).toEqual([]);
	expect(noteOf(model, "frames")).not.toContain("free frames");
	expect(noteOf(model, "address-space")).toContain("`kernel_pagetable`");
	expect(noteOf(model, "faults")).toContain("`syscalls`");
	expect(noteOf(model, "findings")).toContain("`panicked`");
	expect(model.spaces.map(({ pid }) => pid)).toEqual([0, 1, 2]);
	// The list of free frames is known by what it is.
	expect(model.frames.counts["."]).toBeGreaterThan(20_000);
	expect(faults(model).some(({ region, outcome }) => region !== undefined && outcome === "mapped")).toBe(true);
	expect(model.findings).toEqual([]);
});

test("a kernel in which nothing has its name", async () => {
	const { model, walk } = await look({ ...process, ...lists });
	for (const panel of ["processes", "address-space", "faults", "findings"] as const)
		expect(noteOf(model, panel)).not.toBe("");
	expect(model.spaces.length).toBeGreaterThan(1);
	expect(walk?.result).toMatch(/frame|0x8/);
	expect(faults(model).some(({ outcome }) => outcome === "mapped")).toBe(true);
	expect(model.findings).toEqual([]);
});

const regions = { mmr: "area", mmr_family: "kin", mmr_node: "kin_node", mmr_list: "kin_list", listid: "kin_number" };

/** The members of struct proc in another order: each name keeps its type. */
function reordered(files: Map<string, Uint8Array>): Map<string, Uint8Array> {
	const text = new TextDecoder().decode(files.get("kernel/proc.h"));
	const changed = text.replace(
		/(struct proc \{\n)([\s\S]*?)(\n\};)/,
		(_, open: string, body: string, close: string) => {
			const members = body.split("\n").filter((line) => /;/.test(line));
			return `${open}${members.reverse().join("\n")}${close}`;
		},
	);
	expect(changed).not.toBe(text);
	return new Map(files).set("kernel/proc.h", new TextEncoder().encode(changed));
}

test.each([
	["3b", "passed"],
	["2b", "failed"],
])(
	"solution %s with other names of its regions, and struct proc in another order: prodcons3 %s",
	async (step, wanted) => {
		const files = reordered(await renamed(regions, step));
		const manifest = await catalog.manifest(lab);
		const tests = manifest.tests.filter(({ program }) => program === "prodcons3");
		const verdicts = await judgeOutput(await build(files), manifest, { harts: 3, tests, files });
		expect(verdicts.length).toBeGreaterThan(0);
		for (const { outcome, reasons } of verdicts)
			expect(outcome === "passed" ? "passed" : "failed", reasons.map(({ message }) => message).join("; ")).toBe(wanted);
	},
);
