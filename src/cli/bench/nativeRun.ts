import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { bug } from "../../common/errors.ts";

/** xv6's headers as the host's C library has them. */
const headers = {
	"kernel/types.h": "typedef unsigned int uint;\ntypedef unsigned char uchar;\ntypedef unsigned long long uint64;\n",
	"user/user.h":
		"#include <stdio.h>\n#undef random\n#define random xv6_random\nint atoi(const char *);\n_Noreturn void exit(int);\n",
};

/** Compiles compute.c with the host's `cc`, as xv6's Makefile does (-O); undefined when there is none. */
export function buildNative(folder: string, source: string): string | undefined {
	mkdirSync(join(folder, "kernel"), { recursive: true });
	mkdirSync(join(folder, "user"), { recursive: true });
	for (const [path, text] of Object.entries(headers)) writeFileSync(join(folder, path), text);
	const file = join(folder, "compute.c");
	writeFileSync(file, source);
	const program = join(folder, "compute");
	const { status } = spawnSync("cc", ["-O", "-I", folder, "-o", program, file], { stdio: "ignore" });
	return status === 0 ? program : undefined;
}

export function runNative(
	program: string,
	args: readonly string[],
): { readonly seconds: number; readonly text: string } {
	const start = performance.now();
	const { status, stdout } = spawnSync(program, args, { encoding: "utf8" });
	if (status !== 0) bug(`the native ${args.join(" ")} ended with ${status}`);
	return { seconds: (performance.now() - start) / 1000, text: stdout.trim() };
}
