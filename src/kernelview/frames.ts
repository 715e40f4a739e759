import type { FramesModel, UseRun } from "../protocol/kernelModel.ts";
import { codes, readFreeFrames } from "./freeFrames.ts";
import { type GuestMemory, pageBytes } from "./guestMemory.ts";
import type { KernelNames } from "./kernelNames.ts";
import type { Process } from "./processes.ts";
import { trampolineVa, trapframeVa } from "./spaces.ts";
import { type Leaf, type PageTables, reachOf, virtualHex } from "./sv39.ts";

/** An address space with its owner, as the classification needs it. */
export interface OwnedSpace {
	readonly pid: number;
	readonly tables: PageTables;
}

export interface FrameCensus {
	/** A code for each frame. */
	readonly letters: Uint8Array;
	readonly uses: readonly UseRun[];
	/** On the free list. */
	readonly free: Uint8Array;
	readonly freeCount: number | undefined;
	readonly leaked: readonly number[];
	/** Free and mapped, or free and a table. */
	readonly twoHands: readonly number[];
	/** The free list runs in a circle or leaves RAM; in words. */
	readonly damage: string | undefined;
}

/** What the kernel has pointers to beside its page tables: registers and live stacks, as words to look at. */
export interface Roots {
	readonly registers: readonly number[];
	/** Virtual kernel addresses [from, to) of live stacks. */
	readonly stacks: readonly {
		readonly physical: number;
		readonly from: number;
		readonly to: number;
		readonly pid: number;
	}[];
}

/** Most pieces of address spaces are as they were when they were last looked at. */
const usesCache = new WeakMap<readonly Leaf[], { readonly pid: number; readonly runs: readonly UseRun[] }>();

function pageUses(memory: GuestMemory, pid: number, piece: readonly Leaf[]): readonly UseRun[] {
	const known = usesCache.get(piece);
	if (known?.pid === pid) return known.runs;
	const runs: UseRun[] = [];
	let frames: number[] = [];
	let end = -1;
	for (const { va, pa, level } of piece) {
		const frame = memory.frameOf(pa);
		if (va === trampolineVa || frame < 0) continue;
		if (va === trapframeVa) {
			runs.push({ frames: [frame], pid, as: "trapframe", address: virtualHex(va) });
			continue;
		}
		if (va !== end) {
			frames = [];
			runs.push({ frames, pid, as: "page", address: virtualHex(va) });
		}
		end = va + reachOf(level);
		for (let i = 0; i < reachOf(level) / pageBytes && frame + i < memory.frames; i++) frames.push(frame + i);
	}
	usesCache.set(piece, { pid, runs });
	return runs;
}

/** Made once for as long as the tables are the same. */
const tableUsesCache = new WeakMap<PageTables, { readonly pid: number; readonly runs: readonly UseRun[] }>();

function tableUses(memory: GuestMemory, pid: number, tables: PageTables): readonly UseRun[] {
	const known = tableUsesCache.get(tables);
	if (known?.pid === pid) return known.runs;
	const runs = tables.tables.flatMap(({ address, level, va }): UseRun[] => {
		const frame = memory.frameOf(address);
		return frame < 0 ? [] : [{ frames: [frame], pid, as: "page-table", level, address: virtualHex(va) }];
	});
	tableUsesCache.set(tables, { pid, runs });
	return runs;
}

/** Leaves above an address, the highest first. */
function* highLeaves({ pieces }: PageTables, above: number): Iterable<Leaf> {
	for (const piece of pieces.toReversed())
		for (const leaf of piece.toReversed()) {
			if (leaf.va <= above) return;
			yield leaf;
		}
}

/** Who has each frame. */
export function takeCensus(
	memory: GuestMemory,
	names: KernelNames,
	kernel: PageTables | undefined,
	spaces: readonly OwnedSpace[],
	processes: readonly Process[],
	roots: Roots,
): FrameCensus {
	const total = memory.frames;
	const uses: UseRun[] = [];
	const { free, letters: known, count, damage } = readFreeFrames(memory, names);
	const letters = known.slice();
	/** On the free list, or somebody's. */
	const held = free.slice();
	const imageEnd = names.end === undefined ? 0 : Math.max(0, Math.ceil((names.end - memory.base) / pageBytes));
	const twoHands = new Set<number>();
	letters.fill(codes.K, 0, Math.min(imageEnd, total));
	held.fill(1, 0, Math.min(imageEnd, total));
	const use = (run: UseRun, letter: number) => {
		uses.push(run);
		for (const frame of run.frames) {
			const before = letters[frame];
			if (before === codes.K) continue;
			if (free[frame]) {
				twoHands.add(frame);
				continue;
			}
			held[frame] = 1;
			letters[frame] = letter === codes.U && (before === codes.U || before === codes.S) ? codes.S : letter;
		}
	};
	for (const { pid, tables } of spaces)
		for (const piece of tables.pieces)
			for (const run of pageUses(memory, pid, piece)) use(run, run.as === "page" ? codes.U : codes["?"]);
	for (const { pid, tables } of spaces) for (const run of tableUses(memory, pid, tables)) use(run, codes.T);
	if (kernel) {
		for (const run of tableUses(memory, 0, kernel)) use(run, codes.T);
		// Kernel stacks are what the kernel maps above its direct map.
		const stacks = new Map(processes.map(({ kernelStack, pid }) => [kernelStack, pid]));
		for (const leaf of highLeaves(kernel, memory.base + memory.size)) {
			const frame = memory.frameOf(leaf.pa);
			if (leaf.va === trampolineVa || frame < 0) continue;
			const pid = stacks.get(leaf.va) ?? 0;
			use({ frames: [frame], pid, as: "kernel-stack", address: virtualHex(leaf.va) }, codes["?"]);
		}
	}
	for (const { trapframe, pid } of processes) {
		const frame = memory.frameOf(trapframe);
		if (frame >= 0 && (free[frame] ? !twoHands.has(frame) : !held[frame]))
			use({ frames: [frame], pid, as: "trapframe" }, codes["?"]);
	}
	for (const frame of twoHands) letters[frame] = codes.X;
	const leaked: number[] = [];
	let cutOff = 0;
	if (count !== undefined && imageEnd > 0) {
		const kept = processes.length > 0 ? keptAtBoot(memory, imageEnd, held) : [];
		if (kept.length > 0) uses.push({ frames: kept, pid: 0, as: "kernel-data" });
		for (const frame of kept) held[frame] = 1;
		const reachable = findReachable(memory, names, imageEnd, held, roots);
		if (reachable.length > 0) uses.push({ frames: reachable, pid: 0, as: "kernel-data" });
		for (let frame = held.indexOf(0, imageEnd); frame >= 0; frame = held.indexOf(0, frame + 1)) {
			letters[frame] = codes.L;
			leaked.push(frame);
			if (isFreed(memory, frame)) cutOff++;
		}
	}
	// One that fell off is lost; the rest of the list after a bad link is not.
	const cut =
		cutOff < mostFallen
			? undefined
			: `${cutOff} frames that kfree has filled are not on the free list: a link of it was overwritten`;
	return { letters, uses, free, freeCount: count, leaked, twoHands: [...twoHands], damage: damage ?? cut };
}

