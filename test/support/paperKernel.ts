import { ProgramSymbols } from "../../src/debuginfo/symbolizer.ts";
import { GuestMemory } from "../../src/kernelview/guestMemory.ts";
import { KernelNames } from "../../src/kernelview/kernelNames.ts";
import type { PhysicalMemory } from "../../src/machine/types.ts";
import { type AttributeSpec, bytes, type DieSpec, debugSections, die, elfWith, type SymbolSpec } from "./dwarf.ts";

/** A C type with its layout, and the entry that describes it; `parts` are the entries that it needs. */
export interface CType {
	readonly size: number;
	readonly align: number;
	readonly die: DieSpec;
	readonly parts: readonly CType[];
	readonly members?: ReadonlyMap<string, { readonly offset: number; readonly type: CType }>;
	readonly element?: CType;
}

const named = (name: string): AttributeSpec[] => (name === "" ? [] : [["name", "string", name]]);
const scalar = (name: string, size: number, encoding: number): CType => ({
	...{ size, align: size, parts: [] },
	die: die("base_type", [...named(name), ["byte_size", "data1", size], ["encoding", "data1", encoding]]),
});

export const int = scalar("int", 4, 5);
export const uint = scalar("unsigned int", 4, 7);
export const uint64 = scalar("unsigned long", 8, 7);
export const ushort = scalar("unsigned short", 2, 7);
export const char = scalar("char", 1, 8);

export const pointer = (to: CType = uint64): CType => ({
	...{ size: 8, align: 8, parts: [to] },
	die: die("pointer_type", [["type", "ref4", to.die]]),
});

export const array = (element: CType, count: number): CType => ({
	...{ size: element.size * count, align: element.align, parts: [element], element },
	die: die("array_type", [["type", "ref4", element.die]], [die("subrange_type", [["count", "data2", count]])]),
});

export function enumeration(name: string, ...constants: string[]): CType {
	const values = constants.map((text, i) => die("enumerator", [...named(text), ["const_value", "data1", i]]));
	return {
		size: 4,
		align: 4,
		parts: [],
		die: die("enumeration_type", [...named(name), ["byte_size", "data1", 4]], values),
	};
}

/** Members lie as C puts them; a member without a name is an anonymous part. */
export function struct(
	name: string,
	members: Readonly<Record<string, CType>>,
	tag: "structure_type" | "union_type" = "structure_type",
): CType {
	let at = 0;
	let align = 1;
	const placed = new Map<string, { offset: number; type: CType }>();
	for (const [member, type] of Object.entries(members)) {
		const offset = tag === "union_type" ? 0 : Math.ceil(at / type.align) * type.align;
		placed.set(member, { offset, type });
		at = Math.max(at, offset + type.size);
		align = Math.max(align, type.align);
	}
	const size = Math.ceil(at / align) * align;
	const children = [...placed].map(([member, { offset, type }]) =>
		die("member", [...named(member), ["type", "ref4", type.die], ["data_member_location", "data2", offset]]),
	);
	const parts = [...placed.values()].map(({ type }) => type);
	return {
		size,
		align,
		parts,
		members: placed,
		die: die(tag, [...named(name), ["byte_size", "data4", size]], children),
	};
}

export const base = 0x80000000;
/** Where variables begin, after a page of text. */
const dataAt = base + 0x1000;

/** A kernel that is only its variables: debug information that describes them, and RAM that has them. */
export class PaperKernel {
	readonly elf: Uint8Array;
	readonly memory: GuestMemory;
	readonly physical: PhysicalMemory;
	readonly ram: DataView;
	/** The first byte after the image, a page's. */
	readonly end: number;
	private readonly places = new Map<string, { readonly address: number; readonly type: CType }>();

	constructor(
		variables: Readonly<Record<string, CType>>,
		more: { pages?: number; symbols?: readonly SymbolSpec[]; debug?: boolean } = {},
	) {
		const types = new Set<DieSpec>();
		const collect = (type: CType) => {
			if (types.has(type.die)) return;
			types.add(type.die);
			type.parts.forEach(collect);
		};
		let at = dataAt;
		const dies: DieSpec[] = [];
		const symbols: SymbolSpec[] = [];
		for (const [name, type] of Object.entries(variables)) {
			collect(type);
			at = Math.ceil(at / 8) * 8;
			this.places.set(name, { address: at, type });
			const location: AttributeSpec = ["location", "exprloc", bytes().u8(0x03).u64(at)];
			dies.push(die("variable", [...named(name), ["type", "ref4", type.die], location]));
			symbols.push({ name, address: at, size: type.size, type: 1 });
			at += type.size;
		}
		this.end = Math.ceil(at / 4096) * 4096;
		symbols.push({ name: "etext", address: dataAt, type: 0 }, { name: "end", address: this.end, type: 0 });
		const root = die("compile_unit", [], [...types, ...dies]);
		this.elf = elfWith({
			...(more.debug === false ? {} : { sections: debugSections([{ root }]).sections }),
			code: new Uint8Array(0x1000),
			more: [{ name: ".data", bytes: new Uint8Array(), type: 8, flags: 3, address: dataAt, size: this.end - dataAt }],
			symbols: [...symbols, ...(more.symbols ?? [])],
		});
		const ram = new Uint8Array(((this.end - base) / 4096 + (more.pages ?? 8)) * 4096);
		this.ram = new DataView(ram.buffer);
		const inRam = (address: bigint, size: number) => {
			const offset = Number(address) - base;
			return offset >= 0 && offset + size <= ram.length ? offset : undefined;
		};
		this.physical = {
			base: BigInt(base),
			size: ram.length,
			bytes: () => ram,
			readU64: (address) => {
				const offset = inRam(address, 8);
				return offset === undefined ? undefined : this.ram.getBigUint64(offset, true);
			},
			readU32: (address) => {
				const offset = inRam(address, 4);
				return offset === undefined ? undefined : this.ram.getUint32(offset, true);
			},
			write: (address, written) => ram.set(written, Number(address) - base),
		};
		this.memory = new GuestMemory(this.physical);
	}

	get names(): KernelNames {
		return new KernelNames(new ProgramSymbols("kernel", this.elf));
	}

	/** Of `proc[2].context.sp`; paths do not follow pointers. */
	private find(path: string): { address: number; type: CType } {
		const [name = "", ...steps] = path.match(/\w+|\[\d+\]/g) ?? [];
		let place = this.places.get(name);
		for (const step of steps) {
			const index = /^\[(\d+)\]$/.exec(step)?.[1];
			const member = place?.type.members?.get(step);
			const element = place?.type.element;
			if (place && member) place = { address: place.address + member.offset, type: member.type };
			else if (place && element && index !== undefined)
				place = { address: place.address + Number(index) * element.size, type: element };
			else throw new Error(`${path}: there is no ${step}`);
		}
		if (!place) throw new Error(`${path}: there is no ${name}`);
		return place;
	}

	at(path: string): number {
		return this.find(path).address;
	}

	/** Numbers by their size, text with a zero. */
	set(path: string, value: number | bigint | string): this {
		const { address, type } = this.find(path);
		return this.poke(address, value, type.size);
	}

	poke(address: number, value: number | bigint | string, size = 8): this {
		const list =
			typeof value === "string"
				? bytes().text(value).list.slice(0, size)
				: bytes()
						.u64(BigInt.asUintN(64, BigInt(value)))
						.list.slice(0, size);
		new Uint8Array(this.ram.buffer).set(list, address - base);
		return this;
	}
}
