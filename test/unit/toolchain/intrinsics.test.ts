import { expect, test } from "vitest";
import { downgrade } from "../../../src/toolchain/bundled/downgrade/downgrade.ts";
import { defineIntrinsics } from "../../../src/toolchain/bundled/intrinsics.ts";

test("three-way compares and float classes become functions of the module that the downgrade takes", () => {
	const ir = [
		"define i32 @f(i64 %0, double %1) {",
		"  %3 = call i32 @llvm.scmp.i32.i64(i64 %0, i64 4)",
		"  %4 = call i1 @llvm.is.fpclass.f64(double %1, i32 3)",
		"  ret i32 %3",
		"}",
		"declare range(i32 -1, 2) i32 @llvm.scmp.i32.i64(i64, i64) #1",
		"declare i1 @llvm.is.fpclass.f64(double, i32 immarg) #1",
		"declare i64 @llvm.umax.i64(i64, i64) #1",
		"attributes #1 = { nounwind }",
		"",
	].join("\n");
	const text = downgrade(defineIntrinsics(ir));
	expect(text).not.toMatch(/@llvm\.(scmp|is\.fpclass)/);
	expect(text).toMatch(/call i32 @xv6lab\.scmp\.i32\.i64\(i64 %0, i64 4\)/);
	expect(text.match(/define internal i32 @xv6lab\.scmp\.i32\.i64\(/g)).toHaveLength(1);
	expect(text.match(/define internal i1 @xv6lab\.is\.fpclass\.f64\(/g)).toHaveLength(1);
	expect(text).toContain("@llvm.umax.i64");
});

test("a module without them stays as it is", () => {
	const ir = "declare void @llvm.trap()\ndefine void @f() {\n  ret void\n}\n";
	expect(defineIntrinsics(ir)).toBe(ir);
});
