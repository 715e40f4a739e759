/**
 * Random programs of csmith, as many as one has time for: `node scripts/csmith.mjs [--programs N] [--seed S]`. Each is compiled by
 * riscv64-unknown-elf-gcc and by the compiler inside, at a level that its seed chooses, and both results are computed by our machine.
 * A difference counts when gcc gives the same result at every level: a program whose result is open is not a defect of anybody.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { guestFolder, levels, parseResults, type RandomProgram, runner } from "./corpus.ts";
import { gccFlags, randomProgram } from "./csmith.ts";
import { buildGuest, openCompiler, runGuest } from "./guest.ts";

const perBatch = 20;
const { values } = parseArgs({
	options: { programs: { type: "string", default: "1000" }, seed: { type: "string", default: "1000000" } },
});
const wanted = Number(values.programs);
const guest = resolve(guestFolder);
const folder = mkdtempSync(join(tmpdir(), "xv6-lab-csmith-"));
const inFolder = (name: string) => join(folder, name);

function gcc(output: string, ...args: string[]): string {
	execFileSync("riscv64-unknown-elf-gcc", [...gccFlags, "-I", guest, ...args, "-o", inFolder(output)]);
	return inFolder(output);
}

/** Results by seed as gcc compiles the programs. */
async function byGcc(programs: readonly RandomProgram[], levelOf: (seed: number) => string) {
	writeFileSync(inFolder("run.c"), runner(programs));
	const objects = programs.map(({ seed }) =>
		gcc(`${seed}.o`, levelOf(seed), `-Dmain=program_${seed}`, "-c", inFolder(`${seed}.c`)),
	);
	const support = gcc("guest.o", "-O1", "-fno-builtin", "-c", join(guest, "guest.c"));
	const rest = [join(guest, "crt.S"), support, "-T", join(guest, "link.ld"), "-lgcc"];
	const image = gcc("image", "-O1", inFolder("run.c"), ...objects, ...rest);
	return parseResults(await runGuest(new Uint8Array(await readFile(image))));
}

const levelOf = (seed: number) => levels[seed % levels.length] as string;
const toolchain = await openCompiler();

async function byUs(programs: readonly RandomProgram[]) {
	const units = programs.map(({ seed, source }) => ({
		path: `p${seed}.c`,
		source,
		flags: [levelOf(seed), `-Dmain=program_${seed}`],
	}));
	const run = { path: "run.c", source: runner(programs), flags: ["-O1"] };
	return parseResults(await runGuest(await buildGuest(toolchain, [...units, run])));
}

let [compared, open] = [0, 0];
const different: number[] = [];
try {
	for (let seed = Number(values.seed); compared < wanted; ) {
		const batch: RandomProgram[] = [];
		for (; batch.length < Math.min(perBatch, wanted - compared); seed++) {
			const source = randomProgram(seed, folder);
			if (source !== undefined) batch.push({ seed, source, result: "" });
		}
		const [theirs, ours] = [await byGcc(batch, levelOf), await byUs(batch)];
		for (const program of batch) {
			compared++;
			const result = theirs.get(program.seed);
			if (result !== undefined && ours.get(program.seed) === result) continue;
			const all = new Set<string | undefined>();
			for (const level of levels) all.add((await byGcc([program], () => level)).get(program.seed));
			if (all.size > 1) open++;
			else different.push(program.seed);
		}
		process.stdout.write(`${compared} programs: ${different.length} differences, ${open} whose result is open\n`);
	}
	if (different.length > 0) process.stdout.write(`seeds that differ: ${different.join(" ")}\n`);
} finally {
	toolchain.dispose();
	rmSync(folder, { recursive: true, force: true });
}
process.exitCode = different.length > 0 ? 1 : 0;
