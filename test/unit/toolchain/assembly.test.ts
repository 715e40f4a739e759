import { expect, test } from "vitest";
import { assemblyLine, assemblyModule } from "../../../src/toolchain/bundled/assembly.ts";

function statements(...lines: string[]): string[] {
	return assemblyModule(lines.join("\n"), "kernel/a.S", "/xv6")
		.split("\n")
		.flatMap((line) => /^module asm "(.*)"$/.exec(line)?.[1] ?? []);
}

test("instructions have their line in front, comments go", () => {
	const out = statements(".text", "start: nop # no operation", "/* two", "lines */ ret // back");
	expect(out.slice(out.indexOf(".text"), out.indexOf("ret") + 1)).toEqual([
		".text",
		".Lb0:",
		".loc 1 2",
		"start: nop",
		".loc 1 4",
		"ret",
	]);
});

test("nothing is put into the body of a macro, which may be used many times; each use has its line", () => {
	const out = statements(".macro save r", "sd \\r, 0(sp)", ".balign 4", ".endm", ".text", "save ra", "save gp");
	const body = out.slice(out.indexOf(".macro save r"), out.indexOf(".endm") + 1);
	expect(body).toEqual([".macro save r", "sd \\5Cr, 0(sp)", ".balign 4", ".endm"]);
	expect(out.slice(out.indexOf(".text"), out.indexOf("save gp") + 1)).toEqual([
		".text",
		".Lb0:",
		".loc 1 6",
		"save ra",
		".loc 1 7",
		"save gp",
	]);
});

test("what .rept repeats has the line of the .rept, nested bodies included", () => {
	const out = statements(".rept 3", ".irp r, a0, a1", "mv \\r, zero", ".endr", ".endr", "ret");
	expect(out.slice(out.indexOf(".Lb0:"), out.indexOf("ret") + 1)).toEqual([
		".Lb0:",
		".loc 1 1",
		".rept 3",
		".irp r, a0, a1",
		"mv \\5Cr, zero",
		".endr",
		".endr",
		".loc 1 6",
		"ret",
	]);
});

test("a line of the module leads back to the source, a line of an included file does not", () => {
	const text = ['# 1 "kernel/a.S"', "nop", '# 1 "kernel/b.h" 1', "li a0, 1", '# 5 "kernel/a.S" 2', "ret"].join("\n");
	const out = assemblyModule(text, "kernel/a.S", "/xv6").split("\n").slice(1);
	const place = (statement: string) =>
		assemblyLine(text, "kernel/a.S", "/xv6", out.indexOf(`module asm "${statement}"`) + 1);
	expect([place("nop"), place("li a0, 1"), place("ret")]).toEqual([1, undefined, 5]);
});
