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

export interface FrameCensus {
	readonly letters: FrameLetter[];
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
	const letters = new Array<FrameLetter>(total).fill("?");
	const uses: FrameUse[] = [];
	const { free, count, damage } = readFreeList(memory, names);
	const held = new Uint8Array(total);
	const imageEnd = names.end === undefined ? 0 : Math.max(0, Math.ceil((names.end - memory.base) / pageBytes));
	const twoHands = new Set<number>();
	for (let frame = 0; frame < Math.min(imageEnd, total); frame++) {
		letters[frame] = "K";
		held[frame] = 1;
	}
	const use = (frame: number, entry: Omit<FrameUse, "frame">, letter: FrameLetter) => {
		if (frame < 0) return;
		uses.push({ frame, ...entry });
		if (letters[frame] === "K") return;
		if (free[frame]) twoHands.add(frame);
		held[frame] = 1;
		letters[frame] = letter === "U" && (letters[frame] === "U" || letters[frame] === "S") ? "S" : letter;
	};
	const tablesOf = (pid: number, tables: PageTables) => {
		for (const { address, level, va } of tables.tables)
			use(memory.frameOf(address), { pid, as: "page-table", level, address: virtualHex(va) }, "T");
	};
	for (const { pid, tables } of spaces) {
		for (const leaf of tables.leaves) {
			const frame = memory.frameOf(leaf.pa);
			if (leaf.va === trampolineVa) continue;
			if (leaf.va === trapframeVa) use(frame, { pid, as: "trapframe", address: virtualHex(leaf.va) }, "?");
			else
				for (let i = 0; i < reachOf(leaf.level) / pageBytes && frame >= 0 && frame + i < total; i++)
					use(frame + i, { pid, as: "page", address: virtualHex(leaf.va + i * pageBytes) }, "U");
		}
	}
	for (const { pid, tables } of spaces) tablesOf(pid, tables);
	if (kernel) {
		tablesOf(0, kernel);
		// Kernel stacks are what the kernel maps above its direct map.
		for (let i = kernel.leaves.length - 1; i >= 0; i--) {
			const leaf = kernel.leaves[i] as PageTables["leaves"][number];
			if (leaf.va <= memory.base + memory.size) break;
			if (leaf.va === trampolineVa) continue;
			const owner = processes.find((process) => process.kernelStack === leaf.va);
			use(memory.frameOf(leaf.pa), { pid: owner?.pid ?? 0, as: "kernel-stack", address: virtualHex(leaf.va) }, "?");
		}
	}
	for (const process of processes) {
		const frame = memory.frameOf(process.trapframe);
		if (frame >= 0 && !held[frame]) use(frame, { pid: process.pid, as: "trapframe" }, "?");
	}
	for (let frame = 0; frame < total; frame++) if (free[frame]) letters[frame] = twoHands.has(frame) ? "X" : ".";
	const leaked: number[] = [];
	if (names.freeLists.length > 0 && imageEnd > 0) {
		for (const frame of findReachable(memory, names, imageEnd, held, free, roots))
			uses.push({ frame, pid: 0, as: "kernel-data" });
		for (let frame = imageEnd; frame < total; frame++) {
			if (held[frame] || free[frame]) continue;
			letters[frame] = "L";
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

export function framesModel(census: FrameCensus, showLeaked: boolean): FramesModel {
	const counts: Partial<Record<FrameLetter, number>> = {};
	const letters = showLeaked
		? census.letters
		: census.letters.map((letter): FrameLetter => (letter === "L" ? "?" : letter));
	for (const letter of letters) counts[letter] = (counts[letter] ?? 0) + 1;
	return { letters: letters.join(""), counts, uses: census.uses };
}
