import { afterAll, expect, test } from "vitest";
import { breathe, explorableMachine } from "../../../src/cli/machine.ts";
import { ProgramSymbols } from "../../../src/debuginfo/symbolizer.ts";
import { explore, exploreSchedule } from "../../../src/explore/explore.ts";
import { renderFindings } from "../../../src/explore/report.ts";
import { build, catalog, closeToolchains } from "../../support/lab.ts";
import { type Bug, planted } from "./corpus.ts";

afterAll(closeToolchains);

/**
 * What a handout says of locks that a solution forgets: the command there, and what one run of it says. (HW5 says of `dealloc_mmr_listid` without
 * its lock that no test finds it: nor does one run of `mmapstress storm`, since other locks order what it does, and locksets are for small variables.)
 */
const claims: readonly {
	readonly says: string;
	readonly id: string;
	readonly step: string;
	readonly lab: Bug["lab"];
	readonly command: string;
	readonly edit: Bug["edit"];
	readonly variable: RegExp;
	readonly functions: readonly RegExp[];
}[] = [
	{
		says: "fork without shmem's lock: explore shmtests storm finds it in one run",
		...{ id: "cs326-shared-page", step: "1", lab: "cs", command: "shmtests storm" },
		edit: [
			"kernel/vm.c",
			"  acquire(&shmem.lock);\n  if(shmempte(old))\n    r = shmementer(new);\n  release(&shmem.lock);\n",
			"  if(shmempte(old))\n    r = shmementer(new);\n",
		],
		variable: /^shmem\.refcount$/,
		functions: [/^shmem/, /^shmem/],
	},
	{
		says: "task 2 without the table's lock: named by the same command",
		...{ id: "cs326-shared-page", step: "2", lab: "cs", command: "shmtests storm", edit: "2-no-lock" },
		variable: /^shmem\.region\[\d+\]\./,
		functions: [/newregion|attach/, /newregion|attach/],
	},
];
const tried = process.env.FULL === "1" ? claims : claims.slice(0, 1);

test.each(tried)("$says", async ({ id, step, lab, command, edit, variable, functions }) => {
	const files = planted(await catalog.workspace(id, step), { edit, lab });
	const output = await build(files);
	const createMachine = (watch: boolean) => explorableMachine(output, { harts: 3, translator: true }, watch);
	const kernel = new ProgramSymbols("kernel", output.kernel);
	const request = { createMachine, kernel, command, schedule: exploreSchedule(0), breathe, budget: 400_000_000 };
	const { findings } = await explore({ ...request, bootBudget: 1_000_000_000 });
	const report = renderFindings(findings);
	const right = findings.filter(
		(one) =>
			["race", "no-common-lock"].includes(one.kind) &&
			variable.test(one.variable) &&
			one.places.every(({ stack }, i) => functions[i]?.test(stack[0]?.function ?? "")),
	);
	expect(right.length, report).toBeGreaterThan(0);
});
