import { hex } from "../common/bytes.ts";
import { plain } from "../debuginfo/types.ts";
import type { GuestMemory } from "./guestMemory.ts";
import { pageBytes } from "./guestMemory.ts";
import type { KernelNames } from "./kernelNames.ts";
import { likelyRegions } from "./likelyRegions.ts";
import type { Process } from "./processes.ts";
import type { RegionDescription } from "./regionDescription.ts";
import { findLeaf } from "./sv39.ts";
import { dereference, follow, type Place, readNumber } from "./typedMemory.ts";

export interface Region {
	readonly path: string;
	readonly name: string;
	/** Where the kernel keeps the element. */
	readonly element: number;
	readonly start: number;
	readonly end: number;
	/** PTE bits that its promise allows (R, W, X), undefined when it makes none. */
	readonly allowed: number | undefined;
	readonly shared: boolean | undefined;
	readonly family: number | undefined;
	readonly refcount: number | undefined;
	readonly fields: Readonly<Record<string, string>>;
	/** Of the kernel, not of one process. */
	readonly global: boolean;
}

/** Where a region is said to be cannot be. */
export interface RegionFlaw {
	readonly path: string;
	readonly name: string;
	/** As the kernel keeps it. */
	readonly start: number;
	readonly flaw: string;
}

const maxVa = 2 ** 38;
/** Longer lists and arrays than this are damage. */
const maxElements = 4096;

/** Reads the regions that a lab describes. Elements with nonsense in them (wild pointers, huge lengths) are clipped to user space. */
export class RegionReader {
	/** Families that are pointers to something all members share, in the order in which they were seen. */
	private readonly familyPointers = new Map<number, number>();

	/** What this kernel has of them; of those that no lab describes, places alone are known. */
	private readonly descriptions: readonly RegionDescription[];
	/** This kernel has a table of regions that its lab describes: only then what lies outside of them is a finding. */
	readonly described: boolean;
	/** One of them was seen: a table that a kernel has and does not use, or whose members have other names, says nothing of its pages. */
	inUse = false;

	constructor(
		private readonly memory: GuestMemory,
		private readonly names: KernelNames,
		private readonly wanted: readonly RegionDescription[],
	) {
		const found = wanted.filter((description) => this.isThere(description));
		this.described = found.length > 0;
		this.descriptions = this.described ? found : likelyRegions(names);
		if (!this.described && wanted.length > 0)
			for (const { path } of wanted.slice(0, 1))
				names.note(
					"findings",
					`The lab's regions (\`${path}\`) were not found in this kernel: nothing is looked for about them`,
				);
	}

	private isThere({ path }: RegionDescription): boolean {
		const { names } = this;
		const bare = path.replace(/\[\]$/, "");
		if (bare.startsWith("proc."))
			return names.proc !== undefined && names.offsetIn(names.proc.element, bare.slice(5)) !== undefined;
		return this.variableOf(bare) !== undefined;
	}

	/** Of a global description: the variable, also where it has the structure's name and its structure has none. */
	private variableOf(bare: string): string | undefined {
		const tag = /^struct (\w+)$/.exec(bare)?.[1];
		if (tag === undefined) return this.names.variable(bare.split(".")[0] as string) ? bare.split(".")[0] : undefined;
		const type = plain(this.names.variable(tag)?.type);
		return this.names.variableOfStruct(tag) ?? (type?.kind === "struct" && type.name === "" ? tag : undefined);
	}

	/** The kernel keeps each region's length as the program said it, and munmap() takes one; else mmap() and munmap() have no such argument. */
	get haveLengths(): boolean {
		return this.descriptions.some(({ fields }) => (fields.length ?? fields.end) !== undefined);
	}

	/** Regions of a process: its own, and those global ones whose frame it has mapped. */
	of(process: Process): Region[] {
		return this.read(process).regions;
	}

	/** The regions, and what is impossible about where they are: a size of nothing, an address that no page table can map. */
	read(process: Process): { regions: Region[]; flaws: RegionFlaw[] } {
		const found: Region[] = [];
		const flaws: RegionFlaw[] = [];
		for (const description of this.descriptions) {
			if (description.path.startsWith("proc.")) {
				const { proc } = this.names;
				if (!proc) continue;
				const base: Place = { address: process.address, type: proc.element };
				const path = description.path.slice(5);
				for (const item of this.elements(base, path, description, `proc[${process.slot}].${path}`))
					this.add(found, flaws, item.place, description, item.label, undefined);
			} else
				for (const item of this.globals(description))
					this.add(found, flaws, item.place, description, item.label, process);
		}
		return { regions: found.sort((a, b) => a.start - b.start), flaws };
	}

	private *globals(description: RegionDescription): Iterable<{ place: Place; label: () => string }> {
		const tag = /^struct (\w+)$/.exec(description.path)?.[1];
		if (tag !== undefined) {
			const name = this.variableOf(`struct ${tag}`);
			const variable = name === undefined ? undefined : this.names.variable(name);
			if (name === undefined || !variable) {
				this.missing(`There is no variable of type \`struct ${tag}\`, where the lab's regions are kept`);
				return;
			}
			const array = plain(variable.type)?.kind === "array" ? "[]" : "";
			yield* this.elements(variable, array, description, name + array);
			return;
		}
		const [name, ...rest] = description.path.replace(/\[\]$/, "").split(".");
		const variable = this.names.variable(name as string);
		if (!variable) {
			this.missing(`There is no variable \`${name}\`, where the lab's regions are kept`);
			return;
		}
		const array = description.path.endsWith("[]") ? "[]" : "";
		const path = rest.length > 0 ? rest.join(".") + array : array;
		yield* this.elements(variable, path, description, description.path);
	}

