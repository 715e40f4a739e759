import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { afterAll, expect, test } from "vitest";
import type { BuildOutput } from "../../../src/build/types.ts";
import { breathe, createMachine, explorableMachine } from "../../../src/cli/machine.ts";
import { ProgramSymbols } from "../../../src/debuginfo/symbolizer.ts";
import { Bench } from "../../../src/explore/bench.ts";
import { type Exploration, exploreOn, exploreSchedule } from "../../../src/explore/explore.ts";
import { type Strategy, searchOn } from "../../../src/explore/search.ts";
import { build, closeToolchains } from "../../support/lab.ts";
import { type Bug, bugs, kernelOf, planted } from "./corpus.ts";

/**
 * The table and the figures of docs/concurrency.md: schedules to the first failure by strategy, what one run names, how long a schedule's
 * text is, what the detectors cost. FULL=1 [SCHEDULES=N] [BUGS=REGEXP] [STRATEGIES=random,mixed] [COMPILER=host] [ROWS=FILE]: rows that are in
 * FILE are not run again.
 */
const strategies = (process.env.STRATEGIES?.split(",") ?? [
	"random",
	"priority",
	"sharing",
	"racing",
	"mixed",
]) as readonly Strategy[];
const schedules = Number(process.env.SCHEDULES ?? 200);
const compiler = process.env.COMPILER === "host" ? "host" : "bundled";
const only = new RegExp(process.env.BUGS ?? ".");
const harts = 3;
const budget = 60_000_000;
const judge = ({ output }: { readonly output: string }) => (output.includes("racer OK") ? undefined : "output");

afterAll(closeToolchains);

function cpuMs(since?: NodeJS.CpuUsage): number {
	const { user, system } = process.cpuUsage(since);
	return (user + system) / 1000;
}

type Kind = "watched" | "plain" | "interpreter";

async function benchOf(output: BuildOutput, kernel: ProgramSymbols, kind: Kind) {
	const machine =
		kind === "interpreter"
			? (await createMachine(output, { harts, translator: false })).machine
			: await explorableMachine(output, { harts, translator: true }, kind === "watched");
	const booted = await Bench.boot({ machine, kernel, breathe, bootBudget: 1_000_000_000 });
	return {
		...booted,
		dispose: () => {
			booted.bench.dispose();
			machine.dispose();
		},
	};
}

async function seenBy(output: BuildOutput, kernel: ProgramSymbols, command: string): Promise<Exploration> {
	const { bench, end, dispose } = await benchOf(output, kernel, "watched");
	try {
		return await exploreOn(bench, end, { kernel, command, schedule: exploreSchedule(0), sites: true, budget });
	} finally {
		dispose();
	}
}

interface Cell {
	readonly strategy: Strategy;
	/** Number of the first schedule that failed; undefined: none did. */
	readonly first?: number;
	readonly note?: string;
	readonly text?: string;
	readonly ms?: number;
}

interface Row {
	readonly name: string;
	readonly says: string;
	readonly isNamed: boolean;
	readonly cells: readonly Cell[];
}

async function rowOf(bug: Bug): Promise<Row> {
	const output = await build(planted(await kernelOf(bug.lab), bug), compiler);
	const kernel = new ProgramSymbols("kernel", output.kernel);
	const command = `racer ${bug.works}`;
	const { findings, sites, end: watchedEnd } = await seenBy(output, kernel, command);
	const isNamed = findings.some(
		({ kind, variable }) => bug.kind.split("|").includes(kind) && bug.variable.test(variable),
	);
	const { bench, end, dispose } = await benchOf(output, kernel, "plain");
	const cells: Cell[] = [];
	for (const strategy of strategies) {
		if (end.kind !== "prompt") {
			cells.push({ strategy, note: "boot fails", first: 0 });
			continue;
		}
		const places = { racing: sites.racing, sharing: sites.sharing }[strategy as string];
		if (places?.length === 0) {
			cells.push({ strategy, note: "no place" });
			continue;
		}
		const before = process.cpuUsage();
		const {
			first,
			harm,
			schedules: done,
		} = await searchOn(bench, {
			kernel,
			command,
			sites,
			schedules,
			strategy,
			judge,
		});
		const ms = cpuMs(before) / Math.max(1, done);
		cells.push({ strategy, ms, ...(first === undefined ? {} : { first }), ...(harm ? { text: harm.text } : {}) });
	}
	dispose();
	return { name: bug.name, says: isNamed ? bug.kind : `not named (${watchedEnd.kind})`, isNamed, cells };
}

