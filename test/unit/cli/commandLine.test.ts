import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import * as commandLine from "../../../src/cli/commandLine.ts";
import { completionScript } from "../../../src/cli/completion.ts";
import { codeOfEnd, exitCodeMeanings, exitCodes, guestCode } from "../../../src/cli/exitCodes.ts";

const specs: Record<string, commandLine.CommandSpec> = {
	boot: commandLine.bootCommand,
	run: commandLine.runCommand,
	test: commandLine.testCommand,
	inspect: commandLine.inspectCommand,
	new: commandLine.newCommand,
	build: commandLine.buildCommand,
};

test("the help of a command names every option that it takes", () => {
	for (const [name, spec] of Object.entries(specs)) {
		const help = commandLine.helpOf(name, spec);
		for (const key of Object.keys(spec.options)) expect(help).toContain(`--${key}`);
	}
	for (const name of ["boot", "run", "test", "inspect"])
		expect(Object.keys(specs[name]?.options ?? {})).toContain("timeout");
});

test("every exit code stands in the help and in README.md, with the same words", () => {
	const readme = readFileSync("README.md", "utf8");
	const help = commandLine.helpOfAll(specs);
	for (const code of Object.values(exitCodes)) {
		const means = exitCodeMeanings[code];
		expect(means).toBeDefined();
		expect(help).toContain(`${code}  ${means}`);
		expect(readme).toContain(`| ${code} | ${means} |`);
	}
});

test("a guest that powers off has not done what it was asked for", () => {
	expect(codeOfEnd({ kind: "halt", code: 0 })).toBe(1);
	expect(codeOfEnd({ kind: "halt", code: 7 })).toBe(7);
	expect(codeOfEnd({ kind: "prompt" })).toBe(0);
	expect(codeOfEnd({ kind: "stall", report: { kind: "no-progress", message: "", harts: [] } })).toBe(4);
	expect(guestCode(256)).toBe(1);
});

test("completion knows commands, options and values", () => {
	for (const shell of ["bash", "zsh", "fish"]) {
		const script = completionScript(shell, specs);
		for (const word of ["inspect", "stop-at-fault", "modern"]) expect(script).toContain(word);
	}
	expect(() => completionScript("tcsh", specs)).toThrow(/no completion/);
});

test("options of one letter are the program's, those of more are ours", () => {
	const parse = (...argv: string[]) => commandLine.parseProgram(argv, "run", commandLine.runCommand);
	expect(parse("usertests", "-q", "--harts", "1", "-c")).toMatchObject({
		positionals: ["usertests", "-q", "-c"],
		values: { harts: "1" },
	});
	expect(parse("grep", "--", "-x", "--harts").positionals).toEqual(["grep", "-x", "--harts"]);
	expect(() => parse("usertests", "--quick")).toThrow(/Unknown option '--quick'/);
});
