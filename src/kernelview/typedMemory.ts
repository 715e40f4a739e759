import { hex } from "../common/bytes.ts";
import { findMember, plain, type Type } from "../debuginfo/types.ts";
import type { GuestMemory } from "./guestMemory.ts";

/** A C object in guest memory: where it is, and what. Kernel pointers are physical addresses: xv6 maps RAM directly. */
export interface Place {
	readonly address: number;
	readonly type: Type | undefined;
}

/** How to come from an object to a part of it: from each step's pointer, or the place itself, so many bytes on. */
interface Route {
	readonly steps: readonly { readonly loads: boolean; readonly add: number }[];
	readonly type: Type | undefined;
}

/** Paths are followed at every trap; what they mean in a type is found out once. */
const routes = new WeakMap<Type, Map<string, Route | undefined>>();

function findRoute(from: Type, path: string): Route | undefined {
	const steps: { loads: boolean; add: number }[] = [];
	let type: Type | undefined = from;
	for (const part of path.split(/\.|->/)) {
		const match = /^(\w+)(?:\[(\d+)\])?$/.exec(part);
		if (!match) return undefined;
		const before = plain(type);
		const whole: Type | undefined = before?.kind === "pointer" ? plain(before.target) : before;
		if (whole?.kind !== "struct" && whole?.kind !== "union") return undefined;
		const member = findMember(whole, match[1] as string);
		if (!member) return undefined;
		const step = { loads: before?.kind === "pointer", add: member.offset };
		steps.push(step);
		type = member.type;
		if (match[2] === undefined) continue;
		const array = plain(type);
		const index = Number(match[2]);
		if (array?.kind !== "array" || index >= array.count) return undefined;
		step.add += index * array.element.size;
		type = array.element;
	}
	return { steps, type };
}

/** Follows a path of members, indices and pointers (`mmr_family.listid`, `region->refcount`); undefined where a name is missing or a pointer leaves RAM. */
export function follow(memory: GuestMemory, from: Place, path: string): Place | undefined {
	if (!from.type) return undefined;
	let known = routes.get(from.type);
	if (!known) {
		known = new Map();
		routes.set(from.type, known);
	}
	if (!known.has(path)) known.set(path, findRoute(from.type, path));
	const route = known.get(path);
	if (!route) return undefined;
	let address = from.address;
	for (const { loads, add } of route.steps) {
		const start = loads ? memory.u64(address) : address;
		if (start === undefined || (loads && !memory.contains(start, 1))) return undefined;
		address = start + add;
	}
	return { address, type: route.type };
}

/** What a pointer points to, or the place itself when it is no pointer. */
export function dereference(memory: GuestMemory, place: Place): Place | undefined {
	const type = plain(place.type);
	if (type?.kind !== "pointer") return place;
	const address = memory.u64(place.address);
	return address === undefined || !memory.contains(address, 1) ? undefined : { address, type: type.target };
}

/** An integer, enumeration or pointer as a number. */
export function readNumber(memory: GuestMemory, place: Place): number | undefined {
	const type = plain(place.type);
	if (type?.kind === "base" && type.signed) return memory.signed(place.address, type.size);
	if (type?.kind === "base" || type?.kind === "enum") return memory.unsigned(place.address, type.size);
	return type?.kind === "pointer" ? memory.u64(place.address) : undefined;
}

/** Names a byte inside an object as C would: offset 0x98 of `cons` is `.r`. Empty for the whole. */
export function pathAt(type: Type | undefined, offset: number, depth = 0): string {
	const known = plain(type);
	if (!known || depth > 8) return offset === 0 ? "" : `+${hex(offset)}`;
	if (known.kind === "array" && known.element.size > 0) {
		const index = Math.floor(offset / known.element.size);
		return `[${index}]${pathAt(known.element, offset % known.element.size, depth + 1)}`;
	}
	if (known.kind === "struct" && offset > 0) {
		const member = known.members.findLast((candidate) => candidate.offset <= offset);
		if (member && member.name !== "") return `.${member.name}${pathAt(member.type, offset - member.offset, depth + 1)}`;
	}
	return offset === 0 ? "" : `+${hex(offset)}`;
}
