import { afterAll, describe, expect, test } from "vitest";
import { openSession } from "../../src/cli/guestSession.ts";
import { build, closeToolchains, judgeOutput } from "../support/lab.ts";
import { type Edit, progManifest, progTree } from "../support/progTree.ts";

afterAll(closeToolchains);

const noInput = { onOutput: () => {}, manifest: undefined, timeoutMs: undefined };

/** The end of a command, and the guest's work until then: instructions and timer interrupts, not the host's time. */
async function run(edits: readonly Edit[], program: string) {
	const files = await progTree(edits, program);
	const output = await build(files);
	const session = await openSession(output, { ...noInput, params: { harts: 3, seed: 0, translator: true } });
	try {
		const boot = await session.shell.waitForPrompt(2_000_000_000);
		expect(boot.kind).toBe("prompt");
		session.view.begin();
		const { end, output: printed, instructions } = await session.shell.run("prog", 20_000_000_000);
		const [first] = session.view.diagnose({ ...end, output: "" });
		return { end: end.kind, cause: first?.cause ?? "", instructions, output: printed };
	} finally {
		session.dispose();
	}
}

const clockintr = "    ticks++;\n    wakeup(&ticks);\n";
const enable = "  w_sie(r_sie() | SIE_SEIE | SIE_STIE);";
const never: Edit = ["kernel/start.c", "  w_mie(r_mie() | MIE_STIE);", ""];
const asks = "  w_stimecmp(r_time() + TICK);\n";

/** A machine of 2 cores, busy with others, makes more than 100 M instructions a second. */
const twoSeconds = 200_000_000;

describe("a clock that wakes nobody ends the command, whatever it died of", () => {
	test.each([
		["it does not count", [["kernel/trap.c", clockintr, "    wakeup(&ticks);\n"]], /sleeps on ticks in sys_sleep/],
		["it wakes nobody", [["kernel/trap.c", clockintr, "    ticks++;\n"]], /clockintr\(\) does not wake it/],
		[
			"it is never set again",
			[["kernel/trap.c", asks, "  w_stimecmp(~0L);\n"]],
			/sleeps on ticks in sys_sleep .*no (timer interrupt has come since|hart has a further timer interrupt to come)/,
		],
		[
			"hart 0 has no timer interrupts",
			[
				[
					"kernel/start.c",
					`${enable}\n`,
					`  if(r_mhartid() != 0)\n  ${enable}\n  else\n    w_sie(r_sie() | SIE_SEIE);\n`,
				],
				never,
			],
			/sleeps on ticks in sys_sleep .*not counted a single tick: hart 0 has the timer interrupt off/,
		],
		[
			"no hart has timer interrupts",
			[["kernel/start.c", enable, "  w_sie(r_sie() | SIE_SEIE);"], never],
			/sleeps on ticks in sys_sleep .* no hart has the timer interrupt on/,
		],
	] as const)("%s", async (_, edits, cause) => {
		const got = await run(edits, "sleep(10);");
		expect(["stall", "stuck"], got.cause).toContain(got.end);
		expect(got.cause).toMatch(cause);
		expect(got.instructions).toBeLessThan(twoSeconds);
	});

	test("in a judged run, too", async () => {
		const files = await progTree([["kernel/trap.c", clockintr, "    ticks++;\n"]], "sleep(10);");
		const [verdict] = await judgeOutput(await build(files), progManifest("fine"), { files });
		expect(verdict).toMatchObject({ outcome: "failed", end: "stall" });
		expect(verdict?.diagnoses[0]?.cause).toMatch(/clockintr\(\) does not wake it/);
		expect(verdict?.instructions).toBeLessThan(twoSeconds);
	});

	test("a kernel that loops with interrupts off ends the command, too", async () => {
		const now = "  uint now = ticks;\n  release(&tickslock);\n";
		const loop = "  push_off();\n  volatile uint64 n = 0;\n  for(;;)\n    n += now + 1;\n";
		const got = await run([["kernel/sysproc.c", now, now + loop]], "uptime();");
		expect(got.end).toBe("stall");
		expect(got.cause).toMatch(
			/still in system call uptime, at sys_uptime \(kernel\/sysproc\.c:\d+\): it has not returned/,
		);
		expect(got.instructions).toBeLessThan(1.5 * twoSeconds);
	});

	const beside = (ends: string) =>
		`  push_off();\n  volatile uint64 n = 0;\n  for(uint64 i = 0; ${ends}; i++)\n    n += i;\n  pop_off();\n`;

	test("one that works with interrupts off for ten seconds is not ended", async () => {
		const now = "  uint now = ticks;\n  release(&tickslock);\n";
		const got = await run([["kernel/sysproc.c", now, now + beside("i < 200000000")]], "uptime();");
		expect(got).toMatchObject({ end: "prompt", cause: "" });
		expect(got.instructions).toBeGreaterThan(4 * twoSeconds);
	});

	test("beside a hart that is in its loop for ever, who sleeps comes to the end of it", async () => {
		const now = "  uint now = ticks;\n  release(&tickslock);\n";
		const edits: Edit[] = [["kernel/sysproc.c", now, now + beside("1")]];
		const got = await run(edits, 'if(fork() == 0) uptime(); sleep(60); printf("slept\\n"); wait(0);');
		expect(got.end).toBe("stall");
		expect(got.output).toContain("slept");
	});

	test("a process that sleeps for half an hour may", async () => {
		const got = await run([], "sleep(20000);");
		expect(got).toMatchObject({ end: "prompt", cause: "" });
	});
});

describe("the shell is back", () => {
	test("although another process printed into its prompt", async () => {
		const late = 'if(fork() == 0){ sleep(1); printf("late\\n"); }';
		const got = await run([], late);
		expect(got.output).toMatch(/\$ late\n$/);
		expect(got).toMatchObject({ end: "prompt", cause: "" });
	});

	test("although a program said what a kernel says when it panics", async () => {
		const got = await run([], 'printf("panic: no tea\\n"); sleep(2); printf("more\\n");');
		expect(got).toMatchObject({ end: "prompt", cause: "", output: "panic: no tea\nmore\n" });
	});

	test("not where the kernel did", async () => {
		const now = "  uint now = ticks;\n  release(&tickslock);\n";
		const got = await run([["kernel/sysproc.c", now, `${now}  panic("no tea");\n`]], "uptime();");
		expect(got.end).toBe("panic");
		expect(got.cause).toContain("no tea");
	});
});
