import { lazyWorker, onceLoaded, type RawWorker } from "../../toolchain/bundled/lazyWorker.ts";
import { bundledVersion, loadBundled } from "../../toolchain/bundled/load.ts";
import { BundledToolchain } from "../../toolchain/bundled/pool.ts";
import { LayeredCache, MemoryCache, type ObjectCache, PrebuiltCache } from "../../toolchain/cache.ts";

/** Reads a file of the built product by its path below dist/. */
export type ReadProduct = (path: string) => Promise<Uint8Array>;

/** Each worker needs some 300 MB while it compiles; more of them than this do not pay on a student's machine. */
const maxWorkers = 4;

/** The bundled compiler in web workers; finished objects are kept in memory. The programs are loaded at the first job. */
export async function openWebToolchain(read: ReadProduct, caches?: readonly ObjectCache[]): Promise<BundledToolchain> {
	const programs = onceLoaded(() => loadPrograms(read));
	return new BundledToolchain({
		description: "clang 22 (bundled)",
		version: await bundledVersion((name) => read(`toolchain/${name}`)),
		size: Math.max(1, Math.min(maxWorkers, navigator.hardwareConcurrency || 2)),
		cache: new LayeredCache(caches ?? [new MemoryCache(), ...(await prebuilt(read))]),
		startWorker: () => lazyWorker(async () => startWorker(await programs())),
	});
}

async function prebuilt(read: ReadProduct): Promise<ObjectCache[]> {
	try {
		return [new PrebuiltCache(await read("prebuilt.bin"))];
	} catch {
		// A development build without them: everything is compiled once.
		return [];
	}
}

/** The compiled programs, and the URL of the worker's script. */
async function loadPrograms(read: ReadProduct) {
	const [modules, source] = await Promise.all([
		loadBundled((name) => read(`toolchain/${name}`)),
		read("worker/toolchainWorker.web.js"),
	]);
	return { modules, script: URL.createObjectURL(new Blob([source as BlobPart], { type: "text/javascript" })) };
}

function startWorker({ modules, script }: Awaited<ReturnType<typeof loadPrograms>>): RawWorker {
	const worker = new Worker(script);
	worker.postMessage({ modules });
	return {
		post: (message) => worker.postMessage(message),
		onMessage: (listener) => worker.addEventListener("message", ({ data }: MessageEvent) => listener(data)),
		onExit: (listener) =>
			worker.addEventListener("error", (event) => listener(event.message || "it could not be started")),
		terminate: () => worker.terminate(),
	};
}
