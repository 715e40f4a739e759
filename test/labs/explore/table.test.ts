import { afterAll, expect, test } from "vitest";
import { breathe, explorableMachine } from "../../../src/cli/machine.ts";
import { ProgramSymbols } from "../../../src/debuginfo/symbolizer.ts";
import { explore, exploreSchedule } from "../../../src/explore/explore.ts";
import { type Strategy, search } from "../../../src/explore/search.ts";
import { build, closeToolchains } from "../../support/lab.ts";
import { bugs, kernelOf, planted } from "./corpus.ts";

afterAll(closeToolchains);

const strategies: readonly Strategy[] = ["random", "sharing", "racing", "mixed"];
const schedules = Number(process.env.SCHEDULES ?? 200);
const compiler = process.env.COMPILER === "host" ? "host" : "bundled";
const only = new RegExp(process.env.BUGS ?? ".");

/** The table of docs/concurrency.md: schedules to the first failure by strategy. FULL=1 [SCHEDULES=N] [BUGS=REGEXP] [COMPILER=host]. */
test.skipIf(process.env.FULL !== "1")(
	"schedules to the first failure, by strategy",
	{ timeout: 36_000_000 },
	async () => {
		const rows: string[] = [];
		for (const bug of bugs) {
			if (!only.test(bug.name)) continue;
			const output = await build(planted(await kernelOf(bug.lab), bug), compiler);
			const kernel = new ProgramSymbols("kernel", output.kernel);
			const command = `racer ${bug.works}`;
			const watched = await explorableMachine(output, { harts: 3, translator: true }, true);
			const request = { kernel, command, schedule: exploreSchedule(0), breathe };
			const seen = await explore({ ...request, machine: watched, sites: true, budget: 60_000_000 });
			watched.dispose();
			const named = seen.findings.some(
				({ kind, variable }) => bug.kind.split("|").includes(kind) && bug.variable.test(variable),
			);
			const cells: string[] = [];
			for (const strategy of strategies) {
				if (strategy === "racing" && seen.sites.racing.length === 0) {
					cells.push("no race");
					continue;
				}
				const machine = await explorableMachine(output, { harts: 3, translator: true }, false);
				const before = process.cpuUsage();
				const judge = ({ output: text }: { readonly output: string }) =>
					text.includes("racer OK") ? undefined : "output";
				const { sites } = seen;
				const found = await search({ ...request, machine, sites, schedules, strategy, judge });
				const { user, system } = process.cpuUsage(before);
				const harm = found.harm ? `, \`${found.harm.text}\`` : "";
				cells.push(
					`${found.first ?? "–"} (${((user + system) / 1000 / Math.max(1, found.schedules)).toFixed(0)} ms)${harm}`,
				);
				machine.dispose();
			}
			rows.push(`| ${bug.name} | ${named ? bug.kind : "not named"} | ${cells.join(" | ")} |`);
			process.stdout.write(`${rows.at(-1)}\n`);
		}
		process.stdout.write(
			`\n| bug | one detectors' run | ${strategies.join(" | ")} |\n|${" --- |".repeat(2 + strategies.length)}\n${rows.join("\n")}\n`,
		);
		expect(rows.length).toBeGreaterThan(0);
	},
);
