import { DW_AT, DW_FORM, DW_TAG } from "../../src/debuginfo/dwarf.ts";

/** Little-endian bytes as a compiler's assembler writes them. */
export class Bytes {
	readonly list: number[] = [];

	get length(): number {
		return this.list.length;
	}

	private put(value: bigint, size: number): this {
		for (let i = 0; i < size; i++) this.list.push(Number((value >> BigInt(8 * i)) & 0xffn));
		return this;
	}

	u8(...values: number[]): this {
		for (const value of values) this.put(BigInt(value), 1);
		return this;
	}

	u16(value: number): this {
		return this.put(BigInt(value), 2);
	}

	u32(value: number): this {
		return this.put(BigInt(value), 4);
	}

	u64(value: number | bigint): this {
		return this.put(BigInt(value), 8);
	}

	uleb(value: number | bigint): this {
		let rest = BigInt.asUintN(64, BigInt(value));
		for (; rest >= 0x80n; rest >>= 7n) this.list.push(Number(rest & 0x7fn) | 0x80);
		return this.u8(Number(rest));
	}

	sleb(value: number | bigint): this {
		let rest = BigInt(value);
		for (; rest < -64n || rest > 63n; rest >>= 7n) this.list.push(Number(BigInt.asUintN(7, rest)) | 0x80);
		return this.u8(Number(BigInt.asUintN(7, rest)));
	}

	text(value: string): this {
		return this.raw(new TextEncoder().encode(value)).u8(0);
	}

	raw(bytes: Iterable<number>): this {
		for (const byte of bytes) this.list.push(byte);
		return this;
	}

	pad(to: number): this {
		while (this.list.length % to !== 0) this.list.push(0);
		return this;
	}

	/** Writes over what is there. */
	set32(at: number, value: number): void {
		new Bytes().u32(value).list.forEach((byte, i) => {
			this.list[at + i] = byte;
		});
	}

	get bytes(): Uint8Array {
		return Uint8Array.from(this.list);
	}
}

export const bytes = () => new Bytes();

/** A unit's or a table's length before its content (DWARF 7.4): in the 64-bit format with its escape. */
export function withLength(content: Bytes, is64 = false): Bytes {
	const whole = bytes();
	if (is64) whole.u32(0xffffffff).u64(content.length);
	else whole.u32(content.length);
	return whole.raw(content.list);
}

export interface SymbolSpec {
	readonly name: string;
	readonly address: number;
	readonly size?: number;
	/** STT_…: 0 none, 1 object, 2 function (default), 3 section, 4 file. */
	readonly type?: number;
	readonly local?: boolean;
	/** 0: undefined. */
	readonly section?: number;
}

interface SectionSpec {
	readonly name: string;
	readonly bytes: Uint8Array;
	readonly type?: number;
	readonly flags?: number;
	readonly address?: number;
	readonly link?: number;
	/** Of a section without content in the file. */
	readonly size?: number;
}

export interface ElfSpec {
	/** What is loaded at `address`, as `.text`. */
	readonly code?: Uint8Array;
	readonly address?: number;
	/** Debug sections by name. */
	readonly sections?: Readonly<Record<string, Uint8Array | Bytes | undefined>>;
	readonly more?: readonly SectionSpec[];
	readonly symbols?: readonly SymbolSpec[];
	readonly entry?: number;
}

