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
