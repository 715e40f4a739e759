// Compiles the machine's core (AssemblyScript) to dist/machine/core.wasm, and the one that detectors watch to core-watch.wasm.
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import asc from "assemblyscript/asc";

const root = fileURLToPath(new URL("..", import.meta.url));

export async function buildCore() {
	mkdirSync(`${root}dist/machine`, { recursive: true });
	await compileCore("dist/machine/core.wasm");
	await compileCore("dist/machine/core-watch.wasm", (path, text) =>
		path.endsWith("/watchBuild.ts") ? text.replace("bool = false", "bool = true") : text,
	);
}

/** `change`: what the compiler reads instead of a source. */
export async function compileCore(outFile, change = (_path, text) => text) {
	const { error, stderr } = await asc.main(
		[
			"src/machine/core/index.ts",
			"--outFile",
			outFile,
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
		],
		{
			readFile: (name, folder) => {
				const path = resolve(folder, name);
				return existsSync(path) ? change(path.replaceAll("\\", "/"), readFileSync(path, "utf8")) : null;
			},
		},
	);
	if (error) throw new Error(`core: ${error.message}\n${stderr.toString()}`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildCore();