/** A RISC-V ELF-64 executable with these sections: one segment for its code, a symbol table, debug sections. */
export function elfWith(spec: ElfSpec): Uint8Array {
	const code = spec.code ?? new Uint8Array(0x100);
	const address = spec.address ?? 0x80000000;
	const strings = bytes().u8(0);
	const symbols = bytes().raw(new Uint8Array(24));
	for (const { name, address: value, size = 0, type = 2, local = false, section = 1 } of spec.symbols ?? []) {
		symbols
			.u32(name === "" ? 0 : strings.length)
			.u8(type | (local ? 0 : 16), 0)
			.u16(section)
			.u64(value)
			.u64(size);
		if (name !== "") strings.text(name);
	}
	const sections: SectionSpec[] = [
		{ name: "", bytes: new Uint8Array(), type: 0 },
		{ name: ".text", bytes: code, type: 1, flags: 6, address },
		{ name: ".symtab", bytes: symbols.bytes, type: 2, link: 3 },
		{ name: ".strtab", bytes: strings.bytes, type: 3 },
		...Object.entries(spec.sections ?? {}).flatMap(([name, content]) =>
			content ? [{ name, bytes: content instanceof Bytes ? content.bytes : content }] : [],
		),
		...(spec.more ?? []),
	];
	const names = bytes().u8(0);
	const nameAt = sections.map(({ name }) => {
		const at = names.length;
		if (name !== "") names.text(name);
		return name === "" ? 0 : at;
	});
	nameAt.push(names.length);
	names.text(".shstrtab");
	sections.push({ name: ".shstrtab", bytes: names.bytes, type: 3 });
	const start = 64 + 56;
	const content = bytes().raw(new Uint8Array(start));
	const offsets = sections.map((section) => {
		content.pad(8);
		const at = content.length;
		content.raw(section.bytes);
		return at;
	});
	const headersAt = content.pad(8).length;
	sections.forEach((section, i) => {
		content
			.u32(nameAt[i] as number)
			.u32(section.type ?? 1)
			.u64(section.flags ?? 0)
			.u64(section.address ?? 0);
		content
			.u64(offsets[i] as number)
			.u64(section.size ?? section.bytes.length)
			.u32(section.link ?? 0)
			.u32(0);
		content.u64(1).u64(0);
	});
	const head = bytes().raw([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]).pad(16).u16(2).u16(243).u32(1);
	head
		.u64(spec.entry ?? address)
		.u64(64)
		.u64(headersAt)
		.u32(0)
		.u16(64)
		.u16(56)
		.u16(1)
		.u16(64);
	head.u16(sections.length).u16(sections.length - 1);
	head
		.u32(1)
		.u32(7)
		.u64(offsets[1] as number)
		.u64(address)
		.u64(address)
		.u64(code.length)
		.u64(code.length + 0x100)
		.u64(8);
	const file = content.bytes;
	file.set(head.list);
	return file;
}

type FormName = keyof typeof DW_FORM;
export type Value = number | bigint | string | Bytes | DieSpec;

/** An attribute: its name, its form, its value. A reference's value is the entry itself. */
export type AttributeSpec = readonly [keyof typeof DW_AT | number, FormName | number, Value];

export interface DieSpec {
	readonly tag: number;
	readonly attributes: readonly AttributeSpec[];
	readonly children: readonly DieSpec[];
}

export const die = (
	tag: keyof typeof DW_TAG | number,
	attributes: readonly AttributeSpec[] = [],
	children: readonly DieSpec[] = [],
): DieSpec => ({ tag: typeof tag === "number" ? tag : DW_TAG[tag], attributes, children });

/** An entry that refers to itself. */
export function selfDie(
	tag: keyof typeof DW_TAG,
	of: (self: DieSpec) => { attributes?: readonly AttributeSpec[]; children?: readonly DieSpec[] },
): DieSpec {
	const self: { tag: number; attributes: readonly AttributeSpec[]; children: readonly DieSpec[] } = {
		...{ tag: DW_TAG[tag], attributes: [], children: [] },
	};
	return Object.assign(self, of(self));
}

export interface UnitSpec {
	readonly version?: number;
	readonly is64?: boolean;
	readonly root: DieSpec;
	/** DWARF 5: 1 compile, 2 type, 3 partial, 4 skeleton, 5 split compile, 6 split type. */
	readonly kind?: number;
	readonly addressSize?: number;
}

