import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { breathe } from "../../../src/cli/machine.ts";
import { ProgramSymbols } from "../../../src/debuginfo/symbolizer.ts";
import { loadCore, loadWatchCore } from "../../../src/env/node/core.ts";
import { type Exploration, explore, exploreSchedule } from "../../../src/explore/explore.ts";
import { renderFindings } from "../../../src/explore/report.ts";
import { budgets } from "../../../src/session/budgets.ts";
import { Shell } from "../../../src/session/shell.ts";
import { machineFor } from "../../../src/worker/compose.ts";
import { build, closeToolchains } from "../../support/lab.ts";
import { bugs, kernelOf, planted } from "./corpus.ts";

/** What a wrong kernel may take before it is given up, several times what a sound one takes. */
const budget = 60_000_000;
/** A boot takes some 500 million; one that hangs is watched three times up to here. */
const bootBudget = 1_000_000_000;

let watchCore: WebAssembly.Module;
beforeAll(async () => {
	watchCore = await loadWatchCore();
});
afterAll(closeToolchains);

async function watched(
	files: ReadonlyMap<string, Uint8Array>,
	command: string,
	{ harts = 3, seed = 0, most = budget } = {},
): Promise<Exploration> {
	const output = await build(files);
	const { machine } = await machineFor(watchCore, output, { harts, translator: false }, undefined, true);
	try {
		const kernel = new ProgramSymbols("kernel", output.kernel);
		return await explore({
			machine,
			kernel,
			command,
			schedule: exploreSchedule(seed),
			breathe,
			budget: most,
			bootBudget,
		});
	} finally {
		machine.dispose();
	}
}

/** In the gate those whose kernel boots, and of each detector one; FULL=1: all. A boot that hangs takes minutes under the detectors. */
const inGate = new Set([
	"allocpid without pid_lock",
	"kalloc releases between reading and moving the head",
	"piperead drops the lock between check and sleep",
	"fork takes wait_lock with the child's lock held",
	"uptime returns with the lock held",
	"munmap without the family's lock",
	"the shared page without its lock",
]);
const tried = bugs.filter(({ name }) => process.env.FULL === "1" || inGate.has(name));

describe("one run names a planted bug", () => {
	test.each(tried)("$name", async (bug) => {
		const { findings } = await watched(planted(await kernelOf(bug.lab), bug), `racer ${bug.works}`);
		const report = renderFindings(findings);
		const found = findings.filter(
			({ kind, variable }) => bug.kind.split("|").includes(kind) && bug.variable.test(variable),
		);
		expect(found.length, report).toBeGreaterThan(0);
		if (bug.places) {
			const places = found.map(({ places: both }) => both.map(({ stack }) => stack[0]?.function).sort());
			expect(places, report).toContainEqual([...bug.places].sort());
		}
		for (const { places } of found) {
			for (const { does, stack } of places) {
				// A return to user mode and the use of a stale mapping are at no line of the kernel.
				if (["return", "use"].includes(does)) continue;
				expect(stack[0]?.function, report).toBeTruthy();
				// clang gives some instructions no line.
				expect(stack[0]?.line ?? 1, report).toBeGreaterThan(0);
			}
		}
	});
});

describe("a sound kernel", () => {
	test.each([
		{ lab: "hw5", harts: 3 },
		{ lab: "cs", harts: 3 },
	] as const)("of $lab on $harts harts has no report", async ({ lab, harts }) => {
		const { end, output, findings } = await watched(await kernelOf(lab), "racer", { harts, most: 2_000_000_000 });
		expect(end.kind, output).toBe("prompt");
		expect(output).toContain("racer OK");
		expect(renderFindings(findings)).toBe("");
	});
});

test("a watched run ends in the state that it ends in unwatched", async () => {
	const files = await kernelOf("hw5");
	const output = await build(files);
	for (const seed of [0, 7]) {
		const seen = await watched(files, "racer pipes pids", { seed });
		const { machine } = await machineFor(await loadCore(), output, { harts: 3, translator: true });
		const shell = Shell.on(machine, { breathe });
		expect((await shell.waitForPrompt(budgets.boot)).kind).toBe("prompt");
		machine.setSchedule(exploreSchedule(seed));
		await shell.run("racer pipes pids", budget);
		expect(machine.stateHash()).toBe(seen.stateHash);
		shell.dispose();
		machine.dispose();
	}
});
