import type { DebugInfo } from "../debuginfo/debugInfo.ts";
import type { ExpressionContext, Location, Piece } from "../debuginfo/expression.ts";
import { type Member, plain, type Type, typeName } from "../debuginfo/types.ts";
import { decodePte, formatPteFlags } from "../riscv/sv39.ts";
import type { Contexts } from "./contexts.ts";
import type { Space } from "./space.ts";

/** A C value: where it is, seen from a frame. */
export interface Value {
	readonly type: Type | undefined;
	readonly space: Space;
	readonly location: Location;
	/** Registers of the frame, for what is in one. */
	readonly context: ExpressionContext;
	/** pc of the frame in its program, and the program, for pointers to what is not in memory. */
	readonly info?: DebugInfo | undefined;
	readonly at?: number;
	/** Of a bit field: bits from the location on. */
	readonly bits?: { readonly offset: number; readonly size: number };
}

interface Child {
	readonly name: string;
	readonly value: Value;
}

/** Longest text shown of a `char *` or a character array. */
const textLimit = 200;
const summaryMembers = 4;
const maxChildren = 4096;

export function inMemory(from: From, type: Type | undefined, address: bigint): Value {
	return { ...seenFrom(from), type, location: { kind: "memory", address: BigInt.asUintN(64, address) } };
}

/** A value that is nowhere: a constant, the result of a computation. */
export function computed(from: From, type: Type | undefined, value: bigint): Value {
	return { ...seenFrom(from), type, location: { kind: "value", value } };
}

type From = Pick<Value, "space" | "context" | "info" | "at">;
/** Not the bits of the field that it may have been computed from. */
const seenFrom = ({ space, context, info, at }: From): From => ({
	...{ space, context, info },
	...(at === undefined ? {} : { at }),
});

export function addressOf(value: Value): bigint | undefined {
	return value.location.kind === "memory" ? value.location.address : undefined;
}

/** Why there is no value, in words for a person. */
export function whyUnknown(value: Value): string {
	const { location } = value;
	if (location.kind === "unknown") return location.why;
	if (location.kind === "memory") {
		// Its first bytes may be there.
		const { address } = location;
		const there = value.space.holding(address)?.bytes(address, sizeOf(value)).length ?? 0;
		return `0x${(address + BigInt(there)).toString(16)} is not mapped`;
	}
	if (location.kind === "register") return "its register's value is lost";
	return "it was optimized out";
}

/** Bytes that hold it: of a bit field those that it reaches into, and no others, which may not be mapped. */
export function sizeOf({ type, bits }: Value): number {
	return bits ? Math.ceil((bits.offset + bits.size) / 8) : (plain(type)?.size ?? 8);
}

/** Bytes of the whole value; undefined where a part of it is not known. */
export function bytesOf(value: Value): Uint8Array | undefined {
	return bytesAt(value, value.location, sizeOf(value));
}

function bytesAt(value: Value, location: Location, size: number): Uint8Array | undefined {
	switch (location.kind) {
		case "memory": {
			const space = value.space.holding(location.address);
			const bytes = space?.bytes(location.address, size);
			return bytes && bytes.length === size ? bytes : undefined;
		}
		case "register": {
			const number = value.context.register(location.register);
			return number === undefined ? undefined : littleEndian(number, size);
		}
		case "value":
			return littleEndian(location.value, size);
		case "pieces": {
			const whole = new Uint8Array(size);
			let at = 0;
			for (const piece of location.pieces) {
				if (piece.bits % 8 !== 0 || piece.offset % 8 !== 0) return undefined;
				const skip = piece.offset / 8;
				const part = bytesAt(value, piece.location, skip + piece.bits / 8);
				if (!part) return undefined;
				whole.set(part.subarray(skip, skip + Math.min(piece.bits / 8, size - at)), at);
				at += piece.bits / 8;
				if (at >= size) break;
			}
			return at >= size ? whole : undefined;
		}
		default:
			return undefined;
	}
}

function littleEndian(value: bigint, size: number): Uint8Array {
	const bytes = new Uint8Array(size);
	for (let i = 0; i < size; i++) bytes[i] = Number((value >> BigInt(8 * i)) & 255n);
	return bytes;
}

/** The largest integer of a C compiler for RV64 is `__int128`. */
const widestInteger = 16;
const floatingPoint: ReadonlySet<string> = new Set(["float", "double", "long double"]);

export function isFloat(type: Type | undefined): boolean {
	const base = plain(type);
	return base?.kind === "base" && floatingPoint.has(base.name);
}

