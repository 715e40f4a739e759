import { hex } from "../common/bytes.ts";
import type { FrameLetter, FramesModel, UseRun } from "../protocol/kernelModel.ts";
import { freeListsOf } from "./freeLists.ts";
import { type GuestMemory, pageBytes } from "./guestMemory.ts";
import type { KernelNames } from "./kernelNames.ts";
import type { Process } from "./processes.ts";
import { trampolineVa, trapframeVa } from "./spaces.ts";
import { type Leaf, type PageTables, reachOf, virtualHex } from "./sv39.ts";

const wordsPerPage = pageBytes / 4;

/** An address space with its owner, as the classification needs it. */
export interface OwnedSpace {
	readonly pid: number;
	readonly tables: PageTables;
}

/** Each letter's character code: 32,768 of them are counted and joined at every update. */
export const codes = {
	K: 0x4b,
	T: 0x54,
	U: 0x55,
	S: 0x53,
	".": 0x2e,
	L: 0x4c,
	X: 0x58,
	"?": 0x3f,
} as const satisfies Record<FrameLetter, number>;

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

/** A walk of the free lists. */
interface FreeWalk {
	/** Of the machine then. */
	readonly mark: number | undefined;
	/** Frames as they follow each other. */
	readonly order: Int32Array;
	readonly count: number;
	/** By frame: where it stands in `order`; what is not on a list has anything here. */
	readonly places: Int32Array;
}

/** The last walk, and the arrays of the one before: a walk at each look would be most of what the collector has to do. */
const walks = new WeakMap<GuestMemory, { readonly last: FreeWalk; readonly spare: FreeWalk }>();

function emptyWalk(frames: number): FreeWalk {
	return { mark: undefined, order: new Int32Array(frames), count: 0, places: new Int32Array(frames) };
}

interface FreeFrames {
	/** By frame. */
	readonly free: Uint8Array;
	readonly count: number | undefined;
	readonly damage: string | undefined;
}
/** The last answers, with the stamp of the machine then. */
const lastLists = new WeakMap<GuestMemory, readonly { readonly stamp: number; readonly list: FreeFrames }[]>();
const keptLists = 2;

/**
 * Frames on kalloc's lists. A cycle or a wild pointer ends the walk. Tens of thousands of links lie on as many pages, and to follow them one
 * waits for memory at each: the way that the last walk took is guessed again, and every link of it compared, which waits for none. Where the
 * machine knows that a page has not changed since that walk, its link is not even read.
 */
export function readFreeList(memory: GuestMemory, names: KernelNames): FreeFrames {
	const stamp = memory.stamp();
	const known = lastLists.get(memory) ?? [];
	const again = stamp === 0 ? undefined : known.find((one) => one.stamp === stamp);
	const list = again?.list ?? walkFreeList(memory, names);
	const others = known.filter((one) => one.stamp !== stamp).slice(0, keptLists - 1);
	if (stamp !== 0) lastLists.set(memory, [{ stamp, list }, ...others]);
	return list;
}

function walkFreeList(memory: GuestMemory, names: KernelNames): FreeFrames {
	const total = memory.frames;
	const free = new Uint8Array(total);
	const words = memory.range(memory.base, memory.base + total * pageBytes);
	const { last: before, spare } = walks.get(memory) ?? { last: emptyWalk(total), spare: emptyWalk(total) };
	const { order, places } = spare;
	let count = 0;
	let damage: string | undefined;
	const take = (frame: number) => {
		free[frame] = 1;
		places[frame] = count;
		order[count++] = frame;
	};
	const lists = freeListsOf(memory, names);
	for (const { head, link } of lists) {
		let run = memory.u64(head) ?? 0;
		while (run !== 0) {
			let frame = memory.frameOf(run);
			if (frame < 0 || run % pageBytes !== 0) {
				damage ??= `the free list leads to ${hex(run)}, which is no frame`;
				break;
			}
			if (free[frame]) {
				damage ??= `the free list holds frame ${frame} twice`;
				break;
			}
			take(frame);
			let place = before.places[frame] as number;
			if (place < before.count && before.order[place] === frame) {
				while (++place < before.count) {
					const next = before.order[place] as number;
					if (free[next]) break;
					if (!memory.isSame(frame, before.mark)) {
						const address = memory.base + next * pageBytes;
						const at = frame * wordsPerPage + link / 4;
						if (words[at] !== address >>> 0 || words[at + 1] !== Math.floor(address / 2 ** 32)) break;
					}
					take(next);
					frame = next;
				}
			}
			run = memory.u64(memory.addressOf(frame) + link) ?? 0;
		}
	}
	walks.set(memory, { last: { mark: memory.mark(), order, count, places }, spare: before });
	return { free, count: lists.length > 0 ? count : undefined, damage };
}

/** Whether the free lists hold at least so many frames; looks no further than these. */
export function hasFreeFrames(memory: GuestMemory, names: KernelNames, wanted: number): boolean {
	let count = 0;
	for (const { head, link } of freeListsOf(memory, names))
		for (let run = memory.u64(head); run && count < wanted; run = memory.u64(run + link)) count++;
	return count >= wanted;
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
	const letters = new Uint8Array(total).fill(codes["?"]);
	const uses: UseRun[] = [];
	const { free, count, damage } = readFreeList(memory, names);
	const held = new Uint8Array(total);
	const imageEnd = names.end === undefined ? 0 : Math.max(0, Math.ceil((names.end - memory.base) / pageBytes));
	const twoHands = new Set<number>();
	letters.fill(codes.K, 0, Math.min(imageEnd, total));
	held.fill(1, 0, Math.min(imageEnd, total));
	const use = (run: UseRun, letter: number) => {
		uses.push(run);
		for (const frame of run.frames) {
			const before = letters[frame];
			if (before === codes.K) continue;
			if (free[frame]) twoHands.add(frame);
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
		if (frame >= 0 && !held[frame]) use({ frames: [frame], pid, as: "trapframe" }, codes["?"]);
	}
	for (let frame = 0; frame < total; frame++) if (free[frame]) letters[frame] = codes["."];
	for (const frame of twoHands) letters[frame] = codes.X;
	const leaked: number[] = [];
	let cutOff = 0;
	if (count !== undefined && imageEnd > 0) {
		const kept = processes.length > 0 ? keptAtBoot(memory, imageEnd, held, free) : [];
		if (kept.length > 0) uses.push({ frames: kept, pid: 0, as: "kernel-data" });
		for (const frame of kept) held[frame] = 1;
		const reachable = findReachable(memory, names, imageEnd, held, free, roots);
		if (reachable.length > 0) uses.push({ frames: reachable, pid: 0, as: "kernel-data" });
		for (let frame = imageEnd; frame < total; frame++) {
			if (held[frame] || free[frame]) continue;
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
function keptAtBoot(memory: GuestMemory, imageEnd: number, held: Uint8Array, free: Uint8Array): number[] {
	const isKept = (frame: number) => !held[frame] && !free[frame];
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
	free: Uint8Array,
	roots: Roots,
): number[] {
	const found: number[] = [];
	const first = memory.base + imageEnd * pageBytes;
	const last = memory.base + memory.size;
	const consider = (address: number) => {
		if (address < first || address >= last) return;
		const frame = Math.floor((address - memory.base) / pageBytes);
		if (held[frame] || free[frame]) return;
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
