import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BuildSession } from "../../../src/build/session.ts";
import type { BuildOutput } from "../../../src/build/types.ts";
import { fromUtf8 } from "../../../src/common/bytes.ts";
import { MemoryTree } from "../../../src/common/sourceTree.ts";
import { DebugInfo } from "../../../src/debuginfo/debugInfo.ts";
import { type OpenedToolchains, openToolchains } from "../../../src/env/node/toolchains.ts";
import { catalog } from "../../support/lab.ts";
import { smallKernel } from "../../support/smallKernel.ts";
import { addr2line, instructionsOf, ourLines } from "./lineMap.ts";

/** gcc's version where it is installed: its golden file is that of one version. */
const gcc = /\) (\S+)/.exec(
	spawnSync("riscv64-unknown-elf-gcc", ["--version"], { encoding: "utf8" }).stdout ?? "",
)?.[1];
const hasBinutils = spawnSync("riscv64-unknown-elf-addr2line", ["--version"]).status === 0;
const recording = process.env.RECORD === "1";
const goldenFolder = "test/golden/lines";
const goldenGcc = "12.2.0";

interface Side {
	readonly kind: "bundled" | "host";
	readonly golden: string;
	/** Share of the instructions that belong to no line: the optimiser merged them, or made them up. */
	readonly mostLineless: number;
}

const sides: Side[] = [
	{ kind: "bundled", golden: "bundled.txt", mostLineless: 0.2 },
	{ kind: "host", golden: `gcc-${goldenGcc}.txt`, mostLineless: 0.02 },
];

describe.each(sides.filter(({ kind }) => kind === "bundled" || gcc))("$kind", ({ kind, golden, ...side }) => {
	let opened: OpenedToolchains;
	let output: BuildOutput;
	let files: ReadonlyMap<string, Uint8Array>;
	const build = async (tree: MemoryTree) => {
		const result = await new BuildSession().build({ tree, toolchain: opened.toolchain, wasi: opened.wasi });
		if (!result.output) throw new Error(JSON.stringify(result.diagnostics[0]));
		return result.output;
	};
	const linesOf = (path: string) => fromUtf8(files.get(path) ?? new Uint8Array()).split("\n");

	beforeAll(async () => {
		opened = await openToolchains({ kind });
		files = await catalog.workspace(undefined);
		output = await build(new MemoryTree("xv6", files));
	});
	afterAll(() => opened.dispose());

	const elves = () => [output.kernel, ...output.programs.map(({ elf }) => elf)];

	test("every line of the kernel and the programs that has code maps to addresses, and they map back", () => {
		for (const elf of elves()) {
			const info = new DebugInfo(elf);
			const pcs = instructionsOf(info.elf);
			const lines = ourLines(info, pcs);
			const lineOf = new Map(pcs.map((pc, i) => [pc, lines[i]]));
			const known = new Set(lines.filter((line) => line !== "?"));
			for (const place of known) {
				const [file = "", line = ""] = place.split(":");
				// Made from usys.pl; every other file lies in the tree.
				if (file !== "user/usys.S") expect(linesOf(file).length, place).toBeGreaterThanOrEqual(Number(line));
				const addresses = info.lines.addressesOf(file, Number(line));
				expect(addresses.length, place).toBeGreaterThan(0);
				for (const address of addresses) expect(lineOf.get(address)).toBe(place);
			}
			expect(known.size).toBeGreaterThan(100);
			const lineless = lines.filter((line) => line === "?").length / lines.length;
			expect(lineless).toBeLessThan(side.mostLineless);
		}
	});

	test("every instruction of the kernel's assembly has its line", () => {
		const info = new DebugInfo(output.kernel);
		const known = new Set(ourLines(info, instructionsOf(info.elf)));
		const sources = [...files.keys()].filter((path) => /^kernel\/.*\.S$/.test(path));
		expect(sources.length).toBeGreaterThan(3);
		for (const path of sources) {
			// What a macro makes has the line of its use.
			let inMacro = false;
			linesOf(path).forEach((text, i) => {
				const statement = text
					.replace(/(#|\/\/).*/, "")
					.replace(/^\s*\w+:/, "")
					.trim();
				if (/^\.(macro|endm)\b/.test(statement)) inMacro = statement.startsWith(".macro");
				if (statement !== "" && !statement.startsWith(".") && !inMacro) expect(known).toContain(`${path}:${i + 1}`);
			});
		}
	});

	test.runIf(hasBinutils)("every instruction has the line that addr2line says", () => {
		for (const elf of elves()) {
			const info = new DebugInfo(elf);
			const pcs = instructionsOf(info.elf);
			expect(ourLines(info, pcs)).toEqual(addr2line(elf, pcs));
		}
	});

	test.runIf(kind === "bundled" || gcc === goldenGcc)("a small kernel has the lines on record", async () => {
		const tree = smallKernel();
		const { kernel } = await build(tree);
		const info = new DebugInfo(kernel);
		const pcs = instructionsOf(info.elf);
		const written = (lines: readonly string[]) =>
			pcs
				.map((pc, i) => {
					const [file = "", line] = (lines[i] ?? "").split(":");
					const text = fromUtf8(tree.files.get(file) ?? new Uint8Array()).split("\n")[Number(line) - 1] ?? "";
					return `${pc.toString(16)} ${lines[i]} ${text.trim()}`.trimEnd().concat("\n");
				})
				.join("");
		const path = join(goldenFolder, golden);
		if (recording) writeFileSync(path, written(addr2line(kernel, pcs)));
		expect(written(ourLines(info, pcs))).toBe(readFileSync(path, "utf8"));
	});
});
