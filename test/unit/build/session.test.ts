import { expect, test } from "vitest";
import { BuildSession } from "../../../src/build/session.ts";
import type { BuildRequest } from "../../../src/build/types.ts";
import { fromUtf8 } from "../../../src/common/bytes.ts";
import { MemoryTree, type SourceTree } from "../../../src/common/sourceTree.ts";
import { hostCompilerFlags, refusedFlags } from "../../../src/toolchain/host/flags.ts";
import { FakeToolchain, fakeImage } from "../../support/fakeToolchain.ts";
import { tinyMakefile, tinyTree } from "../../support/tinyTree.ts";

function bench() {
	const toolchain = new FakeToolchain();
	const session = new BuildSession();
	const build = (tree: SourceTree, more: Partial<BuildRequest> = {}) => {
		toolchain.compiled.length = 0;
		toolchain.links.length = 0;
		toolchain.runs.length = 0;
		return session.build({ tree, toolchain, wasi: toolchain, ...more });
	};
	return { toolchain, build };
}

const everyUnit = [
	"kernel/disk.c",
	"kernel/entry.S",
	"kernel/main.c",
	"mkfs/mkfs.c",
	"user/init.c",
	"user/sh.c",
	"user/tight.c",
	"user/ulib.c",
	"user/usys.S",
];

test("a tree becomes a kernel, a disk and programs", async () => {
	const { toolchain, build } = bench();
	const { output, diagnostics, stats } = await build(tinyTree());
	expect(diagnostics).toEqual([]);
	expect([...toolchain.compiled].sort()).toEqual(everyUnit);
	expect(output?.programs.map(({ name, source }) => [name, source])).toEqual([
		["init", "user/init.c"],
		["sh", "user/sh.c"],
		["tight", "user/tight.c"],
	]);
	expect(fromUtf8(output?.kernel as Uint8Array)).toContain("kernel/entry.S");
	expect(stats).toMatchObject({ compiled: 9, reused: 0, linked: 5, toolchain: "fake" });
	const [run] = toolchain.runs;
	expect(run?.args).toEqual(["mkfs/mkfs", "fs.img", "README", "user/_init", "user/_sh", "user/_tight"]);
	expect([...(run?.files.keys() ?? [])]).toEqual(["README", "user/_init", "user/_sh", "user/_tight"]);
});

test.each([
	["spaces for a tab", "all: x\n    ld -o x y\n", /must begin with a tab/, 2],
	["a conditional without its end", "ifdef X\nA = 1\n", /no 'endif'/, 1],
])("%s in the Makefile is an error of that line, for the editor to mark", async (_, added, message, line) => {
	const { build } = bench();
	const lines = tinyMakefile.split("\n").length;
	const { output, diagnostics } = await build(tinyTree({ Makefile: `${tinyMakefile}\n${added}` }));
	expect(output).toBeUndefined();
	expect(diagnostics).toMatchObject([{ file: "Makefile", line: lines + line, severity: "error" }]);
	expect(diagnostics[0]?.message).toMatch(message);
});

test("usys.S reaches the assembler as usys.pl prints it", async () => {
	const { build } = bench();
	const { output } = await build(tinyTree());
	const init = output?.programs[0]?.elf as Uint8Array;
	expect(fromUtf8(init)).toContain(".global fork\nfork:\n li a7, SYS_fork\n.global exit");
});

test("a linker script without an entry means the symbol start, as with GNU ld", async () => {
	const { toolchain, build } = bench();
	await build(tinyTree({ "user/user.ld": "SECTIONS { }\n" }));
	const flagsOf = (object: string) => toolchain.links.find(({ objects }) => objects[0]?.path === object)?.flags;
	expect(flagsOf("user/sh.o")).toEqual(["-z", "max-page-size=4096", "-e", "start"]);
	expect(flagsOf("kernel/entry.o")).toEqual(["-z", "max-page-size=4096"]);
	expect(flagsOf("user/tight.o")).toEqual(["-z", "max-page-size=4096", "-N", "-e", "main", "-Ttext", "0"]);
});

