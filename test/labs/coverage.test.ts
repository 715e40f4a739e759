import { afterAll, expect, test } from "vitest";
import { BuildSession } from "../../src/build/session.ts";
import type { BuildOutput } from "../../src/build/types.ts";
import { breathe, createCountingMachine, createMachine } from "../../src/cli/machine.ts";
import { utf8 } from "../../src/common/bytes.ts";
import { MemoryTree } from "../../src/common/sourceTree.ts";
import { ProgramSymbols } from "../../src/debuginfo/symbolizer.ts";
import { openToolchains } from "../../src/env/node/toolchains.ts";
import { Coverage, type Marks } from "../../src/lab/coverage/coverage.ts";
import { ProgramCode } from "../../src/lab/coverage/programCode.ts";
import { Ran } from "../../src/machine/executed.ts";
import type { Machine } from "../../src/machine/machine.ts";
import type { CoverageReport } from "../../src/protocol/coverage.ts";
import { Shell } from "../../src/session/shell.ts";
import { catalog } from "../support/lab.ts";

/** FULL=1: more commands. */
const commands =
	process.env.FULL === undefined ? ["echo hi"] : ["echo hi", "cat README", "echo a | cat", "usertests unlinkopen"];
const budget = 2_000_000_000;
const page = 4096n;
const stvec = 0x105;

const tools = await openToolchains({ kind: "bundled" });
afterAll(() => tools.dispose());

async function buildTree(unoptimized: boolean): Promise<BuildOutput> {
	const tree = new MemoryTree("tree", await catalog.workspace("hw5-anonymous-mmap", "3b"));
	const { output } = await new BuildSession().build({ tree, ...tools, unoptimized });
	if (!output) throw new Error("not built");
	return output;
}

async function booted(machine: Machine): Promise<Machine> {
	const shell = Shell.on(machine, { breathe });
	expect((await shell.waitForPrompt(budget)).kind).toBe("prompt");
	shell.dispose();
	return machine;
}

/** Marks by looking at the machine before and after each single step of its one hart. */
class Stepper {
	private readonly codes: readonly ProgramCode[];
	private readonly trampoline: number;
	private readonly marks: Marks;
	private known: { readonly page: bigint; readonly root: bigint | undefined; readonly program: number } | undefined;

	constructor(
		private readonly machine: Machine,
		build: BuildOutput,
		coverage: Coverage,
	) {
		const kernel = new ProgramSymbols("kernel", build.kernel);
		this.trampoline = kernel.symbol("trampoline") as number;
		const programs = build.programs.map(({ name, elf }) => new ProgramSymbols(name, elf));
		this.codes = [kernel, ...programs].map((symbols) => new ProgramCode(symbols));
		this.marks = coverage.marks();
	}

	run(steps: number): Marks {
		const { machine } = this;
		const hart = machine.harts[0];
		if (!hart) throw new Error("no hart");
		let handler: bigint | undefined;
		let unfetched = false;
		const traps = machine.onTrap(({ interrupt, cause }) => {
			if (interrupt) handler = hart.csr(stvec);
			else unfetched = cause === 12;
		});
		for (let i = 0; i < steps; i++) {
			handler = undefined;
			unfetched = false;
			const before = hart.pc;
			machine.run(1);
			if (unfetched) continue;
			const pc = handler ?? before;
			this.mark(pc, hart.pc);
		}
		traps.dispose();
		return this.marks;
	}

	private mark(pc: bigint, next: bigint): void {
		const program = this.programAt(pc);
		const code = this.codes[program];
		if (!code) return;
		const high = pc > 0x3f_0000_0000n;
		const address = high ? this.trampoline + Number(pc % page) : Number(pc);
		const at = code.halfWord(address);
		if (at === undefined) return;
		const piece = code.pieces.find((one) => at >= one.at && at < one.at + one.bytes.length / 2);
		const low = piece?.bytes[2 * (at - piece.at)] as number;
		const length = (low & 3) === 3 ? 4n : 2n;
		const way = next === pc + length ? Ran.passed : Ran.taken;
		const marks = this.marks[program] as Uint8Array;
		marks[at] = (marks[at] as number) | Ran.executed | way;
	}