/** An integer, enumeration, pointer or bit field as its type has it; undefined: not known, or no integer. */
export function numberOf(value: Value): bigint | undefined {
	const type = plain(value.type);
	if (type?.kind === "struct" || type?.kind === "union") return undefined;
	if (type?.kind === "array" || type?.kind === "function") return addressOf(value);
	if ((type && type.size > widestInteger) || isFloat(type)) return undefined;
	const bytes = bytesOf(value);
	if (!bytes) return undefined;
	const number = littleNumber(bytes);
	const signed = type?.kind === "base" ? type.signed : type?.kind === "enum";
	if (value.bits) {
		const field = BigInt.asUintN(value.bits.size, number >> BigInt(value.bits.offset));
		return signed ? BigInt.asIntN(value.bits.size, field) : field;
	}
	return signed ? BigInt.asIntN(8 * bytes.length, number) : number;
}

function littleNumber(bytes: Uint8Array): bigint {
	let number = 0n;
	for (let i = bytes.length - 1; i >= 0; i--) number = (number << 8n) | BigInt(bytes[i] as number);
	return number;
}

/** What a pointer points to; undefined: it is none, or its value is not known. */
export function dereference(value: Value): Value | undefined {
	const type = plain(value.type);
	if (type?.kind === "array") return value.location.kind === "memory" ? { ...value, type: type.element } : undefined;
	if (type?.kind !== "pointer") return undefined;
	if (value.location.kind === "implicitPointer") {
		if (!value.info || value.at === undefined || value.location.offset !== 0) return undefined;
		const { location } = value.info.locateEntry(value.location.die, value.at, value.context);
		return { ...value, type: type.target, location };
	}
	const address = numberOf(value);
	if (address === undefined) return undefined;
	return inMemory({ ...value, space: value.space.holding(address) ?? value.space }, type.target, address);
}

export function memberOf(value: Value, member: Member): Value {
	const { location } = value;
	const inner: Location =
		location.kind === "memory"
			? { kind: "memory", address: BigInt.asUintN(64, location.address + BigInt(member.offset)) }
			: partOf(location, member.offset, plain(member.type)?.size ?? 8);
	return { ...value, type: member.type, location: inner, ...(member.bits ? { bits: member.bits } : {}) };
}

/** A part of something that is not (all) in memory. */
function partOf(location: Location, offset: number, size: number): Location {
	if (location.kind === "unknown") return location;
	if (location.kind !== "pieces") {
		return { kind: "pieces", pieces: [{ location, bits: 8 * size, offset: 8 * offset }] };
	}
	const [first, end] = [8 * offset, 8 * (offset + size)];
	const pieces: Piece[] = [];
	let at = 0;
	for (const piece of location.pieces) {
		const from = Math.max(first, at);
		const to = Math.min(end, at + piece.bits);
		if (from < to) pieces.push({ ...piece, bits: to - from, offset: piece.offset + from - at });
		at += piece.bits;
	}
	return { kind: "pieces", pieces };
}

// ---- children ------------------------------------------------------------------------------------------------------

export function childCount(value: Value): number {
	const type = plain(value.type);
	switch (type?.kind) {
		case "struct":
		case "union":
			return type.members.length;
		case "array":
			return isText(type.element) && !isTable(value.type) ? 0 : Math.min(type.count, maxChildren);
		case "pointer":
			if (isTable(value.type)) return numberOf(value) ? 512 : 0;
			return pointsToThing(value) ? 1 : 0;
		default:
			return isEntry(value.type) ? entryChildren(value).length : 0;
	}
}

/** Members, elements, or what a pointer points to. */
export function childrenOf(value: Value, start = 0, count = Number.POSITIVE_INFINITY): Child[] {
	const type = plain(value.type);
	if (isEntry(value.type) && type?.kind === "base") return entryChildren(value);
	switch (type?.kind) {
		case "struct":
		case "union":
			return type.members
				.slice(start, start + count)
				.map((member) => ({ name: member.name || "(anonymous)", value: memberOf(value, member) }));
		case "array": {
			const end = Math.min(type.count, maxChildren, start + count);
			const children: Child[] = [];
			for (let i = start; i < end; i++) children.push({ name: `[${i}]`, value: elementOf(value, type.element, i) });
			return children;
		}
		case "pointer": {
			if (isTable(value.type)) return tableChildren(value, start, count);
			const target = dereference(value);
			if (!target) return [];
			const inner = plain(target.type);
			// A structure's members stand right below the pointer to it.
			if (inner?.kind === "struct" || inner?.kind === "union") return childrenOf(target, start, count);
			return start === 0 ? [{ name: "*", value: target }] : [];
		}
		default:
			return [];
	}
}

