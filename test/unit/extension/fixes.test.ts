import { expect, test } from "vitest";
import { addProgram, fixesFor, type Problem, type TreeText } from "../../../src/extension/fixes.ts";

const files: Record<string, string> = {
	"kernel/trap.c": "void\nusertrap(void)\n{\n  struct proc *p = myprc();\n  grab(1);\n}\n",
	"kernel/vm.c":
		'#include "types.h"\n\nstatic int\nhidden(void)\n{\n}\n\nstruct page *\ngrab(int n,\n     char *why)\n{\n}\n',
	"kernel/defs.h":
		"// trap.c\nvoid            usertrap(void);\n\n// vm.c\nvoid            kvminit(void);\n\n// virtio_disk.c\n",
	"kernel/syscall.h": "#define SYS_fork 1\n#define SYS_mmap 24\n",
	"user/usys.pl": 'sub entry { }\nentry("fork");\nentry("exit");\n# end\n',
	Makefile: "x: y\n        cc y\n",
};
const tree: TreeText = {
	read: async (path) => files[path],
	list: async (folder) =>
		Object.keys(files)
			.filter((path) => path.startsWith(`${folder}/`))
			.map((path) => path.slice(folder.length + 1)),
};
const problem = (file: string, message: string, line = 0, column = 0): Problem => ({
	file,
	message,
	line,
	column,
	endColumn: column,
});
const fixes = (at: Problem) => fixesFor(at, tree);

test("a misspelt name is replaced where it stands, as long as it is", async () => {
	const at = problem("kernel/trap.c", "use of undeclared identifier 'myprc'; did you mean 'myproc'?", 3, 19);
	expect(await fixes(at)).toEqual([
		{
			title: { kind: "replace", name: "myproc" },
			edit: { file: "kernel/trap.c", line: 3, column: 19, endColumn: 24, text: "myproc" },
		},
	]);
	expect(await fixes({ ...at, message: "did you mean '->'?" }), "not a name").toEqual([]);
});

test("a function that is called by a name near its own, for which the compiler has no word, is the one in reach", async () => {
	const message = (name: string) =>
		`call to undeclared function '${name}'; ISO C99 and later do not support implicit function declarations`;
	const read = (source: string): TreeText => ({
		...tree,
		read: async (path) => (path === "kernel/a.c" ? source : files[path]),
	});
	const called = (call: string, head = '#include "defs.h"\n#include "kernel/none.h"\n') =>
		fixesFor(
			problem("kernel/a.c", message(call), head.split("\n").length + 1, 2),
			read(`${head}void\nrun(void)\n  ${call}();\n`),
		);
	expect(await called("kvmint")).toEqual([
		{
			title: { kind: "replace", name: "kvminit" },
			edit: { file: "kernel/a.c", line: 4, column: 2, endColumn: 8, text: "kvminit" },
		},
	]);
	expect(await called("kvm"), "too far from any").toEqual([]);
	expect(await called("kvmint", "\n\n"), "not in reach").toEqual([]);
	const two = '#include "defs.h"\nvoid kvmhint(void);\n';
	expect(await called("kvmint", two), "which of two is not known").toEqual([]);
	const below = '#include "defs.h"\nstatic int\nkvmint(void)\n{\n}\n';
	expect(await called("kvmint", below), "defined in the file itself").toEqual([]);
	expect((await called("grab"))[0]?.title.kind, "defined elsewhere under this very name").toBe("declare");
});

test("a function of another kernel file gets its prototype at the end of that file's section in defs.h", async () => {
	const message = "call to undeclared function 'grab'; ISO C99 and later do not support implicit function declarations";
	expect(await fixes(problem("kernel/trap.c", message, 4, 2))).toEqual([
		{
			title: { kind: "declare", name: "grab", file: "kernel/defs.h" },
			edit: { file: "kernel/defs.h", line: 5, column: 0, text: "struct page * grab(int n, char *why);\n" },
		},
	]);
	const [fix] = await fixes(problem("kernel/vm.c", "implicit declaration of function 'usertrap'"));
	expect(fix?.edit, "a type alone on its line").toMatchObject({ line: 2, text: "void usertrap(void);\n" });
	expect(await fixes(problem("kernel/trap.c", "implicit declaration of function 'hidden'")), "static").toEqual([]);
	expect(await fixes(problem("kernel/trap.c", "implicit declaration of function 'nowhere'"))).toEqual([]);
	expect(await fixes(problem("user/cat.c", message)), "a user program has no defs.h").toEqual([]);
});

