import { BuildSession } from "../../src/build/session.ts";
import { MemoryTree } from "../../src/common/sourceTree.ts";
import type { CompileJob, CompileResult, JobFiles, WasiToolchain } from "../../src/toolchain/types.ts";

/** What a build made, in a form that crosses from a browser: every output by its SHA-256. */
export interface BuildPrint {
	readonly objects: Readonly<Record<string, string>>;
	readonly kernel?: string;
	readonly disk?: string;
	readonly compiled: number;
	readonly errors: readonly string[];
}

async function hash(bytes: Uint8Array): Promise<string> {
	const digest = await crypto.subtle.digest("SHA-256", bytes as BufferSource);
	return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Builds a tree with a toolchain and says what came out, object by object. */
export async function printOfBuild(
	toolchain: WasiToolchain,
	files: Readonly<Record<string, string>>,
): Promise<BuildPrint> {
	const objects: Record<string, string> = {};
	const observed: WasiToolchain = {
		...toolchain,
		id: toolchain.id,
		version: toolchain.version,
		compile: async (job: CompileJob, jobFiles: JobFiles, signal?: AbortSignal): Promise<CompileResult> => {
			const result = await toolchain.compile(job, jobFiles, signal);
			if (result.object) objects[job.source] = await hash(result.object);
			return result;
		},
		link: toolchain.link.bind(toolchain),
		runWasi: toolchain.runWasi.bind(toolchain),
		dispose() {},
	};
	const encoder = new TextEncoder();
	const tree = new MemoryTree(
		"tree",
		new Map(Object.entries(files).map(([path, text]) => [path, encoder.encode(text)])),
	);
	const { output, diagnostics, stats } = await new BuildSession().build({ tree, toolchain: observed, wasi: observed });
	return {
		objects,
		...(output ? { kernel: await hash(output.kernel), disk: await hash(output.disk) } : {}),
		compiled: stats.compiled,
		errors: diagnostics
			.filter(({ severity }) => severity === "error")
			.map(({ file, line, message }) => `${file}:${line}: ${message}`),
	};
}