	/** Whose code the page is: the kernel's, or that of the program whose text is there now. */
	private programAt(pc: bigint): number {
		const { machine } = this;
		if (pc >= 0x8000_0000n) return 0;
		const root = machine.spaceOf(0);
		const at = pc - (pc % page);
		if (this.known?.page === at && this.known.root === root) return this.known.program;
		const physical = root === undefined ? undefined : machine.translate(root, at);
		const offset = Number((physical ?? 0n) - machine.memory.base);
		const content = machine.memory.bytes().slice(offset, offset + Number(page));
		const program = this.codes.findIndex((code, i) => {
			const first = i === 0 ? undefined : code.halfWord(Number(at));
			const piece = code.pieces.find((one) => one.at === first);
			return piece?.bytes.every((byte, n) => byte === content[piece.offset + n]) === true;
		});
		this.known = { page: at, root, program };
		return program;
	}
}

function linesOf({ files }: CoverageReport): Set<string> {
	return new Set(
		files.flatMap(({ file, lines }) => lines.flatMap(({ line, executed }) => (executed ? [`${file}:${line}`] : []))),
	);
}

function waysOf({ files }: CoverageReport): Set<string> {
	return new Set(
		files.flatMap(({ file, jumps }) =>
			jumps.flatMap(({ line, taken, passed }, i) => [
				...(taken ? [`${file}:${line} ${i} taken`] : []),
				...(passed ? [`${file}:${line} ${i} passed`] : []),
			]),
		),
	);
}

const differing = (a: ReadonlySet<string>, b: ReadonlySet<string>) => [
	...[...a].filter((one) => !b.has(one)).map((one) => `only counted: ${one}`),
	...[...b].filter((one) => !a.has(one)).map((one) => `only stepped: ${one}`),
];

test.each([
	["optimized", false],
	["-O0", true],
])("lines and jumps, %s, are those of an exact count by single steps", async (_, unoptimized) => {
	const output = await buildTree(unoptimized);
	const coverage = new Coverage(output);
	const params = { harts: 1, seed: 0, translator: false };
	const { machine: counting } = await createCountingMachine(output, params);
	const { machine: stepping } = await createMachine(output, params);
	await booted(counting);
	// Stepping begins at the prompt: the translator gets there ten times as soon.
	const { machine: translated } = await createMachine(output, { ...params, translator: true });
	stepping.restore((await booted(translated)).snapshot());
	translated.dispose();
	expect(counting.stateHash()).toBe(stepping.stateHash());
	for (const command of commands) {
		counting.executed?.forget();
		const start = counting.instret;
		const shell = Shell.on(counting, { breathe });
		expect((await shell.run(command, budget)).end.kind).toBe("prompt");
		shell.dispose();
		const counted = coverage.marks();
		coverage.add(counted, counting.executed?.pages() ?? []);
		stepping.console.write(utf8(`${command}\n`));
		const stepped = new Stepper(stepping, output, coverage).run(counting.instret - start);
		expect(stepping.stateHash()).toBe(counting.stateHash());
		const reports = [coverage.report(counted), coverage.report(stepped)] as const;
		const lines = differing(linesOf(reports[0]), linesOf(reports[1]));
		const ways = differing(waysOf(reports[0]), waysOf(reports[1]));
		const [all, allWays] = [linesOf(reports[1]).size, waysOf(reports[1]).size];
		console.log(
			`${command}: ${counting.instret - start} steps, ${all} lines (${lines.length} differ), ${allWays} ways of jumps (${ways.length} differ)`,
		);
		expect(all).toBeGreaterThan(300);
		expect(lines.length / all, lines.join("\n")).toBeLessThan(0.005);
		expect(ways.length / allWays, ways.join("\n")).toBeLessThan(0.005);
	}
	counting.dispose();
	stepping.dispose();
});
