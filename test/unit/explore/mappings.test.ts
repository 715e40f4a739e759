import { describe, expect, test } from "vitest";
import { Mappings } from "../../../src/explore/mappings.ts";
import type { Suspicion } from "../../../src/explore/records.ts";

const [page, root, other, entry, pte] = [5, 100, 200, 0x8000_1000, (0x80042 << 10) | 0xdf];

function setUp() {
	const seen: Suspicion[] = [];
	const mappings = new Mappings((one) => seen.push(one));
	let record = 0;
	const uses = (hart: number, space = root, value: number | undefined = pte) => {
		record++;
		mappings.walk(hart, record, record, page, space);
		record++;
		if (value !== undefined) mappings.leaf(hart, record, record, entry, value);
	};
	const store = (hart: number, value: number) => {
		record++;
		mappings.stored(hart, record, record, entry, value);
	};
	return { seen, mappings, uses, store };
}

describe("a mapping that was taken away", () => {
	test("is reported when the hart uses it without a fence", () => {
		const { seen, uses, store } = setUp();
		uses(0);
		store(1, 0);
		uses(0, root, undefined);
		expect(seen.map(({ kind, points }) => [kind, points.map(({ hart }) => hart)])).toEqual([["stale-mapping", [1, 0]]]);
	});

	test.each([
		["after a fence", (h: ReturnType<typeof setUp>) => h.mappings.fence(0)],
		["when it is as it was again", (h: ReturnType<typeof setUp>) => h.store(1, pte)],
	])("is not, %s", (_, between) => {
		const harness = setUp();
		harness.uses(0);
		harness.store(1, 0);
		between(harness);
		harness.uses(0);
		expect(harness.seen).toEqual([]);
	});

	test("is not reported for more rights, nor for A and D", () => {
		const { seen, uses, store } = setUp();
		uses(0, root, pte & ~0xc4);
		store(1, pte);
		uses(0);
		expect(seen).toEqual([]);
	});

	test("is reported for a right less, which copy-on-write takes", () => {
		const { seen, uses, store } = setUp();
		uses(0);
		store(0, pte & ~4);
		uses(0);
		expect(seen.map(({ kind }) => kind)).toEqual(["stale-mapping"]);
	});
});

describe("another space's mapping of the same page", () => {
	test("is reported without a fence between", () => {
		const { seen, uses } = setUp();
		uses(0);
		uses(0, other, pte + 1024);
		expect(seen.map(({ kind }) => kind)).toEqual(["stale-space"]);
	});

	test("is not when both are the same, as the trampoline's, nor on another hart", () => {
		const { seen, uses } = setUp();
		uses(0);
		uses(0, other);
		uses(1, other, pte + 1024);
		expect(seen).toEqual([]);
	});
});
