import { expect, test } from "vitest";
import { utf8 } from "../../../src/common/bytes.ts";
import { MemoryCache } from "../../../src/toolchain/cache.ts";
import { HostToolchain } from "../../../src/toolchain/host/hostToolchain.ts";
import type { ProcessRunner } from "../../../src/toolchain/host/processRunner.ts";
import { findHostTools } from "../../../src/toolchain/host/tools.ts";

/** A machine with these programs on PATH; `broken` ones end with an error. */
function machine(programs: readonly string[], broken: readonly string[] = []) {
	const calls: { program: string; args: readonly string[]; files: readonly string[] }[] = [];
	const runner: ProcessRunner = {
		parallelism: 2,
		sandbox: async () => undefined,
		find: async (program) => {
			const name = program.replace("/usr/bin/", "");
			return programs.includes(name) ? `/usr/bin/${name}` : undefined;
		},
		run: async (program, args, files, outputs) => {
			calls.push({ program, args, files: [...files.keys()] });
			const failed = broken.includes(program.replace("/usr/bin/", ""));
			const stdout = args.includes("--version") ? `${program.replace("/usr/bin/", "")} 1.2\nmore\n` : "";
			return {
				exitCode: failed ? 1 : 0,
				stdout,
				stderr: failed ? "no such target\nmore\n" : "",
				cpuMs: 1,
				files: new Map(failed ? [] : outputs.map((path) => [path, utf8(`${path} by ${program}`)])),
			};
		},
	};
	return { runner, calls };
}

const gnu = (prefix: string) => [`${prefix}gcc`, `${prefix}ld`];

test.each([
	[["riscv64-unknown-elf-", "riscv64-linux-gnu-"].flatMap(gnu), "riscv64-unknown-elf-gcc", "riscv64-unknown-elf-ld"],
	[gnu("riscv64-linux-gnu-"), "riscv64-linux-gnu-gcc", "riscv64-linux-gnu-ld"],
	[gnu("riscv-none-elf-"), "riscv-none-elf-gcc", "riscv-none-elf-ld"],
	[["clang", "ld.lld"], "clang", "ld.lld"],
	[["riscv64-elf-gcc", "ld.lld"], "riscv64-elf-gcc", "ld.lld"],
	// A compiler without any linker is of no use.
	[["riscv64-unknown-elf-gcc", ...gnu("riscv64-elf-")], "riscv64-elf-gcc", "riscv64-elf-ld"],
])("of %j the first that works is taken", async (programs, compiler, linker) => {
	const { runner } = machine(programs);
	expect(await findHostTools(runner)).toMatchObject({
		compiler: `/usr/bin/${compiler}`,
		linker: `/usr/bin/${linker}`,
		version: `${compiler} 1.2`,
		target: compiler === "clang" ? ["--target=riscv64-unknown-elf"] : [],
	});
});

test("a compiler that cannot build a small program is passed over", async () => {
	const { runner } = machine([...gnu("riscv64-unknown-elf-"), "clang", "ld.lld"], ["riscv64-unknown-elf-gcc"]);
	expect((await findHostTools(runner)).compiler).toBe("/usr/bin/clang");
});

test("when none works the first one's own words are told; when there is none, what was tried", async () => {
	await expect(findHostTools(machine(["clang", "ld.lld"], ["clang"]).runner)).rejects.toMatchObject({
		code: "toolchain-broken",
		message: "/usr/bin/clang cannot build a small program: no such target",
	});
	await expect(findHostTools(machine(["gcc"]).runner)).rejects.toMatchObject({
		code: "toolchain-missing",
		message: expect.stringContaining("riscv64-unknown-elf-gcc, riscv64-linux-gnu-gcc"),
	});
});

test("a named compiler is the only one that is tried", async () => {
	const { runner } = machine([...gnu("riscv64-unknown-elf-"), ...gnu("riscv64-elf-")]);
	expect((await findHostTools(runner, "/usr/bin/riscv64-elf-gcc")).compiler).toBe("/usr/bin/riscv64-elf-gcc");
	await expect(findHostTools(runner, "/opt/none-gcc")).rejects.toMatchObject({
		code: "toolchain-missing",
		message: expect.stringContaining("/opt/none-gcc"),
	});
});

test("a unit is compiled beside what it includes and nothing else, and once", async () => {
	const { runner, calls } = machine(gnu("riscv64-unknown-elf-"));
	const toolchain = new HostToolchain(runner, await findHostTools(runner), new MemoryCache());
	calls.length = 0;
	const tree: Record<string, string> = { "kernel/a.c": '#include "b.h"\n', "kernel/b.h": "", "kernel/c.h": "" };
	const files = { read: (path: string) => (path in tree ? utf8(tree[path] as string) : undefined) };
	const job = { kind: "c", source: "kernel/a.c", flags: ["-O", "-MD", "-I."], target: "riscv64" } as const;
	const first = await toolchain.compile(job, files);
	expect(await toolchain.compile(job, files)).toEqual({ ...first, cpuMs: 0, cached: true });
	// To assembly, which is looked at, and to an object.
	expect(calls.map(({ args }) => args.find((arg) => arg === "-S" || arg === "-c"))).toEqual(["-S", "-c"]);
	expect([...(calls[0]?.files ?? [])].sort()).toEqual(["kernel/a.c", "kernel/b.h"]);
	// Its own dependency file, and not the Makefile's; debug information; a name for the folder that is the same everywhere.
	expect(calls[0]?.args).toEqual(
		expect.arrayContaining(["-MMD", "-g", "-march=rv64gc", expect.stringMatching(/=\/xv6$/)]),
	);
	expect(calls[0]?.args).not.toContain("-MD");
});

test("ld.lld is spoken to in its own flags", async () => {
	const objects = [{ path: "a.o", bytes: utf8("\x7fELF") }];
	const job = { flags: ["-N", "-Ttext", "0"], objects, output: "elf", target: "riscv64" } as const;
	for (const [programs, rosegment] of [
		[["clang", "ld.lld"], true],
		[gnu("riscv64-elf-"), false],
	] as const) {
		const { runner, calls } = machine(programs);
		const toolchain = new HostToolchain(runner, await findHostTools(runner), new MemoryCache());
		calls.length = 0;
		expect((await toolchain.link(job)).image).toBeDefined();
		expect(calls[0]?.args.includes("--no-rosegment")).toBe(rosegment);
	}
});
