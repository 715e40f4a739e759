import type { Races } from "./races.ts";
import { hartsMax } from "./races.ts";
import type { Suspicion } from "./records.ts";

/** Bits of `fence`: what it keeps before it, and what after it (Unprivileged ISA, "FENCE"). */
const predecessor = { read: 1 << 25, write: 1 << 24 };
const successor = { read: 1 << 21, write: 1 << 20 };
const releasing = predecessor.read | predecessor.write | successor.write;
const acquiring = predecessor.read | successor.read | successor.write;

/**
 * A flag that hands data over without a lock, as `started` does: a store right after a fence releases what came before, and a load
 * of it right before a fence acquires that (C11, fence to fence synchronisation). Compilers make the same of a release store
 * and an acquire load. Only accesses next to the fence count: else each fence of a lock would order its hart's later stores.
 */
export class Fences {
	/** The last thing a hart did was a fence that releases. */
	private readonly isFenced = new Uint8Array(hartsMax);
	/** The last thing a hart did was this load; 0: another thing. */
	private readonly loaded = new Uint32Array(hartsMax);
	private readonly loadedBy = new Uint32Array(hartsMax);
	private readonly loadedAt = new Uint32Array(hartsMax);
	/** By flag the record of its last store right after a fence. */
	private readonly stored = new Map<number, number>();
	/** Instructions on either side of a hand-over. */
	private readonly stores = new Set<number>();
	private readonly loads = new Set<number>();

	constructor(private readonly races: Races) {}

	/** Of data; called for most records. `address` and `pc` may be signed. */
	load(hart: number, address: number, pc: number, record: number): void {
		this.loaded[hart] = address;
		this.loadedBy[hart] = pc;
		this.loadedAt[hart] = record;
		this.isFenced[hart] = 0;
	}

	/** Of data, after it was looked at for races. */
	store(hart: number, address: number, pc: number, record: number): void {
		this.loaded[hart] = 0;
		if (this.isFenced[hart] === 0) return;
		this.isFenced[hart] = 0;
		this.races.released(hart, address);
		this.stored.set(address >>> 0, record);
		this.stores.add(pc >>> 0);
	}

	/** Whether the hart's next store may hand something over. */
	isReleasing(hart: number): boolean {
		return this.isFenced[hart] === 1;
	}

	/** A lock, or an atomic operation. */
	other(hart: number): void {
		this.loaded[hart] = 0;
		this.isFenced[hart] = 0;
	}

	fence(hart: number, instruction: number): void {
		const flag = this.loaded[hart] as number;
		if (flag !== 0 && (instruction & acquiring) === acquiring) {
			this.loads.add(this.loadedBy[hart] as number);
			const at = this.stored.get(flag);
			if (at !== undefined && at < (this.loadedAt[hart] as number)) this.races.acquired(hart, flag);
		}
		this.loaded[hart] = 0;
		this.isFenced[hart] = (instruction & releasing) === releasing ? 1 : 0;
	}

	/** Whether what looks like a race is a hand-over: the store on one side of a fence, the load on the other. */
	isHandOver({ kind, points }: Suspicion): boolean {
		if (kind !== "race" && kind !== "no-common-lock") return false;
		return points.every(({ does, pc }) => (does === "write" ? this.stores : this.loads).has(pc));
	}
}