test("an untouched tree is not built again", async () => {
	const { toolchain, build } = bench();
	const first = await build(tinyTree());
	const second = await build(tinyTree());
	expect(toolchain.compiled).toEqual([]);
	expect(toolchain.links).toEqual([]);
	expect(toolchain.runs).toEqual([]);
	expect(second.stats).toMatchObject({ compiled: 0, reused: 9, linked: 0 });
	expect(second.output?.disk).toEqual(first.output?.disk);
});

test.each([
	["a source", { "kernel/disk.c": "int other;\n" }, ["kernel/disk.c"], 1, 0],
	["a header", { "kernel/defs.h": "void g(void);\n" }, ["kernel/main.c"], 1, 0],
	["a user header", { "user/user.h": "int wait(void);\n" }, ["user/init.c", "user/sh.c", "user/ulib.c"], 2, 1],
	["usys.pl", { "user/usys.pl": 'print ".global g\\n";\n' }, ["user/usys.S"], 3, 1],
	["a data file", { README: "other\n" }, [], 0, 1],
	["the linker script", { "kernel/kernel.ld": "ENTRY( other )\n" }, [], 1, 0],
	["a comment in a Makefile", { Makefile: `${tinyMakefile}# end\n` }, [], 0, 0],
	["the mkfs program", { "mkfs/mkfs.c": "int y;\n" }, ["mkfs/mkfs.c"], 1, 1],
	["a data file of the tree that nothing uses", { NOTES: "x" }, [], 0, 0],
])("a change of %s rebuilds what depends on it and no more", async (_, changes, compiled, links, images) => {
	const { toolchain, build } = bench();
	await build(tinyTree());
	const { output } = await build(tinyTree(changes));
	expect(output).toBeDefined();
	expect([...toolchain.compiled].sort()).toEqual(compiled);
	expect(toolchain.links).toHaveLength(links);
	expect(toolchain.runs).toHaveLength(images);
});

test("a new header that hides another is seen", async () => {
	const { toolchain, build } = bench();
	await build(tinyTree());
	const { output } = await build(tinyTree({ "user/kernel/types.h": "typedef long uint;\n" }));
	expect(output).toBeDefined();
	expect(toolchain.compiled).toContain("user/init.c");
});

test("changed flags or another compiler build everything again", async () => {
	const { toolchain, build } = bench();
	await build(tinyTree());
	await build(tinyTree({ Makefile: tinyMakefile.replace("-O\n", "-O2\n") }));
	expect(toolchain.compiled).toHaveLength(6);
	toolchain.version = "2";
	await build(tinyTree({ Makefile: tinyMakefile.replace("-O\n", "-O2\n") }));
	expect(toolchain.compiled).toHaveLength(9);
});

test("jobs run side by side, no more than allowed", async () => {
	const { toolchain, build } = bench();
	toolchain.onCompile = () => new Promise(setImmediate);
	toolchain.parallelism = 3;
	await build(tinyTree());
	expect(toolchain.mostRunning).toBe(3);
	const single = bench();
	single.toolchain.onCompile = () => new Promise(setImmediate);
	await single.build(tinyTree(), { jobs: 1 });
	expect(single.toolchain.mostRunning).toBe(1);
});

test("progress counts up to all steps", async () => {
	const { build } = bench();
	const seen: [number, number][] = [];
	await build(tinyTree(), { onProgress: ({ done, total }) => void seen.push([done, total]) });
	const total = seen[0]?.[1] as number;
	expect(seen.map(([done]) => done)).toEqual(Array.from({ length: total }, (_, i) => i + 1));
});

test("a build cancelled half-way ends with the typed error, and the next one is whole", async () => {
	const { toolchain, build } = bench();
	const controller = new AbortController();
	let count = 0;
	toolchain.onCompile = () => {
		if (++count === 4) controller.abort();
	};
	await expect(build(tinyTree(), { signal: controller.signal })).rejects.toMatchObject({ code: "cancelled" });
	const before = toolchain.compiled.length;
	expect(before).toBeLessThan(everyUnit.length);
	toolchain.onCompile = () => {};
	const { output } = await build(tinyTree());
	expect(output?.programs).toHaveLength(3);
	expect(toolchain.compiled.length + before).toBe(everyUnit.length);
});

