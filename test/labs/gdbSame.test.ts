import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { BuildSession } from "../../src/build/session.ts";
import { MemoryTree } from "../../src/common/sourceTree.ts";
import { Contexts } from "../../src/debugger/contexts.ts";
import { stackOf } from "../../src/debugger/stack.ts";
import { numberOf } from "../../src/debugger/values.ts";
import { loadCore } from "../../src/env/node/core.ts";
import { openToolchains } from "../../src/env/node/toolchains.ts";
import { Machine } from "../../src/machine/machine.ts";
import { catalog, repository } from "../support/lab.ts";
import { Random } from "../support/random.ts";

/** The debugger beside gdb, where one is: the same stops, calls and values at random moments of usertests. FULL=1: 1,000 of them; GDB=N,SEED: N of each build, other ones. */
const gdb = ["gdb-multiarch", "riscv64-unknown-elf-gdb"].find((name) => spawnSync(name, ["--version"]).status === 0);
const [asked, seed = 0] = (process.env.GDB ?? "").split(",").map(Number);
const stops = process.env.FULL ? 500 : Math.max(asked ?? 0, 50);
const mostFrames = 5;
const mostInstructions = 2_000_000_000;
/** After the first stop: what is not reached by then is another kind of program's. */
const soon = 50_000_000;
const functions =
	"kalloc kfree walk mappages uvmunmap bread brelse iget fork wait exit sched readi namex syscall copyin copyout memmove allocproc freeproc sleep wakeup begin_op end_op argint dirlookup".split(
		" ",
	);

let boot: ChildProcess | undefined;
afterEach(() => boot?.kill());

interface Stop {
	readonly pc: bigint;
	readonly calls: readonly string[];
	readonly values: ReadonlyMap<string, bigint>;
}

interface Plan {
	readonly address: number;
	/** Hits that are passed before the one that stops. */
	readonly ignore: number;
}

function runTo(machine: Machine, { address, ignore }: Plan, most: number): boolean {
	let left = ignore;
	const point = machine.addBreakpoint(BigInt(address), { when: () => left-- <= 0 });
	try {
		const end = machine.instret + most;
		while (machine.instret < end) {
			const { kind } = machine.run(end - machine.instret, { pass: [0] });
			if (kind === "breakpoint") return true;
			if (kind !== "budget" && kind !== "waiting") return false;
		}
		return false;
	} finally {
		point.dispose();
	}
}

/** What the debugger says of a machine that stands in the kernel. */
function seen(contexts: Contexts): Stop {
	const frames = stackOf(contexts, contexts.threadOn(0), mostFrames).filter(({ kind }) => kind === "function");
	const [top] = frames;
	const values = new Map<string, bigint>();
	const info = top?.symbols?.info;
	if (top?.function && info)
		for (const local of info.localsOf(top.function, top.at)) {
			const location = local.locate(top.context);
			const { context, space, at } = top;
			const value = numberOf({ type: local.type, space, location, context, info, at });
			if (value !== undefined && !values.has(local.name)) values.set(local.name, value);
		}
	return { pc: top?.pc ?? 0n, calls: frames.map(({ name }) => name), values };
}

