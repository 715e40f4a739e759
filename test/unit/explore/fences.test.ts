import { describe, expect, test } from "vitest";
import { Fences } from "../../../src/explore/fences.ts";
import { Races } from "../../../src/explore/races.ts";
import type { Suspicion } from "../../../src/explore/records.ts";
import { Shadow } from "../../../src/explore/shadow.ts";

const [data, flag, other] = [0x8000_0000, 0x8000_0010, 0x8000_0020];
/** Instructions (unprivileged ISA, "FENCE"). */
const [full, release, acquire, input] = [0x0330_000f, 0x0310_000f, 0x0230_000f, 0x0220_000f];

function setUp() {
	const seen: Suspicion[] = [];
	const races = new Races((one) => seen.push(one));
	const fences = new Fences(races);
	const shadow = new Shadow(data >>> 12, () => undefined);
	let record = 0;
	const access = (hart: number, address: number, write: boolean, pc: number) => {
		record++;
		races.access(shadow.page(address), address, hart, pc, write ? 1 : 0, record, 4);
		if (write) fences.store(hart, address, pc, record);
		else fences.load(hart, address, pc, record);
	};
	return {
		store: (hart: number, address: number, pc = 100 + address) => access(hart, address, true, pc),
		load: (hart: number, address: number, pc = 200 + address) => access(hart, address, false, pc),
		fence: (hart: number, instruction = full) => fences.fence(hart, instruction),
		lock: (hart: number) => fences.other(hart),
		raced: () => seen.filter((one) => !fences.isHandOver(one)).map(({ address }) => address),
	};
}

type Harness = ReturnType<typeof setUp>;

/** Hart 1 waits for the flag, which hart 0 sets; each fence, and the wait, is there or not. */
function handOver({ store, load, fence }: Harness, writers: number | undefined, readers: number | undefined): void {
	load(1, flag);
	store(0, data);
	if (writers !== undefined) fence(0, writers);
	store(0, flag);
	load(1, flag);
	if (readers !== undefined) fence(1, readers);
	load(1, data);
}

describe("a flag between two fences", () => {
	test.each([
		["full fences", full, full],
		["a release store and an acquire load", release, acquire],
	])("orders what comes before its store and after its load, by %s", (_, writers, readers) => {
		const harness = setUp();
		handOver(harness, writers, readers);
		expect(harness.raced()).toEqual([]);
	});

	test.each([
		["no fence before the store", undefined, full],
		["no fence after the load", full, undefined],
		["a fence of loads only before the store", input, full],
		["a fence of loads only after the load", full, input],
	])("orders nothing with %s", (_, writers, readers) => {
		const harness = setUp();
		handOver(harness, writers, readers);
		expect(harness.raced()).toContain(data);
		expect(harness.raced()).toContain(flag);
	});

	test("orders nothing for who read it before it was stored", () => {
		const { load, store, fence, raced } = setUp();
		load(1, flag);
		store(0, data);
		fence(0);
		store(0, flag);
		fence(1);
		load(1, data);
		expect(raced()).toContain(data);
	});

	test("is none where something else is done between it and the fence", () => {
		const { load, store, fence, lock, raced } = setUp();
		store(0, data);
		fence(0);
		load(0, other);
		store(0, flag);
		load(1, flag);
		lock(1);
		fence(1);
		load(1, data);
		expect(raced()).toEqual([flag, data]);
	});
});
