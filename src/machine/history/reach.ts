import * as layout from "../core/layout.ts";
import type { PointPlaces, WatchedRange } from "../points.ts";

/** What a stretch of the run between two checkpoints touched: never less than it did, perhaps more. */
export interface Reach {
	/** Linear pages that were changed; ascending. */
	readonly pages: Uint32Array;
	/** Code that ran, and virtual pages that were stored to, as the core's sets have them (core/ran.ts, core/undo.ts). */
	readonly code: Uint8Array;
	readonly stores: Uint8Array;
}

/** A range of more pages is not looked up page by page. */
const rangeMax = 256n;

/** Places of virtual addresses in the sets. */
export interface Places {
	ranPlacesOf(pc: bigint): number;
	ranPagePlacesOf(pc: bigint): number;
	undoStorePlaceOf(virtual: bigint): number;
}

/** Whether a stretch may have met one of the points. */
export function mayMeet({ pages, code: ran, stores }: Reach, { code, watched }: PointPlaces, places: Places): boolean {
	const stored = ({ address, length }: WatchedRange) => {
		const last = (address + BigInt(length - 1)) >> 12n;
		if (last - (address >> 12n) > rangeMax) return true;
		for (let page = address >> 12n; page <= last; page++) {
			if (has(stores, places.undoStorePlaceOf(BigInt.asIntN(64, page << 12n)))) return true;
		}
		return false;
	};
	const executed = (pc: bigint) => hasBoth(ran, places.ranPlacesOf(pc)) || hasBoth(ran, places.ranPagePlacesOf(pc));
	return (
		code.some((pc) => executed(BigInt.asIntN(64, pc))) ||
		// Nobody keeps what was read.
		watched.some((range) => range.reads || (range.physical ? wrote({ pages }, range) : stored(range)))
	);
}

function hasBoth(set: Uint8Array, places: number): boolean {
	return has(set, places & 0xffff) && has(set, places >>> 16);
}

function has(set: Uint8Array, place: number): boolean {
	return (((set[place >> 3] as number) >> (place & 7)) & 1) !== 0;
}

/** Whether a stretch may have changed a byte of a physical range. */
export function wrote(
	{ pages }: Pick<Reach, "pages">,
	{ address, length }: Pick<WatchedRange, "address" | "length">,
): boolean {
	const linear = (physical: bigint) =>
		Number((physical - BigInt(layout.RAM_GUEST_BASE)) >> 12n) + layout.RAM_BASE / layout.PAGE_SIZE;
	return hasPage(pages, linear(address), linear(address + BigInt(length - 1)));
}

/** Whether an ascending list has a number of [first, last]. */
function hasPage(pages: Uint32Array, first: number, last: number): boolean {
	let low = 0;
	let high = pages.length;
	while (low < high) {
		const middle = (low + high) >> 1;
		if ((pages[middle] as number) < first) low = middle + 1;
		else high = middle;
	}
	return low < pages.length && (pages[low] as number) <= last;
}
