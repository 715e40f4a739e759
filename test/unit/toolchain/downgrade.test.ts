import { describe, expect, test } from "vitest";
import { downgrade } from "../../../src/toolchain/bundled/downgrade/downgrade.ts";

/** The body of one function after the rewrite, a statement a line. */
function body(...lines: string[]): string[] {
	const text = ["define void @f(ptr %0, i64 %1) {", ...lines.map((line) => `  ${line}`), "  ret void", "}"].join("\n");
	const out = downgrade(text).split("\n");
	const from = out.findIndex((line) => line.startsWith("define"));
	return out
		.slice(from + 1, out.indexOf("}", from))
		.map((line) => line.trim())
		.filter((line) => line && line !== "ret void");
}

/** Names that the rewrite makes up are of no concern: the statements with them numbered in order. */
function shape(lines: string[]): string[] {
	const names = new Map<string, string>();
	return lines.map((line) =>
		line.replace(/%-[\w.-]+/g, (name) => {
			if (!names.has(name)) names.set(name, `%T${names.size}`);
			return names.get(name) as string;
		}),
	);
}

describe("typed pointers", () => {
	test("loads and stores cast their pointer to what they move", () => {
		expect(shape(body("%3 = load i32, ptr %0, align 4", "store i64 %1, ptr %0, align 8"))).toEqual([
			"%T0 = bitcast i8* %0 to i32*",
			"%3 = load i32, i32* %T0, align 4",
			"%T1 = bitcast i8* %0 to i64*",
			"store i64 %1, i64* %T1, align 8",
		]);
	});

	test("a pointer to pointers is one to i8*", () => {
		expect(shape(body("%3 = load ptr, ptr %0, align 8"))).toEqual([
			"%T0 = bitcast i8* %0 to i8**",
			"%3 = load i8*, i8** %T0, align 8",
		]);
	});

	test("what getelementptr and alloca give is i8* again", () => {
		const text = body(
			"%3 = alloca [4 x i32], align 4",
			"%4 = getelementptr inbounds [4 x i32], ptr %3, i64 0, i64 %1",
		).join("\n");
		expect(text).toMatch(/= alloca \[4 x i32\], align 4/);
		expect(text).toMatch(/%3 = bitcast \[4 x i32\]\* \S+ to i8\*/);
		expect(text).toMatch(/getelementptr inbounds \[4 x i32\], \[4 x i32\]\* \S+, i64 0, i64 %1/);
		expect(text).toMatch(/%4 = bitcast i32\* \S+ to i8\*/);
	});

	test("globals are pointers to their own type wherever they stand", () => {
		const text = downgrade("@x = global i32 5, align 4\n@p = global ptr @x, align 8\n");
		expect(text).toMatch(/@x = global i32 5, align 4/);
		expect(text).toMatch(/@p = global i8\* bitcast \(i32\* @x to i8\*\), align 8/);
		expect(text).not.toMatch(/\bptr\b/);
	});
});

test("texts are no candidates for lld's merged sections, whose order is by hash; other constants are as they were", () => {
	const text = downgrade(
		'@.str = private unnamed_addr constant [3 x i8] c"ab\\00", align 1\n@n = private unnamed_addr constant [2 x i32] [i32 1, i32 2], align 4\n',
	);
	expect(text).toContain('@.str = private constant [3 x i8] c"ab\\00", align 1');
	expect(text).toContain("@n = private unnamed_addr constant [2 x i32]");
});

describe("atomics", () => {
	test("read-modify-write and compare-exchange keep their orders", () => {
		const text = body(
			"%3 = atomicrmw add ptr %0, i32 1 seq_cst, align 4",
			"%4 = cmpxchg ptr %0, i64 %1, i64 2 acq_rel monotonic, align 8",
		).join("\n");
		expect(text).toMatch(/%3 = atomicrmw add i32\* \S+, i32 1 seq_cst/);
		expect(text).toMatch(/%4 = cmpxchg i64\* \S+, i64 %1, i64 2 acq_rel monotonic/);
	});
});

describe("flags and attributes that LLVM 13 does not know", () => {
	test("are dropped from instructions, and the ones that it knows stay", () => {
		expect(
			body("%3 = or disjoint i64 %1, 1", "%4 = add nuw nsw i64 %1, 1", "%5 = icmp samesign ult i64 %1, 4"),
		).toEqual(["%3 = or i64 %1, 1", "%4 = add nuw nsw i64 %1, 1", "%5 = icmp ult i64 %1, 4"]);
	});

	test("are dropped from parameters", () => {
		const text = downgrade(
			"define noundef i32 @g(ptr noundef writeonly captures(none) %0, i8 noundef zeroext %1) {\n  ret i32 0\n}\n",
		);
		expect(text).toMatch(/define noundef i32 @g\(i8\* noundef %0, i8 noundef zeroext %1\)/);
	});
});

test("names keep their numbers: what is put in between has a name of its own", () => {
	const made = body("%3 = load i32, ptr %0, align 4").flatMap((line) => /^(%\S+) =/.exec(line)?.[1] ?? []);
	expect(made).toContain("%3");
	for (const name of made.filter((each) => each !== "%3")) expect(name).toMatch(/^%-/);
});

test("debug records become calls of the intrinsics, which are declared once", () => {
	const text = downgrade(
		[
			"define void @f(i64 %0) !dbg !3 {",
			"    #dbg_value(i64 %0, !4, !DIExpression(), !5)",
			"  ret void, !dbg !5",
			"}",
			"!llvm.dbg.cu = !{!0}",
			"!llvm.module.flags = !{!2}",
			'!0 = distinct !DICompileUnit(language: DW_LANG_C11, file: !1, producer: "clang", isOptimized: true, runtimeVersion: 0, emissionKind: FullDebug)',
			'!1 = !DIFile(filename: "a.c", directory: "/")',
			'!2 = !{i32 2, !"Debug Info Version", i32 3}',
			'!3 = distinct !DISubprogram(name: "f", scope: !1, file: !1, line: 1, type: !6, scopeLine: 1, spFlags: DISPFlagDefinition, unit: !0, keyInstructions: true)',
			'!4 = !DILocalVariable(name: "x", arg: 1, scope: !3, file: !1, line: 1, type: !7)',
			"!5 = !DILocation(line: 1, column: 1, scope: !3)",
			"!6 = !DISubroutineType(types: !8)",
			'!7 = !DIBasicType(name: "long", size: 64, encoding: DW_ATE_signed)',
			"!8 = !{null, !7}",
			"",
		].join("\n"),
	);
	expect(text).toMatch(
		/call void @llvm\.dbg\.value\(metadata i64 %0, metadata !4, metadata !DIExpression\(\)\), !dbg !5/,
	);
	expect(text.match(/declare void @llvm\.dbg\.value/g)).toHaveLength(1);
	expect(text).not.toContain("#dbg_");
	expect(text).not.toContain("keyInstructions");
});

test("a construct that it does not know is an error that shows the line", () => {
	expect(() =>
		downgrade(
			'define void @f() {\n  callbr void asm sideeffect "", "!i"() to label %1 [label %1]\n1:\n  ret void\n}\n',
		),
	).toThrow(/IR downgrade: .*callbr/);
});