/** Where the frames begin and end that kinit gave to kalloc, by memory; known from the first look at a kernel that has booted. */
const givenOut = new WeakMap<GuestMemory, { readonly from: number; readonly to: number }>();

/**
 * Frames that kinit kept for another use, and that kalloc never had: after the image, as counts of references for copy-on-write, or at the end
 * of memory, as the heap of a second allocator. Only their first frame has a pointer to it. kalloc gives the lowest frames out last, and the
 * highest one first, to the kernel's page table, so that at boot none of these can have been lost. Before, kinit has not freed them yet.
 */
function keptAtBoot(memory: GuestMemory, imageEnd: number, held: Uint8Array): number[] {
	const isKept = (frame: number) => !held[frame];
	let given = givenOut.get(memory);
	if (given === undefined) {
		let from = imageEnd;
		while (from < memory.frames && isKept(from)) from++;
		let to = memory.frames;
		while (to > from && isKept(to - 1)) to--;
		given = { from, to };
		givenOut.set(memory, given);
	}
	const { from, to } = given;
	const kept: number[] = [];
	for (let frame = imageEnd; frame < from; frame++) if (isKept(frame)) kept.push(frame);
	for (let frame = to; frame < memory.frames; frame++) if (isKept(frame)) kept.push(frame);
	return kept;
}

/** So many freed frames beside the free list are a list that was cut. */
const mostFallen = 256;

/** Free by its content: kfree's bytes all over it, but for the link. */
function isFreed(memory: GuestMemory, frame: number): boolean {
	const words = memory.page(memory.addressOf(frame));
	return words?.subarray(2).every((word) => word === 0x01010101) ?? false;
}

/**
 * Frames that nobody has but to which the kernel still has a pointer: pipes, rings of the disk, an address space that exec is making.
 * Conservative: any word that looks like an address in the frame counts, also one shaped as a page-table entry. Marks them held.
 */
function findReachable(
	memory: GuestMemory,
	names: KernelNames,
	imageEnd: number,
	held: Uint8Array,
	roots: Roots,
): number[] {
	const found: number[] = [];
	const first = memory.base + imageEnd * pageBytes;
	const last = memory.base + memory.size;
	const consider = (address: number) => {
		if (address < first || address >= last) return;
		const frame = Math.floor((address - memory.base) / pageBytes);
		if (held[frame]) return;
		held[frame] = 1;
		found.push(frame);
	};
	const scan = (from: number, to: number, entries = false) => {
		const words = memory.range(from, to);
		for (let i = 0; i + 1 < words.length; i += 2) {
			const low = words[i] as number;
			const high = words[i + 1] as number;
			if (low === 0 && high === 0) continue;
			if (high < 0x100) consider(high * 2 ** 32 + low);
			if (entries && low & 1) consider(((low >>> 10) + (high & 0x3fffff) * 2 ** 22) * pageBytes);
		}
	};
	const dead = names.stack0;
	const data = names.etext ?? memory.base;
	scan(Math.floor(data / 8) * 8, dead ? dead.address : first);
	if (dead) scan(dead.address + dead.size, first);
	for (const value of roots.registers) consider(value);
	for (const { physical, from, to } of roots.stacks) scan(physical + from, physical + to);
	for (let i = 0; i < found.length; i++) {
		const start = memory.addressOf(found[i] as number);
		scan(start, start + pageBytes, true);
	}
	return found;
}

const text = new TextDecoder("latin1");

/** The letters as text, and how many there are of each. */
export function frameLetters(census: FrameCensus, showLeaked: boolean): Pick<FramesModel, "letters" | "counts"> {
	const letters = census.letters.slice();
	const numbers = new Uint32Array(256);
	// In the order in which they come.
	const order: number[] = [];
	for (let frame = 0; frame < letters.length; frame++) {
		if (letters[frame] === codes.L && !showLeaked) letters[frame] = codes["?"];
		const letter = letters[frame] as number;
		if (numbers[letter] === 0) order.push(letter);
		(numbers[letter] as number)++;
	}
	const counts = Object.fromEntries(order.map((letter) => [String.fromCharCode(letter), numbers[letter]]));
	return { letters: text.decode(letters), counts };
}
