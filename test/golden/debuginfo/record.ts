/**
 * Records the ELF fixtures of test/unit/debuginfo and what binutils says about them. Needs riscv64-unknown-elf-gcc 12 and binutils; other
 * compilers' fixtures are made when the environment names them (`CLANGS="clang-14 clang-15 clang-16 clang-19 clang-22" LLD=ld.lld-22 SYMBOLIZER=llvm-symbolizer-22`), and kept when it does not.
 * npx esbuild test/golden/debuginfo/record.ts --bundle --platform=node --format=esm --outfile=dist/cli/record.mjs \
 *   --banner:js="import{createRequire}from'node:module';const require=createRequire(import.meta.url);" && node dist/cli/record.mjs
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { openToolchains } from "../../../src/env/node/toolchains.ts";

const here = "test/golden/debuginfo";
const tool = (name: string, args: string[], input?: string): string =>
	execFileSync(`riscv64-unknown-elf-${name}`, args, { encoding: "utf8", input, cwd: here, stdio: ["pipe", "pipe", "ignore"] });
const scratch = mkdtempSync(join(tmpdir(), "debuginfo-"));
const gccFlags =
	"-march=rv64gc -mcmodel=medany -ffreestanding -nostdlib -mno-relax -fno-asynchronous-unwind-tables -Wl,-Ttext=0x80000000,-e,main".split(" ");

interface Fixture {
	readonly elf: string;
	readonly symbols: readonly (readonly [string, number, number])[];
	/** pc, then function and file:line pairs, innermost inlined function first. */
	readonly lines: readonly (readonly [number, readonly string[]])[];
	/** Rows of readelf's interpretation of the call frames: pc, CFA, s0, ra. */
	readonly frames: readonly (readonly [number, string, string, string])[];
	/** The section that holds `layout`, as the compiler computed it. */
	readonly layout: readonly number[];
}

