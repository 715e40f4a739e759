import type { CompileOutcome } from "../../toolchain/bundled/compiler.ts";
import { type ObjectCache, packOutcome, unpackOutcome } from "../../toolchain/cache.ts";

/** Finished objects of some ten trees; the oldest go first. */
const mostObjects = 2000;
/** So many more may be there before the oldest are looked for: it takes a list of all. */
const slack = 200;

const objects = "xv6-lab-objects";
const product = "xv6-lab-product-";

/** A cache's keys are addresses; this one is nobody's (RFC 2606). */
const address = (name: string) => `https://xv6-lab.invalid/${encodeURIComponent(name)}`;

/** Undefined where the browser keeps nothing for this page: no storage in a private window or a sandboxed frame. */
async function open(name: string): Promise<Cache | undefined> {
	try {
		return await caches.open(name);
	} catch {
		return undefined;
	}
}

async function bytesOf(cache: Cache, name: string): Promise<Uint8Array | undefined> {
	const found = await cache.match(address(name));
	return found && new Uint8Array(await found.arrayBuffer());
}

/** A full disk, or a quota: what is not kept is made or read again. */
async function keep(cache: Cache, name: string, bytes: Uint8Array): Promise<void> {
	await cache.put(address(name), new Response(bytes as BodyInit)).catch(() => undefined);
}

/** Finished objects that outlive the window, in the browser's cache of this origin. */
export class BrowserObjectCache implements ObjectCache {
	private readonly cache = open(objects);
	private kept = 0;

	async get(key: string): Promise<CompileOutcome | undefined> {
		const cache = await this.cache;
		const bytes = cache && (await bytesOf(cache, key));
		return bytes && unpackOutcome(bytes);
	}

	async put(key: string, outcome: CompileOutcome): Promise<void> {
		const cache = await this.cache;
		if (!cache) return;
		await keep(cache, key, packOutcome(outcome));
		if (this.kept++ % slack === 0) await this.dropOldest(cache);
	}

	private async dropOldest(cache: Cache): Promise<void> {
		// In the order of insertion (Service Workers, section 5.4.7).
		const keys = await cache.keys();
		if (keys.length <= mostObjects + slack) return;
		for (const key of keys.slice(0, keys.length - mostObjects)) await cache.delete(key);
	}
}

/** How large files of the product came here; `transferred`: from the extension host, not from the browser's cache. */
export type OnRead = (path: string, bytes: number, transferred: boolean) => void;

/**
 * Reads files of the product once for each version and browser; the caches of other versions are dropped. `what` is what the files are,
 * `version` names the contents of all of them.
 */
export function cachedReader(
	read: (path: string) => Promise<Uint8Array>,
	what: string,
	version: string,
	onRead: OnRead,
): (path: string) => Promise<Uint8Array> {
	const all = `${product}${what}-`;
	const own = `${all}${version}`;
	const cache = open(own).then(async (opened) => {
		if (!opened) return undefined;
		for (const name of await caches.keys()) if (name.startsWith(all) && name !== own) await caches.delete(name);
		return opened;
	});
	return async (path) => {
		const opened = await cache;
		const kept = opened && (await bytesOf(opened, path));
		if (kept) {
			onRead(path, kept.length, false);
			return kept;
		}
		const bytes = await read(path);
		onRead(path, bytes.length, true);
		if (opened) await keep(opened, path, bytes);
		return bytes;
	};
}
