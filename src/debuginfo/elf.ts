import {
	EM_RISCV,
	entryOf,
	identityOf,
	isElf,
	isElf64,
	PT_LOAD,
	programHeadersOf,
	SHF_ALLOC,
	SHF_COMPRESSED,
	SHN_UNDEF,
	SHT_NOBITS,
	SHT_SYMTAB,
	STT_FUNC,
	STT_OBJECT,
	sectionHeadersOf,
	sectionNamesOf,
} from "../common/elf.ts";
import { UserError } from "../common/errors.ts";
import { ByteReader, damaged } from "./byteReader.ts";

/** ELF-64 (System V ABI, chapter 4), as far as debugging needs it. */
interface ElfSection {
	readonly name: string;
	readonly type: number;
	readonly flags: bigint;
	readonly address: number;
	readonly offset: number;
	readonly size: number;
	readonly link: number;
}

interface ElfSegment {
	readonly flags: number;
	readonly address: number;
	readonly physical: number;
	readonly offset: number;
	readonly fileSize: number;
	readonly memorySize: number;
}

interface ElfSymbol {
	readonly name: string;
	readonly address: number;
	readonly size: number;
	readonly kind: "function" | "object" | "other";
	readonly global: boolean;
}

function notElf(what: string): UserError {
	return new UserError("debug-info-damaged", what, "Give the ELF file that the build made, not a raw image.");
}

/** A name of a place, beside which one of the code there tells more: a linker script's mark, and xv6's page that begins with uservec. */
const marksPlace = ({ name }: ElfSymbol) => name.startsWith("_") || name === "trampoline";

export class ElfFile {
	readonly entry: number;
	readonly segments: readonly ElfSegment[];
	readonly sections: readonly ElfSection[];
	private symbolTable: readonly ElfSymbol[] | undefined;
	private functionsByAddress: readonly ElfSymbol[] | undefined;

	constructor(readonly bytes: Uint8Array) {
		if (!isElf(bytes)) throw notElf("This is not an ELF file");
		const identity = identityOf(bytes);
		if (!identity) throw damaged("the file ends inside its header");
		if (!isElf64(bytes)) throw notElf("This is not a 64-bit little-endian ELF file");
		if (identity.machine !== EM_RISCV) throw notElf("This ELF file is not for RISC-V");
		this.entry = Number(entryOf(bytes));
		this.segments = this.readSegments();
		this.sections = this.readSections();
	}

	private readSegments(): ElfSegment[] {
		const headers = programHeadersOf(this.bytes);
		if (!headers) throw damaged("the program headers are past the end of the file");
		return headers
			.filter(({ type }) => type === PT_LOAD)
			.map((header) => ({
				flags: header.flags,
				address: Number(header.address),
				physical: Number(header.physical),
				offset: Number(header.offset),
				fileSize: Number(header.fileSize),
				memorySize: Number(header.memorySize),
			}));
	}

	private readSections(): ElfSection[] {
		const headers = sectionHeadersOf(this.bytes);
		if (!headers) throw damaged("the section headers are past the end of the file");
		const names = headers[sectionNamesOf(this.bytes)];
		const nameOf = (offset: number) =>
			names ? new ByteReader(this.bytes, "the section names", Number(names.offset) + offset).string() : "";
		return headers.map((header) => ({
			name: header.type === 0 ? "" : nameOf(header.name),
			type: header.type,
			flags: header.flags,
			address: Number(header.address),
			offset: Number(header.offset),
			size: Number(header.size),
			link: header.link,
		}));
	}

	section(name: string): ElfSection | undefined {
		return this.sections.find((section) => section.name === name);
	}

	/** Content of a section; undefined when it is absent or has none in the file. */
	data(name: string): Uint8Array | undefined {
		const section = this.section(name);
		if (!section || section.type === SHT_NOBITS) return undefined;
		if (section.flags & SHF_COMPRESSED) return undefined;
		return new ByteReader(this.bytes, name, section.offset).block(section.size);
	}