function describe(path: string): Fixture {
	const pcs = [...tool("objdump", ["-d", path]).matchAll(/^ *([0-9a-f]+):\t/gm)].map((match) => match[1] as string);
	const answer = tool("addr2line", ["-f", "-i", "-a", "-e", path], `${pcs.join("\n")}\n`).split("\n");
	const lines: [number, string[]][] = [];
	for (const line of answer) {
		if (/^0x[0-9a-f]{16}$/.test(line)) lines.push([Number(line), []]);
		else if (line) lines.at(-1)?.[1].push(line.replace(/ \(discriminator.*/, "").replace(/.*\/(?=[^/]+:)/, ""));
	}
	const symbols = [...tool("nm", ["-S", path]).matchAll(/^([0-9a-f]{16}) ([0-9a-f]{16}) [TtDdBbRr] (\w+)$/gm)].map(
		(match) => [match[3] as string, Number.parseInt(match[1] as string, 16), Number.parseInt(match[2] as string, 16)] as const,
	);
	const layout = symbols.find(([name]) => name === "layout");
	if (!layout) throw new Error("the fixture has no layout");
	const dump = tool("objdump", ["-s", `--start-address=${layout[1]}`, `--stop-address=${layout[1] + layout[2]}`, path]);
	const hex = [...dump.matchAll(/^ [0-9a-f]+ ((?:[0-9a-f]{2,8} ){1,4})/gm)].map((match) => (match[1] as string).replaceAll(" ", "")).join("");
	// Debug sections lie at address 0, too; they come after the program's own.
	const bytes = Buffer.from(hex, "hex").subarray(0, layout[2]);
	return {
		elf: gzipSync(readFileSync(path), { level: 9 }).toString("base64"),
		symbols,
		lines,
		frames: frameRows(tool("readelf", ["--debug-dump=frames-interp", path])),
		layout: Array.from({ length: bytes.length / 8 }, (_, i) => Number(bytes.readBigUInt64LE(i * 8))),
	};
}

/** A table's head names its columns; registers that it lacks keep their value. */
function frameRows(text: string): [number, string, string, string][] {
	const rows: [number, string, string, string][] = [];
	let columns: string[] = [];
	for (const line of text.split("\n")) {
		const words = line.trim().split(/\s+/);
		if (words[0] === "LOC") columns = words;
		else if (/^[0-9a-f]{16}$/.test(words[0] ?? "") && columns.length > 0) {
			const cell = (name: string) => words[columns.indexOf(name)] ?? "u";
			rows.push([Number.parseInt(words[0] as string, 16), cell("CFA"), cell("s0"), cell("ra")]);
		} else if (line.includes(" CIE ") || line.includes(" FDE ")) columns = [];
	}
	// A CIE's own row stands at address 0.
	return rows.filter(([pc]) => pc !== 0);
}

const clangFlags =
	"--target=riscv64-unknown-elf -march=rv64gc -mcmodel=medany -ffreestanding -mno-relax -fno-omit-frame-pointer -c".split(" ");

/**
 * What LLVM says of the same addresses, in addr2line's words. It is asked beside binutils because binutils 2.40 does not see where functions
 * were inlined when their ranges are DWARF 5's (clang 22 -O1), and it is not asked alone because it takes the name of a function that was
 * not inlined from the symbol table: without `-X` that would be clang 19's `.Lpcrel_hi1`, and what clang 14 to 16 put there has no name.
 */
function llvmLines(path: string, lines: Fixture["lines"]): Fixture["lines"] {
	const pcs = lines.map(([pc]) => `0x${pc.toString(16)}`).join("\n");
	const args = ["--output-style=GNU", "-a", "-f", "-i", "-e", path];
	const answer = execFileSync(process.env.SYMBOLIZER ?? "llvm-symbolizer", args, { encoding: "utf8", input: `${pcs}\n` });
	const said: string[][] = [];
	for (const line of answer.trimEnd().split("\n")) {
		if (/^0x[0-9a-f]+$/.test(line)) said.push([]);
		else said.at(-1)?.push(line.replace(/ \(discriminator.*/, "").replace(/.*\/(?=[^/]+:)/, "").replace(/:0$/, ":?"));
	}
	return lines.map(([pc, binutils], i) => {
		const llvm = said[i] ?? [];
		const names = llvm.length;
		// The outermost function has binutils' name where the symbol has none; the two never differ in a line.
		const chain = llvm.map((text, place) => (text === "" && place === names - 2 ? (binutils.at(-2) ?? "") : text));
		if (chain.at(-1) !== binutils.at(-1) && chain.length === binutils.length) throw new Error(`${path}: lines differ at ${pc.toString(16)}`);
		return [pc, chain] as const;
	});
}

/** Compiled by a clang of the machine, linked by its linker. */
function clangFixtures(clang: string): Record<string, Fixture> {
	const version = /clang version (\d+)/.exec(execFileSync(clang, ["--version"], { encoding: "utf8" }))?.[1];
	const made: Record<string, Fixture> = {};
	for (const [dwarf, level] of [[4, "-O0"], [4, "-O1"], [5, "-O0"], [5, "-O1"]] as const) {
		const path = join(scratch, `clang${version}-${dwarf}${level}`);
		execFileSync(clang, [...clangFlags, `-gdwarf-${dwarf}`, level, "-o", `${path}.o`, "fixture.c"], { cwd: here });
		// binutils' linker 2.40 crashes over what clang 19 writes.
		execFileSync(process.env.LLD ?? "ld.lld", ["-X", "-N", "-Ttext", "0x80000000", "-e", "main", "-o", path, `${path}.o`]);
		const fixture = describe(path);
		made[`clang ${version} -gdwarf-${dwarf} ${level}`] = { ...fixture, lines: llvmLines(path, fixture.lines) };
	}
	return made;
}

async function main(): Promise<void> {
	const fixtures: Record<string, Fixture> = {};
	const clangs = process.env.CLANGS?.split(" ");
	if (!clangs) {
		const before = JSON.parse(readFileSync(join(here, "fixtures.json"), "utf8")) as Record<string, Fixture>;
		for (const [name, fixture] of Object.entries(before)) if (name.startsWith("clang ")) fixtures[name] = fixture;
	}
	for (const clang of clangs ?? []) Object.assign(fixtures, clangFixtures(clang));
	for (const version of [2, 3, 4, 5]) {
		for (const level of ["-O0", "-O1"]) {
			const path = join(scratch, `gcc${version}${level}`);
			tool("gcc", [`-gdwarf-${version}`, level, "-fno-omit-frame-pointer", ...gccFlags, "-o", path, "fixture.c"]);
			fixtures[`gcc 12 -gdwarf-${version} ${level}`] = describe(path);
		}
	}
	const { toolchain, dispose } = await bundled();
	const source = readFileSync(join(here, "fixture.c"));
	const flags = "-O1 -ggdb -fno-omit-frame-pointer -mcmodel=medany -ffreestanding -nostdlib".split(" ");
	const { object, text } = await toolchain.compile(
		{ kind: "c", source: "fixture.c", flags, target: "riscv64" },
		{ read: (path) => (path === "fixture.c" ? new Uint8Array(source) : undefined) },
	);
	if (!object) throw new Error(text);
	const linked = await toolchain.link({
		flags: ["-z", "max-page-size=4096", "-N", "-e", "main", "-Ttext", "0"],
		objects: [{ path: "fixture.o", bytes: object }],
		output: "elf",
		target: "riscv64",
	});
	if (!linked.image) throw new Error(linked.text);
	const path = join(scratch, "clang");
	writeFileSync(path, linked.image);
	fixtures["bundled clang -O1"] = describe(path);
	dispose();
	writeFileSync(join(here, "fixtures.json"), `${JSON.stringify(fixtures)}\n`);
}

async function bundled() {
	const opened = await openToolchains({ kind: "bundled" });
	return { toolchain: opened.toolchain, dispose: () => opened.dispose() };
}

void main();
