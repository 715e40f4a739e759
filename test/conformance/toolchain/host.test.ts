/** The whole kernel by a gcc of this machine, behind the same interface as the bundled compiler. Without a gcc there is nothing to test. */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { BuildSession } from "../../../src/build/session.ts";
import type { BuildOutput, BuildResult } from "../../../src/build/types.ts";
import { breathe, createMachine } from "../../../src/cli/machine.ts";
import { concat, utf8 } from "../../../src/common/bytes.ts";
import { UserError } from "../../../src/common/errors.ts";
import { MemoryTree } from "../../../src/common/sourceTree.ts";
import { nodeProcessRunner } from "../../../src/env/node/processRunner.ts";
import { type OpenedToolchains, openToolchains } from "../../../src/env/node/toolchains.ts";
import { Shell } from "../../../src/session/shell.ts";
import { MemoryCache } from "../../../src/toolchain/cache.ts";
import { HostToolchain } from "../../../src/toolchain/host/hostToolchain.ts";
import type { ProcessRunner } from "../../../src/toolchain/host/processRunner.ts";
import { findHostTools } from "../../../src/toolchain/host/tools.ts";
import { catalog } from "../../support/lab.ts";
import { smallKernel } from "../../support/smallKernel.ts";

const installed = spawnSync("riscv64-unknown-elf-gcc", ["--version"]).status === 0;
const enough = 200_000_000_000;

/** Boots what was built and types a command. */
async function outputOf(output: BuildOutput, command: string): Promise<string> {
	const { machine } = await createMachine(output, { translator: true });
	const shell = Shell.on(machine, { breathe });
	expect((await shell.waitForPrompt(enough)).kind).toBe("prompt");
	const { output: text, end } = await shell.run(command, enough);
	shell.dispose();
	machine.dispose();
	expect(end.kind, text.slice(-2000)).toBe("prompt");
	return text;
}

