/** ELF-64 little-endian (System V gABI 4), as far as the build looks into objects and programs itself. */
export interface Section {
	readonly name: string;
	readonly type: number;
	readonly flags: bigint;
	readonly address: number;
	readonly link: number;
	readonly bytes: Uint8Array;
}

const entryOffset = 0x18;
const shtNobits = 8;
const shtSymtab = 2;
const symbolSize = 24;

export function isElf64(file: Uint8Array): boolean {
	return (
		file.length >= 64 && file[0] === 0x7f && file[1] === 0x45 && file[2] === 0x4c && file[3] === 0x46 && file[4] === 2
	);
}

export function sectionsOf(elf: Uint8Array): Section[] {
	if (!isElf64(elf)) return [];
	const view = viewOf(elf);
	const table = Number(view.getBigUint64(0x28, true));
	const entrySize = view.getUint16(0x3a, true);
	const count = view.getUint16(0x3c, true);
	const headers = Array.from({ length: count }, (_, i) => {
		const at = table + i * entrySize;
		const type = view.getUint32(at + 4, true);
		const offset = Number(view.getBigUint64(at + 0x18, true));
		const size = Number(view.getBigUint64(at + 0x20, true));
		return {
			nameOffset: view.getUint32(at, true),
			type,
			flags: view.getBigUint64(at + 8, true),
			address: Number(view.getBigUint64(at + 0x10, true)),
			link: view.getUint32(at + 0x28, true),
			bytes: type === shtNobits ? new Uint8Array() : elf.subarray(offset, offset + size),
		};
	});
	const names = headers[view.getUint16(0x3e, true)]?.bytes ?? new Uint8Array();
	return headers.map(({ nameOffset, ...header }) => ({ ...header, name: textAt(names, nameOffset) }));
}

/** Whether an object defines a symbol, be it local or global. */
export function definesSymbol(object: Uint8Array, symbol: string): boolean {
	const sections = sectionsOf(object);
	const table = sections.find(({ type }) => type === shtSymtab);
	const names = table && sections[table.link]?.bytes;
	if (!table || !names) return false;
	const view = viewOf(table.bytes);
	for (let at = 0; at + symbolSize <= table.bytes.length; at += symbolSize) {
		const defined = view.getUint16(at + 6, true) !== 0;
		if (defined && textAt(names, view.getUint32(at, true)) === symbol) return true;
	}
	return false;
}

export function entryOf(elf: Uint8Array): bigint {
	return viewOf(elf).getBigUint64(entryOffset, true);
}

/** A copy that starts where its text does, as GNU ld has it when the entry symbol is not a global one. */
export function withTextAsEntry(elf: Uint8Array): Uint8Array {
	const text = sectionsOf(elf).find(({ name }) => name === ".text");
	if (!text) return elf;
	const copy = elf.slice();
	viewOf(copy).setBigUint64(entryOffset, BigInt(text.address), true);
	return copy;
}

function viewOf(bytes: Uint8Array): DataView {
	return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function textAt(table: Uint8Array, offset: number): string {
	const end = table.indexOf(0, offset);
	return new TextDecoder().decode(table.subarray(offset, end < 0 ? table.length : end));
}
