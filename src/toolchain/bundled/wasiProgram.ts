import { concat, fromUtf8, utf8 } from "../../common/bytes.ts";
import { UserError } from "../../common/errors.ts";
import type { WasiRun, WasiRunResult } from "../types.ts";
import { collect, File, Folder } from "./memoryFiles.ts";
import { runWasi } from "./wasi.ts";

/** Runs a linked program, such as the tree's mkfs, in memory. */
export async function runWasiProgram(run: WasiRun): Promise<WasiRunResult> {
	const module = await WebAssembly.compile(run.image as BufferSource);
	const root = new Folder();
	for (const [path, bytes] of run.files) root.add(path, new File(bytes));
	const parts: Uint8Array[] = [];
	const output = (bytes: Uint8Array) => {
		parts.push(bytes.slice());
	};
	let exitCode: number;
	try {
		exitCode = runWasi(module, { args: run.args, root, output, name: (run.args[0] ?? "").split("/").at(-1) ?? "" });
	} catch (error) {
		if (error instanceof UserError) throw error;
		// An assertion or a wild pointer in the program: a failed run with its own words.
		exitCode = 134;
		parts.push(utf8(`${(error as Error).message}\n`));
	}
	return { exitCode, text: fromUtf8(concat(parts)), files: collect(root, run.outputs) };
}
