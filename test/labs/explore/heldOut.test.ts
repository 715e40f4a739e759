import { afterAll, describe, expect, test } from "vitest";
import { breathe, explorableMachine } from "../../../src/cli/machine.ts";
import { ProgramSymbols } from "../../../src/debuginfo/symbolizer.ts";
import { explore, exploreSchedule } from "../../../src/explore/explore.ts";
import { renderFindings } from "../../../src/explore/report.ts";
import { build, closeToolchains } from "../../support/lab.ts";
import { type Bug, kernelOf, planted } from "./corpus.ts";

afterAll(closeToolchains);

/**
 * Bugs that no detector was written for or changed after: written down, then run once, all of them by the same workload. What they say is in
 * docs/concurrency.md; a bug that is to be detected better goes to the corpus, and another one comes here.
 */
const heldOut: readonly (Omit<Bug, "lab" | "works" | "places"> & { readonly functions: RegExp })[] = [
	{
		name: "virtio_disk_rw gives the request back without the lock",
		kind: "race",
		variable: /^disk\.request/,
		functions: /virtio_disk_rw|getrequest/,
		edit: [
			"kernel/virtio_disk.c",
			"  r->b = 0;\n  wakeup(&disk.request);\n  release(&disk.lock);\n",
			"  release(&disk.lock);\n  r->b = 0;\n  wakeup(&disk.request);\n",
		],
	},
	{
		name: "end_op commits with the log's lock held",
		kind: "held-at-sleep|lock-order",
		variable: /log/,
		functions: /end_op|sleep/,
		edit: ["kernel/log.c", "    release(&log.lock);\n    commit();\n    acquire(&log.lock);\n", "    commit();\n"],
	},
	{
		name: "exit gives its children away without wait_lock",
		kind: "race|lock-order|sleep-window",
		variable: /proc\[.*parent|wait_lock|proc/,
		functions: /reparent|exit|wait|fork/,
		edit: [
			["kernel/proc.c", "  acquire(&wait_lock);\n  reparent(p);\n", "  reparent(p);\n"],
			[
				"kernel/proc.c",
				"  acquire(&p->lock);\n  release(&wait_lock);\n  p->xstate",
				"  acquire(&p->lock);\n  p->xstate",
			],
		],
	},
	{
		name: "kill without the process's lock",
		kind: "race",
		variable: /proc\[\d+\]\.(killed|state|pid)/,
		functions: /kill/,
		edit: [
			"kernel/proc.c",
			"    acquire(&p->lock);\n    found = p->state != UNUSED && p->pid == pid;\n    if(found){\n      p->killed = 1;\n      if(p->state == SLEEPING)\n        p->state = RUNNABLE;   // what it waits for may never come\n    }\n    release(&p->lock);\n",
			"    found = p->state != UNUSED && p->pid == pid;\n    if(found){\n      p->killed = 1;\n      if(p->state == SLEEPING)\n        p->state = RUNNABLE;\n    }\n",
		],
	},
	{
		name: "filealloc looks for a free entry without the lock",
		kind: "race",
		variable: /^ftable\.file\[\d+\]\.ref/,
		functions: /filealloc/,
		edit: [
			[
				"kernel/file.c",
				"  acquire(&ftable.lock);\n  for(struct file *f = ftable.file;",
				"  for(struct file *f = ftable.file;",
			],
			["kernel/file.c", "      found = f;\n    }\n  }\n  release(&ftable.lock);\n", "      found = f;\n    }\n  }\n"],
		],
	},
	{
		name: "iput counts after it has released the lock",
		kind: "race",
		variable: /^itable\.inode\[\d+\]\.ref/,
		functions: /iput/,
		edit: [
			"kernel/fs.c",
			"  ip->ref--;\n  release(&itable.lock);\n}\n\nvoid\niunlockput",
			"  release(&itable.lock);\n  ip->ref--;\n}\n\nvoid\niunlockput",
		],
	},
];

describe.skipIf(process.env.FULL !== "1")("held out", () => {
	test.each(heldOut)("$name", async (bug) => {
		const output = await build(planted(await kernelOf("hw5"), { edit: bug.edit, lab: "hw5" }));
		const createMachine = (watch: boolean) => explorableMachine(output, { harts: 3, translator: true }, watch);
		const kernel = new ProgramSymbols("kernel", output.kernel);
		const request = { kernel, command: "racer", schedule: exploreSchedule(0), breathe };
		const { findings } = await explore({ ...request, createMachine, budget: 200_000_000, bootBudget: 1_000_000_000 });
		const report = renderFindings(findings);
		process.stdout.write(`--- ${bug.name}\n${findings.map(({ kind, title }) => `${kind}: ${title}`).join("\n")}\n`);
		const right = findings.filter(
			({ kind, variable, places }) =>
				bug.kind.split("|").includes(kind) &&
				bug.variable.test(variable) &&
				places.some(({ stack }) => bug.functions.test(stack[0]?.function ?? "")),
		);
		expect(right.length, report).toBeGreaterThan(0);
	});
});