export function elementOf(value: Value, element: Type, index: number): Value {
	const { location } = value;
	const offset = index * element.size;
	if (location.kind === "memory") return inMemory(value, element, location.address + BigInt(offset));
	return { ...value, type: element, location: partOf(location, offset, element.size) };
}

function pointsToThing(value: Value): boolean {
	const type = plain(value.type);
	if (type?.kind !== "pointer" || isText(type.target)) return false;
	const target = plain(type.target);
	if (!target || target.kind === "function") return false;
	return value.location.kind === "implicitPointer" || (numberOf(value) ?? 0n) !== 0n;
}

const isText = (type: Type | undefined): boolean => {
	const element = plain(type);
	return element?.kind === "base" && element.char;
};

/** xv6 calls a page table's type `pagetable_t`, an entry's `pte_t` (kernel/riscv.h). */
const isTable = (type: Type | undefined): boolean => type?.kind === "typedef" && type.name === "pagetable_t";
const isEntry = (type: Type | undefined): boolean => type?.kind === "typedef" && type.name === "pte_t";
const entryType: Type = { kind: "base", name: "uint64", size: 8, signed: false, char: false };
export const pteType: Type = { kind: "typedef", name: "pte_t", size: 8, target: entryType };

/** Entries of a page table that are not 0. */
function tableChildren(value: Value, start: number, count: number): Child[] {
	const table = numberOf(value);
	if (table === undefined) return [];
	const children: Child[] = [];
	for (let i = 0; i < 512; i++) {
		const child = inMemory(value, pteType, table + BigInt(8 * i));
		const bits = numberOf(child);
		if (bits === undefined) break;
		if (bits !== 0n) children.push({ name: `[${i}]`, value: child });
	}
	return children.slice(start, start + count);
}

function entryChildren(value: Value): Child[] {
	const bits = numberOf(value);
	if (bits === undefined) return [];
	const pte = decodePte(bits);
	if (!pte.valid || pte.leaf) return [];
	const pointer: Type = { kind: "pointer", size: 8, target: entryType };
	const table: Type = { kind: "typedef", name: "pagetable_t", size: 8, target: pointer };
	return [{ name: "table", value: computed(value, table, pte.address) }];
}

// ---- text ----------------------------------------------------------------------------------------------------------

interface FormatOptions {
	readonly hex?: boolean;
}

const hexOf = (value: bigint) => (value < 0n ? `-0x${(-value).toString(16)}` : `0x${value.toString(16)}`);

/** One line for a person: `5`, `SLEEPING`, `0x80010be8 <proc+0x168>`, `"sh"`, `{pid = 3, …}`. */
export function format(contexts: Contexts, value: Value, options: FormatOptions = {}, depth = 0): string {
	const type = plain(value.type);
	if (value.location.kind === "implicitPointer") {
		const target = dereference(value);
		return target ? `(not in memory) → ${format(contexts, target, options, depth + 1)}` : "<not in memory>";
	}
	switch (type?.kind) {
		case undefined:
			return value.type === undefined && value.location.kind === "memory" ? "<no type>" : plainNumber(value, options);
		case "base": {
			if (isFloat(type)) return floatText(value, type.size);
			const number = numberOf(value);
			if (number === undefined) return `<${whyUnknown(value)}>`;
			if (isEntry(value.type)) return entryText(number);
			if (type.char) return `${number} ${charText(number)}`;
			return options.hex ? hexOf(number) : isAddressType(value.type) ? hexOf(number) : `${number}`;
		}
		case "enum": {
			const number = numberOf(value);
			if (number === undefined) return `<${whyUnknown(value)}>`;
			return type.values.get(Number(number)) ?? `${number}`;
		}
		case "pointer":
			return pointerText(contexts, value, options, depth);
		case "array":
			return arrayText(contexts, value, type, options, depth);
		case "struct":
		case "union":
			return structText(contexts, value, options, depth);
		case "function":
			return symbolText(contexts, value, addressOf(value) ?? 0n) ?? "function";
	}
}

/** 64-bit unsigned numbers of a kernel are mostly addresses and masks. */
function isAddressType(type: Type | undefined): boolean {
	const base = plain(type);
	return base?.kind === "base" && base.size === 8 && !base.signed;
}

function plainNumber(value: Value, options: FormatOptions): string {
	const number = numberOf(value);
	if (number === undefined) return `<${whyUnknown(value)}>`;
	return options.hex ? hexOf(number) : `${number}`;
}

function floatText(value: Value, size: number): string {
	const bytes = bytesOf(value);
	if (!bytes) return `<${whyUnknown(value)}>`;
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	if (size === 4) return String(view.getFloat32(0, true));
	// A long double has the 128 bits of binary128: more than a number here can have.
	return size === 8 ? String(view.getFloat64(0, true)) : hexOf(littleNumber(bytes));
}