/** .debug_info, .debug_abbrev, .debug_str and .debug_line_str of these units. */
export function debugSections(units: readonly UnitSpec[]) {
	const info = bytes();
	const abbreviations = bytes();
	const strings = bytes().text("nothing");
	const lineStrings = bytes().text("nothing");
	/** Offsets in .debug_info, and references to fill in: of four bytes, from a base. */
	const offsets = new Map<DieSpec, number>();
	const references: { at: number; to: DieSpec; base: number }[] = [];
	for (const { version = 4, is64 = false, root, kind = 1, addressSize = 8 } of units) {
		const start = info.length;
		const header = bytes().u16(version);
		const offset = (to: Bytes, value: number) => (is64 ? to.u64(value) : to.u32(value));
		if (version >= 5) {
			header.u8(kind, addressSize);
			offset(header, abbreviations.length);
			if (kind === 4 || kind === 5) header.u64(0x1122334455667788n);
			if (kind === 2 || kind === 6) offset(header.u64(0x1122334455667788n), 0);
		} else offset(header, abbreviations.length).u8(addressSize);
		const lengthBytes = is64 ? 12 : 4;
		const body = bytes().raw(header.list);
		const put = (form: number, value: Value): void => {
			const at = start + lengthBytes + body.length;
			switch (form) {
				case DW_FORM.addr:
				case DW_FORM.data8:
				case DW_FORM.ref_sig8:
					body.u64(value as number);
					return;
				case DW_FORM.data1:
				case DW_FORM.flag:
				case DW_FORM.strx1:
				case DW_FORM.addrx1:
					body.u8(value as number);
					return;
				case DW_FORM.data2:
				case DW_FORM.strx2:
				case DW_FORM.addrx2:
					body.u16(value as number);
					return;
				case DW_FORM.strx3:
				case DW_FORM.addrx3:
					body.u16((value as number) & 0xffff).u8((value as number) >> 16);
					return;
				case DW_FORM.data4:
				case DW_FORM.strx4:
				case DW_FORM.addrx4:
					body.u32(value as number);
					return;
				case DW_FORM.data16:
					body.u64(value as number).u64(0);
					return;
				case DW_FORM.udata:
				case DW_FORM.strx:
				case DW_FORM.addrx:
				case DW_FORM.loclistx:
				case DW_FORM.rnglistx:
					body.uleb(value as number);
					return;
				case DW_FORM.sdata:
					body.sleb(value as number);
					return;
				case DW_FORM.string:
					body.text(value as string);
					return;
				case DW_FORM.strp:
					offset(body, strings.length);
					strings.text(value as string);
					return;
				case DW_FORM.line_strp:
					offset(body, lineStrings.length);
					lineStrings.text(value as string);
					return;
				case DW_FORM.sec_offset:
					offset(body, value as number);
					return;
				case DW_FORM.ref1:
				case DW_FORM.ref2:
				case DW_FORM.ref4:
				case DW_FORM.ref8:
				case DW_FORM.ref_udata: {
					// Entries before this one, which are known; of four bytes, any.
					const target = value as DieSpec;
					const to = (offsets.get(target) ?? 0) - start;
					if (form === DW_FORM.ref1) body.u8(to);
					else if (form === DW_FORM.ref2) body.u16(to);
					else if (form === DW_FORM.ref8) body.u64(to);
					else if (form === DW_FORM.ref_udata) body.uleb(to);
					else {
						references.push({ at, to: target, base: start });
						body.u32(0);
					}
					return;
				}
				case DW_FORM.ref_addr:
					references.push({ at, to: value as DieSpec, base: 0 });
					if (version === 2 || is64) body.u64(0);
					else body.u32(0);
					return;
				case DW_FORM.block1:
					body.u8((value as Bytes).length).raw((value as Bytes).list);
					return;
				case DW_FORM.block2:
					body.u16((value as Bytes).length).raw((value as Bytes).list);
					return;
				case DW_FORM.block4:
					body.u32((value as Bytes).length).raw((value as Bytes).list);
					return;
				case DW_FORM.block:
				case DW_FORM.exprloc:
					body.uleb((value as Bytes).length).raw((value as Bytes).list);
					return;
				case DW_FORM.flag_present:
				case DW_FORM.implicit_const:
					return;
				case DW_FORM.indirect:
					// The form that the value really has.
					body.uleb(DW_FORM.udata).uleb(value as number);
					return;
				default:
					body.raw((value as Bytes).list);
			}
		};
		let code = 0;
		const write = (entry: DieSpec): void => {
			offsets.set(entry, start + lengthBytes + body.length);
			code++;
			body.uleb(code);
			abbreviations
				.uleb(code)
				.uleb(entry.tag)
				.u8(entry.children.length > 0 ? 1 : 0);
			for (const [name, form, value] of entry.attributes) {
				const number = typeof form === "number" ? form : DW_FORM[form];
				abbreviations.uleb(typeof name === "number" ? name : DW_AT[name]).uleb(number);
				if (number === DW_FORM.implicit_const) abbreviations.sleb(value as number);
				put(number, value);
			}
			abbreviations.u8(0, 0);
			for (const child of entry.children) write(child);
			if (entry.children.length > 0) body.u8(0);
		};
		write(root);
		abbreviations.u8(0);
		info.raw(withLength(body, is64).list);
	}
	for (const { at, to, base } of references) info.set32(at, (offsets.get(to) ?? 0) - base);
	return {
		sections: {
			".debug_info": info,
			".debug_abbrev": abbreviations,
			".debug_str": strings,
			".debug_line_str": lineStrings,
		},
		offsetOf: (entry: DieSpec) => offsets.get(entry) ?? -1,
	};
}

