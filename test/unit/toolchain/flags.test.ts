import { expect, test } from "vitest";
import { cc1Flags } from "../../../src/toolchain/bundled/flags.ts";
import type { CompileJob } from "../../../src/toolchain/types.ts";

const flagsOf = (flags: string[], target: CompileJob["target"] = "riscv64") =>
	cc1Flags({ kind: "c", source: "kernel/a.c", flags, target });

test("xv6's own flags give no message", () => {
	const flags =
		"-Wall -Werror -Wno-unknown-attributes -O -fno-omit-frame-pointer -ggdb -gdwarf-2 -march=rv64gc -MD -mcmodel=medany -ffreestanding -fno-common -nostdlib -fno-builtin-strncpy -fno-builtin -mno-relax -I. -fno-stack-protector -fno-pie -no-pie";
	const { args, diagnostics, llcLevel } = flagsOf(flags.split(" "));
	expect(diagnostics).toEqual([]);
	expect(llcLevel).toBe("-O1");
	for (const kept of ["-Wall", "-ffreestanding", "-fno-common", "-fno-builtin-strncpy", "-O1"])
		expect(args).toContain(kept);
	// What is an error is decided as gcc would: likeGcc.ts.
	for (const gone of ["-Werror", "-ggdb", "-MD", "-mno-relax", "-no-pie", "-O"]) expect(args).not.toContain(gone);
});

test("an unknown flag is named once, as a warning", () => {
	const { args, diagnostics } = flagsOf(["-fplugin=x.so", "-O2", "-fplugin=x.so"]);
	expect(diagnostics).toHaveLength(1);
	expect(diagnostics[0]).toMatchObject({ file: "kernel/a.c", severity: "warning", code: "unknown-flag" });
	expect(diagnostics[0]?.message).toContain("-fplugin=x.so");
	expect(args).not.toContain("-fplugin=x.so");
});

test.each([
	[["-O0"], "-O0", "-O0"],
	[["-O"], "-O1", "-O1"],
	[["-Og"], "-O1", "-O1"],
	[["-O2", "-O1"], "-O1", "-O1"],
	[["-O3"], "-O3", "-O2"],
	[["-Os"], "-Os", "-O2"],
	[["-Ofast"], "-O2", "-O2"],
	[[], "-O0", "-O0"],
])("%j is %s for clang and %s for llc", (flags, clang, llc) => {
	const { args, llcLevel } = flagsOf(flags);
	expect(args.filter((flag) => /^-O/.test(flag))).toEqual([clang]);
	expect(llcLevel).toBe(llc);
});

test("joined and separate -I, -D and -U are the same; -MF takes its file with it", () => {
	const joined = flagsOf(["-Ifoo", "-DX=1", "-UY"]).args;
	const separate = flagsOf(["-I", "foo", "-D", "X=1", "-U", "Y", "-MF", "out.d"]);
	expect(separate.args).toEqual(joined);
	expect(separate.diagnostics).toEqual([]);
	for (const value of ["foo", "X=1", "Y"]) expect(joined).toContain(value);
});

test("relaxations come after the Makefile's own warnings, so that they win", () => {
	const { args } = flagsOf(["-Wall", "-Werror"]);
	expect(args.indexOf("-Wno-infinite-recursion")).toBeGreaterThan(args.indexOf("-Wall"));
});

test("chars are unsigned on RISC-V, and no RISC-V flag goes to WebAssembly", () => {
	expect(flagsOf([]).args).toContain("-fno-signed-char");
	const wasm = flagsOf([], "wasm32-wasi").args;
	expect(wasm).toContain("wasm32-unknown-wasip1");
	expect(wasm.join(" ")).not.toMatch(/riscv|\+m|lp64d|signed-char/);
});
