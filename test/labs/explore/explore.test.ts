import { afterAll, describe, expect, test } from "vitest";
import { breathe, explorableMachine } from "../../../src/cli/machine.ts";
import { fromUtf8, utf8 } from "../../../src/common/bytes.ts";
import { ProgramSymbols } from "../../../src/debuginfo/symbolizer.ts";
import { loadCore } from "../../../src/env/node/core.ts";
import { type Exploration, explore, exploreSchedule } from "../../../src/explore/explore.ts";
import { type Frame, renderFindings } from "../../../src/explore/report.ts";
import { budgets } from "../../../src/session/budgets.ts";
import { Shell } from "../../../src/session/shell.ts";
import { machineFor } from "../../../src/worker/compose.ts";
import { build, closeToolchains } from "../../support/lab.ts";
import { bugs, kernelOf, planted } from "./corpus.ts";

/** What a wrong kernel may take before it is given up, several times what a sound one takes. */
const budget = 60_000_000;
/** A boot takes some 500 million; one that hangs is watched three times up to here. */
const bootBudget = 1_000_000_000;

afterAll(closeToolchains);

interface Watch {
	readonly harts?: number;
	readonly seed?: number;
	readonly most?: number;
	/** The machine that runs the command boots, too. */
	readonly alone?: boolean;
}

/** Without a command the boot. */
async function watched(
	files: ReadonlyMap<string, Uint8Array>,
	command: string | undefined,
	{ harts = 3, seed = 0, most = budget, alone = false }: Watch = {},
): Promise<Exploration> {
	const output = await build(files);
	const createMachine = (watch: boolean) => explorableMachine(output, { harts, translator: true }, watch || alone);
	const kernel = new ProgramSymbols("kernel", output.kernel);
	const schedule = exploreSchedule(seed);
	return explore({ createMachine, kernel, command, schedule, breathe, budget: most, bootBudget });
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

function withoutAddress(frame: Frame | undefined): string | undefined {
	return frame?.function.replace(/ at 0x[0-9a-f]+$/, "");
}

describe("one run names a planted bug", () => {
	test.each(tried)("$name", async (bug) => {
		const { findings } = await watched(planted(await kernelOf(bug.lab), bug), `racer ${bug.works}`);
		const report = renderFindings(findings);
		const found = findings.filter(
			({ kind, variable }) => bug.kind.split("|").includes(kind) && bug.variable.test(variable),
		);
		expect(found.length, report).toBeGreaterThan(0);
		if (bug.places instanceof RegExp) expect(found[0]?.why).toMatch(bug.places);
		else {
			const places = found.map(({ places: both }) => both.map(({ stack }) => withoutAddress(stack[0])).sort());
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

/** How the harts of a boot wait for the first one. */
describe("a boot", () => {
	const ours = {
		store: "__atomic_store_n(&started, 1, __ATOMIC_RELEASE);",
		wait: "while(__atomic_load_n(&started, __ATOMIC_ACQUIRE) == 0)\n      ;",
	};
	const fences = {
		store: "__sync_synchronize();\n    started = 1;",
		wait: "while(started == 0)\n      ;\n    __sync_synchronize();",
	};
	const bootOf = async ({ store, wait }: typeof ours, options: Watch = {}) => {
		const files = new Map(await kernelOf("hw5"));
		const main = fromUtf8(files.get("kernel/main.c") as Uint8Array);
		// The boot of a small computer is a short one.
		const layout = fromUtf8(files.get("kernel/memlayout.h") as Uint8Array);
		files.set("kernel/memlayout.h", utf8(layout.replace("128*1024*1024", "4*1024*1024")));
		files.set("kernel/main.c", utf8(main.replace(ours.store, () => store).replace(ours.wait, () => wait)));
		const { end, findings } = await watched(files, undefined, options);
		return { end, findings };
	};

	test.each([
		["release and acquire", 3, ours],
		["fences", 3, fences],
		["fences", 8, fences],
	] as const)("by %s on %i harts has no report", async (_, harts, by) => {
		const { end, findings } = await bootOf(by, { harts });
		expect(end.kind).toBe("prompt");
		expect(renderFindings(findings)).toBe("");
	});

	test.each([
		["the first hart has no fence", { ...fences, store: "started = 1;" }],
		["the others have no fence", { ...fences, wait: "while(started == 0)\n      ;" }],
	] as const)("where %s is a race", async (_, by) => {
		const { findings } = await bootOf(by);
		const places = findings
			.filter(({ kind, variable }) => kind === "race" && variable === "kernel_pagetable")
			.map(({ places: both }) => both.map(({ stack }) => stack[0]?.function).sort());
		expect(places, renderFindings(findings)).toContainEqual(["kvminit", "kvminithart"]);
	});
});

test("who boots changes nothing: findings, end and state are the same, of a boot that panics, too", async () => {
	const files = new Map(await kernelOf("hw5"));
	const edit = (path: string, from: string, to: string) => {
		const text = fromUtf8(files.get(path) as Uint8Array);
		expect(text.split(from).length).toBe(2);
		files.set(path, utf8(text.replace(from, () => to)));
	};
	edit("kernel/memlayout.h", "128*1024*1024", "4*1024*1024");
	edit("kernel/proc.c", "  acquire(&pid_lock);\n", "");
	edit("kernel/proc.c", "  release(&pid_lock);\n", "");
	for (const panics of [false, true]) {
		if (panics) edit("kernel/main.c", "scheduler();", 'panic("no scheduler");');
		const [one, other] = [await watched(files, "racer pids"), await watched(files, "racer pids", { alone: true })];
		expect(one.findings.length > 0).toBe(!panics);
		expect({ ...one, findings: renderFindings(one.findings) }).toEqual({
			...other,
			findings: renderFindings(other.findings),
		});
	}
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