/** Of gdb's answers to one stop: pc, frames of `bt`, and `info args`, `info locals`. */
function parsed(text: string): Stop {
	const pc = BigInt(/PC (0x[0-9a-f]+)/.exec(text)?.[1] ?? "0");
	const calls = [...text.matchAll(/^#\d+ +(?:0x[0-9a-f]+ in )?([\w.]+) \(/gm)].map((match) => match[1] as string);
	const values = new Map<string, bigint>();
	for (const [, name, value] of text.matchAll(/^(\w+) = (?:\([^)]*\) )?(0x[0-9a-f]+|-?\d+)(?: .*)?$/gm))
		values.set(name as string, BigInt(value as string));
	return { pc, calls, values };
}

// Minutes on a busy machine: in the whole run, and by GDB=1.
test.skipIf(!gdb || !(process.env.FULL || process.env.GDB)).each([
	["as built", false],
	["-O0", true],
])("the same stops, calls and values as gdb at random moments of usertests, %s", async (_name, unoptimized) => {
	const { toolchain, wasi, dispose } = await openToolchains({ kind: "bundled" });
	const folder = mkdtempSync(join(tmpdir(), "xv6-gdb-same-"));
	try {
		const tree = new MemoryTree("tree", await catalog.workspace("hw5-anonymous-mmap", "3b"));
		const { output } = await new BuildSession().build({ tree, toolchain, wasi, unoptimized });
		if (!output) throw new Error("not built");
		writeFileSync(join(folder, "kernel"), output.kernel);
		writeFileSync(join(folder, "fs.img"), output.disk);

		const options = { kernel: output.kernel, disk: output.disk.slice(), harts: 1, jit: "on" } as const;
		const core = await loadCore();
		const first = await Machine.create(options, { core });
		while (first.run(100_000_000, { stopWhenWaiting: true }).kind === "budget");
		first.console.write(new TextEncoder().encode("usertests -q\n"));
		writeFileSync(join(folder, "input.json"), first.inputLog.serialize());
		const replay = [...first.inputLog.records];
		first.dispose();
		const machine = await Machine.create({ ...options, disk: output.disk.slice() }, { core, replay });
		const contexts = new Contexts(machine, output.kernel, new Map());

		const random = new Random((unoptimized ? 2 : 1) + 2 * seed);
		const { info } = contexts.kernel;
		const ours: Stop[] = [];
		const plans: Plan[] = [];
		for (let tries = 0; ours.length < stops && tries < 20 * stops; tries++) {
			const name = functions[Number(random.u64() % BigInt(functions.length))] as string;
			// The third exec is that of usertests: init and the shell came before.
			const address = info?.functionStart(tries === 0 ? "exec" : name);
			if (address === undefined) continue;
			const plan = { address, ignore: tries === 0 ? 2 : Number(random.u64() % 30n) };
			const before = machine.snapshot();
			if (runTo(machine, plan, tries === 0 ? mostInstructions : soon)) {
				plans.push(plan);
				ours.push(seen(contexts));
			} else machine.restore(before);
		}
		machine.dispose();
		expect(ours.length).toBe(stops);

		const port = await serve(folder);
		const script = [
			"set pagination off",
			"set confirm off",
			"set print frame-arguments none",
			`target remote 127.0.0.1:${port}`,
		];
		for (const { address, ignore } of plans)
			script.push(
				`break *0x${address.toString(16)}`,
				`ignore $bpnum ${ignore}`,
				"continue",
				"delete",
				"echo \\n@@STOP\\n",
				'printf "PC 0x%lx\\n", $pc',
				`bt ${mostFrames}`,
				"info args",
				"info locals",
			);
		script.push("kill");
		const file = join(folder, "script");
		writeFileSync(file, `${script.join("\n")}\n`);
		const args = ["-nx", "-batch", "-x", file, join(folder, "kernel")];
		const said = spawnSync(gdb as string, args, { encoding: "utf8", timeout: 500_000, maxBuffer: 1 << 28 });
		const theirs = said.stdout.split("@@STOP").slice(1).map(parsed);
		expect(theirs.length, said.stderr.slice(-500)).toBe(stops);
		let compared = 0;
		for (const [i, our] of ours.entries()) {
			const their = theirs[i] as Stop;
			const where = `stop ${i}, ${our.calls[0]}`;
			expect(`${where}: ${their.pc.toString(16)}`).toBe(`${where}: ${our.pc.toString(16)}`);
			// gdb knows the kernel only: it ends where the program's calls would begin.
			const shared = their.calls.slice(0, our.calls.length);
			expect(`${where}: ${our.calls.slice(0, shared.length)}`).toBe(`${where}: ${shared}`);
			for (const [name, value] of their.values) {
				const mine = our.values.get(name);
				if (mine === undefined && !unoptimized) continue;
				compared++;
				const same = mine !== undefined && BigInt.asUintN(64, mine) === BigInt.asUintN(64, value);
				const narrow = mine !== undefined && BigInt.asUintN(32, mine) === BigInt.asUintN(32, value);
				expect(`${where}: ${name} ${same || narrow ? value : mine}`).toBe(`${where}: ${name} ${value}`);
			}
		}
		console.log(`${stops} stops, ${compared} values compared`);
		expect(compared).toBeGreaterThan(stops / 2);
	} finally {
		dispose();
		rmSync(folder, { recursive: true, force: true });
	}
});

function serve(folder: string): Promise<string> {
	const args = [
		join(repository, "dist/cli/xv6-lab.mjs"),
		"boot",
		"--kernel",
		join(folder, "kernel"),
		"--disk",
		join(folder, "fs.img"),
	];
	args.push("--harts", "1", "--gdb", "0", "--wait", "--replay", join(folder, "input.json"));
	boot = spawn(process.execPath, args, { stdio: ["pipe", "ignore", "pipe"] });
	let said = "";
	return new Promise((resolve, reject) => {
		boot?.stderr?.on("data", (bytes: Buffer) => {
			said += bytes.toString();
			const port = /127\.0\.0\.1:(\d+)/.exec(said)?.[1];
			if (port) resolve(port);
		});
		boot?.on("exit", () => reject(new Error(said)));
	});
}
