import { expect, test } from "vitest";
import { fromUtf8, utf8 } from "../../../src/common/bytes.ts";
import { hideRegisterVariables, revealRegisterVariables } from "../../../src/toolchain/bundled/registerVariables.ts";

const hidden = (text: string) => fromUtf8(hideRegisterVariables(new Map([["a.c", utf8(text)]])).get("a.c") ?? utf8(""));

test.each([
	['register int x asm("s11");', 'extern int volatile x __asm__("xv6lab.register.s11");'],
	['register unsigned long y __asm__ ("tp");', 'extern unsigned long volatile y __asm__("xv6lab.register.tp");'],
	['register struct cpu *c asm("x4");', 'extern struct cpu * volatile c __asm__("xv6lab.register.x4");'],
])("%s is hidden from clang, in its own line", (before, after) => {
	expect(hidden(`int a;\n${before}\nint b;\n`)).toBe(`int a;\n${after}\nint b;\n`);
});

test("a register variable of a function, and a register nobody has, stay as they are", () => {
	for (const text of [
		'void f(void) { register long a asm("a0"); }\n',
		'register int a asm("eax");\n',
		"register int a;\n",
	])
		expect(hidden(text)).toBe(text);
});

test("accesses are moves of the register, of any width, and the code generator leaves it alone", () => {
	const ir = [
		"  %5 = load volatile i32, ptr @xv6lab.register.s11, align 4, !dbg !45, !tbaa !9",
		"  store volatile i32 -7, ptr @xv6lab.register.s11, align 4, !dbg !46, !tbaa !9",
		'  %6 = load volatile i64, ptr @"\\01xv6lab.register.tp", align 8',
		'  store volatile ptr %6, ptr @"\\01xv6lab.register.tp", align 8',
	].join("\n");
	const { ir: revealed, attributes } = revealRegisterVariables(ir);
	expect(revealed.split("\n")).toEqual([
		'  %xv6lab.r0 = call i64 asm sideeffect "mv $0, s11", "=r"(), !dbg !45',
		"  %5 = trunc i64 %xv6lab.r0 to i32, !dbg !45",
		"  %xv6lab.r1 = sext i32 -7 to i64, !dbg !46",
		'  call void asm sideeffect "mv s11, $0", "r"(i64 %xv6lab.r1), !dbg !46',
		'  %6 = call i64 asm sideeffect "mv $0, tp", "=r"()',
		"  %xv6lab.r2 = ptrtoint ptr %6 to i64",
		'  call void asm sideeffect "mv tp, $0", "r"(i64 %xv6lab.r2)',
	]);
	// tp is nobody's to use, whatever is said.
	expect(attributes).toEqual(["+reserve-x27"]);
});