describe.runIf(installed)("gcc of this machine", () => {
	let cache: string;
	let opened: OpenedToolchains;
	let kernel: BuildResult;
	let most = 0;

	beforeAll(async () => {
		cache = mkdtempSync(join(tmpdir(), "xv6-lab-host-"));
		opened = await openToolchains({ kind: "host", cache });
		let running = 0;
		const counting: ProcessRunner = {
			...nodeProcessRunner,
			parallelism: 2,
			run: async (...args) => {
				most = Math.max(most, ++running);
				try {
					return await nodeProcessRunner.run(...args);
				} finally {
					running--;
				}
			},
		};
		const toolchain = new HostToolchain(counting, await findHostTools(counting), new MemoryCache());
		const tree = new MemoryTree("xv6", await catalog.workspace(undefined));
		kernel = await new BuildSession().build({ tree, toolchain, wasi: opened.wasi });
	});
	afterAll(() => {
		opened.dispose();
		rmSync(cache, { recursive: true, force: true });
	});

	const run = (command: string) => outputOf(kernel.output as BuildOutput, command);

	test("the bundled kernel builds without a word, several jobs at a time, and says what built it", () => {
		expect(kernel.diagnostics).toEqual([]);
		expect(kernel.output).toBeDefined();
		expect(kernel.stats.toolchain).toMatch(/gcc .*12|gcc .*\d+\.\d+.* at .*riscv64-unknown-elf-gcc$/);
		expect(most).toBe(2);
	});

	test("it boots and runs its programs", async () => {
		expect(await run("ls")).toMatch(/usertests\s+2 \d+ \d+/);
	});

	test.runIf(process.env.FULL)("it passes its usertests", async () => {
		expect(await run("usertests -q")).toMatch(/ALL TESTS PASSED\s*$/);
	});

	const small = (changes: Record<string, string>) =>
		new BuildSession().build({ tree: smallKernel(changes), toolchain: opened.toolchain, wasi: opened.wasi });

	test.each<[string, Record<string, string>, string]>([
		["C", { "kernel/main.c": "int\nmain(void)\n{\n  return 0\n}\n" }, "kernel/main.c:4"],
		["a header", { "user/user.h": "int fork(void);\nint exit(nil);\n" }, "user/user.h:2"],
		["assembly", { "user/initcode.S": ".globl start\nstart:\n        lii a7, 2\n" }, "user/initcode.S:3"],
		["the linker script", { "kernel/kernel.ld": "SECTIONS {\n  . = ;\n}\n" }, "kernel/kernel.ld:2"],
		["a call of nobody's function", { "kernel/disk.c": "int x;\n" }, "kernel/main.c:13"],
		[
			"a second definition",
			{ "kernel/disk.c": "int check(void) { return 42; }\nint main(void) { return 0; }\n" },
			"kernel/disk.c:2",
		],
		["mkfs", { "mkfs/mkfs.c": "int main(void) { return }\n" }, "mkfs/mkfs.c:1"],
	])("a mistake in %s stands where the bundled compiler's message stands", async (_, changes, place) => {
		const { output, diagnostics } = await small(changes);
		expect(output).toBeUndefined();
		expect(diagnostics.map(({ file, line }) => `${file}:${line}`)).toContain(place);
	});

	test("the shell of older trees, which newer compilers take for an endless recursion, is no error", async () => {
		const again = "void again(int x) { again(x + 1); }\nint check(void) { return 42; }\n";
		const Makefile = concat([smallKernel().files.get("Makefile") as Uint8Array, utf8("\nCFLAGS += -Wall -Werror\n")]);
		const { output, diagnostics } = await small({
			"kernel/disk.c": `void again(int x);\n${again}`,
			Makefile: new TextDecoder().decode(Makefile),
		});
		expect(diagnostics).toEqual([]);
		expect(output).toBeDefined();
	});

	test("an entry point that is not exported, as in trees up to 2022, is nothing to warn of", async () => {
		const entry = new TextDecoder().decode(smallKernel().files.get("kernel/entry.S"));
		const { output, diagnostics } = await small({ "kernel/entry.S": entry.replace(".global _entry\n", "") });
		expect(diagnostics).toEqual([]);
		expect(output).toBeDefined();
	});

	test("a second build needs nothing of the machine: objects and links are kept", async () => {
		const tree = smallKernel();
		const build = () => new BuildSession().build({ tree, toolchain: opened.toolchain, wasi: opened.wasi });
		const first = await build();
		const second = await build();
		expect(second.stats).toMatchObject({ compiled: 0, linked: 0 });
		expect(second.output?.kernel).toEqual(first.output?.kernel);
	});

	test("auto takes the faster of the two, says so, and stays with it", async () => {
		const open = async () => {
			const { toolchain, dispose } = await openToolchains({ kind: "auto", cache });
			dispose();
			return toolchain.description;
		};
		const first = await open();
		expect(first).toMatch(/^(.*gcc.*, faster here than clang 22.*|clang 22.*, faster here than .*gcc.*)$/);
		const record = join(cache, "faster.json");
		const measured = JSON.parse(readFileSync(record, "utf8")) as Record<string, number>;
		expect(await open()).toBe(first);
		// The other one wins as soon as the record says so.
		writeFileSync(record, JSON.stringify({ ...measured, hostMs: measured.bundledMs, bundledMs: measured.hostMs }));
		expect(await open()).not.toBe(first);
	});

	test("cancelling kills what runs, and no folder is left behind", async () => {
		const scratch = join(cache, "scratch");
		mkdirSync(scratch);
		vi.stubEnv("TMPDIR", scratch);
		const controller = new AbortController();
		const endless = "#define A(x) x x x x x x x x x x\nint f(void) { int i = 0; A(A(A(A(A(A(i++;)))))) return i; }\n";
		const compiling = opened.toolchain.compile(
			{ kind: "c", source: "a.c", flags: ["-O2"], target: "riscv64" },
			{ read: (path) => (path === "a.c" ? utf8(endless) : undefined) },
			controller.signal,
		);
		setImmediate(() => controller.abort());
		await expect(compiling).rejects.toMatchObject({ code: "cancelled" });
		vi.unstubAllEnvs();
		expect(readdirSync(scratch)).toEqual([]);
	});
});

describe.each(["riscv64-linux-gnu-gcc", "riscv64-elf-gcc", "riscv-none-elf-gcc", "clang"])(
	"%s of this machine",
	(name) => {
		const there = spawnSync(name, ["--version"]).status === 0;

		test.runIf(there)("builds the bundled kernel without a word, and that runs its programs", async ({ skip }) => {
			const tools = await findHostTools(nodeProcessRunner, name).catch((error: UserError) => error);
			// A clang of the machine's own kind only, or one without a linker.
			if (tools instanceof UserError) return skip(tools.message);
			const wasi = (await openToolchains({ kind: "bundled" })).wasi;
			const toolchain = new HostToolchain(nodeProcessRunner, tools, new MemoryCache());
			const tree = new MemoryTree("xv6", await catalog.workspace(undefined));
			const { diagnostics, output } = await new BuildSession().build({ tree, toolchain, wasi });
			wasi.dispose();
			expect(diagnostics).toEqual([]);
			const command = process.env.FULL ? "usertests -q" : "ls";
			const wanted = process.env.FULL ? /ALL TESTS PASSED\s*$/ : /usertests\s+2 \d+ \d+/;
			expect(await outputOf(output as BuildOutput, command)).toMatch(wanted);
		});
	},
);
