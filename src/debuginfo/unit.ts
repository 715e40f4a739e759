import { hex } from "../common/bytes.ts";
import { ByteReader, damaged } from "./byteReader.ts";
import { DW_AT, DW_FORM, DW_TAG } from "./dwarf.ts";
import type { ElfFile } from "./elf.ts";

/**
 * Numbers for addresses, constants, flags, references (offset in .debug_info) and section offsets; bytes for blocks and expressions; bigints
 * for constants that no number holds.
 */
export type AttributeValue = number | bigint | string | Uint8Array;

const constant = (value: bigint) => (Number.isSafeInteger(Number(value)) ? Number(value) : value);

export interface Die {
	readonly offset: number;
	readonly tag: number;
	readonly unit: Unit;
	readonly parent: Die | undefined;
	readonly children: Die[];
	/** Attribute number to form and value. */
	readonly attributes: ReadonlyMap<number, { readonly form: number; readonly value: AttributeValue }>;
}

interface Abbreviation {
	readonly tag: number;
	readonly children: boolean;
	readonly attributes: readonly { readonly name: number; readonly form: number; readonly implicit: AttributeValue }[];
}

export interface AddressRange {
	readonly low: number;
	/** Exclusive. */
	readonly high: number;
}

/** The debug sections of one ELF file, each read at most once. */
export class DebugSections {
	private readonly cache = new Map<string, ByteReader | undefined>();
	private readonly abbreviations = new Map<number, ReadonlyMap<number, Abbreviation>>();

	constructor(readonly elf: ElfFile) {}

	optional(name: string): ByteReader | undefined {
		if (!this.cache.has(name)) {
			const bytes = this.elf.data(name);
			this.cache.set(name, bytes && new ByteReader(bytes, name));
		}
		return this.cache.get(name);
	}

	need(name: string): ByteReader {
		const reader = this.optional(name);
		if (!reader) throw damaged(`${name} is missing`);
		return reader;
	}

	stringAt(section: string, offset: number): string {
		return this.need(section).from(offset).string();
	}

	abbreviationsAt(offset: number): ReadonlyMap<number, Abbreviation> {
		let table = this.abbreviations.get(offset);
		if (!table) {
			table = readAbbreviations(this.need(".debug_abbrev").from(offset));
			this.abbreviations.set(offset, table);
		}
		return table;
	}
}

function readAbbreviations(reader: ByteReader): ReadonlyMap<number, Abbreviation> {
	const table = new Map<number, Abbreviation>();
	for (;;) {
		const code = reader.uleb();
		if (code === 0) return table;
		const tag = reader.uleb();
		const children = reader.u8() !== 0;
		const attributes: { name: number; form: number; implicit: AttributeValue }[] = [];
		for (;;) {
			const name = reader.uleb();
			const form = reader.uleb();
			const implicit = form === DW_FORM.implicit_const ? constant(reader.bigLeb(true)) : 0;
			if (name === 0 && form === 0) break;
			attributes.push({ name, form, implicit });
		}
		table.set(code, { tag, children, attributes });
	}
}

/** DW_UT_… (7.5.1). */
const [compile, partial, skeleton] = [1, 3, 4];

/** One compilation unit of .debug_info. Its entries are read when somebody asks for them. */
export class Unit {
	private tree: Die | undefined;
	private readonly index = new Map<number, Die>();

	private constructor(
		readonly sections: DebugSections,
		readonly offset: number,
		readonly end: number,
		readonly version: number,
		readonly is64: boolean,
		readonly addressSize: number,
		private readonly abbreviationOffset: number,
		private readonly firstDie: number,
	) {}

