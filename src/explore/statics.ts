import type { ProgramSymbols } from "../debuginfo/symbolizer.ts";
import { plain, type Type } from "../debuginfo/types.ts";

/** An integer in the kernel's variables. */
export interface Static {
	/** `ftable.file[*].ref`: any index. */
	readonly path: string;
	readonly address: number;
	readonly size: number;
	/** Its member's name, or its variable's. */
	readonly name: string;
	/** The structure that it is a member of, or an array in it; "": none. */
	readonly owner: string;
}

/** Enough for each table of a kernel; a count for each frame of 128 MiB is one of them. */
const most = 200_000;

/** Integers in global and file-static variables that `wanted` says yes to, by their name and the structure that they are in. */
export function staticsOf(symbols: ProgramSymbols, wanted: (name: string, owner: string) => boolean): Static[] {
	const { info } = symbols;
	const found: Static[] = [];
	const visit = (type: Type | undefined, place: Omit<Static, "size">, depth: number): void => {
		const own = plain(type);
		if (!own || depth > 8 || found.length >= most) return;
		if (own.kind === "array") {
			const inner = { ...place, path: `${place.path}[*]` };
			if (!holds(own.element, place, wanted)) return;
			for (let i = 0; i < own.count; i++) {
				visit(own.element, { ...inner, address: place.address + i * own.element.size }, depth + 1);
			}
		} else if (own.kind === "struct") {
			for (const { name, offset, type: inner, bits } of own.members) {
				if (bits) continue;
				const path = name === "" ? place.path : `${place.path}.${name}`;
				visit(inner, { path, address: place.address + offset, name, owner: own.name }, depth + 1);
			}
		} else if ((own.kind === "base" || own.kind === "enum") && (own.size === 4 || own.size === 8)) {
			if (wanted(place.name, place.owner)) found.push({ ...place, size: own.size });
		}
	};
	for (const name of symbols.attempt(() => info?.variableNames) ?? []) {
		const variable = symbols.attempt(() => info?.variable(name));
		if (variable) visit(variable.type, { path: name, address: variable.address, name, owner: "" }, 0);
	}
	return found;
}

/** Whether a look at each element of an array is worth it. */
function holds(
	type: Type,
	{ name, owner }: Omit<Static, "size">,
	wanted: (name: string, owner: string) => boolean,
): boolean {
	const own = plain(type);
	if (own?.kind === "array") return holds(own.element, { path: "", address: 0, name, owner }, wanted);
	if (own?.kind !== "struct") return own?.kind !== undefined && wanted(name, owner);
	return own.members.some(
		(member) => member.type && holds(member.type, { path: "", address: 0, name: member.name, owner: own.name }, wanted),
	);
}
