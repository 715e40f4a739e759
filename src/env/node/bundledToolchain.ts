import { readFile } from "node:fs/promises";
import { availableParallelism, tmpdir, userInfo } from "node:os";
import { join, resolve } from "node:path";
import { setFlagsFromString } from "node:v8";
import { Worker } from "node:worker_threads";
import type { BundledModules } from "../../toolchain/bundled/llvm.ts";
import { loadBundled } from "../../toolchain/bundled/load.ts";
import { BundledToolchain, type CompilerWorker } from "../../toolchain/bundled/pool.ts";
import { LayeredCache, type ObjectCache, PrebuiltCache } from "../../toolchain/cache.ts";
import { DiskCache } from "./objectCache.ts";

/** Each worker needs some 300 MB while it compiles; more of them than this do not pay on a student's machine. */
const maxWorkers = 4;

export interface BundledOptions {
	/** Folder of the built product. */
	readonly dist: string;
	/** Folder for finished objects; default: one in the user's cache. */
	readonly cache?: string;
	/** Objects made anew whatever the caches hold (benchmarks, and making the objects that ship). */
	readonly caches?: readonly ObjectCache[];
}

/** Bumped when the same job could give another object with the same two packages. */
const revision = 2;

let modules: Promise<BundledModules> | undefined;

export async function openBundledToolchain(options: BundledOptions): Promise<BundledToolchain> {
	const vendored = join(options.dist, "toolchain");
	const version = `${(await readFile(join(vendored, "version.txt"), "utf8")).trim()}, revision ${revision}`;
	const caches = options.caches ?? [new DiskCache(options.cache ?? defaultCache()), ...(await prebuilt(options.dist))];
	const read = async (name: string) => new Uint8Array(await readFile(join(vendored, name)));
	return new BundledToolchain({
		description: "clang 22 (bundled)",
		version,
		size: Math.max(1, Math.min(maxWorkers, availableParallelism())),
		cache: new LayeredCache(caches),
		startWorker: () => startWorker(resolve(options.dist, "worker/toolchainWorker.node.cjs"), read),
	});
}

function defaultCache(): string {
	const base = process.env.XDG_CACHE_HOME ?? (process.env.HOME ? join(process.env.HOME, ".cache") : undefined);
	return base ? join(base, "xv6-lab", "objects") : join(tmpdir(), `xv6-lab-${userInfo().username}`);
}

async function prebuilt(dist: string): Promise<ObjectCache[]> {
	try {
		return [new PrebuiltCache(new Uint8Array(await readFile(join(dist, "prebuilt.bin"))))];
	} catch {
		// A development build without them: everything is compiled once.
		return [];
	}
}

/** The programs are loaded when the first job comes: a build whose objects are all at hand never needs them. */
function startWorker(entry: string, read: (name: string) => Promise<Uint8Array>): CompilerWorker {
	let worker: Worker | undefined;
	let disposed = false;
	const queue: unknown[] = [];
	const listeners = new Set<(message: unknown) => void>();
	const exits: ((why: string) => void)[] = [];
	const exit = (why: string) => {
		if (disposed) return;
		disposed = true;
		for (const listener of exits) listener(why);
	};
	// V8's optimising compiler costs a one-shot compiler more time than it returns: baseline code only, from here on.
	setFlagsFromString("--liftoff-only");
	modules ??= loadBundled(read);
	modules
		.catch((error: unknown) => {
			// The next worker may find them.
			modules = undefined;
			throw error;
		})
		.then((workerData) => {
			if (disposed) return;
			worker = new Worker(entry, { workerData });
			worker.on("message", (message) => {
				for (const listener of listeners) listener(message);
			});
			worker.on("error", (error: Error) => exit(error.message));
			worker.on("exit", (code) => exit(`code ${code}`));
			for (const message of queue) worker.postMessage(message);
		})
		.catch((error: Error) => exit(error.message));
	return {
		port: {
			post: (message) => {
				if (worker) worker.postMessage(message);
				else queue.push(message);
			},
			onMessage: (listener) => {
				listeners.add(listener);
				return { dispose: () => listeners.delete(listener) };
			},
		},
		onExit: (listener) => exits.push(listener),
		dispose: () => {
			disposed = true;
			void worker?.terminate();
		},
	};
}