	/** Headers of all compilation units (DWARF 7.5.1). */
	static all(sections: DebugSections): Unit[] {
		const reader = sections.optional(".debug_info")?.from(0);
		const units: Unit[] = [];
		while (reader?.more) {
			const offset = reader.at;
			const { is64, body } = reader.unit();
			const version = body.u16();
			if (version < 2 || version > 5) throw damaged(`DWARF version ${version}`);
			let kind = compile;
			let addressSize: number;
			let abbreviations: number;
			if (version >= 5) {
				kind = body.u8();
				addressSize = body.u8();
				abbreviations = body.offset(is64);
				// A skeleton carries an id.
				if (kind === skeleton) body.skip(8);
			} else {
				abbreviations = body.offset(is64);
				addressSize = body.u8();
			}
			if (addressSize !== 8) throw damaged(`addresses of ${addressSize} bytes`);
			// Those of types and split ones say nothing of code here.
			if (kind === compile || kind === partial || kind === skeleton)
				units.push(new Unit(sections, offset, reader.at, version, is64, addressSize, abbreviations, body.at));
		}
		return units;
	}

	get root(): Die {
		this.tree ??= this.read();
		return this.tree;
	}

	/** Entry at an offset in .debug_info that lies in this unit. */
	die(offset: number): Die | undefined {
		void this.root;
		return this.index.get(offset);
	}

	/** Entries of the unit in file order. */
	get dies(): Iterable<Die> {
		void this.root;
		return this.index.values();
	}

	private read(): Die {
		const abbreviations = this.sections.abbreviationsAt(this.abbreviationOffset);
		const reader = this.sections.need(".debug_info").from(this.firstDie, this.end - this.firstDie);
		const open: Die[] = [];
		let root: Die | undefined;
		while (reader.more) {
			const offset = reader.at;
			const code = reader.uleb();
			if (code === 0) {
				if (open.length <= 1) break;
				open.pop();
				continue;
			}
			const abbreviation = abbreviations.get(code);
			if (!abbreviation) throw damaged(`abbreviation ${code} is not defined`);
			const parent = open.at(-1);
			const attributes = new Map<number, { form: number; value: AttributeValue }>();
			const die: Die = { offset, tag: abbreviation.tag, unit: this, parent, children: [], attributes };
			// The bases that indexed forms need stand in the root itself, sometimes after their first use.
			if (!root) this.tree = die;
			for (const { name, form, implicit } of abbreviation.attributes)
				attributes.set(name, this.readForm(reader, form, implicit));
			this.index.set(offset, die);
			parent?.children.push(die);
			root ??= die;
			if (abbreviation.children) open.push(die);
			else if (open.length === 0) break;
		}
		if (!root) throw damaged("an empty unit");
		return root;
	}

	private readForm(
		reader: ByteReader,
		form: number,
		implicit: AttributeValue,
	): { form: number; value: AttributeValue } {
		for (let depth = 0; form === DW_FORM.indirect; depth++) {
			if (depth > 4) throw damaged("indirect forms without end");
			form = reader.uleb();
		}
		return { form, value: this.readValue(reader, form, implicit) };
	}

	private readValue(reader: ByteReader, form: number, implicit: AttributeValue): AttributeValue {
		switch (form) {
			case DW_FORM.data8:
				return constant(reader.big64());
			case DW_FORM.addr:
			case DW_FORM.ref_sig8:
			case DW_FORM.ref_sup8:
				return reader.u64();
			case DW_FORM.data1:
			case DW_FORM.flag:
			case DW_FORM.strx1:
			case DW_FORM.addrx1:
				return reader.u8();
			case DW_FORM.data2:
			case DW_FORM.strx2:
			case DW_FORM.addrx2:
				return reader.u16();
			case DW_FORM.strx3:
			case DW_FORM.addrx3:
				return reader.u24();
			case DW_FORM.data4:
			case DW_FORM.strx4:
			case DW_FORM.addrx4:
			case DW_FORM.ref_sup4:
				return reader.u32();
			case DW_FORM.data16:
				return reader.block(16);
			case DW_FORM.sdata:
			case DW_FORM.udata:
				return constant(reader.bigLeb(form === DW_FORM.sdata));
			case DW_FORM.strx:
			case DW_FORM.addrx:
			case DW_FORM.loclistx:
			case DW_FORM.rnglistx:
				return reader.uleb();
			case DW_FORM.string:
				return reader.string();
			case DW_FORM.strp:
				return this.sections.stringAt(".debug_str", reader.offset(this.is64));
			case DW_FORM.line_strp:
				return this.sections.stringAt(".debug_line_str", reader.offset(this.is64));
			case DW_FORM.strp_sup:
			case DW_FORM.sec_offset:
				return reader.offset(this.is64);
			case DW_FORM.ref_addr:
				return this.version === 2 ? reader.u64() : reader.offset(this.is64);
			case DW_FORM.ref1:
				return this.offset + reader.u8();
			case DW_FORM.ref2:
				return this.offset + reader.u16();
			case DW_FORM.ref4:
				return this.offset + reader.u32();
			case DW_FORM.ref8:
				return this.offset + reader.u64();
			case DW_FORM.ref_udata:
				return this.offset + reader.uleb();
			case DW_FORM.block1:
				return reader.block(reader.u8());
			case DW_FORM.block2:
				return reader.block(reader.u16());
			case DW_FORM.block4:
				return reader.block(reader.u32());
			case DW_FORM.block:
			case DW_FORM.exprloc:
				return reader.block(reader.uleb());
			case DW_FORM.flag_present:
				return 1;
			case DW_FORM.implicit_const:
				return implicit;
			default:
				throw damaged(`form ${hex(form)}`);
		}
	}

