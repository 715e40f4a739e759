import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { BuildSession } from "../../src/build/session.ts";
import type { BuildResult } from "../../src/build/types.ts";
import { UserError } from "../../src/common/errors.ts";
import { MemoryTree } from "../../src/common/sourceTree.ts";
import { visible } from "../../src/common/visible.ts";
import { openToolchains } from "../../src/env/node/toolchains.ts";
import { describe as inWords } from "../../src/lab/junit.ts";
import { applyPatch } from "../../src/lab/patch.ts";
import { Pattern } from "../../src/lab/pattern.ts";
import { build, catalog, closeToolchains, judgeOutput, repository } from "../support/lab.ts";

/**
 * Hostile trees, test/cases/attacks: each against the HW5 lab with its last solution. Flags and directives for a compiler of
 * this machine are in conformance/toolchain/canary; trees that cheat a judge in cheats.test.ts.
 */

const folder = join(repository, "test/cases/attacks");
const lab = "hw5-anonymous-mmap";
const manifest = await catalog.manifest(lab);
/** Each builds and boots a tree of its own or uses up a limit of seconds of work: FULL=1. */
const slow = test.runIf(process.env.FULL !== undefined);

const opened = await openToolchains({ kind: "bundled" });
afterAll(async () => {
	opened.dispose();
	await closeToolchains();
});

async function tree(name: string): Promise<Map<string, Uint8Array>> {
	const patch = readFileSync(join(folder, name, "case.patch"), "utf8");
	return applyPatch(await catalog.workspace(lab, "3b"), patch);
}

async function judged(name: string) {
	const files = await tree(name);
	const tests = manifest.tests.filter(({ id }) => id === "private");
	const [verdict] = await judgeOutput(await build(files), manifest, { harts: 3, tests, files });
	if (!verdict) throw new Error("no verdict");
	return verdict;
}

/** The end of a build, and the error that it threw in words. */
async function built(name: string): Promise<{ readonly said: string; readonly result?: BuildResult }> {
	try {
		const { toolchain, wasi } = opened;
		const result = await new BuildSession().build({ tree: new MemoryTree("tree", await tree(name)), toolchain, wasi });
		const said = result.diagnostics.map(({ file, line, message, code }) => `${file}:${line ?? 0}: ${message} ${code}`);
		return { said: said.join("\n"), result };
	} catch (error) {
		if (!(error instanceof UserError)) throw error;
		return { said: `${error.format()} ${error.code}` };
	}
}

describe("kernels", () => {
	const endless = async (name: string) => {
		const verdict = await judged(name);
		expect(verdict.outcome).toBe("failed");
		expect(verdict.end).toBe("stall");
		// As many faults are kept as a reader can use, not as many as there were.
		expect(verdict.faults.length).toBeLessThan(2000);
	};
	test("traploop: a hart that traps for ever ends the run, with the reason", () => endless("traploop"));
	slow("spfault: so does one whose stack pointer leads nowhere", () => endless("spfault"));

	test("esc: what a panic sends to the terminal is text in the verdict", async () => {
		const verdict = await judged("esc");
		expect(verdict).toMatchObject({ outcome: "failed", end: "panic" });
		const words = inWords(verdict);
		expect(words).toContain("^[]52;c;");
		expect(words).toBe(visible(words));
	});

	test("halt: a machine that is switched off has passed nothing", async () => {
		expect(await judged("halt")).toMatchObject({ outcome: "failed", end: "halt" });
	});

	slow("leakname: frames are lost under another name of the free list, and it is seen", async () => {
		const verdict = await judged("leakname");
		expect(verdict.outcome, inWords(verdict)).not.toBe("passed");
	});
});

describe("builds", () => {
	slow.each(["incbin", "incbinS"])("%s: a file of this machine is not there for the assembler", async (name) => {
		const { said, result } = await built(name);
		expect(result?.output).toBeUndefined();
		expect(said).toMatch(name === "incbin" ? /user\/private\.c/ : /kernel\/swtch\.S/);
	});

	slow("specs-rce: the flag is said and given to nobody", async () => {
		const canary = "/tmp/f-pwned-specs";
		rmSync(canary, { force: true });
		const { said, result } = await built("specs-rce");
		expect(existsSync(canary)).toBe(false);
		expect(result?.output, said).toBeDefined();
		expect(said.split("\n").filter((line) => line.includes("-specs=kernel/evil.h")).length).toBeLessThanOrEqual(1);
	});

	slow("ldflag: the linker cannot write outside of its memory, and the Makefile's line says so", async () => {
		const canary = "/tmp/f-pwned-map";
		rmSync(canary, { force: true });
		const { said, result } = await built("ldflag");
		expect(existsSync(canary)).toBe(false);
		expect(result?.output).toBeUndefined();
		expect(said).toMatch(/Makefile:\d+: cannot open map file \/tmp\/f-pwned-map/);
	});

	slow.each(["mkfsprint", "mkfsbig"])("%s ends the build with the limit's name", async (name) => {
		const { said, result } = await built(name);
		expect(result?.output).toBeUndefined();
		expect(said).toMatch(/mkfs/);
		expect(said).toMatch(/MiB/);
	});

	slow("mkfsloop ends after 10 s of work", async () => {
		const { said, result } = await built("mkfsloop");
		expect(result?.output).toBeUndefined();
		expect(said).toMatch(/mkfs was not done after 10 s of work/);
	});

	slow("tmpl: an array of 2 GiB is refused", async () => {
		const { said, result } = await built("tmpl");
		expect(result?.output).toBeUndefined();
		expect(said).toMatch(/user\/private/);
	});
});

test("redos: a manifest's pattern that backtracks for ever is done at once", async () => {
	const text = new TextDecoder().decode((await tree("redos")).get("lab.json"));
	const { tests } = JSON.parse(text) as { readonly tests: readonly { readonly expect: { readonly output: string } }[] };
	const start = process.cpuUsage();
	expect(new Pattern(tests[0]?.expect.output ?? "").test("total = 55 ".repeat(2000))).toBe(false);
	expect(process.cpuUsage(start).user).toBeLessThan(5_000_000);
});

test("each case has its test", () => {
	const source = readFileSync(join(import.meta.dirname, "attacks.test.ts"), "utf8");
	for (const name of readdirSync(folder)) expect(source).toContain(name);
});