test("a system call that the kernel knows gets its stub after the last one", async () => {
	expect(await fixes(problem("user/a.c", "undefined symbol: mmap"))).toEqual([
		{
			title: { kind: "stub", name: "mmap", file: "user/usys.pl" },
			edit: { file: "user/usys.pl", line: 3, column: 0, text: 'entry("mmap");\n' },
		},
	]);
	expect(await fixes(problem("user/a.c", "undefined reference to `fork'")), "has one").toEqual([]);
	expect(await fixes(problem("user/a.c", "undefined symbol: other")), "no system call").toEqual([]);
});

test("spaces at the begin of a recipe become a tab", async () => {
	const at = problem("Makefile", "missing separator: a recipe line begins with a tab, this one with 8 spaces", 1);
	expect(await fixes(at)).toEqual([
		{ title: { kind: "tab" }, edit: { file: "Makefile", line: 1, column: 0, endColumn: 8, text: "\t" } },
	]);
	expect(await fixes({ ...at, line: 0 })).toEqual([]);
});

test("a program that is not on the disk gets its line in UPROGS, in the Makefile's own way", () => {
	const add = (makefile: string) => {
		const edit = addProgram(makefile, "mine");
		if (!edit) return undefined;
		const lines = makefile.split("\n");
		const at = lines.slice(0, edit.line).join("\n").length + (edit.line > 0 ? 1 : 0) + edit.column;
		return makefile.slice(0, at) + edit.text + makefile.slice(at);
	};
	expect(add("UPROGS=\\\n\t$U/_cat\\\n\t$U/_ls\\\n\nfs.img:")).toBe(
		"UPROGS=\\\n\t$U/_mine\\\n\t$U/_cat\\\n\t$U/_ls\\\n\nfs.img:",
	);
	expect(add("K=k\nUPROGS := user/_cat user/_ls\n")).toBe("K=k\nUPROGS := user/_mine user/_cat user/_ls\n");
	expect(add("all: kernel\n")).toBeUndefined();
});

const readOnly = (changed: Record<string, string | undefined>): TreeText => ({
	read: async (path) => (path in changed ? changed[path] : files[path]),
	list: tree.list,
});

test.each<[string, Record<string, string | undefined>, number | undefined]>([
	["at the end of its section", {}, 5],
	["at the header's end where no section is the file's", { "kernel/defs.h": "// trap.c\nint a;\n" }, 2],
	["at the end of a header that ends without a line feed", { "kernel/defs.h": "int a;" }, 1],
	["at the end of a last section", { "kernel/defs.h": "// vm.c\nint a;\n" }, 2],
	["nowhere without a header", { "kernel/defs.h": undefined }, undefined],
	["nowhere where two files define it", { "kernel/trap.c": "int\ngrab(int n)\n{\n}\n" }, undefined],
])("a prototype goes %s", async (_where, changed, line) => {
	const at = problem("kernel/proc.c", "call to undeclared function 'grab'");
	const [fix] = await fixesFor(at, readOnly(changed));
	expect(fix?.edit.line).toBe(line);
});

test.each<[string, Record<string, string | undefined>]>([
	["no script makes stubs", { "user/usys.pl": undefined }],
	["the kernel lists no system calls", { "kernel/syscall.h": undefined }],
	["the kernel knows only a longer name", { "kernel/syscall.h": "#define SYS_mmap2 24\n" }],
	["the script has no stub to stand below", { "user/usys.pl": "# stubs\n" }],
])("no stub is offered where %s", async (_where, changed) => {
	expect(await fixesFor(problem("user/a.c", "undefined symbol: mmap"), readOnly(changed))).toEqual([]);
});

test("a misspelt name is replaced only where a name stands, in a file that can be read", async () => {
	const at = problem("kernel/trap.c", "did you mean 'myproc'?", 3, 2);
	expect((await fixes(at))[0]?.edit).toMatchObject({ column: 2, endColumn: 8 });
	expect(await fixes({ ...at, column: 0 })).toEqual([]);
	expect(await fixes({ ...at, line: 99 })).toEqual([]);
	expect(await fixes({ ...at, file: "kernel/none.c" })).toEqual([]);
});

test("a tab is offered in a Makefile only, and only where the message is about one", async () => {
	const at = problem("Makefile", "recipe begins with a tab", 1);
	expect(await fixes({ ...at, message: "table is missing" })).toEqual([]);
	expect(await fixesFor({ ...at, file: "kernel/trap.c", line: 3 }, tree)).toEqual([]);
	expect(
		(await fixesFor({ ...at, file: "user/Makefile" }, readOnly({ "user/Makefile": "x:\n  cc\n" })))[0]?.edit,
	).toMatchObject({
		...{ file: "user/Makefile", endColumn: 2 },
	});
});
