/**
 * Records what gcc makes of the coverage program and of csmith's random programs, as QEMU runs it. Needs csmith, gcc (of this machine,
 * to leave out programs that do not end), riscv64-unknown-elf-gcc and qemu-system-riscv64.
 *   npx esbuild test/conformance/toolchain/record.ts --bundle --platform=node --format=esm --outfile=dist/record.mjs
 *   node dist/record.mjs
 */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { brotliCompressSync } from "node:zlib";
import {
	type Corpus,
	guestFolder,
	levels,
	parseResults,
	type RandomProgram,
	recordedFolder,
	runner,
} from "./corpus.ts";
import { csmithFlags, gccFlags, randomProgram } from "./csmith.ts";

const wanted = 320;
const perBoot = 40;
const gcc = "riscv64-unknown-elf-gcc";
const guest = resolve(guestFolder);
const folder = mkdtempSync(join(tmpdir(), "record-"));
const inFolder = (name: string) => join(folder, name);
const version = (program: string) =>
	execFileSync(program, ["--version"], { encoding: "utf8" }).split("\n")[0] as string;

function compile(output: string, ...args: string[]): string {
	execFileSync(gcc, [...gccFlags, "-I", guest, ...args, "-o", inFolder(output)]);
	return inFolder(output);
}

function boot(name: string, level: string, objects: string[]): string {
	const support = compile("guest.o", "-O1", "-fno-builtin", "-c", join(guest, "guest.c"));
	const fixed = [join(guest, "crt.S"), support, "-T", join(guest, "link.ld"), "-lgcc"];
	const kernel = compile(name, level, ...objects, ...fixed);
	const serial = inFolder("serial.txt");
	const machine = "-machine virt -bios none -m 128M -display none -monitor none".split(" ");
	const files = ["-serial", `file:${serial}`, "-kernel", kernel];
	const run = spawnSync("qemu-system-riscv64", [...machine, ...files], { timeout: 120_000 });
	if (run.status !== 0) throw new Error(`${name} at ${level} did not end well`);
	return readFileSync(serial, "utf8");
}

function generate(): { seed: number; source: string }[] {
	const found: { seed: number; source: string }[] = [];
	for (let seed = 1; found.length < wanted; seed++) {
		const source = randomProgram(seed, folder);
		if (source !== undefined) found.push({ seed, source });
	}
	return found;
}

/** Programs whose result gcc gives alike at every level; the others depend on what C leaves open. */
function judge(programs: { seed: number; source: string }[]): RandomProgram[] {
	const judged: RandomProgram[] = [];
	for (let at = 0; at < programs.length; at += perBoot) {
		const batch = programs.slice(at, at + perBoot).map((program) => ({ ...program, result: "" }));
		writeFileSync(inFolder("run.c"), runner(batch));
		const [first, ...others] = levels.map((level) => {
			const objects = batch.map(({ seed }) =>
				compile(`${seed}.o`, level, `-Dmain=program_${seed}`, "-c", inFolder(`${seed}.c`)),
			);
			return parseResults(boot("batch", level, [inFolder("run.c"), ...objects]));
		});
		for (const program of batch) {
			const result = first?.get(program.seed);
			if (result && others.every((other) => other.get(program.seed) === result)) judged.push({ ...program, result });
			else console.log(`seed ${program.seed}: left out, gcc's levels differ`);
		}
	}
	return judged;
}

try {
	mkdirSync(recordedFolder, { recursive: true });
	const outputs = levels.map((level) => boot("coverage", level, [join(guest, "coverage.c")]));
	if (new Set(outputs).size !== 1) throw new Error("gcc's levels differ about the coverage program");
	writeFileSync(join(recordedFolder, "coverage.txt"), outputs[0] as string);
	const programs = judge(generate());
	const corpus: Corpus = {
		generator: `${version("csmith")} ${csmithFlags.join(" ")}`,
		compiler: version(gcc),
		programs,
	};
	const packed = brotliCompressSync(JSON.stringify(corpus));
	writeFileSync(join(recordedFolder, "csmith.json.br"), packed);
	console.log(`${programs.length} programs, ${packed.length} bytes`);
} finally {
	rmSync(folder, { recursive: true, force: true });
}
