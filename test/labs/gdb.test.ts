import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { build, catalog, closeToolchains, repository } from "../support/lab.ts";

/** `xv6-lab boot --gdb` against a gdb of this machine. */
const gdb = ["gdb-multiarch", "riscv64-unknown-elf-gdb"].find((name) => spawnSync(name, ["--version"]).status === 0);
let folder = "";
let boot: ChildProcess | undefined;

beforeAll(async () => {
	folder = mkdtempSync(join(tmpdir(), "xv6-gdb-"));
	const output = await build(await catalog.workspace("hw5-anonymous-mmap", "2b"));
	writeFileSync(join(folder, "kernel"), output.kernel);
	writeFileSync(join(folder, "fs.img"), output.disk);
	for (const { name, elf } of output.programs) {
		mkdirSync(dirname(join(folder, "user", name)), { recursive: true });
		writeFileSync(join(folder, "user", name), elf);
	}
});
afterEach(() => boot?.kill());
afterAll(async () => {
	rmSync(folder, { recursive: true, force: true });
	await closeToolchains();
});

/** Boots, standing, and gives the port. */
async function start(...more: string[]): Promise<string> {
	const cli = join(repository, "dist/cli/xv6-lab.mjs");
	const args = [
		cli,
		"boot",
		"--kernel",
		join(folder, "kernel"),
		"--disk",
		join(folder, "fs.img"),
		"--gdb",
		"0",
		"--wait",
		...more,
	];
	boot = spawn(process.execPath, args, { stdio: ["pipe", "ignore", "pipe"] });
	let said = "";
	return new Promise((resolve, reject) => {
		boot?.stderr?.on("data", (bytes: Buffer) => {
			said += bytes.toString();
			const port = /127\.0\.0\.1:(\d+)/.exec(said)?.[1];
			if (port) resolve(port);
		});
		boot?.on("exit", () => reject(new Error(said)));
	});
}

function session(port: string, ...commands: string[]): string {
	const args = [
		"-nx",
		"-batch",
		"-ex",
		"set pagination off",
		"-ex",
		"set confirm off",
		"-ex",
		`target remote 127.0.0.1:${port}`,
	];
	for (const command of commands) args.push("-ex", command);
	const result = spawnSync(gdb as string, [...args, join(folder, "kernel")], { encoding: "utf8", timeout: 120_000 });
	return result.stdout + result.stderr;
}

test.skipIf(!gdb)("gdb stops, shows stacks, values and threads, watches, and goes back", async () => {
	const port = await start("--harts", "3");
	const text = session(
		port,
		"info threads",
		"break userinit",
		"continue",
		"bt 2",
		"print (int)sizeof(struct proc) > 100",
		"print/x $satp != 0",
		"watch kmem.freelist",
		"continue",
		"delete",
		"break scheduler",
		"continue",
		"tbreak kalloc",
		"reverse-continue",
		"bt 1",
		"reverse-stepi",
		"stepi",
		"monitor info processes",
		"monitor info mem",
		"monitor nonsense",
		"x/2i $pc",
		"kill",
	);
	expect(text).toContain("hart 0, machine mode");
	expect(text).toMatch(/Breakpoint 1, userinit/);
	expect(text).toMatch(/#1 .* main/);
	expect(text).toContain("$1 = 1");
	expect(text).toMatch(/Hardware watchpoint 2: kmem\.freelist[\s\S]*Old value[\s\S]*New value/);
	expect(text).toMatch(/Breakpoint 3, scheduler/);
	expect(text).toMatch(/Temporary breakpoint 4, kalloc/);
	expect(text).toContain("USED");
	expect(text).toMatch(/vaddr +paddr/);
	expect(text).toContain("There is no monitor command 'nonsense'");
	expect(text).not.toContain("E01");
});
