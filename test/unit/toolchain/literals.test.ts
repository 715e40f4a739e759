import { expect, test } from "vitest";
import { readOnlyLiterals } from "../../../src/toolchain/bundled/literals.ts";

const lines = (ir: string) =>
	readOnlyLiterals(ir)
		.split("\n")
		.filter((line) => line !== "");

test("a literal whose address only is used is a constant, equal ones are one", () => {
	const ir = [
		'@.str = private unnamed_addr global [4 x i8] c"vc0\\00", align 1, !dbg !0',
		'@.str.1 = private unnamed_addr global [4 x i8] c"vc0\\00", align 1, !dbg !14',
		"@names = internal global [2 x ptr] [ptr @.str, ptr @.str.1], align 8",
		"define void @f(ptr %0) {",
		"    #dbg_value(ptr @.str.1, !101, !DIExpression(), !109)",
		"  store ptr @.str.1, ptr %0, align 8",
		"  %2 = tail call i32 @open(ptr noundef @.str.1, i32 1) #4, !dbg !1",
		"  ret void",
		"}",
	]
		.join("\n")
		.concat("\n");
	expect(lines(ir)).toEqual([
		'@.str = private unnamed_addr constant [4 x i8] c"vc0\\00", align 1, !dbg !0',
		"@names = internal global [2 x ptr] [ptr @.str, ptr @.str], align 8",
		"define void @f(ptr %0) {",
		"    #dbg_value(ptr @.str, !101, !DIExpression(), !109)",
		"  store ptr @.str, ptr %0, align 8",
		"  %2 = tail call i32 @open(ptr noundef @.str, i32 1) #4, !dbg !1",
		"  ret void",
		"}",
	]);
});

test.each([
	"  store i8 49, ptr getelementptr inbounds nuw (i8, ptr @.str.1, i64 2), align 1",
	"  %5 = load i8, ptr @.str.1, align 1",
	"  %5 = phi ptr [ @.str.1, %2 ], [ %0, %1 ]",
	"  call void @llvm.memset.p0.i64(ptr @.str.1, i8 0, i64 2, i1 false)",
	"  store ptr @g, ptr @.str.1, align 8",
])("one that is accessed is data to the code generator, and lies in .rodata: %s", (access) => {
	const ir = [
		'@.str.1 = private unnamed_addr global [6 x i8] c"a\\22\\\\@.\\00", align 1, !dbg !14',
		"define void @f(ptr %0) {",
		access,
		'  call void @say(ptr @.str.1, ptr @".str.1")',
		"}",
	]
		.join("\n")
		.concat("\n");
	expect(lines(ir)).toEqual([
		'@"\\01.L.str.1" = external dso_local global [6 x i8], align 1',
		"define void @f(ptr %0) {",
		access.replace("@.str.1", () => '@"\\01.L.str.1"'),
		'  call void @say(ptr @"\\01.L.str.1", ptr @".str.1")',
		"}",
		'module asm ".section .rodata,\\22a\\22,@progbits"',
		'module asm ".balign 1"',
		'module asm ".L.str.1:"',
		'module asm ".byte 97,34,92,64,46,0"',
		'module asm ".text"',
	]);
});

test.each([
	["[3 x i8]", 'c"a\\00b"', 1, ".rodata,\\22a\\22,@progbits", ".byte 97,0,98"],
	["[3 x i8]", "zeroinitializer", 1, ".rodata,\\22a\\22,@progbits", ".byte 0,0,0"],
	["[2 x i32]", "[i32 119, i32 0]", 4, ".rodata.str4.4,\\22aMS\\22,@progbits,4", ".word 119,0"],
	["[2 x i16]", "[i16 115, i16 0]", 2, ".rodata.str2.2,\\22aMS\\22,@progbits,2", ".half 115,0"],
])("a literal %s %s", (type, value, align, section, data) => {
	const ir = `@.str = private unnamed_addr global ${type} ${value}, align ${align}\n  %1 = load i8, ptr @.str\n`;
	expect(lines(ir).slice(2)).toEqual([
		`module asm ".section ${section}"`,
		`module asm ".balign ${align}"`,
		'module asm ".L.str:"',
		`module asm "${data}"`,
		'module asm ".text"',
	]);
});

test("a name that is not plain stays, as a constant; a module without literals stays as it is", () => {
	expect(
		readOnlyLiterals('@"__func__.\\C3\\A4" = private unnamed_addr global [3 x i8] c"\\C3\\A4\\00", align 1\n'),
	).toBe('@"__func__.\\C3\\A4" = private unnamed_addr constant [3 x i8] c"\\C3\\A4\\00", align 1\n');
	const plain = "@x = dso_local global i32 0, align 4\n";
	expect(readOnlyLiterals(plain)).toBe(plain);
});
