import { startOfTail } from "../common/tail.ts";
import { DW_AT, DW_ATE, DW_TAG } from "./dwarf.ts";
import type { AttributeValue, Die } from "./unit.ts";

/** C types as a kernel's debug information has them. Qualifiers are left out; typedefs keep their name beside their target. */
export type Type =
	| {
			readonly kind: "base";
			readonly name: string;
			readonly size: number;
			readonly signed: boolean;
			readonly char: boolean;
	  }
	| { readonly kind: "pointer"; readonly size: number; readonly target: Type | undefined }
	| StructType
	| { readonly kind: "array"; readonly size: number; readonly element: Type; readonly count: number }
	| EnumType
	| { readonly kind: "typedef"; readonly name: string; readonly size: number; readonly target: Type | undefined }
	| { readonly kind: "function"; readonly size: 0 };

export interface StructType {
	readonly kind: "struct" | "union";
	/** Empty for an anonymous one. */
	readonly name: string;
	readonly size: number;
	readonly members: readonly Member[];
}

interface EnumType {
	readonly kind: "enum";
	readonly name: string;
	readonly size: number;
	readonly values: ReadonlyMap<number, string>;
}

export interface Member {
	/** Empty for an anonymous struct or union inside. */
	readonly name: string;
	readonly offset: number;
	/** Undefined for what the information leaves open. */
	readonly type: Type | undefined;
	/** Of a bit field: bits from the member's offset on. */
	readonly bits?: { readonly offset: number; readonly size: number };
}

/** The deepest chain of types that a sound program has is far below this; a cycle of arrays or typedefs is above. */
const maxDepth = 64;

export class TypeReader {
	private readonly cache = new Map<Die, Type | undefined>();

	constructor(private readonly resolve: (offset: number, near: Die) => Die | undefined) {}

	/** The type that an entry's DW_AT_type names; undefined is `void` or damage. */
	typeOf(die: Die, depth = 0): Type | undefined {
		const reference = die.attributes.get(DW_AT.type)?.value;
		if (typeof reference !== "number" || depth > maxDepth) return undefined;
		const target = this.resolve(reference, die);
		return target && this.read(target, depth + 1);
	}

	read(die: Die, depth = 0): Type | undefined {
		if (this.cache.has(die)) return this.cache.get(die);
		const type = this.make(die, depth);
		this.cache.set(die, type);
		return type;
	}

	private make(die: Die, depth: number): Type | undefined {
		const name = die.unit.text(die, DW_AT.name) ?? "";
		const size = number(die, DW_AT.byte_size) ?? 0;
		switch (die.tag) {
			case DW_TAG.base_type: {
				const encoding = number(die, DW_AT.encoding);
				const char = encoding === DW_ATE.signed_char || encoding === DW_ATE.unsigned_char;
				return {
					kind: "base",
					name,
					size,
					signed: encoding === DW_ATE.signed || encoding === DW_ATE.signed_char,
					char,
				};
			}
			case DW_TAG.pointer_type: {
				const read = () => this.typeOf(die);
				let target: { type: Type | undefined } | undefined;
				return {
					kind: "pointer",
					size: size || 8,
					get target() {
						target ??= { type: read() };
						return target.type;
					},
				};
			}
			case DW_TAG.structure_type:
			case DW_TAG.union_type:
				return this.struct(die, name, size);
			case DW_TAG.array_type:
				return this.array(die, depth);
			case DW_TAG.enumeration_type: {
				const values = new Map<number, string>();
				for (const child of die.children) {
					const value = number(child, DW_AT.const_value);
					if (child.tag === DW_TAG.enumerator && value !== undefined)
						values.set(value, child.unit.text(child, DW_AT.name) ?? "");
				}
				return { kind: "enum", name, size: size || 4, values };
			}
			case DW_TAG.typedef: {
				const target = this.typeOf(die, depth);
				return { kind: "typedef", name, size: target?.size ?? 0, target };
			}
			case DW_TAG.const_type:
			case DW_TAG.volatile_type:
			case DW_TAG.restrict_type:
			case DW_TAG.atomic_type:
				return this.typeOf(die, depth);
			case DW_TAG.subroutine_type:
				return { kind: "function", size: 0 };
			default:
				return undefined;
		}
	}

	/** Members are read when asked for: structures point to each other. */
	private struct(die: Die, name: string, size: number): StructType {
		const read = () => this.members(die);
		let members: readonly Member[] | undefined;
		return {
			kind: die.tag === DW_TAG.union_type ? "union" : "struct",
			name,
			size,
			get members() {
				members ??= read();
				return members;
			},
		};
	}

