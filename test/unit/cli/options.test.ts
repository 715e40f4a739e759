import { expect, test } from "vitest";
import { machineParams } from "../../../src/cli/options.ts";
import { checkOptions } from "../../../src/machine/checkOptions.ts";

test.each([
	["128M", 128],
	["1G", 1024],
	["64", 64],
	["1m", 1],
])("--memory %s is %i MiB, and a machine can be made of it", (memory, expected) => {
	const { memoryMiB } = machineParams({ memory });
	expect(memoryMiB).toBe(expected);
	checkOptions(1, expected * 1024 * 1024, { kernel: new Uint8Array() });
});

test.each(["2G", "1025M", "0", "99999999999999999999"])("--memory %s is refused with the range", (memory) => {
	expect(() => machineParams({ memory })).toThrow(/out of range/);
	expect(() => machineParams({ memory })).toThrow(
		expect.objectContaining({ nextStep: expect.stringContaining("from 1M to 1024M") }),
	);
});

test.each(["", "much", "1T", "-5", "1.5G"])("--memory '%s' is no size", (memory) => {
	expect(() => machineParams({ memory })).toThrow(/is not a size/);
});