function charText(number: bigint): string {
	const code = Number(BigInt.asUintN(8, number));
	if (code === 0) return "'\\0'";
	if (code === 10) return "'\\n'";
	return code >= 0x20 && code < 0x7f ? `'${String.fromCharCode(code)}'` : `'\\x${code.toString(16).padStart(2, "0")}'`;
}

function entryText(bits: bigint): string {
	const pte = decodePte(bits);
	const hex = hexOf(bits);
	if (!pte.valid) return bits === 0n ? "0x0 (not valid)" : `${hex} (not valid)`;
	if (pte.malformed) return `${hex} (malformed: every use faults)`;
	const target = `0x${pte.address.toString(16)}`;
	const software = pte.rsw === 0 ? "" : ` rsw=${pte.rsw}`;
	return pte.leaf ? `${hex} → ${target} ${formatPteFlags(pte)}${software}` : `${hex} → table ${target}`;
}

function pointerText(contexts: Contexts, value: Value, options: FormatOptions, depth: number): string {
	const address = numberOf(value);
	if (address === undefined) return `<${whyUnknown(value)}>`;
	const type = plain(value.type);
	const target = type?.kind === "pointer" ? type.target : undefined;
	const hex = hexOf(address);
	if (address === 0n) return "0x0";
	if (isText(target)) {
		const found = value.space.holding(address)?.text(address, textLimit);
		return found ? `${hex} "${found.text}"${found.ended ? "" : "…"}` : hex;
	}
	const symbol = symbolText(contexts, value, address);
	if (symbol !== undefined) return `${hex} <${symbol}>`;
	const inner = plain(target);
	if (depth === 0 && (inner?.kind === "struct" || inner?.kind === "union")) {
		const pointed = dereference(value);
		if (pointed) return `${hex} ${format(contexts, pointed, options, depth + 1)}`;
	}
	return hex;
}

function symbolText(contexts: Contexts, value: Value, address: bigint): string | undefined {
	const isKernel = value.space.name === "k" || value.space.name === "p";
	const found = isKernel ? contexts.kernel.symbolAt(Number(contexts.link(address))) : undefined;
	const own = found ?? (isKernel ? undefined : value.info?.elf.symbolAt(Number(address)));
	if (!own) return undefined;
	const offset = "offset" in own ? own.offset : Number(address) - own.address;
	return offset === 0 ? own.name : `${own.name}+0x${offset.toString(16)}`;
}

function arrayText(
	contexts: Contexts,
	value: Value,
	type: Extract<Type, { kind: "array" }>,
	options: FormatOptions,
	depth: number,
): string {
	if (isText(type.element)) {
		const bytes = bytesOf({
			...value,
			type: { ...type, count: Math.min(type.count, textLimit), size: Math.min(type.count, textLimit) },
		});
		if (!bytes) return `<${whyUnknown(value)}>`;
		const end = bytes.indexOf(0);
		const shown = end < 0 ? bytes : bytes.subarray(0, end);
		return `"${[...shown].map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, "0")}`)).join("")}"${end < 0 && type.count > textLimit ? "…" : ""}`;
	}
	if (depth > 1) return `[${type.count}]`;
	const some = childrenOf(value, 0, 4).map((child) => format(contexts, child.value, options, depth + 1));
	return `{${some.join(", ")}${type.count > 4 ? `, … ${type.count}` : ""}}`;
}

function structText(contexts: Contexts, value: Value, options: FormatOptions, depth: number): string {
	if (depth > 1) return "{…}";
	const all = childrenOf(value);
	if (all.length > 0 && value.location.kind === "memory" && !value.space.holding(value.location.address))
		return `<${whyUnknown(value)}>`;
	const simple = all.filter(({ value: { type } }) => {
		const kind = plain(type)?.kind;
		return (
			kind === "base" ||
			kind === "enum" ||
			kind === "pointer" ||
			(kind === "array" && isText((plain(type) as { element: Type }).element))
		);
	});
	// What a process is called tells more than its lock.
	const ordered = [...simple].sort((a, b) => rank(a.name) - rank(b.name));
	const shown = ordered
		.slice(0, summaryMembers)
		.map((child) => `${child.name} = ${format(contexts, child.value, options, 2)}`);
	return `{${shown.join(", ")}${all.length > shown.length ? ", …" : ""}}`;
}

const tellingNames = ["pid", "name", "state"];
const rank = (name: string) => (tellingNames.includes(name) ? tellingNames.indexOf(name) : tellingNames.length);

export function typeText(value: Value): string {
	return typeName(value.type);
}
