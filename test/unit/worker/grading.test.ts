import { expect, test } from "vitest";
import { utf8 } from "../../../src/common/bytes.ts";
import { MemoryTree } from "../../../src/common/sourceTree.ts";
import { loadCore } from "../../../src/env/node/core.ts";
import { gradeWorkers } from "../../../src/env/node/gradeWorker.ts";
import { Grading } from "../../../src/worker/grading.ts";
import { repository } from "../../support/lab.ts";

/** Grade scripts in the real worker; how often it is started is counted. */

const script = (title: string) => `from gradelib import *
r = Runner()
@test(5, "${title}")
def test_it():
    r.run_qemu(shell_script(["echo hi"]))
run_tests()
`;

test("a script is asked for its tests once for each text of it, however often the tree changes", async () => {
	let started = 0;
	const start = gradeWorkers(`${repository}/dist`);
	const counted: typeof start = (...args) => {
		started++;
		return start(...args);
	};
	const grading = new Grading({ gradeWorkers: async () => counted, core: () => loadCore(), emit: () => undefined });
	const files = new Map([["grade-lab-own", utf8(script("one"))]]);
	const titles = async () => {
		const { lab } = await grading.describe(new MemoryTree("the workspace", files), undefined);
		return lab?.tests.map(({ title }) => title);
	};
	expect([await titles(), await titles(), started]).toEqual([["one"], ["one"], 1]);
	files.set("grade-lab-own", utf8(script("two")));
	expect([await titles(), started]).toEqual([["two"], 2]);
});

test("a tree without a lab whose only script cannot be used has no tests, and is told why", async () => {
	const start = gradeWorkers(`${repository}/dist`);
	const grading = new Grading({ gradeWorkers: async () => start, core: () => loadCore(), emit: () => undefined });
	const files = new Map([["grade-lab-own", utf8("from gradelib import *\nthis is no Python\n")]]);
	const { lab, says } = await grading.describe(new MemoryTree("the workspace", files), undefined);
	expect(lab).toBeUndefined();
	expect(says).toContain("grade-lab-own cannot be used: ");
});
