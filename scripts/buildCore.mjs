// Compiles the machine's core (AssemblyScript) to dist/machine/core.wasm.
import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import asc from "assemblyscript/asc";

const root = fileURLToPath(new URL("..", import.meta.url));

export async function buildCore() {
	mkdirSync(`${root}dist/machine`, { recursive: true });
	const { error, stderr } = await asc.main([
		"src/machine/core/index.ts",
		"--outFile",
		"dist/machine/core.wasm",
		"--baseDir",
		root,
		"-O3",
		"--noAssert",
		"--runtime",
		"stub",
		"--importMemory",
		"--exportTable",
		// The fixed areas begin at 64 KiB (layout.ts); static data stays below.
		"--memoryBase",
		"1024",
		"--enable",
		"bulk-memory",
	]);
	if (error) throw new Error(`core: ${error.message}\n${stderr.toString()}`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildCore();
