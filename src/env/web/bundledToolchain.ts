import { fromUtf8 } from "../../common/bytes.ts";
import { compilerWorker, LoadedOnce, type RawWorker } from "../../toolchain/bundled/compilerWorker.ts";
import { bundledVersion, loadBundled, vendoredVersion } from "../../toolchain/bundled/load.ts";
import { BundledToolchain, compilerIdleMs } from "../../toolchain/bundled/pool.ts";
import { LayeredCache, MemoryCache, type ObjectCache, PrebuiltCache } from "../../toolchain/cache.ts";
import { BrowserObjectCache, cachedReader, type OnRead } from "./browserCache.ts";

/** Reads a file of the built product by its path below dist/. */
export type ReadProduct = (path: string) => Promise<Uint8Array>;

/** Each worker needs some 300 MB while it compiles; more of them than this do not pay on a student's machine. */
const maxWorkers = 4;

/**
 * The bundled compiler in web workers; finished objects, and the compiler's programs once they were needed, are kept by the browser.
 * The programs are loaded at the first job.
 */
export async function openWebToolchain(
	read: ReadProduct,
	onRead: OnRead = () => undefined,
	caches?: readonly ObjectCache[],
): Promise<BundledToolchain> {
	const small = (name: string) => read(`toolchain/${name}`);
	const version = await bundledVersion(small);
	const large = cachedReader(read, "compiler", await vendoredVersion(small), onRead);
	const modules = new LoadedOnce(() => loadBundled((name) => large(`toolchain/${name}`)));
	const source = await read("worker/toolchainWorker.web.js");
	const script = URL.createObjectURL(new Blob([source as BlobPart], { type: "text/javascript" }));
	return new BundledToolchain({
		description: "clang 22 (bundled)",
		version,
		size: Math.max(1, Math.min(maxWorkers, navigator.hardwareConcurrency || 2)),
		cache: new LayeredCache(caches ?? [new MemoryCache(), new BrowserObjectCache(), ...(await prebuilt(read, onRead))]),
		startWorker: () => compilerWorker(startWorker(script), () => modules.get()),
		idleMs: compilerIdleMs,
		onRest: () => modules.letGo(),
	});
}

async function prebuilt(read: ReadProduct, onRead: OnRead): Promise<ObjectCache[]> {
	try {
		const version = fromUtf8(await read("prebuilt.sum"));
		return [new PrebuiltCache(await cachedReader(read, "objects", version, onRead)("prebuilt.bin"))];
	} catch {
		// A development build without them: everything is compiled once.
		return [];
	}
}

function startWorker(script: string): RawWorker {
	const worker = new Worker(script);
	return {
		post: (message) => worker.postMessage(message),
		onMessage: (listener) => worker.addEventListener("message", ({ data }: MessageEvent) => listener(data)),
		onExit: (listener) =>
			worker.addEventListener("error", (event) => listener(event.message || "it could not be started")),
		terminate: () => worker.terminate(),
	};
}
