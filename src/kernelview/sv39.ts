import { hex } from "../common/bytes.ts";
import { entriesPerTable } from "../riscv/sv39.ts";
import { type GuestMemory, pageBytes } from "./guestMemory.ts";

/** Low ten bits of an entry. */
export const pteV = 1;
export const pteR = 2;
export const pteW = 4;
export const pteX = 8;
export const pteU = 16;
const pteAccess = pteR | pteW | pteX;
const flagMask = 0x3ff;

/** Bytes that one entry of a level translates. */
export const reachOf = (level: number): number => pageBytes * entriesPerTable ** level;
/** All that Sv39 can name, with the sign bit as the topmost of 39 bits. */
const spaceBytes = 2 ** 39;

export interface Leaf {
	/** 39 bits: addresses of the upper half are not sign-extended; see {@link virtualHex}. */
	readonly va: number;
	readonly pa: number;
	/** V R W X U G A D and the two software bits. */
	readonly flags: number;
	/** 0: 4 KiB, 1: 2 MiB, 2: 1 GiB. */
	readonly level: number;
}

export interface Table {
	readonly level: number;
	readonly address: number;
	/** First address it translates. */
	readonly va: number;
}

export interface PageTables {
	readonly root: number;
	readonly tables: readonly Table[];
	/** In address order; joined when asked for. */
	readonly leaves: readonly Leaf[];
	readonly leafCount: number;
	/** The same in pieces, each of one table; a piece that did not change is the same array as before. */
	readonly pieces: readonly (readonly Leaf[])[];
	readonly damage: string | undefined;
}

/** Physical address that satp names (privileged ISA 4.1.11). */
export function rootOf(satp: bigint): number {
	return Number((satp & ((1n << 44n) - 1n)) << 12n);
}

export function virtualHex(va: number): string {
	return va < spaceBytes / 2 ? hex(va) : hex(BigInt.asUintN(64, BigInt(va - spaceBytes)));
}

/** One past the last byte of a range: the end of the lower half has no sign to extend. */
export function endHex(end: number): string {
	return end === spaceBytes / 2 ? hex(end) : virtualHex(end);
}

/** The 39 bits of a canonical address; undefined for one that Sv39 refuses. */
export function canonical(address: bigint): number | undefined {
	const value = BigInt.asUintN(64, address);
	if (value < 1n << 38n) return Number(value);
	return value >= (1n << 64n) - (1n << 38n) ? Number(BigInt.asUintN(39, value)) : undefined;
}

export interface Entry {
	readonly flags: number;
	/** Of the page, or of the next table. */
	readonly pa: number;
	readonly valid: boolean;
	readonly leaf: boolean;
	/** Valid to look at, but every walk through it faults (reserved bits, W without R, misaligned superpage). */
	readonly malformed: boolean;
}

export function readEntry(memory: GuestMemory, address: number, level: number): Entry | undefined {
	const low = memory.u32(address);
	const high = memory.u32(address + 4);
	return low === undefined || high === undefined ? undefined : decodeEntry(low, high, level);
}

function decodeEntry(low: number, high: number, level: number): Entry {
	const flags = low & flagMask;
	const pa = ((low >>> 10) + (high & 0x3fffff) * 2 ** 22) * pageBytes;
	const leaf = (flags & pteAccess) !== 0;
	const malformed =
		high >>> 22 !== 0 ||
		(flags & (pteR | pteW)) === pteW ||
		(leaf && pa % reachOf(level) !== 0) ||
		(!leaf && (level === 0 || (flags & 0xd0) !== 0));
	return { flags, pa, valid: (flags & pteV) !== 0, leaf, malformed };
}

/** What one table says: runs of leaves, tables below, and damage, in the order of its entries. */
interface TableContent {
	readonly level: number;
	readonly va: number;
	readonly parts: readonly (readonly Leaf[] | number | string)[];
	/** The words that were read. */
	readonly words: Uint32Array;
}

function readTable(words: Uint32Array, address: number, level: number, va: number): TableContent["parts"] {
	const parts: (Leaf[] | number | string)[] = [];
	const reach = reachOf(level);
	let run: Leaf[] | undefined;
	for (let i = 0; i < entriesPerTable; i++) {
		const low = words[2 * i] as number;
		if ((low & pteV) === 0) continue;
		const entry = decodeEntry(low, words[2 * i + 1] as number, level);
		const start = va + i * reach;
		if (entry.leaf && !entry.malformed) {
			if (!run) {
				run = [];
				parts.push(run);
			}
			run.push({ va: start, pa: entry.pa, flags: entry.flags, level });
			continue;
		}
		run = undefined;
		if (entry.malformed) parts.push(`the entry for ${virtualHex(start)} at ${hex(address + i * 8)} has reserved bits`);
		else parts.push(start, entry.pa);
	}
	return parts;
}

/**
 * Every table and leaf that the hardware could reach from a root. A table is visited once, so a cyclic or shared tree ends; what is
 * not as it should be is said in `damage`. `before`: contents as they were when last walked, by address, is brought up to date; `since`: when
 * they were last found to be so.
 */
