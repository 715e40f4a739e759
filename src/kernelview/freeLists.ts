import { plain } from "../debuginfo/types.ts";
import { type GuestMemory, pageBytes } from "./guestMemory.ts";
import type { KernelNames } from "./kernelNames.ts";

/** A list of free frames: where its head is, and at which offset in each frame the link to the next. */
export interface FreeList {
	readonly head: number;
	readonly link: number;
}

/** A chain as long as this is no accident: nothing else in a kernel links frames by their addresses. */
const convincing = 256;
/** Of a `struct run` with more in it than the link. */
const links = [0, 8, 16, 24, 32, 40, 48, 56];

const found = new WeakMap<KernelNames, readonly FreeList[]>();

/**
 * The kernel's lists of free frames. Where `kmem.freelist` is not what it is called, or its links do not lie first, they are recognised by
 * what they are: a word of the kernel's data that leads from frame to frame, hundreds of times. Found once, while memory is free; empty
 * until then, and for an allocator that keeps no such list.
 */
export function freeListsOf(memory: GuestMemory, names: KernelNames): readonly FreeList[] {
	const known = found.get(names);
	if (known) return known;
	const first = Math.ceil((names.end ?? memory.base) / pageBytes) * pageBytes;
	const lists = named(memory, names, first) ?? byShape(memory, names, first);
	if (lists.length > 0) found.set(names, lists);
	// Before kinit, or with all memory in use, the name is all there is.
	return lists.length > 0 ? lists : names.freeLists.map((head) => ({ head, link: 0 }));
}

function named(memory: GuestMemory, names: KernelNames, first: number): readonly FreeList[] | undefined {
	for (const link of links) {
		const long = names.freeLists.some((head) => chain(memory, head, link, first, convincing) >= convincing);
		if (long) return names.freeLists.map((head) => ({ head, link }));
	}
	return undefined;
}

function byShape(memory: GuestMemory, names: KernelNames, first: number): readonly FreeList[] {
	if (names.end === undefined) return [];
	const from = Math.floor((names.etext ?? memory.base) / 8) * 8;
	const words = memory.range(from, first);
	const stack = names.stack0;
	let best: (FreeList & { readonly length: number }) | undefined;
	for (let i = 0; i + 1 < words.length; i += 2) {
		const low = words[i] as number;
		if (low === 0 || low % pageBytes !== 0) continue;
		const head = from + i * 4;
		// What is left on the boot stacks leads into the list as well.
		if (stack && head >= stack.address && head < stack.address + stack.size) continue;
		for (const link of links) {
			if (chain(memory, head, link, first, convincing) < convincing) continue;
			const length = chain(memory, head, link, first, memory.frames);
			if (!best || length > best.length) best = { head, link, length };
		}
	}
	return best ? siblings(names, best) : [];
}

/** Links of a list, at most `most`; 0 when it leads to anything but frames after the kernel's image. */
function chain(memory: GuestMemory, head: number, link: number, first: number, most: number): number {
	let length = 0;
	for (let run = memory.u64(head) ?? 0; run !== 0 && length < most; length++) {
		if (run < first || run % pageBytes !== 0 || memory.frameOf(run) < 0) return 0;
		run = memory.u64(run + link) ?? 0;
	}
	return length;
}

/** Where the head is a member of an array's element, as with a list for each hart, the other elements have one too. */
function siblings(names: KernelNames, { head, link }: FreeList): readonly FreeList[] {
	const symbol = names.symbols.symbolAt(head);
	const variable = symbol && names.variable(symbol.name);
	const type = plain(variable?.type);
	const element = type?.kind === "array" ? plain(type.element) : undefined;
	if (!variable || type?.kind !== "array" || !element || element.size === 0 || type.count > 64) return [{ head, link }];
	const offset = (head - variable.address) % element.size;
	return Array.from({ length: type.count }, (_, i) => ({ head: variable.address + i * element.size + offset, link }));
}
