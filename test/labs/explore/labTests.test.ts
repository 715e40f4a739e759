import { afterAll, expect, test } from "vitest";
import { breathe, explorableMachine } from "../../../src/cli/machine.ts";
import { fromUtf8, utf8 } from "../../../src/common/bytes.ts";
import { ProgramSymbols } from "../../../src/debuginfo/symbolizer.ts";
import { explore, exploreSchedule } from "../../../src/explore/explore.ts";
import { LabExplorer } from "../../../src/explore/labTests.ts";
import { findTest } from "../../../src/lab/runner.ts";
import { build, catalog, closeToolchains } from "../../support/lab.ts";

afterAll(closeToolchains);

const lab = "hw5-anonymous-mmap";
const params = { harts: 3, translator: true };

/** The solved lab on a small computer, which boots soon. */
async function small(main: (text: string) => string) {
	const files = new Map(await catalog.workspace(lab, "3b"));
	const change = (path: string, by: (text: string) => string) =>
		files.set(path, utf8(by(fromUtf8(files.get(path) as Uint8Array))));
	change("kernel/memlayout.h", (text) => text.replace("128*1024*1024", "4*1024*1024"));
	change("kernel/main.c", main);
	const output = await build(files);
	const kernel = new ProgramSymbols("kernel", output.kernel);
	const manifest = await catalog.manifest(lab);
	const createMachine = (watch: boolean) => explorableMachine(output, params, watch);
	return { kernel, manifest, createMachine, explorer: new LabExplorer({ kernel, manifest, createMachine, breathe }) };
}

test("a lab's tests one after the other are what each is alone, on a watched machine that booted itself", async () => {
	const { kernel, manifest, createMachine, explorer } = await small((text) => text);
	try {
		for (const id of ["prodcons1", "prodcons3"]) {
			const labTest = findTest(manifest, id);
			const found = await explorer.explore(labTest, 2);
			expect(found).toMatchObject({ reasons: [], reports: [], schedules: 2 });
			const command = labTest.command ?? labTest.program;
			const itself = { createMachine: () => createMachine(true) };
			const alone = await explore({ ...itself, kernel, command, schedule: exploreSchedule(0), breathe });
			expect([found.stateHash, found.instructions]).toEqual([alone.stateHash, alone.instructions]);
		}
	} finally {
		explorer.dispose();
	}
});

test("of a kernel that does not boot nothing is said", async () => {
	const { manifest, explorer } = await small((text) => text.replace("scheduler();", 'panic("no scheduler");'));
	const found = await explorer.explore(findTest(manifest, "prodcons1"), 2);
	expect(found).toMatchObject({ reasons: [], reports: [], schedules: 0, stateHash: "" });
	explorer.dispose();
});
