import { afterAll, expect, test } from "vitest";
import { breathe, createMachine, observe } from "../../src/cli/machine.ts";
import { Shell } from "../../src/session/shell.ts";
import { build, catalog, closeToolchains } from "../support/lab.ts";
import { progTree } from "../support/progTree.ts";

afterAll(closeToolchains);

const enough = 200_000_000_000;
/** Looks of the shell, 200,000 instructions each, between two whole moments that are examined; those at faults and calls come on top. */
const looksPerMoment = 97;

interface Run {
	readonly lab?: string;
	readonly solution?: string;
	readonly harts: number;
	readonly command: string;
}

const runs: readonly Run[] = [
	...[1, 3, 8].map((harts) => ({ harts, command: "usertests" })),
	{ lab: "hw5-anonymous-mmap", solution: "3b", harts: 8, command: "prodcons3" },
	{ lab: "cs326-shared-page", solution: "1", harts: 1, command: "shmtests nomunmap" },
	{ lab: "cs326-shared-page", solution: "1", harts: 8, command: "shmtests anywhere" },
];

test.each(runs)(
	"nothing to find in a correct kernel, $harts harts: $command",
	async ({ lab, solution, harts, command }) => {
		const output = await build(await catalog.workspace(lab, solution));
		const { machine } = await createMachine(output, { harts, translator: true });
		const manifest = lab === undefined ? undefined : await catalog.manifest(lab);
		let view: ReturnType<typeof observe> | undefined;
		let looks = 0;
		const shell = Shell.on(machine, {
			breathe: async () => {
				if (view && ++looks % looksPerMoment === 0) expect(view.findings()).toEqual([]);
				await breathe();
			},
		});
		try {
			expect((await shell.waitForPrompt(enough)).kind).toBe("prompt");
			view = observe(machine, output, manifest);
			const { end, output: said } = await shell.run(command, enough);
			expect(end.kind, said.slice(-2000)).toBe("prompt");
			expect(said).toMatch(/ALL TESTS PASSED\s*$|(nomunmap|anywhere): OK\s*$|total = 2048\s*$/);
			const model = view.model();
			expect(model.findings).toEqual([]);
			expect(model.frames.counts.L ?? 0).toBe(0);
			expect(model.log.length).toBeGreaterThan(0);
		} finally {
			view?.dispose();
			shell.dispose();
			machine.dispose();
		}
	},
);

/** Memory that kinit keeps, with a pointer to its first frame only. */
const kept = (from: string, pages: number) =>
	`char *kept;\n\nvoid\nkinit(void)\n{\n  kept = ${from};\n  memset(kept, 7, ${pages} * PGSIZE);\n`;

test.each([
	["a table after the kernel's image", kept("end", 300), "freerange(end + 300 * PGSIZE, (void*)PHYSTOP)"],
	["a heap at the end of memory", kept("(char*)PHYSTOP - 16 * PGSIZE", 16), "freerange(end, kept)"],
])("nothing to find in %s that kinit keeps, only in what is lost later", async (_, keep, free) => {
	const files = await progTree(
		[
			["kernel/kalloc.c", "void\nkinit(void)\n{\n", keep],
			["kernel/kalloc.c", "freerange(end, (void*)PHYSTOP)", free],
			["kernel/sysproc.c", "  uint now = ticks;\n", "  kalloc();\n  uint now = ticks;\n"],
		],
		"uptime();",
	);
	const output = await build(files);
	const { machine } = await createMachine(output, { harts: 1, translator: true });
	const view = observe(machine, output, undefined);
	const shell = Shell.on(machine, { breathe });
	try {
		expect((await shell.waitForPrompt(enough)).kind).toBe("prompt");
		expect(view.model().findings).toEqual([]);
		view.begin();
		expect((await shell.run("echo hi", enough)).end.kind).toBe("prompt");
		expect(view.model().findings).toEqual([]);
		expect((await shell.run("prog", enough)).end.kind).toBe("prompt");
		expect(view.model().findings).toMatchObject([{ id: "frame-leaked" }]);
		expect(view.model().frames.counts.L).toBe(1);
	} finally {
		view.dispose();
		shell.dispose();
		machine.dispose();
	}
});

test("before kinit has freed memory, nothing is told of what it is used for", async () => {
	const output = await build(await catalog.workspace(undefined));
	const { machine } = await createMachine(output, { harts: 1, translator: true });
	const view = observe(machine, output, undefined);
	try {
		const booting = [0, 20_000, 1_000_000].map((steps) => {
			machine.run(steps);
			return view.model().frames.uses.length;
		});
		expect(Math.max(...booting)).toBeLessThan(2000);
	} finally {
		view.dispose();
		machine.dispose();
	}
});
