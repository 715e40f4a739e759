/**
 * What a stranger's tree may ask of a compiler of this machine: flags and directives that, given to gcc or clang as they are,
 * run a program or reach a file outside the tree. None runs, none writes, none is read; shut in or not.
 */
import { spawnSync } from "node:child_process";
import {
	chmodSync,
	existsSync,
	mkdirSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	rmSync,
	writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { fromUtf8, utf8 } from "../../../src/common/bytes.ts";
import { nodeProcessRunner } from "../../../src/env/node/processRunner.ts";
import { MemoryCache } from "../../../src/toolchain/cache.ts";
import { HostToolchain } from "../../../src/toolchain/host/hostToolchain.ts";
import { findHostTools, type HostTools } from "../../../src/toolchain/host/tools.ts";

const secret = "CANARY_7f3a91";

/** Where the canaries live; `{}` in an attack stands for it. */
let cage: string;

interface Attack {
	readonly flags?: readonly string[];
	readonly link?: readonly string[];
	readonly source?: string;
	readonly assembly?: string;
	readonly script?: string;
	readonly object?: string;
	/** Files of the tree beside the source. */
	readonly beside?: Readonly<Record<string, string>>;
}

const asm = (text: string) => ({ assembly: `.text\nnop\n${text}\n` });
const c = (text: string) => ({ source: `int x;\n${text}\n` });
const flag = (...flags: string[]) => ({ flags });
const ld = (...link: string[]) => ({ link });
const evilSpecs = "*cc1:\n%(cc1_cpu) -imacros {}/secret.h\n\n.c:\ntouch {}/pwned\n";
/** Carried into the compiler's folder by naming it where nothing is compiled. */
const carried = {
	source: '#if 0\n#include "evil"\n#endif\nint x;\n',
	beside: { evil: evilSpecs, "kernel/evil": evilSpecs },
};

const attacks: Readonly<Record<string, Attack>> = {
	// Programs
	"-specs of the tree": { flags: ["-specs=evil"], ...carried },
	"-specs of the tree, of a folder": { flags: ["-specs=kernel/evil"], ...carried },
	"--specs": { flags: ["--specs=evil"], ...carried },
	"-specs apart": { flags: ["-specs", "evil"], ...carried },
	"-specs outside": flag("-specs={}/specs"),
	"-B": flag("-B{}/bin/"),
	"-B apart": flag("-B", "{}/bin/"),
	"--prefix": flag("--prefix={}/bin/"),
	"-wrapper": flag("-wrapper", "{}/bin/as"),
	"-fplugin": flag("-fplugin={}/evil.so"),
	"-fplugin-arg": flag("-fplugin=evil", "-fplugin-arg-evil-x=y"),
	"-Xclang -load": flag("-Xclang", "-load", "-Xclang", "{}/evil.so"),
	"-fpass-plugin": flag("-fpass-plugin={}/evil.so"),
	"-fuse-ld": flag("-fuse-ld={}/bin/ld"),
	"-fcompare-debug with a plugin": flag("-fcompare-debug=-fplugin={}/evil.so"),
	"-ffake -iplugindir": flag("-iplugindir={}/bin"),
	"-no-canonical-prefixes and -B": flag("-no-canonical-prefixes", "-B{}/bin"),
	"-fno-integrated-as -B": flag("-fno-integrated-as", "-B{}/bin"),
	"--gcc-toolchain": flag("--gcc-toolchain={}"),
	"--config": flag("--config={}/clang.cfg"),
	"@file": flag("@{}/flags"),
	"ld -plugin": ld("-plugin", "{}/evil.so"),
	"ld --plugin=": ld("--plugin={}/evil.so"),
	// Files that are written
	"-Wl,-Map": flag("-Wl,-Map={}/pwned"),
	"-Wa,-a": flag("-Wa,-alh={}/pwned"),
	"-Wa,-MD": flag("-Wa,--MD,{}/pwned"),
	"-Wp,-MD": flag("-Wp,-MD,{}/pwned"),
	"-Xassembler": flag("-Xassembler", "-alh={}/pwned"),
	"-Xpreprocessor": flag("-Xpreprocessor", "-MD", "-Xpreprocessor", "{}/pwned"),
	"-MF": flag("-MD", "-MF{}/pwned"),
	"-MF apart": flag("-MD", "-MF", "{}/pwned"),
	"-o": flag("-o{}/pwned"),
	"-dumpdir": flag("-save-temps", "-dumpdir", "{}/pwned"),
	"-dumpbase": flag("-save-temps", "-dumpbase", "{}/pwned"),
	"-aux-info": flag("-aux-info", "{}/pwned"),
	"-fdump-tree": flag("-fdump-tree-all={}/pwned"),
	"-fopt-info": flag("-O2", "-fopt-info-all={}/pwned"),
	"-fprofile-dir": flag("-fprofile-generate={}/pwned"),
	"-fdump-go-spec": flag("-fdump-go-spec={}/pwned"),
	"-gsplit-dwarf": flag("-gsplit-dwarf", "-dumpdir", "{}/pwned"),
	"-fdiagnostics-format": flag("-fdiagnostics-format=json-file"),
	"-fdiagnostics-add-output": flag("-fdiagnostics-add-output=sarif:file={}/pwned"),
	"--serialize-diagnostics": flag("--serialize-diagnostics", "{}/pwned"),
	"-MJ": flag("-MJ", "{}/pwned"),
	"ld -Map": ld("-Map={}/pwned"),
	"ld -Map apart": ld("-Map", "{}/pwned"),
	"ld --out-implib": ld("--out-implib={}/pwned"),
	"ld --dependency-file": ld("--dependency-file={}/pwned"),
	"ld -o": ld("-o{}/pwned"),
	"ld OUTPUT": { script: "OUTPUT({}/pwned)\nSECTIONS { .text : { *(.text) } }\n" },
	// Files that are read
	"-include": flag("-include", "{}/secret.h"),
	"-include joined": flag("-include{}/secret.h"),
	"-include through ..": flag("-include", "../../../../../../../../{}/secret.h"),
	"-imacros": flag("-imacros", "{}/secret.h"),
	"-I outside": { flags: ["-I{}"], source: "#include <secret.h>\n" },
	"-isystem outside": { flags: ["-isystem", "{}"], source: "#include <secret.h>\n" },
	"-iprefix": { flags: ["-iprefix", "{}/", "-iwithprefix", "x"], source: "#include <secret.h>\n" },
	"--sysroot": { flags: ["--sysroot={}", "-I=/"], source: "#include <secret.h>\n" },
	"-I of two words": { flags: ["-I", "../../../../../../{}"], source: "#include <secret.h>\n" },
	"-D that makes a name": { flags: ['-DX="{}/secret.h"'], source: "#include X\n" },
	"-finput-charset": { flags: ["-finput-charset=UTF-7"], source: '+ACM-include "{}/secret.h"\n' },
	"-fmodule-file": flag("-fmodule-file={}/secret.h"),
	"-ivfsoverlay": flag("-ivfsoverlay", "{}/secret.h"),
	"#include": c('#include "{}/secret.h"'),
	"#include <>": c("#include <{}/secret.h>"),
	"#include ..": c('#include "../../../../../../../../../../{}/secret.h"'),
	"#include in pieces": c('#inc\\\nlude "{}/secret.h"'),
	"#include by a comment": c('#/*\n*/include/**/"{}/secret.h"'),
	"#include by a digraph": c('%:include "{}/secret.h"'),
	"#include by a trigraph": { flags: ["-std=c99"], ...c('??=include "{}/secret.h"') },
	"#include by a macro": c('#define X "{}/secret.h"\n#include X'),
	"#include behind a raw string": c('char *s = R"(" /* )";\n#include "{}/secret.h"\n// */'),
	"#import": c('#import "{}/secret.h"'),
	"#include_next": c('#include_next "{}/secret.h"'),
	"#embed": c('char e[] = {\n#embed "{}/secret.h"\n};'),
	"#pragma dependency": c('#pragma GCC dependency "{}/secret.h"'),
	"a precompiled header": {
		source: '#if 0\n#include "p.h.gch"\n#endif\n#include "p.h"\nint x;\n',
		beside: { "p.h": "", "p.h.gch": "gpch.014CANARY" },
	},
	"asm .incbin": c('asm(".incbin \\"{}/secret.h\\"");'),
	"asm .incbin in pieces": c('asm(".inc" "bin " "\\"{}/sec" "ret.h\\"");'),
	"asm .incbin by a macro": c('#define I ".incbin"\n#define S(x) #x\nasm(I S("{}/secret.h"));'),
	"asm .incbin by a macro of the assembler": c('asm(".macro m x\\n.inc\\\\x \\"{}/secret.h\\"\\n.endm\\nm bin\\n");'),
	"asm .include": c('asm(".include \\"{}/secret.h\\"");'),
	"asm .incbin with escapes": c('asm(".incbin \\"\\\\057tmp/../{}/secret.h\\"");'),
	".incbin": asm('.incbin "{}/secret.h"'),
	".INCBIN": asm('.INCBIN "{}/secret.h"'),
	".incbin ..": asm('.incbin "../../../../../../../{}/secret.h"'),
	".include": asm('.include "{}/secret.h"'),
	".incbin by #define": asm('#define F "{}/secret.h"\n.incbin F'),
	".incbin by ##": asm('#define J(a, b) a##b\n.J(inc, bin) "{}/secret.h"'),
	".incbin by .irp": asm('.irp d,.incbin\n\\d "{}/secret.h"\n.endr'),
	".incbin by .macro": asm('.macro m a b c:vararg\n\\a\\b \\c\n.endm\nm .inc bin "{}/secret.h"'),
	".mri": asm(".mri 1\n incbin '{}/secret.h'"),
	"ld INPUT": { script: "INPUT({}/secret.h)\n" },
	"ld INCLUDE": { script: "INCLUDE {}/secret.h\n" },
	"ld GROUP": { script: 'GROUP("{}/secret.h")\n' },
	"ld SEARCH_DIR": { script: "SEARCH_DIR({})\nINPUT(-lsecret)\n" },
	"ld section of a file": { script: "SECTIONS { .text : { {}/secret.o(.text) *(.text) } }\n" },
	"ld -T": ld("-T{}/secret.h"),
	"ld --script": ld("--script={}/secret.h"),
	"ld -R": ld("-R{}/secret.h"),
	"ld --just-symbols": ld("--just-symbols={}/secret.h"),
	"ld -dT": ld("-dT", "{}/secret.h"),
	"ld --version-script": ld("--version-script={}/secret.h"),
	"ld --dynamic-list": ld("--dynamic-list={}/secret.h"),
	"ld --retain-symbols-file": ld("--retain-symbols-file={}/secret.h"),
	"ld -L and -l": ld("-L{}", "-lsecret"),
	"ld -l:": ld("-l:{}/secret.h"),
	"ld @file": ld("@{}/flags"),
	"ld -b binary": ld("-b", "binary", "{}/secret.h"),
	"a script for an object": { object: "INPUT({}/secret.h)\n" },
	"a thin archive for an object": {
		object: "!<thin>\n//                                              20        `\n{}/secret.h/\n",
	},
};

beforeAll(() => {
	cage = mkdtempSync(join(tmpdir(), "xv6-lab-canary-"));
	mkdirSync(join(cage, "bin"));
	for (const name of ["as", "cc1", "ld", "collect2", "riscv64-unknown-elf-as", "riscv64-unknown-elf-ld"]) {
		writeFileSync(join(cage, "bin", name), `#!/bin/sh\ntouch ${cage}/pwned\n`);
		chmodSync(join(cage, "bin", name), 0o755);
	}
	writeFileSync(join(cage, "secret.h"), `char *secret = "${secret}"; #error ${secret}\n`);
	writeFileSync(join(cage, "specs"), evilSpecs.replaceAll("{}", cage));
	writeFileSync(join(cage, "flags"), `-include ${cage}/secret.h\n-Map=${cage}/pwned\n`);
	writeFileSync(join(cage, "clang.cfg"), `-include ${cage}/secret.h\n`);
});
afterAll(() => {
	rmSync(cage, { recursive: true, force: true });
});

const filled = (text: string) => text.replaceAll("{}", cage);

/** Runs an attack through the product's own way; all that it said and made as one text. */
async function attempt(attack: Attack, toolchain: HostToolchain): Promise<string> {
	const source = attack.assembly === undefined ? "a.c" : "a.S";
	const tree = new Map(
		Object.entries({ ...attack.beside, [source]: attack.assembly ?? attack.source ?? "int x;\n" }).map(
			([path, text]) => [path, utf8(filled(text))] as const,
		),
	);
	const kind = source === "a.c" ? "c" : "assembly";
	const flags = ["-O", "-I.", ...(attack.flags ?? []).map(filled)];
	const compiled = await toolchain.compile(
		{ kind, source, flags, target: "riscv64" },
		{ read: (path) => tree.get(path) },
	);
	const objects = [
		...(compiled.object ? [{ path: "a.o", bytes: compiled.object }] : []),
		...(attack.object === undefined ? [] : [{ path: "b.o", bytes: utf8(filled(attack.object)) }]),
	];
	const linked = await toolchain.link({
		flags: ["-e", "x", ...(attack.link ?? []).map(filled)],
		objects,
		...(attack.script === undefined ? {} : { script: { path: "a.ld", text: filled(attack.script) } }),
		output: "elf",
		target: "riscv64",
	});
	return [
		JSON.stringify([compiled.diagnostics, linked.diagnostics, compiled.text, linked.text]),
		fromUtf8(compiled.object ?? new Uint8Array()),
		fromUtf8(linked.image ?? new Uint8Array()),
	].join("\n");
}

const compilers = ["riscv64-unknown-elf-gcc", "clang"].map((name) => ({
	name,
	there: spawnSync(name, ["--version"]).status === 0,
}));

describe.each(compilers)("$name", ({ name, there }) => {
	let tools: HostTools | undefined;

	beforeAll(async () => {
		if (there) tools = await findHostTools(nodeProcessRunner, name).catch(() => undefined);
	});

	test.runIf(there).each([
		["by what it is given alone", false],
		["shut in as well", true],
	])(
		`none of ${Object.keys(attacks).length} flags and directives runs, writes or reads anything outside, %s`,
		async (_, sandboxed) => {
			if (!tools || (sandboxed && !tools.sandboxed)) return;
			const toolchain = new HostToolchain(nodeProcessRunner, { ...tools, sandboxed }, new MemoryCache());
			// Shut in, every fifth: what is seen from there does not depend on the attack.
			const tried = Object.entries(attacks).filter((__, i) => !sandboxed || process.env.FULL || i % 5 === 0);
			const bad: string[] = [];
			for (const [title, attack] of tried) {
				const before = readdirSync(cage).sort().join();
				const all = await attempt(attack, toolchain);
				if (all.includes(secret)) bad.push(`${title}: the canary file was read`);
				if (readdirSync(cage).sort().join() !== before) {
					bad.push(`${title}: something was written or run`);
					rmSync(join(cage, "pwned"), { force: true, recursive: true });
				}
			}
			expect(bad).toEqual([]);
		},
		120_000,
	);

	test.runIf(there && name.endsWith("gcc"))("the canaries sing where nothing holds the compiler back", () => {
		const work = mkdtempSync(join(tmpdir(), "xv6-lab-canary-"));
		writeFileSync(join(work, "a.c"), "int x;\n");
		for (const flags of [[`-specs=${cage}/specs`], [`-B${cage}/bin/`]]) {
			spawnSync(name, [...flags, "-c", "a.c"], { cwd: work });
			expect(existsSync(join(cage, "pwned")), flags.join(" ")).toBe(true);
			rmSync(join(cage, "pwned"));
		}
		writeFileSync(join(work, "a.S"), `.incbin "${cage}/secret.h"\n`);
		spawnSync(name, ["-c", "a.S"], { cwd: work });
		expect(readFileSync(join(work, "a.o"), "latin1")).toContain(secret);
		rmSync(work, { recursive: true });
	});
});

test("there are at least 60", () => {
	expect(Object.keys(attacks).length).toBeGreaterThanOrEqual(60);
});