export function walkTables(
	memory: GuestMemory,
	root: number,
	before = new Map<number, TableContent>(),
	since?: number,
): PageTables {
	const tables: Table[] = [];
	const pieces: (readonly Leaf[])[] = [];
	const seen = new Set<number>();
	let damage: string | undefined;
	const visit = (address: number, level: number, va: number): void => {
		const words = memory.page(address);
		if (!words) {
			const where = address % pageBytes === 0 ? "outside RAM" : "not at the start of a page";
			damage ??= `the level ${level} table at ${hex(address)} is ${where}`;
			return;
		}
		if (seen.has(address)) {
			damage ??= `the table at ${hex(address)} is reached twice`;
			return;
		}
		seen.add(address);
		tables.push({ level, address, va });
		let content = before.get(address);
		if (content?.level !== level || content.va !== va || !memory.isSamePage(address, content.words, since)) {
			content = { level, va, parts: readTable(words, address, level, va), words: words.slice() };
			before.set(address, content);
		}
		for (let i = 0; i < content.parts.length; i++) {
			const part = content.parts[i] as TableContent["parts"][number];
			if (typeof part === "string") damage ??= part;
			else if (typeof part === "number") visit(content.parts[++i] as number, level - 1, part);
			else pieces.push(part);
		}
	};
	visit(root, 2, 0);
	for (const address of before.keys()) if (!seen.has(address)) before.delete(address);
	let leaves: readonly Leaf[] | undefined;
	return {
		root,
		tables,
		pieces,
		get leaves() {
			leaves ??= pieces.length === 1 ? (pieces[0] as readonly Leaf[]) : joined(pieces);
			return leaves;
		},
		leafCount: pieces.reduce((sum, piece) => sum + piece.length, 0),
		damage,
	};
}

function joined(pieces: readonly (readonly Leaf[])[]): Leaf[] {
	const leaves: Leaf[] = [];
	for (const piece of pieces) for (const leaf of piece) leaves.push(leaf);
	return leaves;
}

/** What is kept: of each table a copy; of leaves no more than RAM has frames a few times over. */
const maxTables = 8000;
const maxLeaves = ({ frames }: GuestMemory) => Math.max(100_000, 4 * frames);

interface KnownTree {
	readonly tables: PageTables;
	readonly contents: Map<number, TableContent>;
	/** When it was last found to be so. */
	readonly mark: number | undefined;
}

/** Walks a tree again only when one of its tables changed, and of it only these: some have tens of thousands of leaves. */
export class WalkCache {
	private readonly known = new Map<number, KnownTree>();
	private leaves = 0;
	private kept = 0;

	tables(memory: GuestMemory, root: number): PageTables {
		const known = this.known.get(root);
		this.known.delete(root);
		const contents = known?.contents ?? new Map<number, TableContent>();
		const same = known?.tables.tables.every(({ address }) => {
			const content = contents.get(address);
			return content !== undefined && memory.isSamePage(address, content.words, known.mark);
		});
		const tables = known && same ? known.tables : walkTables(memory, root, contents, known?.mark);
		this.leaves += tables.leafCount - (known?.tables.leafCount ?? 0);
		this.kept += tables.tables.length - (known?.tables.tables.length ?? 0);
		this.known.set(root, { tables, contents, mark: memory.mark() });
		// Those that were not asked for longest go first.
		for (const [oldest, tree] of this.known) {
			if (oldest === root || (this.kept <= maxTables && this.leaves <= maxLeaves(memory))) break;
			this.known.delete(oldest);
			this.leaves -= tree.tables.leafCount;
			this.kept -= tree.tables.tables.length;
		}
		return tables;
	}
}

/** The leaf that translates an address; undefined: hardware faults. */
export function findLeaf(memory: GuestMemory, root: number, va: number): Leaf | undefined {
	let table = root;
	for (let level = 2; level >= 0; level--) {
		const reach = reachOf(level);
		const index = Math.floor(va / reach) % entriesPerTable;
		const entry = readEntry(memory, table + index * 8, level);
		if (!entry?.valid || entry.malformed) return undefined;
		if (entry.leaf) return { va: Math.floor(va / reach) * reach, pa: entry.pa, flags: entry.flags, level };
		table = entry.pa;
	}
	return undefined;
}

/** Physical address of a virtual one. */
export function translate(memory: GuestMemory, root: number, va: number): number | undefined {
	const leaf = findLeaf(memory, root, va);
	return leaf && leaf.pa + (va - leaf.va);
}

/** `rwxu`, a dash for each absent one. */
export function permissionText(flags: number): string {
	const letter = (bit: number, text: string) => (flags & bit ? text : "-");
	return letter(pteR, "r") + letter(pteW, "w") + letter(pteX, "x") + letter(pteU, "u");
}

/** `vrwxugad`, a dash for each absent bit. */
export function flagText(flags: number): string {
	return [..."vrwxugad"].map((letter, bit) => (flags & (1 << bit) ? letter : "-")).join("");
}
