import { describe, expect, test } from "vitest";
import { utf8 } from "../../../src/common/bytes.ts";
import { hostCompilerFlags, hostLinkerFlags } from "../../../src/toolchain/host/flags.ts";
import { reachOfAssembly, reachOfObjects, reachOfScript, reachOfSources } from "../../../src/toolchain/host/reach.ts";

const job = (source: string, flags: string[] = ["-I."]) =>
	({ kind: source.endsWith("c") ? "c" : "assembly", source, flags, target: "riscv64" }) as const;

const lines = (list: readonly { line?: number }[]) => list.map(({ line }) => line);

describe("sources", () => {
	const other = ["kernel/types.h", utf8("")] as const;
	const check = (text: string, source = "kernel/a.c") =>
		lines(reachOfSources(job(source), new Map([[source, utf8(text)], other])));

	test.each([
		['int x;\n#include "/etc/passwd"\n', 2],
		["#include </etc/passwd>\n", 1],
		['#include "../../etc/passwd"\n', 1],
		['\n\n  #  include "kernel/../../x"\n', 3],
		['#/**/include/**/"/x"\n', 1],
		['#/*\n*/include "/x"\n', 2],
		['#inc\\\nlude "/x"\n', 2],
		['#inc\\  \nlude "/x"\n', 2],
		['%:include "/x"\n', 1],
		['??=include "/x"\n', 1],
		['#inc??/\nlude "/x"\n', 2],
		['#import "/x"\n', 1],
		['#include_next "/x"\n', 1],
		['#embed "/x"\n', 1],
		["#define X </x>\n#include X\n", 2],
		['#if __has_include("/x") && __has_include("/y")\n#endif\n', 1],
		['#pragma GCC dependency "/x"\n', 1],
		['#pragma GCC pch_preprocess "x.gch"\n', 1],
		['int y; _Pragma("GCC dependency \\"/x\\"")\n', 1],
		['const char *s = R"(" /* )";\n#include "/x"\n// */', 2],
		['/* a */ /* b\n */ #include "/x"\n', 2],
		['#include "~/x"\n', 1],
		['#include "C:/x"\n', 1],
	])("%j is refused at line %i", (text, line) => {
		expect(check(text)).toContain(line);
	});

	test.each([
		['#include "types.h"\n#include "../kernel/types.h"\n#include <stdarg.h>\n#include "kernel/none.h"\n'],
		['/* #include "/etc/passwd"\n#include FILE */\n// #include "/x"\nchar *s = "#include \\"/x\\"";\n'],
		['#define A(x) #x\n#pragma GCC diagnostic push\n#pragma once\nchar *s = "\\n#include </x>";\n'],
		["#if 0\n# error include it\n#endif\nint a = 1 / 2;\n"],
	])("%j is not", (text) => {
		expect(check(text)).toEqual([]);
	});

	test("assembly's quotes are no C quotes", () => {
		expect(check('# don\'t /* x */\n#include "/x"\n', "kernel/a.S")).toContain(2);
		expect(check('#include "types.h" /* it\'s ours */\n', "kernel/a.S")).toEqual([]);
	});

	test("a name is looked for where the compiler looks", () => {
		const source = ["user/deep/a.c", utf8('#include "../../kernel/x.h"\n')] as const;
		expect(reachOfSources(job("user/deep/a.c"), new Map([source, ["kernel/x.h", utf8("")]]))).toEqual([]);
		// Where it is not, the compiler would look above the tree, by way of -I.
		expect(lines(reachOfSources(job("user/deep/a.c"), new Map([source])))).toEqual([1]);
	});
});

describe("assembly", () => {
	const check = (text: string) => lines(reachOfAssembly(text, "kernel/a.S", new Map([["kernel/a.S", utf8("")]])));

	test.each([
		['nop\n.incbin "/etc/passwd"\n', 2],
		['# 7 "kernel/a.S"\n\t.INCBIN\t"/x"\n', 7],
		['x: y: .include "../x"\n', 1],
		['nop; .incbin "/x"\n', 1],
		['.incbin "\\057etc/x"\n', 1],
		['.macro m f\n.incbin "\\f"\n.endm\nm /x\n', 2],
		[".macro m f\n.incbin \\f\n.endm\n", 2],
		['.macro m x\n.inc\\x "/y"\n.endm\nm bin\n', 2],
		['.macro m a b c:vararg\n\\a\\b \\c\n.endm\nm .inc bin "/y"\n', 2],
		['.macro m a c:vararg\n\\a\\()bin \\c\n.endm\nm .inc, "/y"\n', 2],
		['.macro n o p:vararg\n\\o \\p\n.endm\n.macro m x p:vararg\nn .inc\\x, \\p\n.endm\nm bin "/y"\n', 5],
		['.macro n o p:vararg\n\\o \\p\n.endm\n.macro m x y p:vararg\nn \\x\\y, \\p\n.endm\nm .inc bin "/y"\n', 5],
		['.irp d, .incbin\n\\d "/y"\n.endr\n', 1],
		[".altmacro\n", 1],
		[".mri 1\nINCBIN '/x'\n", 1],
	])("%j is refused at line %i", (text, line) => {
		expect(check(text)).toContain(line);
	});

	test.each([
		['.incbin "kernel/logo.bin"\n.include "kernel/macros.s"\n'],
		['\t.string\t"see .incbin \\"/etc\\"; \\\\x"\n\t.ascii "a;\\n"\n'],
		[".macro save op\n\\op ra, 0(a0)\n\\op sp, 8(a0)\nsd x\\@, \\op(sp)\n.endm\nsave sd\n"],
		[".macro vector n\nvector\\n:\n\\n: j vector\\n\n.endm\n"],
		[".irp i,0,1,2\nsd s\\i, \\i*8(a0)\n.endr\n"],
	])("%j is not", (text) => {
		expect(check(text)).toEqual([]);
	});
});

