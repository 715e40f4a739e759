import { expect, test } from "vitest";
import { consoleLinks } from "../../../src/extension/linkPatterns.ts";

const links = (line: string) =>
	consoleLinks(line).map(({ at, length, target }) => [line.slice(at, at + length), target]);

test("what xv6 prints of a trap leads to its source lines", () => {
	expect(links("scause=0xf sepc=0x80001f3a stval=0x0")).toEqual([["sepc=0x80001f3a", { address: "0x80001f3a" }]]);
	expect(links("            sepc 000000008000247a stval 0000000000000000")).toEqual([
		["sepc 000000008000247a", { address: "0x000000008000247a" }],
	]);
	expect(links("scause 0x000000000000000d\u0007 sepc=80001f3a")).toEqual([
		["sepc=80001f3a", { address: "0x80001f3a" }],
	]);
});

test("panics, source lines and the places that verdicts name are links", () => {
	expect(links("panic: kerneltrap")).toEqual([["panic: kerneltrap", { address: "kerneltrap" }]]);
	expect(links("see kernel/vm.c:123, user/sh.c:7")).toEqual([
		["kernel/vm.c:123", { file: "kernel/vm.c", line: 123 }],
		["user/sh.c:7", { file: "user/sh.c", line: 7 }],
	]);
	expect(links("Look at kernel/trap.c: usertrap, or into memory")).toEqual([
		["kernel/trap.c: usertrap", { address: "usertrap", file: "kernel/trap.c" }],
	]);
});

test("a guest's text that only looks so is none", () => {
	for (const line of ["$ ls", "README 2 2 2226", "process sepc", "panic: 7", "etc/kernel/passwd:1", "spc=12"])
		expect(links(line), line).toEqual([]);
});