test("builds of one session do not overlap", async () => {
	const { toolchain, build } = bench();
	toolchain.onCompile = () => Promise.resolve();
	const [a, b] = await Promise.all([build(tinyTree()), build(tinyTree())]);
	expect(a.stats.compiled).toBe(9);
	expect(b.stats.compiled).toBe(0);
});

test("every error is told at once, in all files, and nothing is linked from failed units", async () => {
	const { build } = bench();
	const tree = tinyTree({
		"kernel/main.c": "#error one\n",
		"user/sh.c": "#error two\n",
		"kernel/entry.S": "#error three\n",
	});
	const { output, diagnostics } = await build(tree);
	expect(output).toBeUndefined();
	expect(diagnostics.map(({ file, line, message }) => `${file}:${line}: ${message}`).sort()).toEqual([
		"kernel/entry.S:1: three",
		"kernel/main.c:1: one",
		"user/sh.c:1: two",
	]);
});

test("a fault in usys.pl is an error at its line, beside those of other files", async () => {
	const { build } = bench();
	const { diagnostics } = await build(
		tinyTree({ "user/usys.pl": 'print "a";\nentry(;\n', "kernel/main.c": "#error one\n" }),
	);
	expect(diagnostics.map(({ file, line }) => `${file}:${line}`).sort()).toEqual(["kernel/main.c:1", "user/usys.pl:2"]);
});

test("an error in a header is told once, however many files include it", async () => {
	const { build } = bench();
	const { diagnostics } = await build(tinyTree({ "user/user.h": "#error broken\n" }));
	expect(diagnostics.map(({ file, message }) => [file, message])).toEqual([["user/user.h", "broken"]]);
});

test("warnings stay when the unit is not compiled again", async () => {
	const { build } = bench();
	const tree = () => tinyTree({ "user/sh.c": "#warning careful\n" });
	await build(tree());
	expect((await build(tree())).diagnostics).toMatchObject([{ message: "careful", severity: "warning" }]);
});

test("a missing header says what there is instead", async () => {
	const { build } = bench();
	const tree = tinyTree({ "user/sh.c": '#include "types.h"\n#include <math.h>\n' });
	const { diagnostics } = await build(tree);
	expect(diagnostics.map(({ notes }) => notes?.[0]?.message)).toEqual([
		'there is a kernel/types.h: write #include "kernel/types.h"',
		expect.stringContaining("no <math.h>"),
	]);
});

test("Windows line ends build to the same bytes", async () => {
	const tree = tinyTree();
	const crlf = new MemoryTree(
		"crlf",
		new Map(
			[...tree.files].map(([path, bytes]) => [
				path,
				new TextEncoder().encode(fromUtf8(bytes).replaceAll("\n", "\r\n")),
			]),
		),
	);
	const unix = await bench().build(tree);
	const windows = await bench().build(crlf);
	expect(windows.diagnostics).toEqual([]);
	expect(windows.output?.kernel).toEqual(unix.output?.kernel);
	expect(windows.output?.programs).toEqual(unix.output?.programs);
});

test("names with spaces that the Makefile does not use do no harm", async () => {
	const { build } = bench();
	const { output } = await build(tinyTree({ "user/my notes.c": "x", "my folder/kernel/main.c": "#error no\n" }));
	expect(output).toBeDefined();
});

test("a mkfs.c that .gitignore swallowed is named with the rule that did it", async () => {
	const { build } = bench();
	const tree = tinyTree({ "mkfs/mkfs.c": undefined, ".gitignore": "*.o\nmkfs\n" });
	const { output, diagnostics } = await build(tree);
	expect(output).toBeUndefined();
	expect(diagnostics).toHaveLength(1);
	expect(diagnostics[0]?.message).toContain("mkfs/mkfs.c is missing");
	expect(diagnostics[0]?.notes?.[0]).toMatchObject({ file: ".gitignore", line: 2 });
});

