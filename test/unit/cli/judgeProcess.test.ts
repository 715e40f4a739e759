import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, expect, test } from "vitest";
import { JudgeProcess } from "../../../src/cli/grade/judgeProcess.ts";
import { JudgeStopped } from "../../../src/grade/class/grade.ts";
import { defaultPolicy } from "../../../src/grade/class/policy.ts";

/** A judge that the system kills between two pieces of work, when nobody waits for it: the next piece says so. */

const folder = mkdtempSync(join(tmpdir(), "xv6-lab-judge-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Living children of this process that are judges. */
function judges(): number[] {
	const children = readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, "utf8").trim().split(" ");
	const isJudge = (pid: number) => readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("--judge");
	return children.filter(Boolean).map(Number).filter(isJudge);
}

test.runIf(existsSync("/proc/self/task")).each([
	["at once", 0],
	["when its end has been seen", 1000],
])("the reason is the signal, asked %s", async (_, waitMs) => {
	const course = { lab: "hw5-anonymous-mmap" };
	const judge = new JudgeProcess({ course, policy: defaultPolicy, pathOf: () => folder });
	try {
		// An empty folder is no tree, and the judge lives.
		expect((await judge.read("empty")).tree).toBeUndefined();
		const [pid] = judges();
		process.kill(pid as number, "SIGKILL");
		if (waitMs > 0) await sleep(waitMs);
		await expect(judge.build()).rejects.toEqual(new JudgeStopped("was ended by the system (SIGKILL)"));
	} finally {
		judge.end();
	}
});
