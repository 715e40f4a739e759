import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { guestFolder } from "./corpus.ts";

const [leastBytes, mostBytes] = [2_500, 12_000];

export const gccFlags =
	"-march=rv64gc -mabi=lp64d -mcmodel=medany -ffreestanding -fno-strict-aliasing -nostdlib -w -Wl,--no-warn-rwx-segments".split(
		" ",
	);

export const csmithFlags =
	"--max-funcs 4 --max-block-depth 3 --max-block-size 4 --max-expr-complexity 5 --max-array-dim 2 --max-array-len-per-dim 5 --no-argc --quiet".split(
		" ",
	);

/** csmith's program of a seed, also as `SEED.c` in a folder; undefined: it is too short, too long, or does not end at once. */
export function randomProgram(seed: number, folder: string): string | undefined {
	const made = spawnSync("csmith", ["--seed", String(seed), ...csmithFlags], { encoding: "utf8", timeout: 5_000 });
	if (made.error && !("code" in made.error && made.error.code === "ETIMEDOUT")) throw made.error;
	if (made.status !== 0 || made.stdout.length > mostBytes || made.stdout.length < leastBytes) return undefined;
	const file = join(folder, `${seed}.c`);
	writeFileSync(file, made.stdout);
	return ends(file, folder) ? made.stdout : undefined;
}

/** Whether a native build of it ends at once. */
function ends(file: string, folder: string): boolean {
	const main = join(folder, "native");
	const shim = join(folder, "native.c");
	writeFileSync(
		shim,
		'#include <stdio.h>\nvoid print(const char *s) { fputs(s, stdout); }\nvoid hex(unsigned long v) { printf("%016lx", v); }\n',
	);
	const flags = ["-w", "-O1", "-fno-strict-aliasing", "-I", resolve(guestFolder)];
	const built = spawnSync("gcc", [...flags, file, shim, "-o", main], { timeout: 60_000 });
	return built.status === 0 && spawnSync(main, [], { timeout: 300 }).status === 0;
}