describe("linking", () => {
	const script = (text: string) =>
		lines(reachOfScript({ flags: [], objects: [], output: "elf", target: "riscv64", script: { path: "k.ld", text } }));

	test.each([
		["SECTIONS { }\nINPUT(/etc/passwd)\n", 2],
		["INPUT ( -lc )\n", 1],
		["GROUP(a.o)\n", 1],
		["INCLUDE /etc/passwd\n", 1],
		["INCLUDE\n/etc/passwd\n", 1],
		["SEARCH_DIR(=/lib)\n", 1],
		["STARTUP(x.o)\n", 1],
		["OUTPUT(/tmp/x)\n", 1],
		["SECTIONS {\n.text : { /tmp/x.o(.text) }\n}\n", 2],
		['SECTIONS {\n.text : { "/tmp/x.o"(.text) }\n}\n', 2],
		["SECTIONS {\n.text : { ../x.o(.text) }\n}\n", 2],
		["SECTIONS {\n.text : { KEEP(=/x.o(.text)) }\n}\n", 2],
	])("%j is refused at line %i", (text, line) => {
		expect(script(text)).toContain(line);
	});

	test("xv6's own script is not", () => {
		expect(
			script(
				'OUTPUT_ARCH( "riscv" )\nENTRY( _entry )\nSECTIONS\n{\n  /* INPUT(x) */\n  . = 0x80000000;\n  .text : {\n    kernel/entry.o(_entry)\n    *(.text .text.*)\n    ASSERT(. - _trampoline == 0x1000, "error: larger than one page");\n    x = a / 4; y = a /4;\n  }\n  /DISCARD/ : { *(.comment) }\n  PROVIDE(end = .);\n}\n',
			),
		).toEqual([]);
	});

	test("an input that is no object is no input", () => {
		const objects = [
			{ path: "a.o", bytes: utf8("\x7fELF") },
			{ path: "lib.a", bytes: utf8("!<arch>\n") },
			{ path: "b.o", bytes: utf8("INPUT(/etc/passwd)") },
			{ path: "thin.a", bytes: utf8("!<thin>\n/etc/x") },
			{ path: "@c.o", bytes: utf8("\x7fELF") },
		];
		const found = reachOfObjects({ flags: [], objects, output: "elf", target: "riscv64" });
		expect(found.map(({ file }) => file)).toEqual(["b.o", "thin.a", "@c.o"]);
	});
});

describe("flags", () => {
	test("those of xv6's Makefiles are all passed", () => {
		const flags =
			"-Wall -Werror -Wno-unknown-attributes -O -O2 -fno-omit-frame-pointer -ggdb -gdwarf-2 -DSOL_UTIL -DLAB_PGTBL=1 -march=rv64gc -mabi=lp64d -mcmodel=medany -ffreestanding -fno-common -nostdlib -fno-builtin-strncpy -fno-builtin -mno-relax -I . -fno-stack-protector -fno-pie -no-pie -nopie -std=gnu99 -fsanitize=thread -fno-inline -DKCSAN -iquote kernel -include kernel/param.h -Wframe-larger-than=4096 -fno-tree-loop-distribute-patterns -fwrapv -falign-functions=8 -w -Os -ffunction-sections -x c -fdiagnostics-color=always".split(
				" ",
			);
		expect(hostCompilerFlags(flags).refused).toEqual([]);
		const link =
			"-z max-page-size=4096 -N -e main -Ttext 0 -S -e _entry --no-warn-rwx-segments -melf64lriscv -m elf64lriscv --gc-sections -Ttext=0x80000000 -nostdlib --defsym=_x=0x10 -zcommon-page-size=4096".split(
				" ",
			);
		expect(hostLinkerFlags(link).refused).toEqual([]);
	});
});
