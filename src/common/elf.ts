/**
 * ELF-64, little-endian (System V gABI 4): where things stand in a file. Values are as the file has them; of what they point to, only
 * what a function reads is checked, and what is not whole in the file is undefined. Each room says in its own words what that means there.
 */
export const fileHeaderBytes = 64;
const programHeaderBytes = 56;
const sectionHeaderBytes = 64;
export const symbolBytes = 24;

export const EM_RISCV = 243;
export const PT_LOAD = 1;
export const PF_X = 1;
export const PF_W = 2;
export const SHT_SYMTAB = 2;
export const SHT_NOBITS = 8;
export const SHF_ALLOC = 0x2n;
export const SHF_EXECINSTR = 0x4n;
export const SHF_COMPRESSED = 0x800n;
export const SHN_UNDEF = 0;
export const STT_OBJECT = 1;
export const STT_FUNC = 2;

const magic = [0x7f, 0x45, 0x4c, 0x46];
const [class64, littleEndian] = [2, 1];

interface ElfIdentity {
	/** Width of its addresses. */
	readonly bits: 32 | 64;
	readonly littleEndian: boolean;
	/** `EM_…` */
	readonly machine: number;
}

export interface ProgramHeader {
	readonly type: number;
	readonly flags: number;
	readonly offset: bigint;
	readonly address: bigint;
	readonly physical: bigint;
	readonly fileSize: bigint;
	readonly memorySize: bigint;
}

interface SectionHeader {
	/** Where the header itself stands in the file. */
	readonly at: number;
	/** Offset of its name in the table of names. */
	readonly name: number;
	readonly type: number;
	readonly flags: bigint;
	readonly address: bigint;
	readonly offset: bigint;
	readonly size: bigint;
	readonly link: number;
}

interface SymbolEntry {
	/** Where the entry itself stands in the file. */
	readonly at: number;
	/** Offset of its name in the table of names. */
	readonly name: number;
	/** `STT_…` */
	readonly type: number;
	readonly binding: number;
	readonly section: number;
	readonly value: bigint;
	readonly size: bigint;
}

export function isElf(file: Uint8Array): boolean {
	return magic.every((byte, i) => file[i] === byte);
}

/** Undefined: no ELF file, or one that ends within its header. */
export function identityOf(file: Uint8Array): ElfIdentity | undefined {
	if (!isElf(file) || file.length < fileHeaderBytes) return undefined;
	const little = file[5] === littleEndian;
	const machine = viewOf(file).getUint16(18, little);
	return { bits: file[4] === class64 ? 64 : 32, littleEndian: little, machine };
}

export function isElf64(file: Uint8Array): boolean {
	const identity = identityOf(file);
	return identity?.bits === 64 && identity.littleEndian;
}