	private members(die: Die): Member[] {
		return die.children
			.filter((child) => child.tag === DW_TAG.member)
			.map((child) => {
				const { typeOf } = this;
				const type = typeOf.bind(this, child);
				const bits = number(child, DW_AT.bit_size);
				const bitOffset = bits === undefined ? undefined : bitOffsetOf(child, bits, type()?.size);
				const offset = memberOffset(child) + (bitOffset === undefined ? 0 : Math.floor(bitOffset / 8));
				return {
					name: child.unit.text(child, DW_AT.name) ?? "",
					offset,
					get type() {
						return type();
					},
					...(bits !== undefined ? { bits: { offset: (bitOffset ?? 0) % 8, size: bits } } : {}),
				};
			});
	}

	private array(die: Die, depth: number): Type | undefined {
		let type = this.typeOf(die, depth);
		if (!type) return undefined;
		const dimensions = die.children.filter((child) => child.tag === DW_TAG.subrange_type);
		// The last dimension lies closest together.
		for (const dimension of dimensions.reverse()) {
			const bound = number(dimension, DW_AT.upper_bound);
			const count = number(dimension, DW_AT.count) ?? (bound === undefined ? 0 : bound + 1);
			// -1 as an unsigned bound is how compilers write `[]`.
			const sound: number = count > 0 && count < 2 ** 32 ? count : 0;
			type = { kind: "array", element: type, count: sound, size: sound * type.size };
		}
		return type;
	}
}

function number(die: Die, attribute: number): number | undefined {
	const value = die.attributes.get(attribute)?.value;
	return typeof value === "number" ? value : undefined;
}

/** A constant, or in DWARF 2 an expression of one DW_OP_plus_uconst. */
function memberOffset(die: Die): number {
	const value = die.attributes.get(DW_AT.data_member_location)?.value;
	if (typeof value === "number") return value;
	if (!(value instanceof Uint8Array) || value[0] !== 0x23) return 0;
	let offset = 0;
	for (let i = 1, scale = 1; i < value.length; i++, scale *= 128) {
		offset += ((value[i] as number) & 0x7f) * scale;
		if ((value[i] as number) < 0x80) break;
	}
	return offset;
}

/** Follows typedefs. */
export function plain(type: Type | undefined): Exclude<Type, { kind: "typedef" }> | undefined {
	let current = type;
	for (let i = 0; current?.kind === "typedef" && i < maxDepth; i++) current = current.target;
	return current?.kind === "typedef" ? undefined : current;
}

/** A member by name, also one inside an anonymous struct or union; its offset counts from the outer structure. */
export function findMember(type: StructType, name: string, depth = 0): Member | undefined {
	for (const member of type.members) {
		if (member.name === name) return member;
		const inner = plain(member.type);
		if (member.name !== "" || depth > 8 || (inner?.kind !== "struct" && inner?.kind !== "union")) continue;
		const found = findMember(inner, name, depth + 1);
		if (!found) continue;
		const { type, bits } = found;
		return { name, offset: member.offset + found.offset, type, ...(bits ? { bits } : {}) };
	}
	return undefined;
}

/** As C writes it, for people: `struct proc *`, `char[16]`. */
export function typeName(type: Type | undefined, depth = 0): string {
	if (!type) return "void";
	if (depth > 8) return "…";
	switch (type.kind) {
		case "base":
		case "typedef":
			return type.name;
		case "pointer":
			return `${typeName(type.target, depth + 1)} *`;
		case "struct":
		case "union":
		case "enum":
			return `${type.kind} ${type.name || "(anonymous)"}`;
		case "array": {
			// The outermost dimension stands first.
			const [element, inner] = splitDimensions(typeName(type.element, depth + 1));
			return `${element}[${type.count}]${inner}`;
		}
		case "function":
			return "function";
	}
}

/** `char *[16][4]` as `char *` and `[16][4]`. */
export function splitDimensions(name: string): readonly [string, string] {
	const at = name.endsWith("]") ? name.indexOf("[", startOfTail(name, /[[\]\d]/)) : -1;
	return at < 0 ? [name, ""] : [name.slice(0, at), name.slice(at)];
}

/** Below 0 where a packed field passes the top of its unit: gcc writes -3, clang the same 64 bits without a sign. */
function signed(value: AttributeValue | undefined): number | undefined {
	return typeof value === "bigint" ? Number(BigInt.asIntN(64, value)) : typeof value === "number" ? value : undefined;
}

/** Bits from the member's location to the first of a bit field, as little-endian machines count. */
function bitOffsetOf(member: Die, bits: number, typeSize: number | undefined): number {
	const direct = number(member, DW_AT.data_bit_offset);
	if (direct !== undefined) return direct;
	// DWARF 3, 5.6.6: from the storage unit's most significant bit to the field's, wherever that unit's first byte is.
	const fromTop = signed(member.attributes.get(DW_AT.bit_offset)?.value);
	const unit = number(member, DW_AT.byte_size) ?? typeSize;
	return fromTop === undefined || unit === undefined ? 0 : 8 * unit - fromTop - bits;
}
