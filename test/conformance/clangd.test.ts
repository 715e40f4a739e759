import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { clangdFile, compileCommands, compileCommandsFile } from "../../src/build/compileCommands.ts";
import { MemoryTree } from "../../src/common/sourceTree.ts";
import { catalog } from "../support/lab.ts";

/** clangd, where there is one, reads the tree with the two files that *Write compile_commands.json* makes, and marks nothing as an error. */
const clangd = ["clangd", "clangd-19", "clangd-18", "clangd-17", "clangd-16", "clangd-15", "clangd-14"].find(
	(name) => spawnSync(name, ["--version"]).status === 0,
);
const some = [
	"kernel/proc.c",
	"kernel/vm.c",
	"kernel/trap.c",
	"user/usertests.c",
	"user/prodcons3.c",
	"mkfs/mkfs.c",
	"kernel/proc.h",
	"user/prodcons.h",
];
let tree = "";

beforeAll(async () => {
	if (!clangd) return;
	tree = mkdtempSync(join(tmpdir(), "xv6-clangd-"));
	const files = await catalog.workspace("hw5-anonymous-mmap", "3b");
	for (const [path, bytes] of files) {
		mkdirSync(dirname(join(tree, path)), { recursive: true });
		writeFileSync(join(tree, path), bytes);
	}
	const commands = await compileCommands(new MemoryTree("tree", files));
	writeFileSync(join(tree, "compile_commands.json"), compileCommandsFile(commands, tree));
	writeFileSync(join(tree, ".clangd"), clangdFile(commands));
});
afterAll(() => rmSync(tree, { recursive: true, force: true }));

function check(file: string): Promise<string[]> {
	return new Promise((resolve) => {
		const child = spawn(clangd as string, [`--check=${file}`, "--log=error"], { cwd: tree });
		let text = "";
		for (const stream of [child.stdout, child.stderr]) stream.on("data", (bytes: Buffer) => (text += bytes.toString()));
		// "E[time] [diagnostic name] Line 3: text"; the tweaks that it tries at each token are no diagnostics of the file.
		child.on("exit", () =>
			resolve(text.split("\n").filter((line) => /^E\[/.test(line) && !/tweak|failed to|checks? completed/i.test(line))),
		);
	});
}

test.skipIf(!clangd)(
	"clangd finds no error in kernel and programs",
	async () => {
		const all = ["kernel", "user", "mkfs"].flatMap((folder) =>
			readdirSync(join(tree, folder))
				.filter((name) => /\.[ch]$/.test(name))
				.map((name) => `${folder}/${name}`),
		);
		for (const file of process.env.FULL ? all : some)
			expect(`${file}: ${(await check(file)).join("\n")}`).toBe(`${file}: `);
	},
	300_000,
);