export function viewOf(bytes: Uint8Array): DataView {
	return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** @param file an ELF-64 file ({@link isElf64}), as for all below. */
export function entryOf(file: Uint8Array): bigint {
	return viewOf(file).getBigUint64(24, true);
}

/** A copy that starts elsewhere. */
export function withEntry(file: Uint8Array, entry: bigint): Uint8Array {
	const copy = file.slice();
	viewOf(copy).setBigUint64(24, entry, true);
	return copy;
}

export function programHeadersOf(file: Uint8Array): ProgramHeader[] | undefined {
	const view = viewOf(file);
	const table = headerTable(view, { offset: 32, size: 54, count: 56 }, programHeaderBytes);
	return table?.map((at) => ({
		type: view.getUint32(at, true),
		flags: view.getUint32(at + 4, true),
		offset: view.getBigUint64(at + 8, true),
		address: view.getBigUint64(at + 16, true),
		physical: view.getBigUint64(at + 24, true),
		fileSize: view.getBigUint64(at + 32, true),
		memorySize: view.getBigUint64(at + 40, true),
	}));
}

export function sectionHeadersOf(file: Uint8Array): SectionHeader[] | undefined {
	const view = viewOf(file);
	const table = headerTable(view, { offset: 40, size: 58, count: 60 }, sectionHeaderBytes);
	return table?.map((at) => ({
		at,
		name: view.getUint32(at, true),
		type: view.getUint32(at + 4, true),
		flags: view.getBigUint64(at + 8, true),
		address: view.getBigUint64(at + 16, true),
		offset: view.getBigUint64(at + 24, true),
		size: view.getBigUint64(at + 32, true),
		link: view.getUint32(at + 40, true),
	}));
}

/** The number of the section that holds the names of sections. */
export function sectionNamesOf(file: Uint8Array): number {
	return viewOf(file).getUint16(62, true);
}

interface TableFields {
	readonly offset: number;
	readonly size: number;
	readonly count: number;
}

/** Where each header of a table stands; undefined when one is past the end, or too short to be one. */
function headerTable(view: DataView, fields: TableFields, least: number): number[] | undefined {
	const count = view.getUint16(fields.count, true);
	if (count === 0) return [];
	const offset = Number(view.getBigUint64(fields.offset, true));
	const size = view.getUint16(fields.size, true);
	if (size < least || offset + count * size > view.byteLength) return undefined;
	return Array.from({ length: count }, (_, i) => offset + i * size);
}

/** The content of a section or segment in the file; undefined when a part of it is past the end. */
export function bytesAt(file: Uint8Array, offset: bigint, size: bigint): Uint8Array | undefined {
	if (offset + size > BigInt(file.length)) return undefined;
	return file.subarray(Number(offset), Number(offset + size));
}

/** Every whole entry of a symbol table; undefined when the table is past the end. */
export function symbolsOf(file: Uint8Array, table: SectionHeader): SymbolEntry[] | undefined {
	if (!bytesAt(file, table.offset, table.size)) return undefined;
	const view = viewOf(file);
	const start = Number(table.offset);
	return Array.from({ length: Math.floor(Number(table.size) / symbolBytes) }, (_, i) => {
		const at = start + i * symbolBytes;
		const info = view.getUint8(at + 4);
		return {
			at,
			name: view.getUint32(at, true),
			type: info & 15,
			binding: info >> 4,
			section: view.getUint16(at + 6, true),
			value: view.getBigUint64(at + 8, true),
			size: view.getBigUint64(at + 16, true),
		};
	});
}

/** The string at an offset of a table of names; to the table's end where no zero byte ends it. */
export function stringAt(table: Uint8Array, offset: number): string {
	const end = table.indexOf(0, offset);
	return new TextDecoder().decode(table.subarray(offset, end < 0 ? table.length : end));
}

/** Where {@link elfOf} puts the bytes, unless it is told another place. */
const elfOfStart = fileHeaderBytes + programHeaderBytes;

/**
 * A RISC-V executable of one segment with all rights, that starts at its first byte.
 * @param start offset of the bytes in the file; `memorySize`: with zeros after the bytes.
 */
export function elfOf(
	bytes: Uint8Array,
	address: bigint,
	{ start = elfOfStart, memorySize = bytes.length } = {},
): Uint8Array {
	const file = new Uint8Array(start + bytes.length);
	const view = viewOf(file);
	file.set([...magic, class64, littleEndian, 1]);
	view.setUint16(16, 2, true);
	view.setUint16(18, EM_RISCV, true);
	view.setUint32(20, 1, true);
	view.setBigUint64(24, address, true);
	view.setBigUint64(32, BigInt(fileHeaderBytes), true);
	view.setUint16(52, fileHeaderBytes, true);
	view.setUint16(54, programHeaderBytes, true);
	view.setUint16(56, 1, true);
	const header = fileHeaderBytes;
	view.setUint32(header, PT_LOAD, true);
	view.setUint32(header + 4, 7, true);
	view.setBigUint64(header + 8, BigInt(start), true);
	view.setBigUint64(header + 16, address, true);
	view.setBigUint64(header + 24, address, true);
	view.setBigUint64(header + 32, BigInt(bytes.length), true);
	view.setBigUint64(header + 40, BigInt(memorySize), true);
	const page = 4096;
	if (start % page === 0) view.setBigUint64(header + 48, BigInt(page), true);
	file.set(bytes, start);
	return file;
}
