import { fromUtf8 } from "../../common/bytes.ts";
import { limits } from "../../common/limits.ts";
import { limitMemory } from "./limitMemory.ts";
import type { BundledModules } from "./llvm.ts";

/** Reads a file of dist/toolchain by name. */
type ReadVendored = (name: string) => Promise<Uint8Array>;

/** The packages that ship, which are the contents of all large files. */
export async function vendoredVersion(read: ReadVendored): Promise<string> {
	return fromUtf8(await read("version.txt")).trim();
}

/** What the sources that call a compiler were when the product was built: with others the same job may give another object. */
export async function toolchainSources(read: ReadVendored): Promise<string> {
	return fromUtf8(await read("sources.txt")).trim();
}

/** Part of the key of every object: the same in Node and in a browser, so that objects that ship serve both. */
export async function bundledVersion(read: ReadVendored): Promise<string> {
	return `${await vendoredVersion(read)}, sources ${await toolchainSources(read)}`;
}

type Gunzip = (bytes: Uint8Array) => Promise<Uint8Array>;

async function gunzipStream(bytes: Uint8Array): Promise<Uint8Array> {
	const stream = new Blob([bytes as BlobPart]).stream().pipeThrough(new DecompressionStream("gzip"));
	return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Files of a pack by path; see scripts/vendor.mjs. */
function unpack(bytes: Uint8Array): Map<string, Uint8Array> {
	const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
	const index = JSON.parse(fromUtf8(bytes.subarray(4, 4 + length))) as Record<string, [number, number]>;
	const body = bytes.subarray(4 + length);
	return new Map(Object.entries(index).map(([path, [offset, size]]) => [path, body.subarray(offset, offset + size)]));
}

/** Compiles the two programs, once; the modules are shared with all workers. `gunzip`: the host's own, where it has a faster one. */
export async function loadBundled(read: ReadVendored, gunzip: Gunzip = gunzipStream): Promise<BundledModules> {
	const compile = async (name: string) => {
		const program = await gunzip(await read(name));
		limitMemory(program, limits.compilerMemoryBytes);
		return WebAssembly.compile(program as BufferSource);
	};
	const [llvm, llc, pack] = await Promise.all([
		compile("llvm.wasm.gz"),
		compile("llc.wasm.gz"),
		read("system.pack.gz").then(gunzip),
	]);
	return { llvm, llc, system: unpack(pack) };
}