	private base(attribute: number, fallback: number): number {
		const value = this.root.attributes.get(attribute)?.value;
		return typeof value === "number" ? value : fallback;
	}

	/** Address number `index` of this unit (DWARF 5, .debug_addr). */
	indexedAddress(index: number): number {
		const at = this.base(DW_AT.addr_base, 8) + index * 8;
		return this.sections.need(".debug_addr").from(at).u64();
	}

	text(die: Die, attribute: number): string | undefined {
		const found = die.attributes.get(attribute);
		if (typeof found?.value === "string") return found.value;
		if (typeof found?.value !== "number" || !isStringIndex(found.form)) return undefined;
		const width = this.is64 ? 8 : 4;
		const at = this.base(DW_AT.str_offsets_base, 8) + found.value * width;
		return this.sections.stringAt(".debug_str", this.sections.need(".debug_str_offsets").from(at).offset(this.is64));
	}

	address(die: Die, attribute: number): number | undefined {
		const found = die.attributes.get(attribute);
		if (typeof found?.value !== "number") return undefined;
		return isAddressIndex(found.form) ? this.indexedAddress(found.value) : found.value;
	}

	get lowPc(): number {
		return this.address(this.root, DW_AT.low_pc) ?? 0;
	}

	/** Code of a subprogram, block, inlined subroutine or unit; empty when it has none. */
	ranges(die: Die): AddressRange[] {
		const ranges = die.attributes.get(DW_AT.ranges);
		if (typeof ranges?.value === "number") {
			return this.version >= 5
				? this.readRangeList(ranges.value, ranges.form === DW_FORM.rnglistx)
				: this.readOldRanges(ranges.value);
		}
		const low = this.address(die, DW_AT.low_pc);
		const high = die.attributes.get(DW_AT.high_pc);
		if (low === undefined || typeof high?.value !== "number") return [];
		const isAddress = high.form === DW_FORM.addr || isAddressIndex(high.form);
		const end = isAddress ? (this.address(die, DW_AT.high_pc) as number) : low + high.value;
		return end > low ? [{ low, high: end }] : [];
	}

	private readOldRanges(offset: number): AddressRange[] {
		const reader = this.sections.need(".debug_ranges").from(offset);
		const ranges: AddressRange[] = [];
		let base = this.lowPc;
		for (;;) {
			const low = reader.u64();
			const high = reader.u64();
			if (low === 0 && high === 0) return ranges;
			if (low >= 2 ** 63) base = high;
			else if (high > low) ranges.push({ low: base + low, high: base + high });
		}
	}

	private readRangeList(value: number, indexed: boolean): AddressRange[] {
		const section = this.sections.need(".debug_rnglists");
		const base = this.base(DW_AT.rnglists_base, 12);
		const reader = section.from(
			indexed ? base + section.from(base + value * (this.is64 ? 8 : 4)).offset(this.is64) : value,
		);
		const ranges: AddressRange[] = [];
		this.readListEntries(reader, false, (low, high) => {
			if (high > low) ranges.push({ low, high });
		});
		return ranges;
	}

