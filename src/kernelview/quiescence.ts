import { findMember, plain } from "../debuginfo/types.ts";
import type { LockReader } from "./diagnosis/locks.ts";
import type { Sources } from "./look.ts";

/** What of a kernel is in use at a moment; while nothing runs it depends on the processes that are there, and on nothing else. */
export interface InUse {
	/** Spinlocks and sleep-locks that are taken now, as paths. A hart may be about to release one: look again before a judgement. */
	readonly locks: readonly string[];
	/** Sums of reference counts by the table that they are in: `ftable`, `itable`. */
	readonly references: ReadonlyMap<string, number>;
}

/** Tables of xv6 with counted entries: the variable, and its array. */
const tables = [
	["ftable", "file"],
	["itable", "inode"],
	["icache", "inode"],
] as const;

export function inUse({ memory, names }: Sources, locks: LockReader): InUse {
	memory.refresh();
	const references = new Map<string, number>();
	for (const [name, array] of tables) {
		const variable = names.variable(name);
		const type = plain(variable?.type);
		const member = type?.kind === "struct" ? findMember(type, array) : undefined;
		const list = plain(member?.type);
		const element = list?.kind === "array" ? plain(list.element) : undefined;
		const ref = element?.kind === "struct" ? findMember(element, "ref") : undefined;
		if (!variable || !member || list?.kind !== "array" || element?.kind !== "struct" || !ref || list.count > 4096)
			continue;
		let sum = 0;
		for (let i = 0; i < list.count; i++)
			sum += memory.unsigned(variable.address + member.offset + i * element.size + ref.offset, 4) ?? 0;
		references.set(name, sum);
	}
	const taken = [
		...locks.spinlocks.filter((lock) => locks.state(lock).locked),
		...locks.sleeplocks.filter((lock) => locks.sleepState(lock).locked),
	];
	return { locks: taken.map(({ path }) => path), references };
}