test.skipIf(process.env.FULL !== "1")(
	"schedules to the first failure, by strategy",
	{ timeout: 36_000_000 },
	async () => {
		const file = process.env.ROWS;
		const kept = file && existsSync(file) ? readFileSync(file, "utf8").trim().split("\n") : [];
		const rows = kept.map((line) => JSON.parse(line) as Row);
		for (const bug of bugs.filter(({ name }) => only.test(name) && !rows.some((row) => row.name === name))) {
			const row = await rowOf(bug);
			rows.push(row);
			process.stdout.write(`${JSON.stringify(row)}\n`);
			if (file) appendFileSync(file, `${JSON.stringify(row)}\n`);
		}
		const cell = ({ first, note, ms }: Cell) => note ?? `${first ?? "–"} (${ms?.toFixed(0)} ms)`;
		const lines = rows.map(({ name, says, cells }) => `| ${[name, says, ...cells.map(cell)].join(" | ")} |`);
		const head = `| bug | one detectors' run | ${strategies.join(" | ")} |\n|${" --- |".repeat(2 + strategies.length)}`;
		const sums = strategies.map((strategy) => {
			const failed = rows.filter(({ cells }) =>
				cells.some((one) => one.strategy === strategy && one.first !== undefined),
			);
			return `${strategy} ${failed.length}`;
		});
		const lengths = rows.flatMap(({ cells }) => cells.flatMap(({ text }) => text?.length ?? [])).sort((a, b) => a - b);
		const named = rows.filter(({ isNamed }) => isNamed).length;
		process.stdout.write(
			`\n${head}\n${lines.join("\n")}\n\nnamed: ${named} of ${rows.length}; made to fail within ${schedules}: ${sums.join(", ")}; median length of a schedule's text: ${lengths[lengths.length >> 1]}, longest ${lengths.at(-1)}\n`,
		);
		expect(rows.length).toBeGreaterThan(0);
	},
);

/** Both in one process, one after the other: the ratio does not depend on the machine's load. */
test.skipIf(process.env.FULL !== "1")("what the detectors cost", { timeout: 3_600_000 }, async () => {
	const output = await build(await kernelOf("hw5"), compiler);
	const kernel = new ProgramSymbols("kernel", output.kernel);
	const schedule = exploreSchedule(0);
	const times: { plain: number; watched: number; instructions: number }[] = [];
	const plain = await benchOf(output, kernel, "interpreter");
	const watched = await benchOf(output, kernel, "watched");
	for (const command of ["racer", "racer pipes", "racer exits", "racer"]) {
		let before = process.cpuUsage();
		const { instructions } = await plain.bench.run(command, schedule);
		const alone = cpuMs(before);
		before = process.cpuUsage();
		const seen = await exploreOn(watched.bench, watched.end, { kernel, command, schedule });
		times.push({ plain: alone, watched: cpuMs(before), instructions });
		expect(seen.instructions).toBe(instructions);
		expect(seen.findings).toEqual([]);
	}
	for (const { plain: alone, watched: seen, instructions } of times)
		process.stdout.write(
			`${(instructions / 1e6).toFixed(0)} M instructions: interpreter ${alone.toFixed(0)} ms, detectors ${seen.toFixed(0)} ms, ${(seen / alone).toFixed(2)} times\n`,
		);
	plain.dispose();
	watched.dispose();
});

/** No schedule of a sound kernel fails. CLEAN=N of each strategy, of each small program. */
test.skipIf(process.env.FULL !== "1")("a sound kernel by many schedules", { timeout: 36_000_000 }, async () => {
	const many = Number(process.env.CLEAN ?? 100);
	const output = await build(await kernelOf("hw5"), compiler);
	const kernel = new ProgramSymbols("kernel", output.kernel);
	const { bench, dispose } = await benchOf(output, kernel, "plain");
	for (const work of ["pids", "mem", "pingpong", "exits", "kills", "dups", "pipes", "family"]) {
		const command = `racer ${work}`;
		const { sites, findings } = await seenBy(output, kernel, command);
		expect(findings).toEqual([]);
		for (const strategy of ["random", "priority", "sharing"] as const) {
			const before = process.cpuUsage();
			const { harm, schedules: done } = await searchOn(bench, {
				kernel,
				command,
				sites,
				schedules: many,
				strategy,
				judge,
			});
			process.stdout.write(
				`${command}, ${strategy}: ${done} schedules, ${harm ? `${harm.failure.kind} by ${harm.text}` : "none failed"}, ${(cpuMs(before) / done).toFixed(0)} ms each\n`,
			);
			expect.soft(harm?.text).toBeUndefined();
		}
	}
	dispose();
});