	/** Range and location lists of DWARF 5 share their entry kinds but for one (7.7.3, 7.25). */
	private readListEntries(
		reader: ByteReader,
		locations: boolean,
		emit: (low: number, high: number, expression: Uint8Array) => void,
	): void {
		let base = this.lowPc;
		const expression = () => (locations ? reader.block(reader.uleb()) : new Uint8Array());
		for (;;) {
			let kind = reader.u8();
			// DW_LLE_default_location has no twin among the range kinds.
			if (locations && kind === 5) {
				emit(0, Number.MAX_SAFE_INTEGER, expression());
				continue;
			}
			if (locations && kind > 5) kind--;
			switch (kind) {
				case 0:
					return;
				case 1:
					base = this.indexedAddress(reader.uleb());
					break;
				case 2: {
					const low = this.indexedAddress(reader.uleb());
					emit(low, this.indexedAddress(reader.uleb()), expression());
					break;
				}
				case 3: {
					const low = this.indexedAddress(reader.uleb());
					emit(low, low + reader.uleb(), expression());
					break;
				}
				case 4: {
					const low = base + reader.uleb();
					emit(low, base + reader.uleb(), expression());
					break;
				}
				case 5:
					base = reader.u64();
					break;
				case 6: {
					const low = reader.u64();
					emit(low, reader.u64(), expression());
					break;
				}
				case 7: {
					const low = reader.u64();
					emit(low, low + reader.uleb(), expression());
					break;
				}
				default:
					throw damaged(`list entry kind ${kind} in ${reader.section}`);
			}
		}
	}

	/** The expression that says where a variable is at `pc`; undefined: nowhere (optimized out there). */
	location(die: Die, attribute: number, pc: number): Uint8Array | undefined {
		let result: Uint8Array | undefined;
		this.eachLocation(die, attribute, (low, high, expression) => {
			if (pc >= low && pc < high) result ??= expression;
		});
		return result;
	}

	/** All expressions of a location list with their ranges; one that holds everywhere has all addresses. */
	eachLocation(
		die: Die,
		attribute: number,
		consider: (low: number, high: number, expression: Uint8Array) => void,
	): void {
		const found = die.attributes.get(attribute);
		if (found?.value instanceof Uint8Array) consider(0, Number.POSITIVE_INFINITY, found.value);
		if (typeof found?.value !== "number") return;
		if (this.version >= 5) {
			const section = this.sections.need(".debug_loclists");
			const base = this.base(DW_AT.loclists_base, 12);
			const indexed = found.form === DW_FORM.loclistx;
			const width = this.is64 ? 8 : 4;
			const at = indexed ? base + section.from(base + found.value * width).offset(this.is64) : found.value;
			this.readListEntries(section.from(at), true, consider);
		} else this.readOldLocations(found.value, consider);
	}

	private readOldLocations(offset: number, emit: (low: number, high: number, expression: Uint8Array) => void): void {
		const reader = this.sections.need(".debug_loc").from(offset);
		let base = this.lowPc;
		for (;;) {
			const low = reader.u64();
			const high = reader.u64();
			if (low === 0 && high === 0) return;
			if (low >= 2 ** 63) base = high;
			else emit(base + low, base + high, reader.block(reader.u16()));
		}
	}
}

function isStringIndex(form: number): boolean {
	return form === DW_FORM.strx || (form >= DW_FORM.strx1 && form <= DW_FORM.strx4);
}

function isAddressIndex(form: number): boolean {
	return form === DW_FORM.addrx || (form >= DW_FORM.addrx1 && form <= DW_FORM.addrx4);
}

/** A class of entries that has code of its own. */
export function hasCode(die: Die): boolean {
	return (
		die.tag === DW_TAG.subprogram ||
		die.tag === DW_TAG.inlined_subroutine ||
		die.tag === DW_TAG.lexical_block ||
		die.tag === DW_TAG.compile_unit
	);
}
