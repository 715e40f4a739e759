import {
	bytesAt,
	isElf64,
	SHN_UNDEF,
	SHT_NOBITS,
	SHT_SYMTAB,
	sectionHeadersOf,
	sectionNamesOf,
	stringAt,
	symbolsOf,
	withEntry,
} from "../common/elf.ts";

/** A section of an object or a program, as the build looks into them. */
export interface Section {
	readonly name: string;
	readonly flags: bigint;
	readonly address: bigint;
	readonly bytes: Uint8Array;
}

const nothing = new Uint8Array();

/** Empty for what is no ELF-64 file; a section that the file does not hold has no bytes. */
export function sectionsOf(elf: Uint8Array): Section[] {
	const headers = (isElf64(elf) && sectionHeadersOf(elf)) || [];
	const contents = headers.map(({ type, offset, size }) =>
		type === SHT_NOBITS ? nothing : (bytesAt(elf, offset, size) ?? nothing),
	);
	const names = (headers.length > 0 && contents[sectionNamesOf(elf)]) || nothing;
	return headers.map(({ name, flags, address }, i) => ({
		name: stringAt(names, name),
		flags,
		address,
		bytes: contents[i] ?? nothing,
	}));
}

/** Whether an object defines a symbol, be it local or global. */
export function definesSymbol(object: Uint8Array, symbol: string): boolean {
	const headers = (isElf64(object) && sectionHeadersOf(object)) || [];
	const table = headers.find(({ type }) => type === SHT_SYMTAB);
	const strings = table && headers[table.link];
	const names = strings && bytesAt(object, strings.offset, strings.size);
	if (!table || !names) return false;
	return (symbolsOf(object, table) ?? []).some(
		({ section, name }) => section !== SHN_UNDEF && stringAt(names, name) === symbol,
	);
}

/** A copy that starts where its text does, as GNU ld has it when the entry symbol is not a global one. */
export function withTextAsEntry(elf: Uint8Array): Uint8Array {
	const text = sectionsOf(elf).find(({ name }) => name === ".text");
	return text ? withEntry(elf, text.address) : elf;
}
