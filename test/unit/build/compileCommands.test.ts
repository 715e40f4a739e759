import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import {
	clangdFile,
	compileCommands,
	compileCommandsFile,
	cppPropertiesFile,
} from "../../../src/build/compileCommands.ts";
import { MemoryTree } from "../../../src/common/sourceTree.ts";
import { catalog } from "../../support/lab.ts";
import { scratch } from "../worker/realEngine.ts";

test("every C file of kernel and programs has the command that the Makefile has for it; generated files have none", async () => {
	const files = new Map(await catalog.workspace("hw5-anonymous-mmap", undefined));
	const commands = await compileCommands(new MemoryTree("a tree", files));
	const sources = commands.map(({ file }) => file);
	expect(sources).toContain("kernel/proc.c");
	expect(sources).toContain("kernel/swtch.S");
	expect(sources).toContain("user/prodcons1.c");
	expect(commands.find(({ file }) => file === "mkfs/mkfs.c")?.arguments[0]).toBe("gcc");
	expect(sources).not.toContain("user/usys.S");
	expect(new Set(sources).size).toBe(sources.length);
	const { arguments: args } = commands.find(({ file }) => file === "kernel/proc.c") ?? { arguments: [] };
	expect(args[0]).toBe("riscv64-unknown-elf-gcc");
	expect(args).toEqual(expect.arrayContaining(["-mcmodel=medany", "-ffreestanding", "-I.", "-c", "kernel/proc.c"]));
	const [entry] = JSON.parse(compileCommandsFile(commands, "/some/where"));
	expect(entry).toMatchObject({ directory: "/some/where", file: sources[0] });
});

const gcc = spawnSync("riscv64-unknown-elf-gcc", ["--version"]).status === 0;

test.skipIf(!gcc)("each command compiles its file where a RISC-V gcc is", async () => {
	const files = new Map(await catalog.workspace("hw5-anonymous-mmap", undefined));
	const commands = await compileCommands(new MemoryTree("a tree", files));
	await scratch(async (folder) => {
		for (const [path, bytes] of files) {
			mkdirSync(dirname(join(folder, path)), { recursive: true });
			writeFileSync(join(folder, path), bytes);
		}
		for (const { file, arguments: args } of commands.filter(
			({ arguments: [compiler] }, i) => compiler !== "gcc" && i % 8 === 0,
		)) {
			const [command, ...rest] = args as [string, ...string[]];
			const result = spawnSync(command, rest, { cwd: folder, encoding: "utf8" });
			expect(`${file}: ${result.stderr}`).toBe(`${file}: `);
		}
	});
});

test("a header is read after what a C file includes and defines before it", async () => {
	const files = new Map(await catalog.workspace("hw5-anonymous-mmap", undefined));
	const commands = await compileCommands(new MemoryTree("a tree", files));
	const said = (file: string) => commands.find((command) => command.file === file)?.arguments.join(" ") ?? "";
	expect(said("kernel/proc.h")).toMatch(/-include kernel\/types\.h .*-include kernel\/spinlock\.h .*kernel\/proc\.h$/);
	expect(said("user/prodcons.h")).toMatch(/-DMAX=\d+ .*-DVALUE\(i\)=\S+ .*-include user\/user\.h .*user\/prodcons\.h$/);
	expect(said("kernel/types.h")).not.toContain("-include");
});

test("cpptools on Windows is told to read C as gcc does, and where the commands are", () => {
	const { version, configurations } = JSON.parse(cppPropertiesFile());
	expect(version).toBe(4);
	expect(configurations).toEqual([
		expect.objectContaining({
			name: "Win32",
			compileCommands: "$" + "{workspaceFolder}/compile_commands.json",
			compilerPath: "",
			intelliSenseMode: "linux-gcc-x64",
		}),
	]);
});

test("clangd is told the guest's machine, but not for host programs, and gcc's own flags are left out", () => {
	const file = clangdFile([{ file: "mkfs/mkfs.c", output: "mkfs/mkfs", arguments: ["gcc", "mkfs/mkfs.c"] }]);
	expect(file).toContain('Add: ["--target=riscv64-unknown-elf"');
	expect(file).toContain('"-mno-relax"');
	expect(file).toContain('PathExclude: ["mkfs/mkfs\\\\.c"]');
});
