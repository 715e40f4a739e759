import { readFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join, resolve } from "node:path";
import { setFlagsFromString } from "node:v8";
import { Worker } from "node:worker_threads";
import { gunzip } from "node:zlib";
import { compilerWorker, LoadedOnce, type RawWorker } from "../../toolchain/bundled/compilerWorker.ts";
import type { BundledModules } from "../../toolchain/bundled/llvm.ts";
import { bundledVersion, loadBundled } from "../../toolchain/bundled/load.ts";
import { BundledToolchain } from "../../toolchain/bundled/pool.ts";
import { LayeredCache, type ObjectCache, PrebuiltCache } from "../../toolchain/cache.ts";
import { cacheFolder } from "./cacheFolder.ts";
import { collectGarbage } from "./collectGarbage.ts";
import { DiskCache } from "./objectCache.ts";

/** Each worker needs some 300 MB while it compiles; more of them than this do not pay on a student's machine. */
const maxWorkers = 4;

const workersEndMs = 500;

interface BundledOptions {
	/** Folder of the built product. */
	readonly dist: string;
	/** Folder for finished objects; default: one in the user's cache. */
	readonly cache?: string;
	/** See {@link BundledToolchain}; default: compilers stay until the toolchain is disposed of. */
	readonly idleMs?: number;
	/** Objects made again whatever the caches hold (benchmarks, and making the objects that ship). */
	readonly caches?: readonly ObjectCache[];
}

/** In one piece, as large as the file says it is: a third of what a stream costs. */
function gunzipWhole(bytes: Uint8Array): Promise<Uint8Array> {
	const size = new DataView(bytes.buffer, bytes.byteOffset).getUint32(bytes.length - 4, true);
	return new Promise((resolve, reject) => {
		gunzip(bytes, { chunkSize: Math.max(1024, size + 1) }, (error, whole) => (error ? reject(error) : resolve(whole)));
	});
}

/** Reads the files of dist/toolchain. */
export const vendored = (dist: string) => async (name: string) =>
	new Uint8Array(await readFile(join(dist, "toolchain", name)));

let loadedModules: LoadedOnce<BundledModules> | undefined;

export async function openBundledToolchain(options: BundledOptions): Promise<BundledToolchain> {
	const caches = options.caches ?? [
		new DiskCache(options.cache ?? join(cacheFolder(), "objects")),
		...(await prebuilt(options.dist)),
	];
	const read = vendored(options.dist);
	const version = await bundledVersion(read);
	// A process has one product: all its toolchains share the compiled programs, which are loaded when the first job comes.
	loadedModules ??= new LoadedOnce(() => {
		// The programs are ours. V8 would look at all of their 130 MB before it compiles the tenth that is called.
		setFlagsFromString("--wasm-lazy-validation");
		return loadBundled(read, gunzipWhole);
	});
	const modules = loadedModules;
	const entry = resolve(options.dist, "worker/toolchainWorker.node.cjs");
	return new BundledToolchain({
		description: "clang 22 (bundled)",
		version,
		size: Math.max(1, Math.min(maxWorkers, availableParallelism())),
		cache: new LayeredCache(caches),
		startWorker: () => compilerWorker(startWorker(entry), () => modules.get()),
		...(options.idleMs === undefined ? {} : { idleMs: options.idleMs }),
		onRest: () => {
			modules.letGo();
			// The workers' threads are still ending.
			setTimeout(collectGarbage, workersEndMs).unref();
		},
		processMs: () => {
			const { user, system } = process.cpuUsage();
			return (user + system) / 1000;
		},
		onBusy: baselineCodeOnly,
	});
}

/**
 * V8's optimising compiler costs a one-shot compiler three times what it returns, so that LLVM gets baseline code only. The
 * flags hold for the whole process and each function asks them when it is first called: they are put back for the machine,
 * whose core runs for long and loses a third of its speed without that compiler.
 */
function baselineCodeOnly(only: boolean): void {
	busy += only ? 1 : -1;
	if (busy !== (only ? 1 : 0)) return;
	// The first flag turns the other two off; nothing but they themselves turns them on again.
	const flags = only ? ["--liftoff-only"] : ["--no-liftoff-only", "--wasm-tier-up", "--wasm-dynamic-tiering"];
	for (const flag of flags) setFlagsFromString(flag);
}

/** Toolchains of this process with work to do. */
let busy = 0;

async function prebuilt(dist: string): Promise<ObjectCache[]> {
	try {
		return [new PrebuiltCache(new Uint8Array(await readFile(join(dist, "prebuilt.bin"))))];
	} catch {
		// A development build without them: everything is compiled once.
		return [];
	}
}

function startWorker(entry: string): RawWorker {
	const worker = new Worker(entry);
	return {
		post: (message) => worker.postMessage(message),
		onMessage: (listener) => void worker.on("message", listener),
		onExit: (listener) => {
			worker.on("error", (error: Error) => listener(error.message ?? String(error)));
			worker.on("exit", (code) => listener(`code ${code}`));
		},
		terminate: () => void worker.terminate(),
	};
}