test("two programs of one name are named", async () => {
	const { build } = bench();
	const Makefile = tinyMakefile.replace("$U/_tight\\", "$U/_tight\\\n\tmore/_sh\\");
	const { output, diagnostics } = await build(tinyTree({ Makefile, "more/sh.c": "" }));
	expect(output).toBeUndefined();
	expect(diagnostics[0]?.message).toContain("user/_sh and more/_sh both become 'sh'");
});

test("a program listed twice goes in once, with a warning", async () => {
	const { toolchain, build } = bench();
	const Makefile = tinyMakefile.replace("$U/_tight\\", "$U/_tight\\\n\t$U/_sh\\");
	const { output, diagnostics } = await build(tinyTree({ Makefile }));
	expect(output).toBeDefined();
	expect(diagnostics).toMatchObject([
		{ severity: "warning", message: expect.stringContaining("user/_sh is listed twice") },
	]);
	expect(toolchain.runs[0]?.args.filter((arg) => arg === "user/_sh")).toHaveLength(1);
});

test("a name that is longer than a directory entry is named", async () => {
	const { build } = bench();
	const Makefile = tinyMakefile.replace("$U/_sh\\", "$U/_averylongprogram\\");
	const { diagnostics } = await build(tinyTree({ Makefile, "user/averylongprogram.c": "" }));
	expect(diagnostics[0]?.message).toContain("'averylongprogr'");
});

test("programs that do not fit are named, though mkfs itself does not stop", async () => {
	const { toolchain, build } = bench();
	toolchain.mkfs = (run) => ({
		exitCode: 0,
		text: "",
		files: new Map([["fs.img", fakeImage([...run.files.values(), new Uint8Array(200 * 1024)])]]),
	});
	const { output, diagnostics } = await build(tinyTree());
	expect(output).toBeUndefined();
	expect(diagnostics[0]).toMatchObject({ severity: "error", code: "mkfs-failed", file: "Makefile" });
	expect(diagnostics[0]?.message).toMatch(/too big for the file system: they need \d+ blocks and it has 100/);
});

test("a file longer than xv6 files can be is named when mkfs fails", async () => {
	const { toolchain, build } = bench();
	toolchain.mkfs = () => ({ exitCode: 134, text: "Assertion failed: fbn < MAXFILE", files: new Map() });
	const { diagnostics } = await build(tinyTree({ "user/tight.c": `char big[] = "${"x".repeat(300_000)}";\n` }));
	expect(diagnostics[0]?.message).toContain("user/_tight has");
	expect(diagnostics[0]?.message).toContain("268 KiB");
});

test("mkfs's own words come through when nothing else explains its failure", async () => {
	const { toolchain, build } = bench();
	toolchain.mkfs = () => ({ exitCode: 1, text: "mkfs: no superblock today\n", files: new Map() });
	const { diagnostics } = await build(tinyTree());
	expect(diagnostics[0]?.message).toBe("mkfs failed: mkfs: no superblock today");
});

test("an unreadable file of the tree is the typed error that the tree throws", async () => {
	const { build } = bench();
	const whole = tinyTree();
	const tree: SourceTree = {
		label: "locked",
		read: async (path) => {
			if (path === "kernel/main.c") throw Object.assign(new Error("locked"), { code: "file-unreadable" });
			return whole.read(path);
		},
		list: (folder) => whole.list(folder),
	};
	await expect(build(tree)).rejects.toMatchObject({ code: "file-unreadable" });
});

test("a flag that the compiler does not get is said once, at the makefile's line that has it", async () => {
	const { toolchain, build } = bench();
	const compile = toolchain.compile.bind(toolchain);
	toolchain.compile = async (job, files, signal) => {
		const { refused } = hostCompilerFlags(job.flags);
		return { ...(await compile(job, files, signal)), diagnostics: refusedFlags(refused, job.source, "compiler") };
	};
	const makefile = tinyMakefile.replace("CFLAGS += ", "CFLAGS += -fplugin=x.so ");
	const line = makefile.split("\n").findIndex((text) => text.includes("-fplugin")) + 1;
	const { diagnostics, output } = await build(tinyTree({ Makefile: makefile }));
	expect(diagnostics).toMatchObject([{ file: "Makefile", line, severity: "warning", code: "unknown-flag" }]);
	expect(output).toBeDefined();
});