export interface LineTableSpec {
	readonly version: number;
	readonly is64?: boolean;
	readonly folders: readonly string[];
	/** Name and number of its folder. */
	readonly files: readonly (readonly [string, number])[];
	readonly program: Bytes;
	readonly minimumLength?: number;
	readonly defaultStatement?: boolean;
	readonly lineBase?: number;
	readonly lineRange?: number;
	readonly opcodeBase?: number;
}

/** One table of .debug_line (DWARF 6.2.4). In version 5 the first folder and file stand for the compiler's own. */
export function lineTable(spec: LineTableSpec): Bytes {
	const { version, is64 = false, lineBase = -5, lineRange = 14, opcodeBase = 13 } = spec;
	const tail = bytes().u8(spec.minimumLength ?? 1);
	if (version >= 4) tail.u8(1);
	tail.u8((spec.defaultStatement ?? true) ? 1 : 0, lineBase & 0xff, lineRange, opcodeBase);
	tail.raw([0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1, 2, 3, 4].slice(0, opcodeBase - 1));
	if (version >= 5) {
		tail.u8(1).uleb(1).uleb(DW_FORM.string).uleb(spec.folders.length);
		for (const folder of spec.folders) tail.text(folder);
		// Beside its name and folder a file has an MD5 sum, as clang writes it.
		tail.u8(3).uleb(1).uleb(DW_FORM.string).uleb(2).uleb(DW_FORM.udata).uleb(5).uleb(DW_FORM.data16);
		tail.uleb(spec.files.length);
		for (const [name, folder] of spec.files) tail.text(name).uleb(folder).u64(1).u64(2);
	} else {
		for (const folder of spec.folders) tail.text(folder);
		tail.u8(0);
		for (const [name, folder] of spec.files) tail.text(name).uleb(folder).uleb(0).uleb(0);
		tail.u8(0);
	}
	const content = bytes().u16(version);
	if (version >= 5) content.u8(8, 0);
	if (is64) content.u64(tail.length);
	else content.u32(tail.length);
	return withLength(content.raw(tail.list).raw(spec.program.list), is64);
}

/** The extended opcodes of a line program that every test needs. */
export const setAddress = (address: number) => bytes().u8(0, 9, 2).u64(address);
export const endSequence = () => bytes().u8(0, 1, 1);

export interface CieSpec {
	readonly version?: number;
	readonly augmentation?: string;
	readonly augmentationData?: Bytes;
	readonly codeAlign?: number;
	readonly dataAlign?: number;
	readonly returnRegister?: number;
	readonly initial?: Bytes;
	readonly is64?: boolean;
}

/** A common information entry of .debug_frame, or of .eh_frame (DWARF 6.4.1). */
export function cie(spec: CieSpec = {}, eh = false): Bytes {
	const { version = eh ? 1 : 4, augmentation = "", is64 = false, returnRegister = 1 } = spec;
	const body = bytes();
	if (eh) body.u32(0);
	else if (is64) body.u64(0xffffffffffffffffn);
	else body.u32(0xffffffff);
	body.u8(version).text(augmentation);
	if (version >= 4) body.u8(8, 0);
	body.uleb(spec.codeAlign ?? 1).sleb(spec.dataAlign ?? -8);
	if (version === 1) body.u8(returnRegister);
	else body.uleb(returnRegister);
	const data = spec.augmentationData;
	if (data) body.uleb(data.length).raw(data.list);
	return withLength(body.raw((spec.initial ?? bytes().u8(0x0c, 2, 0)).list), is64);
}

/** A frame description entry of .debug_frame. */
export function fde(cieAt: number, low: number, length: number, program: Bytes, is64 = false): Bytes {
	const body = bytes();
	if (is64) body.u64(cieAt);
	else body.u32(cieAt);
	return withLength(body.u64(low).u64(length).raw(program.list), is64);
}
