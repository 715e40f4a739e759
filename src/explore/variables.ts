import { hex } from "../common/bytes.ts";
import type { ProgramSymbols } from "../debuginfo/symbolizer.ts";
import { findMember, plain, type StructType, type Type } from "../debuginfo/types.ts";
import type { Beside } from "./records.ts";

/** `proc[3].state`, `disk.free`, `nextpid`; of a page from kalloc that has a lock in it, by the structure that has that lock. */
export class Variables {
	constructor(
		private readonly symbols: ProgramSymbols,
		/** Locks by address, with the names that they were initialised with. */
		private readonly locks: ReadonlyMap<number, string>,
	) {}

	/** What a kernel's C calls an address; `beside`: the lock in its page, at that time. */
	name(address: number, beside?: Beside): string {
		const { elf, info } = this.symbols;
		const symbol = this.symbols.attempt(() => elf?.symbolAt(address));
		if (symbol && symbol.kind === "object" && address < symbol.address + symbol.size) {
			const variable = this.symbols.attempt(() => info?.variable(symbol.name));
			const offset = address - symbol.address;
			if (variable?.address === symbol.address) return symbol.name + pathTo(variable.type, offset);
			return offset === 0 ? symbol.name : `${symbol.name}+${offset}`;
		}
		return (beside && this.inPage(address, beside)) ?? hex(address);
	}

	/** A lock with its name: `proc[3].lock`, or `pipe (0x87f4e000)`. */
	lockName(address: number): string {
		// Not its first member, but the lock itself.
		const name = this.locks.get(address);
		const place = this.name(address, name === undefined ? undefined : { lock: address, name }).replace(/\.locked$/, "");
		if (name === undefined || name.startsWith("0x")) return place;
		return place.startsWith("0x") ? `${name} (${place})` : `${place} ("${name}")`;
	}

	private inPage(address: number, { lock: at, name }: Beside): string | undefined {
		const page = address - (address % 4096);
		const type = this.symbols.attempt(() => this.symbols.info?.struct(name));
		if (!type || !hasLockAt(type, at - page) || address - page >= type.size) return undefined;
		return `(struct ${name} at ${hex(page)})${pathTo(type, address - page)}`;
	}
}

function hasLockAt(type: StructType, offset: number): boolean {
	return type.members.some((member) => {
		const own = plain(member.type);
		return member.offset === offset && own?.kind === "struct" && findMember(own, "locked") !== undefined;
	});
}

function pathTo(type: Type | undefined, offset: number): string {
	const own = plain(type);
	if (own?.kind === "array" && own.element.size > 0) {
		const index = Math.floor(offset / own.element.size);
		return `[${index}]${pathTo(own.element, offset - index * own.element.size)}`;
	}
	if (own?.kind === "struct" || own?.kind === "union") {
		const member = own.members.findLast((one) => one.offset <= offset);
		if (!member) return offset === 0 ? "" : `+${offset}`;
		return `${member.name === "" ? "" : `.${member.name}`}${pathTo(member.type, offset - member.offset)}`;
	}
	return "";
}
