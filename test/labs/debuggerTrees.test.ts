import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { DapClient } from "../support/dapClient.ts";
import { catalog } from "../support/lab.ts";

/**
 * One debug session for kernels and compilers of other people: `echo hi` from main over a system call into the kernel, over the switch to
 * another process and back, and backwards. XV6_LAB_TREES names a folder with checkouts of xv6-riscv; transcripts in test/golden/dap.
 */
const trees = process.env.XV6_LAB_TREES ?? "";
const ages = ["up-2020", "up-2022", "up-2025"];
const gcc = ["riscv64-unknown-elf-gcc", "riscv64-linux-gnu-gcc"].find(
	(name) => spawnSync(name, ["--version"]).status === 0,
);

let open: DapClient | undefined;
let tree = "";
afterEach(() => {
	open?.kill();
	open = undefined;
	if (tree !== "") rmSync(tree, { recursive: true, force: true });
	tree = "";
});

async function session(args: readonly string[], build: "debug" | "as-built"): Promise<DapClient> {
	const dap = new DapClient(tree, args);
	open = dap;
	const lines = readFileSync(join(tree, "kernel/proc.c"), "utf8").split("\n");
	const line = lines.findIndex((text) => text.includes("swtch(&p->context")) + 1;
	const launch = { program: "echo", command: "echo hi", harts: 1, build, stopOnEntry: false };
	await dap.begin(launch, () => dap.breakpoints("kernel/proc.c", { line, condition: "p->pid == 3" }));
	let stack = await dap.stop(4);
	const process = dap.thread;
	await dap.go("next", {}, 4);
	expect(dap.thread).toBe(process);

	await dap.breakpoints("kernel/proc.c");
	await dap.functions({ name: "main@echo" });
	stack = await dap.go("continue");
	expect(stack[0]?.name).toBe("main");
	await dap.locals(stack[0] as never);
	await dap.evaluate("argv[1]", stack[0]);

	await dap.functions({ name: "filewrite@kernel" });
	stack = await dap.go("continue");
	for (const name of ["filewrite", "sys_write", "syscall", "usertrap", "write", "main"])
		expect(stack.map((frame) => frame.name)).toContain(name);
	await dap.evaluate("n", stack[0]);
	await dap.evaluate("*f", stack[0]);
	await dap.functions();
	await dap.go("next", {}, 2);
	await dap.go("stepOut", {}, 2);

	await dap.functions({ name: "sched" });
	await dap.go("continue", {}, 4);
	await dap.functions();
	// It exits: nothing returns from there.
	await dap.go("stepOut", {}, 4);
	expect(dap.thread).toBe(process);

	stack = await dap.go("stepBack", {}, 4);
	await dap.go("xv6/whoWrote", { expression: "proc[2].trapframe", frameId: stack[0]?.id }, 4);
	await dap.go("xv6/toPresent", {}, 2);
	await dap.end();
	return dap;
}

test.skipIf(trees === "").each(ages)(
	"%s: a session over the system call, the switch of processes, and backwards",
	async (age) => {
		const folder = join(trees, age);
		expect(existsSync(join(folder, "kernel/proc.c")), `${folder} is a tree of xv6`).toBe(true);
		tree = mkdtempSync(join(tmpdir(), "xv6-dap-"));
		cpSync(folder, tree, { recursive: true, filter: (name) => !name.endsWith("/.git") });
		(await session([], "debug")).golden(`upstream-${age.slice(3)}`);
	},
);

test.skipIf(!gcc)("a kernel that the host's gcc builds: the same session", async () => {
	tree = mkdtempSync(join(tmpdir(), "xv6-dap-"));
	for (const [path, bytes] of await catalog.workspace("hw5-anonymous-mmap", "2b")) {
		mkdirSync(dirname(join(tree, path)), { recursive: true });
		writeFileSync(join(tree, path), bytes);
	}
	const dap = await session(["--toolchain", "host"], "as-built");
	expect(dap.lines.filter((line) => line.startsWith("!"))).toEqual([]);
	// Another version of gcc puts the same lines elsewhere: what it was recorded with is compared, others only run.
	const version = spawnSync(gcc as string, ["-dumpfullversion"], { encoding: "utf8" }).stdout.trim();
	if (version === readFileSync(join(import.meta.dirname, "../golden/dap/gcc-version"), "utf8").trim())
		dap.golden("gcc");
});
