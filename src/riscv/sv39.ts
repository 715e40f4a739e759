/** Sv39 virtual memory: privileged ISA 1.12, section 4.4. Addresses and entries are 64-bit unsigned BigInt. */

export const pageShift = 12n;
export const pageSize = 4096n;
/** Page-table levels; level 2 is the root, a leaf at level 1 is 2 MiB, at level 2 is 1 GiB. */
export const levels = 3;
export const entriesPerTable = 512;
/** One past the highest virtual address below the hole. */
export const lowerHalfEnd = 1n << 38n;

export const PTE_V = 1n << 0n;
export const PTE_R = 1n << 1n;
export const PTE_W = 1n << 2n;
export const PTE_X = 1n << 3n;
export const PTE_U = 1n << 4n;
const PTE_G = 1n << 5n;
export const PTE_A = 1n << 6n;
export const PTE_D = 1n << 7n;
/** Two bits that hardware ignores; xv6 labs mark copy-on-write pages with them. */
export const PTE_RSW = 3n << 8n;
const ppnMask = (1n << 44n) - 1n;
/** Bits 54..63: reserved, or Svnapot and Svpbmt, which this machine does not have; set ones make the entry invalid. */
const reservedMask = 0x3ffn << 54n;

export const satpModeBare = 0n;
export const satpModeSv39 = 8n;

interface Pte {
	readonly bits: bigint;
	readonly valid: boolean;
	readonly readable: boolean;
	readonly writable: boolean;
	readonly executable: boolean;
	readonly user: boolean;
	readonly global: boolean;
	readonly accessed: boolean;
	readonly dirty: boolean;
	/** The software bits, 0..3. */
	readonly rsw: number;
	/** Physical address of the page or of the next table. */
	readonly address: bigint;
	/** Has R, W or X: maps a page. Otherwise, if valid, points to a table. */
	readonly leaf: boolean;
	/** Makes every walk through it fault although V is set: W without R, reserved bits, or A, D, U on a pointer. */
	readonly malformed: boolean;
}

export function decodePte(bits: bigint): Pte {
	const has = (mask: bigint) => (bits & mask) !== 0n;
	const leaf = has(PTE_R | PTE_W | PTE_X);
	return {
		bits,
		valid: has(PTE_V),
		readable: has(PTE_R),
		writable: has(PTE_W),
		executable: has(PTE_X),
		user: has(PTE_U),
		global: has(PTE_G),
		accessed: has(PTE_A),
		dirty: has(PTE_D),
		rsw: Number((bits >> 8n) & 3n),
		address: ((bits >> 10n) & ppnMask) << pageShift,
		leaf,
		malformed: has(reservedMask) || (has(PTE_W) && !has(PTE_R)) || (!leaf && has(PTE_A | PTE_D | PTE_U)),
	};
}

/** Flags as `ls -l` would show them: "rwxugad", a dash for each absent one. */
export function formatPteFlags(pte: Pte): string {
	const flag = (on: boolean, letter: string) => (on ? letter : "-");
	return (
		flag(pte.readable, "r") +
		flag(pte.writable, "w") +
		flag(pte.executable, "x") +
		flag(pte.user, "u") +
		flag(pte.global, "g") +
		flag(pte.accessed, "a") +
		flag(pte.dirty, "d")
	);
}

export function decodeSatp(satp: bigint): { mode: bigint; asid: number; root: bigint } {
	return { mode: (satp >> 60n) & 15n, asid: Number((satp >> 44n) & 0xffffn), root: (satp & ppnMask) << pageShift };
}

/** Index into the table of `level` for a virtual address. */
export function tableIndex(virtualAddress: bigint, level: number): number {
	return Number((virtualAddress >> (pageShift + 9n * BigInt(level))) & 511n);
}

/** Bytes that one entry of a table at `level` maps: 4 KiB, 2 MiB, 1 GiB. */
export function sizeAtLevel(level: number): bigint {
	return pageSize << (9n * BigInt(level));
}

/** Bits 63..39 equal bit 38; any other address faults before the walk. */
export function isCanonical(virtualAddress: bigint): boolean {
	return BigInt.asUintN(64, BigInt.asIntN(39, virtualAddress)) === BigInt.asUintN(64, virtualAddress);
}

/** The virtual address that a path of table indices (root first) leads to, sign-extended. */
export function addressOfPath(path: readonly number[]): bigint {
	let address = 0n;
	path.forEach((index, depth) => {
		address |= BigInt(index) << (pageShift + 9n * BigInt(levels - 1 - depth));
	});
	return BigInt.asUintN(64, BigInt.asIntN(39, address));
}

export interface WalkStep {
	readonly level: number;
	readonly table: bigint;
	readonly index: number;
	/** Undefined when the table is outside readable memory. */
	readonly pte: Pte | undefined;
}

export interface Walk {
	readonly steps: readonly WalkStep[];
	/** Set when the walk reached a well-formed, aligned leaf. */
	readonly physicalAddress: bigint | undefined;
	readonly leaf: Pte | undefined;
	/** Bytes the leaf maps. */
	readonly size: bigint | undefined;
	/** Why there is no translation, for the reader. */
	readonly failure: string | undefined;
}

/** The page-table walk of section 4.3.2 without permission checks: `readU64` gives physical memory. */
export function walk(root: bigint, virtualAddress: bigint, readU64: (address: bigint) => bigint | undefined): Walk {
	const steps: WalkStep[] = [];
	const fail = (failure: string): Walk => ({
		steps,
		physicalAddress: undefined,
		leaf: undefined,
		size: undefined,
		failure,
	});
	if (!isCanonical(virtualAddress)) return fail("bits 63..39 of the address do not equal bit 38");
	let table = root;
	for (let level = levels - 1; level >= 0; level--) {
		const index = tableIndex(virtualAddress, level);
		const bits = readU64(table + BigInt(index) * 8n);
		const pte = bits === undefined ? undefined : decodePte(bits);
		steps.push({ level, table, index, pte });
		if (!pte) return fail("the page table is outside memory");
		if (!pte.valid) return fail(`entry ${index} of the level-${level} table is not valid (PTE_V is clear)`);
		if (pte.malformed) return fail(`entry ${index} of the level-${level} table has a reserved combination of bits`);
		if (pte.leaf) {
			const size = sizeAtLevel(level);
			if (pte.address % size !== 0n) return fail(`the level-${level} leaf is not aligned to its size`);
			return {
				steps,
				physicalAddress: pte.address | (virtualAddress & (size - 1n)),
				leaf: pte,
				size,
				failure: undefined,
			};
		}
		table = pte.address;
	}
	return fail("the level-0 entry points to a table instead of a page");
}