	private *elements(
		base: Place,
		path: string,
		description: RegionDescription,
		label: string,
	): Iterable<{ place: Place; label: () => string }> {
		const isArray = path.endsWith("[]");
		const bare = path.replace(/\[\]$/, "");
		const start = bare === "" ? base : follow(this.memory, base, bare);
		if (!start) {
			if (this.names.proc) this.missing(`There is no \`${description.path}\` in this kernel`);
			return;
		}
		const type = plain(start.type);
		if (isArray && type?.kind === "array") {
			const count = Math.min(type.count, maxElements);
			for (let i = 0; i < count; i++) {
				const place = { address: start.address + i * type.element.size, type: type.element };
				yield { place, label: () => label.replace(/\[\]$/, `[${i}]`) };
			}
			return;
		}
		let place = dereference(this.memory, start);
		const seen = new Set<number>();
		for (let i = 0; place && i < maxElements && !seen.has(place.address); i++) {
			seen.add(place.address);
			yield { place, label: () => (description.next ? `${label}[${i}]` : label) };
			const next: Place | undefined = description.next ? follow(this.memory, place, description.next) : undefined;
			place = next && dereference(this.memory, next);
		}
	}

	/** Of several descriptions, a kernel has those of the lab's tasks that it has come to. */
	private missing(what: string): void {
		if (this.wanted.length === 1) this.names.note("address-space", what);
	}

	private family(place: Place, path: string | undefined): number | undefined {
		const at = path === undefined ? undefined : follow(this.memory, place, path);
		const value = at && readNumber(this.memory, at);
		if (value === undefined || plain(at?.type)?.kind !== "pointer") return value;
		const number = this.familyPointers.get(value) ?? this.familyPointers.size;
		this.familyPointers.set(value, number);
		return number;
	}

	private add(
		found: Region[],
		flaws: RegionFlaw[],
		place: Place,
		description: RegionDescription,
		label: () => string,
		sharer: Process | undefined,
	): void {
		const { fields } = description;
		const read = (path: string | undefined): number | undefined => {
			const at = path === undefined ? undefined : follow(this.memory, place, path);
			if (path !== undefined && !at && !path.includes(".") && !path.includes("->"))
				this.names.note("address-space", `\`${description.path}\` has no member \`${path}\``);
			return at && readNumber(this.memory, at);
		};
		if (fields.valid !== undefined && !read(fields.valid)) return;
		const frame = read(fields.frame);
		const kept = description.start ? Number(description.start) : read(fields.start);
		if (kept === undefined) return;
		const start = Math.floor(kept / pageBytes) * pageBytes;
		const length =
			read(fields.length) ??
			(fields.end !== undefined
				? (read(fields.end) ?? 0) - start
				: (read(fields.pages) ?? description.pages ?? 0) * pageBytes);
		const flaw = placeFlaw(kept, length);
		if (flaw !== undefined && !sharer && this.described)
			flaws.push({ path: label(), name: description.name, start: kept, flaw });
		if (length <= 0 || start < 0 || start >= maxVa) return;
		const end = Math.min(Math.ceil((start + length) / pageBytes) * pageBytes, maxVa);
		if (sharer) {
			// Of a global region a process has what it has mapped: at its place, and on its frame.
			const leaf = findLeaf(this.memory, sharer.root, start);
			if (!leaf || (frame !== undefined && leaf.pa !== frame)) return;
		}
		const prot = read(fields.prot);
		const flags = read(fields.flags);
		const bits = description.protBits ?? { read: 2, write: 4, execute: 8 };
		const allowed =
			prot === undefined
				? undefined
				: (prot & bits.read ? 2 : 0) | (prot & bits.write ? 4 : 0) | (prot & (bits.execute ?? 0) ? 8 : 0);
		const family = this.family(place, fields.family);
		const shared = flags !== undefined ? (flags & (description.sharedBit ?? 1)) !== 0 : sharer ? true : undefined;
		const shown: Record<string, string> = {};
		for (const path of description.show ?? []) {
			const value = read(path);
			if (value !== undefined) shown[path] = String(value);
		}
		if (flags !== undefined) shown.flags = hex(flags >>> 0);
		if (prot !== undefined) shown.prot = String(prot);
		this.inUse = true;
		found.push({
			path: label(),
			name: description.name,
			element: place.address,
			start,
			end,
			allowed,
			shared: shared ?? (family !== undefined && family >= 0 ? true : undefined),
			family: family !== undefined && family >= 0 ? family : undefined,
			refcount: read(fields.refcount),
			fields: shown,
			global: sharer !== undefined,
		});
	}
}

function placeFlaw(start: number, length: number): string | undefined {
	if (length <= 0) return `its length is ${length}`;
	if (start >= maxVa) return "it begins beyond MAXVA";
	return start % pageBytes === 0 ? undefined : "it does not begin at a page";
}

/** What makes two regions of different processes the same one: a family number, or the same element of the kernel. */
export function familyKey(region: Region): string | undefined {
	if (region.family !== undefined && region.shared !== false) return `${region.name} ${region.family}`;
	return region.global ? `${region.path}` : undefined;
}
