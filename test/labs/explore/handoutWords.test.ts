import { afterAll, expect, test } from "vitest";
import { breathe, explorableMachine } from "../../../src/cli/machine.ts";
import { ProgramSymbols } from "../../../src/debuginfo/symbolizer.ts";
import { explore, exploreSchedule } from "../../../src/explore/explore.ts";
import { renderFindings } from "../../../src/explore/report.ts";
import { build, catalog, closeToolchains } from "../../support/lab.ts";
import { type Bug, planted } from "./corpus.ts";

afterAll(closeToolchains);

/** What the handouts and known failures say of locks that a solution forgets: the command there, and what one run of it says. */
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
		variable: /^shmem\./,
		functions: [/^shmem/, /^shmem/],
	},
	{
		says: "task 2 without the table's lock: named by the same command",
		...{ id: "cs326-shared-page", step: "2", lab: "cs", command: "shmtests storm", edit: "2-no-lock" },
		variable: /./,
		functions: [/./, /./],
	},
	{
		says: "a flag of a list that is cleared without listid_lock: no test fails, and explore mmapstress storm names it",
		...{ id: "hw5-anonymous-mmap", step: "3b", lab: "hw5", command: "mmapstress storm" },
		edit: [
			"kernel/proc.c",
			"  acquire(&listid_lock);\n  mmr_list[listid].valid = 0;\n  release(&listid_lock);\n",
			"  mmr_list[listid].valid = 0;\n",
		],
		variable: /^mmr_list\[\d+\]\.valid$/,
		functions: [/listid/, /listid/],
	},
];
const tried = process.env.FULL === "1" ? claims : claims.slice(0, 1);

test.each(tried)("$says", async ({ id, step, lab, command, edit, variable, functions }) => {
	const files = planted(await catalog.workspace(id, step), { edit, lab });
	const output = await build(files);
	const machine = await explorableMachine(output, { harts: 3, translator: true }, true);
	const kernel = new ProgramSymbols("kernel", output.kernel);
	const request = { machine, kernel, command, schedule: exploreSchedule(0), breathe, budget: 400_000_000 };
	const { findings } = await explore({ ...request, bootBudget: 1_000_000_000 });
	machine.dispose();
	const report = renderFindings(findings);
	process.stdout.write(`${findings.map(({ kind, title }) => `${kind}: ${title}`).join("\n")}\n`);
	const right = findings.filter(
		(one) =>
			["race", "no-common-lock"].includes(one.kind) &&
			variable.test(one.variable) &&
			one.places.every(({ stack }, i) => functions[i]?.test(stack[0]?.function ?? "")),
	);
	expect(right.length, report).toBeGreaterThan(0);
});