	get symbols(): readonly ElfSymbol[] {
		this.symbolTable ??= this.readSymbols();
		return this.symbolTable;
	}

	private readSymbols(): ElfSymbol[] {
		const table = this.sections.find((section) => section.type === SHT_SYMTAB);
		const strings = table && this.sections[table.link];
		if (!table || !strings) return [];
		const entries = new ByteReader(this.bytes, ".symtab", table.offset).from(table.offset, table.size);
		const names = new ByteReader(this.bytes, ".strtab", strings.offset).from(strings.offset, strings.size);
		const symbols: ElfSymbol[] = [];
		while (entries.end - entries.at >= 24) {
			const name = entries.u32();
			const info = entries.u8();
			entries.u8();
			const sectionIndex = entries.u16();
			const address = entries.u64();
			const size = entries.u64();
			const type = info & 15;
			// Sections, files and thread-local symbols name no address of the program.
			if (sectionIndex === SHN_UNDEF || type > STT_FUNC || name === 0) continue;
			const kind = type === STT_FUNC ? "function" : type === STT_OBJECT ? "object" : "other";
			const text = names.from(names.at + name).string();
			// Mapping symbols and assembler labels are no names for people.
			if (/^(\$|\.L)/.test(text)) continue;
			symbols.push({ name: text, address, size, kind, global: info >> 4 !== 0 });
		}
		return symbols;
	}

	symbol(name: string): ElfSymbol | undefined {
		return this.symbols.find((symbol) => symbol.name === name);
	}

	/** The symbol that holds an address: the nearest one at or below it within its section's reach. */
	symbolAt(address: number): ElfSymbol | undefined {
		this.functionsByAddress ??= [...this.symbols].sort(
			(a, b) =>
				a.address - b.address ||
				a.size - b.size ||
				Number(a.global) - Number(b.global) ||
				Number(marksPlace(b)) - Number(marksPlace(a)),
		);
		const list = this.functionsByAddress;
		let low = 0;
		let high = list.length;
		while (low < high) {
			const middle = (low + high) >> 1;
			if ((list[middle] as ElfSymbol).address <= address) low = middle + 1;
			else high = middle;
		}
		// A sized symbol that ends before the address does not hold it, an earlier and longer one may.
		for (let i = low - 1, tries = 0; i >= 0 && tries < 16; i--, tries++) {
			const symbol = list[i] as ElfSymbol;
			if (address < symbol.address + symbol.size) return symbol;
			if (symbol.size === 0 && this.sameSection(symbol.address, address)) return symbol;
		}
		return undefined;
	}

	/** Both in one section of the program: user programs are linked at 0, where debug sections seem to lie, too. */
	private sameSection(a: number, b: number): boolean {
		return this.sections.some(
			(section) => section.flags & SHF_ALLOC && a >= section.address && b < section.address + section.size && b >= a,
		);
	}

	/** First address above `address` that a symbol names, or its section ends at: the reach of code without a size. */
	nextSymbol(address: number): number | undefined {
		const section = this.sections.find(
			({ flags, address: start, size }) => flags & SHF_ALLOC && address >= start && address < start + size,
		);
		if (!section) return undefined;
		let next = section.address + section.size;
		for (const symbol of this.symbols) if (symbol.address > address && symbol.address < next) next = symbol.address;
		return next;
	}

	/** Bytes that the file loads at an address, up to `length` of them; undefined where it loads none. */
	loaded(address: number, length: number): Uint8Array | undefined {
		const segment = this.segments.find((one) => address >= one.address && address < one.address + one.fileSize);
		if (!segment) return undefined;
		const at = segment.offset + address - segment.address;
		const end = Math.min(at + length, segment.offset + segment.fileSize, this.bytes.length);
		return at < end ? this.bytes.subarray(at, end) : undefined;
	}
}
