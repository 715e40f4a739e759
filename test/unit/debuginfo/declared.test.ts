import { expect, test } from "vitest";
import { DebugInfo } from "../../../src/debuginfo/debugInfo.ts";
import { declaredAt } from "../../../src/debuginfo/declared.ts";
import { ElfFile } from "../../../src/debuginfo/elf.ts";
import { build, catalog, closeToolchains } from "../../support/lab.ts";

test("names are declared as the source says: locals of the function around the line, globals, members of both", async () => {
	const files = await catalog.workspace("hw5-anonymous-mmap", "2b");
	const { kernel } = await build(files);
	await closeToolchains();
	const info = new DebugInfo(new ElfFile(kernel));
	const text = new TextDecoder().decode(new Map(files).get("kernel/proc.c"));
	const lines = text.split("\n");
	const lineOf = (part: string) => lines.findIndex((line) => line.includes(part)) + 1;
	const at = (line: number, chain: string) => declaredAt(info, "kernel/proc.c", line, chain);

	const fork = lineOf("int pid = np->pid;");
	expect(at(fork, "np")).toMatchObject({ kind: "local", text: "struct proc *np" });
	expect(at(fork, "np->trapframe->a0")).toMatchObject({
		kind: "member",
		text: "uint64 a0",
		within: { type: "struct trapframe", offset: 112, size: 8 },
	});
	expect(at(fork, "np->name")).toMatchObject({ text: "char name[16]" });
	expect(at(fork, "np->mmr[].addr")).toMatchObject({ kind: "member", text: "uint64 addr" });
	expect(at(lineOf("kill(int pid)") + 4, "pid")).toMatchObject({ kind: "parameter", text: "int pid" });
	expect(at(fork, "proc[].state")).toMatchObject({ kind: "member", text: "enum procstate state" });
	expect(at(fork, "initproc")).toMatchObject({ kind: "global", text: "struct proc *initproc" });
	for (const chain of ["np->nothing", "nothing", "np->pid->x", "", "->"])
		expect(at(fork, chain), chain).toBeUndefined();
});
