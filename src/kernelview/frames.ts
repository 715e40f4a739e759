import type { FrameLetter, FramesModel, FrameUse } from "../protocol/kernelModel.ts";
import { type GuestMemory, pageBytes } from "./guestMemory.ts";
import type { KernelNames } from "./kernelNames.ts";
import type { Process } from "./processes.ts";
import { trampolineVa, trapframeVa } from "./spaces.ts";
import { type PageTables, reachOf, virtualHex } from "./sv39.ts";

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
	readonly uses: readonly FrameUse[];
	/** On the free list. */
	readonly free: Uint8Array;
	readonly freeCount: number | undefined;
	readonly leaked: readonly number[];
	/** Free and mapped, or free and a table. */
	readonly twoHands: readonly number[];
	/** The free list runs in a circle or leaves RAM; in words. */
	readonly damage: string | undefined;
}

/** Frames on kalloc's lists. A cycle or a wild pointer ends the walk. */
export function readFreeList(memory: GuestMemory, names: KernelNames) {
	const free = new Uint8Array(memory.frames);
	let count = 0;
	let damage: string | undefined;
	for (const head of names.freeLists) {
		let run = memory.u64(head) ?? 0;
		while (run !== 0) {
			const frame = memory.frameOf(run);
			if (frame < 0 || run % pageBytes !== 0) {
				damage ??= `the free list leads to 0x${run.toString(16)}, which is no frame`;
				break;
			}
			if (free[frame]) {
				damage ??= `the free list holds frame ${frame} twice`;
				break;
			}
			free[frame] = 1;
			count++;
			run = memory.u64(run) ?? 0;
		}
	}
	return { free, count: names.freeLists.length > 0 ? count : undefined, damage };
}

/** Whether the free lists hold at least so many frames; looks no further than these. */
export function hasFreeFrames(memory: GuestMemory, names: KernelNames, wanted: number): boolean {
	let count = 0;
	for (const head of names.freeLists)
		for (let run = memory.u64(head); run && count < wanted; run = memory.u64(run)) count++;
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

/** What one address space has, as far as its page tables say it. */
interface SpaceUses {
	readonly pid: number;
	readonly pages: readonly FrameUse[];
	readonly tables: readonly FrameUse[];
}

/** Most address spaces are as they were when they were last looked at. */
const usesCache = new WeakMap<PageTables, SpaceUses>();

function usesOf(memory: GuestMemory, { pid, tables }: OwnedSpace): SpaceUses {
	const known = usesCache.get(tables);
	if (known?.pid === pid) return known;
	const pages: FrameUse[] = [];
	for (const leaf of tables.leaves) {
		const frame = memory.frameOf(leaf.pa);
		if (leaf.va === trampolineVa || frame < 0) continue;
		if (leaf.va === trapframeVa) pages.push({ frame, pid, as: "trapframe", address: virtualHex(leaf.va) });
		else
			for (let i = 0; i < reachOf(leaf.level) / pageBytes && frame + i < memory.frames; i++)
				pages.push({ frame: frame + i, pid, as: "page", address: virtualHex(leaf.va + i * pageBytes) });
	}
	const uses = { pid, pages, tables: tableUses(memory, pid, tables) };
	usesCache.set(tables, uses);
	return uses;
}

function tableUses(memory: GuestMemory, pid: number, { tables }: PageTables): FrameUse[] {
	return tables.flatMap(({ address, level, va }) => {
		const frame = memory.frameOf(address);
		return frame < 0 ? [] : [{ frame, pid, as: "page-table" as const, level, address: virtualHex(va) }];
	});
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
	const uses: FrameUse[] = [];
	const { free, count, damage } = readFreeList(memory, names);
	const held = new Uint8Array(total);
	const imageEnd = names.end === undefined ? 0 : Math.max(0, Math.ceil((names.end - memory.base) / pageBytes));
	const twoHands = new Set<number>();
	letters.fill(codes.K, 0, Math.min(imageEnd, total));
	held.fill(1, 0, Math.min(imageEnd, total));
	const use = (entry: FrameUse, letter: number) => {
		const { frame } = entry;
		uses.push(entry);
		const before = letters[frame];
		if (before === codes.K) return;
		if (free[frame]) twoHands.add(frame);
		held[frame] = 1;
		letters[frame] = letter === codes.U && (before === codes.U || before === codes.S) ? codes.S : letter;
	};
	const known = spaces.map((space) => usesOf(memory, space));
	for (const { pages } of known) for (const entry of pages) use(entry, entry.as === "page" ? codes.U : codes["?"]);
	for (const { tables } of known) for (const entry of tables) use(entry, codes.T);
	if (kernel) {
		for (const entry of tableUses(memory, 0, kernel)) use(entry, codes.T);
		// Kernel stacks are what the kernel maps above its direct map.
		for (let i = kernel.leaves.length - 1; i >= 0; i--) {
			const leaf = kernel.leaves[i] as PageTables["leaves"][number];
			if (leaf.va <= memory.base + memory.size) break;
			const frame = memory.frameOf(leaf.pa);
			if (leaf.va === trampolineVa || frame < 0) continue;
			const pid = processes.find((process) => process.kernelStack === leaf.va)?.pid ?? 0;
			use({ frame, pid, as: "kernel-stack", address: virtualHex(leaf.va) }, codes["?"]);
		}
	}
	for (const { trapframe, pid } of processes) {
		const frame = memory.frameOf(trapframe);
		if (frame >= 0 && !held[frame]) use({ frame, pid, as: "trapframe" }, codes["?"]);
	}
	for (let frame = 0; frame < total; frame++) if (free[frame]) letters[frame] = codes["."];
	for (const frame of twoHands) letters[frame] = codes.X;
	const leaked: number[] = [];
	if (names.freeLists.length > 0 && imageEnd > 0) {
		for (const frame of findReachable(memory, names, imageEnd, held, free, roots))
			uses.push({ frame, pid: 0, as: "kernel-data" });
		for (let frame = imageEnd; frame < total; frame++) {
			if (held[frame] || free[frame]) continue;
			letters[frame] = codes.L;
			leaked.push(frame);
		}
	}
	return { letters, uses, free, freeCount: count, leaked, twoHands: [...twoHands], damage };
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

export function framesModel(census: FrameCensus, showLeaked: boolean): FramesModel {
	const letters = showLeaked
		? census.letters
		: census.letters.map((letter) => (letter === codes.L ? codes["?"] : letter));
	const numbers = new Uint32Array(256);
	const counts: Partial<Record<FrameLetter, number>> = {};
	for (const letter of letters) {
		// In the order in which they come.
		if (numbers[letter] === 0) counts[String.fromCharCode(letter) as FrameLetter] = 0;
		(numbers[letter] as number)++;
	}
	for (const letter of Object.keys(counts) as FrameLetter[]) counts[letter] = numbers[codes[letter]] as number;
	return { letters: text.decode(letters), counts, uses: census.uses };
}
