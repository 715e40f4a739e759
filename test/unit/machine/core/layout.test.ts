import { expect, test } from "vitest";
import * as layout from "../../../../src/machine/core/layout.ts";

/** Pages of the largest memory that WebAssembly has, of which RAM and disk are at the end. */
const linearPages = 2 ** 32 / layout.PAGE_SIZE;

/** Name, first byte and size of everything that is not part of STATE or TRACKING. */
const volatile: readonly (readonly [string, number, number])[] = [
	["TLBs", layout.TLB_BASE, layout.MAX_HARTS * layout.TLB_BANKS * layout.TLB_BANK_SIZE],
	["page flags", layout.PAGE_FLAGS, linearPages],
	["slots of pages", layout.PAGE_SLOT, 2 * linearPages],
	["roots of page tables", layout.PAGE_ROOT, 4 * linearPages],
	["writers of pages", layout.PAGE_WRITERS, linearPages],
	["buckets of slots", layout.SLOT_BUCKETS, 4 * layout.SLOT_BUCKET_COUNT],
	["slots", layout.SLOT_INFO, layout.SLOT_COUNT * layout.SLOT_INFO_SIZE],
	["scratch records", layout.SCRATCH_RECORDS, 4 * layout.RECORD_SIZE],
	["page caches", layout.PAGE_CACHES, 8 * layout.TLB_ENTRY_SIZE],
	["heat", layout.HEAT_BASE, layout.SLOT_COUNT * layout.HEAT_STRIDE],
	["copies of pages", layout.SLOT_COPY, layout.SLOT_COUNT * layout.PAGE_SIZE],
	["records", layout.SLOT_RECORDS, layout.SLOT_COUNT * layout.SLOT_RECORDS_STRIDE],
];

test("no two areas overlap, whatever the size of RAM and disk", () => {
	const sorted = [...volatile].sort((a, b) => a[1] - b[1]);
	for (const [i, [name, base, size]] of sorted.entries()) {
		const [after, end] = sorted[i + 1] ?? ["RAM", layout.RAM_BASE];
		expect(base + size, `${name} ends before ${after}`).toBeLessThanOrEqual(end);
	}
	expect(sorted[0]?.[1]).toBe(layout.VOLATILE_BASE);
	expect(layout.VOLATILE_BASE + layout.VOLATILE_SIZE).toBe(layout.RAM_BASE);
});

test("STATE, TRACKING and VOLATILE follow each other", () => {
	expect(layout.STATE_BASE + layout.STATE_SIZE).toBe(layout.TRACKING_BASE);
	expect(layout.TRACKING_BASE + layout.TRACKING_SIZE).toBe(layout.VOLATILE_BASE);
});
