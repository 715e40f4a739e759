/**
 * Linear memories of machines that were disposed of, by their size, each for the next machine that needs one: to clear 128 MiB takes a
 * twentieth of what it takes the system to hand them out page by page and to take them back. Weak: none is kept from the collector.
 */
const spare = new Map<number, WeakRef<WebAssembly.Memory>>();

/** All zero; `pages` of 64 KiB, now and for ever. */
export function takeMemory(pages: number): WebAssembly.Memory {
	const memory = spare.get(pages)?.deref();
	spare.delete(pages);
	if (!memory) return new WebAssembly.Memory({ initial: pages, maximum: pages });
	new Uint8Array(memory.buffer).fill(0);
	return memory;
}

/** The one that had it neither reads nor writes it any more. */
export function returnMemory(memory: WebAssembly.Memory): void {
	spare.set(memory.buffer.byteLength / 65536, new WeakRef(memory));
}
