import { expect, test } from "vitest";
import { UserError } from "../../../src/common/errors.ts";
import { loadElf } from "../../../src/machine/elfLoader.ts";
import { elfOf, ramBase } from "../../support/guest.ts";
import { Random } from "../../support/random.ts";

const ram = 1024 * 1024;
const code = Uint8Array.of(0x13, 0, 0, 0, 0x6f, 0, 0, 0);

function failure(file: Uint8Array): UserError {
	try {
		loadElf(file, ram);
	} catch (error) {
		if (error instanceof UserError) return error;
		throw error;
	}
	throw new Error("it was loaded");
}

function changed(change: (view: DataView) => void): Uint8Array {
	const file = elfOf(code);
	change(new DataView(file.buffer));
	return file;
}

test("reads entry, segments and the symbols asked for", () => {
	const { entry, segments, symbols } = loadElf(
		elfOf(code, { symbols: { tohost: 0x80001000n, fromhost: 0x80001008n }, memorySize: 64 }),
		ram,
		["tohost", "fromhost", "missing"],
	);
	expect(entry).toBe(ramBase);
	expect(segments.map(({ physical, bytes, memorySize }) => [physical, bytes, memorySize])).toEqual([
		[ramBase, code, 64],
	]);
	expect([...symbols]).toEqual([
		["tohost", 0x80001000n],
		["fromhost", 0x80001008n],
	]);
});

test("finds a symbol whose name is the end of another's", () => {
	const { symbols } = loadElf(elfOf(code, { symbols: { write_tohost: ramBase, tohost: 0x80001000n } }), ram, [
		"tohost",
	]);
	expect([...symbols]).toEqual([["tohost", 0x80001000n]]);
});

test.each<[string, string, RegExp, (view: DataView) => void]>([
	["no ELF magic", "kernel-not-elf", /not an ELF/, (v) => v.setUint8(0, 0)],
	["32-bit", "kernel-wrong-machine", /32-bit/, (v) => v.setUint8(4, 1)],
	["big endian", "kernel-wrong-machine", /big endian/, (v) => v.setUint8(5, 2)],
	["x86-64", "kernel-wrong-machine", /another processor/, (v) => v.setUint16(18, 62, true)],
	["headers behind the end", "kernel-truncated", /program headers/, (v) => v.setBigUint64(32, 1n << 40n, true)],
	["headers at an overflowing place", "kernel-truncated", /headers/, (v) => v.setBigUint64(32, ~0n, true)],
	["nothing to load", "kernel-truncated", /nothing to load/, (v) => v.setUint32(64, 4, true)],
	[
		"a segment behind the end",
		"kernel-truncated",
		/past the end of the file/,
		(v) => v.setBigUint64(72, 0x100000n, true),
	],
	[
		"offset and size that overflow",
		"kernel-truncated",
		/past the end of the file/,
		(v) => v.setBigUint64(72, ~0n, true),
	],
	["more bytes than memory", "kernel-truncated", /larger in the file/, (v) => v.setBigUint64(104, 1n, true)],
	["a segment below RAM", "kernel-outside-ram", /0x1000/, (v) => v.setBigUint64(88, 0x1000n, true)],
	["a segment over RAM's end", "kernel-outside-ram", /RAM at/, (v) => v.setBigUint64(104, 0x200000n, true)],
	["an address and size that overflow", "kernel-outside-ram", /RAM/, (v) => v.setBigUint64(104, ~0n - 1n, true)],
	["an entry outside RAM", "kernel-outside-ram", /starts at 0x40/, (v) => v.setBigUint64(24, 0x40n, true)],
])("refuses %s", (_name, errorCode, words, change) => {
	const error = failure(changed(change));
	expect(error.code).toBe(errorCode);
	expect(error.message).toMatch(words);
	expect(error.nextStep).not.toBe("");
});

test("refuses a file cut at any place before the end of its code", () => {
	const file = elfOf(code);
	for (let length = 0; length < 64 + 56 + code.length; length++) {
		expect(["kernel-not-elf", "kernel-truncated"]).toContain(failure(file.slice(0, length)).code);
	}
});

test("no damage to the headers makes it throw anything but a UserError", () => {
	const seed = 20261121;
	const random = new Random(seed);
	const whole = elfOf(code, { symbols: { tohost: 0x80001000n } });
	for (let round = 0; round < 3000; round++) {
		const file = whole.slice();
		for (let i = 0; i <= random.below(6); i++) file[random.below(file.length)] = random.below(256);
		try {
			loadElf(file, ram, ["tohost"]);
		} catch (error) {
			expect(error, `seed ${seed}, round ${round}`).toBeInstanceOf(UserError);
		}
	}
});
