import { expect, test } from "vitest";
import { checkProgram } from "../../../src/cli/run.ts";

const programs = [{ name: "echo" }, { name: "ls" }];

test("a program that the file system does not have is named before the boot, with those that it has", () => {
	expect(() => checkProgram("prodcons1", programs)).toThrowError(
		expect.objectContaining({ code: "program-not-found", nextStep: expect.stringContaining("echo ls") }),
	);
});

test("programs of the tree, paths and the shell's own cd are left to the shell", () => {
	for (const word of ["echo", "/ls", "cd"]) expect(() => checkProgram(word, programs)).not.toThrow();
});
