import { describe, expect, test } from "vitest";
import { CallFrames } from "../../../src/debuginfo/callFrames.ts";
import { ElfFile } from "../../../src/debuginfo/elf.ts";
import { DebugSections } from "../../../src/debuginfo/unit.ts";
import { type Bytes, bytes, type CieSpec, cie, elfWith, fde, withLength } from "../../support/dwarf.ts";

const start = 0x80000000;
const framesOf = (sections: Readonly<Record<string, Bytes>>) =>
	new CallFrames(new DebugSections(new ElfFile(elfWith({ sections }))));
/** One function of 64 bytes with this call-frame program. */
const frames = (program: Bytes, spec: CieSpec = {}) => {
	const first = cie(spec);
	return framesOf({
		".debug_frame": bytes()
			.raw(first.list)
			.raw(fde(0, start, 64, program, spec.is64).list),
	});
};

/** The stopped function: xN holds 1000 * N, x9 is lost; a word of memory holds its address plus 7. */
const context = {
	register: (index: number) => (index === 9 ? undefined : BigInt(1000 * index)),
	memory: (address: bigint) => (address < 2n ** 40n ? address + 7n : undefined),
};
const at = (frames: CallFrames, offset: number) => frames.unwind(BigInt(start + offset), context);

const offset = (register: number, words: number) =>
	bytes()
		.u8(0x80 | register)
		.uleb(words);
/** ra is in the word below the frame: -8. */
const raSaved = offset(1, 1);

describe("the caller's frame", () => {
	test.each<[string, Bytes, number]>([
		["by a register and an offset", bytes().u8(0x0c, 2, 32), 2032],
		["by another register", bytes().u8(0x0c, 8, 0), 8000],
		["with an offset in words", bytes().u8(0x12, 2).sleb(-4), 2032],
		["with another offset from the same register", bytes().u8(0x0c, 8, 16, 0x0e, 48), 8048],
		["with another offset in words", bytes().u8(0x0c, 8, 16, 0x13).sleb(-2), 8016],
		["with the same offset from another register", bytes().u8(0x0c, 2, 48, 0x0d, 8), 8048],
		["by an expression", bytes().u8(0x0f, 2, 0x78, 16), 8016],
		["by an expression that is a value", bytes().u8(0x0f, 2, 0x35, 0x9f), 5],
	])("%s", (_, program, cfa) => {
		expect(at(frames(program.raw(raSaved.list)), 0)?.cfa).toBe(BigInt(cfa));
	});

	test("by an offset that makes it smaller than nothing wraps as the hardware's addition", () => {
		expect(at(frames(bytes().u8(0x12, 0).sleb(1)), 0)?.cfa).toBe(2n ** 64n - 8n);
	});

	test.each<[string, Bytes]>([
		["a register that is lost", bytes().u8(0x0c, 9, 32)],
		["an expression over what is lost", bytes().u8(0x0f, 2, 0x79, 16)],
		["an expression that is a register", bytes().u8(0x0f, 1, 0x58)],
	])("is not known by %s", (_, program) => {
		expect(at(frames(program), 0)).toBeUndefined();
	});

	test("is not known where no rule was given", () => {
		expect(at(frames(bytes().u8(0), { initial: bytes().u8(0) }), 0)).toBeUndefined();
	});
});

// The frame is at x2 + 32 = 2032 in all of these.
describe("a register of the caller", () => {
	const frame = () => bytes().u8(0x0c, 2, 32);
	test.each<[string, Bytes, bigint | undefined]>([
		["that nothing is said of is as it is", bytes(), 8000n],
		["is in a word below the frame", offset(8, 2), 2032n - 16n + 7n],
		["is in a word far below", bytes().u8(0x05, 8).uleb(200), 2032n - 1600n + 7n],
		["is in a word above", bytes().u8(0x11, 8).sleb(-2), 2032n + 16n + 7n],
		["is the frame's address and an offset", bytes().u8(0x14, 8).uleb(2), 2016n],
		["is the frame's address and a signed offset", bytes().u8(0x15, 8).sleb(-2), 2048n],
		["is in another register", bytes().u8(0x09, 8, 5), 5000n],
		["is in a register that is lost", bytes().u8(0x09, 8, 9), undefined],
		["is lost", bytes().u8(0x07, 8), undefined],
		["is the same", offset(8, 2).u8(0x08, 8), 8000n],
		// An expression begins with the frame's address on its stack.
		["is where an expression says", bytes().u8(0x10, 8, 2, 0x23, 8), 2040n + 7n],
		["is what an expression says", bytes().u8(0x16, 8, 2, 0x23, 8), 2040n],
		["is an expression's value", bytes().u8(0x16, 8, 2, 0x33, 0x9f), 3n],
		["is where an expression says that is not known", bytes().u8(0x10, 8, 2, 0x79, 0), undefined],
		["is as the entry has it again", offset(8, 2).u8(0xc0 | 8), 8000n],
		["is as the entry has it again, by an extended instruction", offset(8, 2).u8(0x06, 8), 8000n],
		["is as before, after what was remembered came back", bytes().u8(0x0a).raw(offset(8, 2).list).u8(0x0b), 8000n],
	])("%s", (_, program, value) => {
		expect(at(frames(frame().raw(program.list)), 0)?.register(8)).toBe(value);
	});

	test("sp is the frame's address", () => {
		expect(at(frames(frame()), 0)?.register(2)).toBe(2032n);
	});

	test("comes back to what the common entry says, not to nothing", () => {
		const initial = frame().raw(offset(8, 3).list);
		const program = offset(8, 2).u8(0xc0 | 8);
		expect(at(frames(program, { initial }), 0)?.register(8)).toBe(2032n - 24n + 7n);
	});

	test("the return address is in the register that the common entry names", () => {
		expect(at(frames(frame()), 0)?.returnAddress).toBe(1000n);
		expect(at(frames(frame(), { returnRegister: 5 }), 0)?.returnAddress).toBe(5000n);
		expect(at(frames(frame().raw(raSaved.list)), 0)?.returnAddress).toBe(2032n - 8n + 7n);
	});

	test("a frame whose return address is lost leads nowhere", () => {
		expect(at(frames(frame().u8(0x07, 1)), 0)).toBeUndefined();
	});

	test("a remembered state has its frame, too; one that nobody remembered changes nothing", () => {
		expect(at(frames(frame().u8(0x0a, 0x0c, 8, 0, 0x0b)), 0)?.cfa).toBe(2032n);
		expect(at(frames(frame().u8(0x0b)), 0)?.cfa).toBe(2032n);
		// Two deep, the inner one first.
		const nested = frame().u8(0x0a, 0x0e, 40, 0x0a, 0x0e, 48, 0x0b);
		expect(at(frames(bytes().raw(nested.list)), 0)?.cfa).toBe(2040n);
		expect(at(frames(bytes().raw(nested.list).u8(0x0b)), 0)?.cfa).toBe(2032n);
	});
});

describe("the row of an instruction", () => {
	test.each<[string, Bytes, number]>([
		["by a small step", bytes().u8(0x40 | 12), 12],
		["by a step of a byte", bytes().u8(0x02, 12), 12],
		["by a step of two bytes", bytes().u8(0x03).u16(12), 12],
		["by a step of four bytes", bytes().u8(0x04).u32(12), 12],
		[
			"by an address",
			bytes()
				.u8(0x01)
				.u64(start + 12),
			12,
		],
	])("begins %s", (_, step, begins) => {
		const program = bytes().u8(0x0c, 2, 0).raw(step.list).u8(0x0e, 32);
		expect([begins - 1, begins, begins + 1].map((pc) => at(frames(program), pc)?.cfa)).toEqual([2000n, 2032n, 2032n]);
	});

	test("steps count in the common entry's code alignment", () => {
		const program = bytes().u8(0x0c, 2, 0, 0x40 | 3, 0x0e, 32);
		const aligned = frames(program, { codeAlign: 2 });
		expect([5, 6].map((pc) => at(aligned, pc)?.cfa)).toEqual([2000n, 2032n]);
	});

	test("offsets count in the common entry's data alignment", () => {
		const program = bytes().u8(0x0c, 2, 32).raw(offset(8, 2).list);
		expect(at(frames(program, { dataAlign: -4 }), 0)?.register(8)).toBe(2032n - 8n + 7n);
	});

	test("is there for the function's code and no byte more", () => {
		const known = frames(bytes().u8(0x0c, 2, 32));
		expect([-1, 0, 63, 64].map((pc) => known.covers(BigInt(start + pc)))).toEqual([false, true, true, false]);
		expect([-1, 0, 63, 64].map((pc) => at(known, pc) !== undefined)).toEqual([false, true, true, false]);
	});

	test("of two functions each has its own", () => {
		const section = cie();
		const second = section.length;
		section.raw(cie({ dataAlign: -4 }).list);
		section.raw(fde(0, start, 16, bytes().u8(0x0c, 2, 16)).list);
		section.raw(fde(second, start + 16, 16, bytes().u8(0x0c, 2, 32).raw(offset(8, 2).list)).list);
		const known = framesOf({ ".debug_frame": section });
		expect(at(known, 15)?.cfa).toBe(2016n);
		expect(at(known, 16)?.cfa).toBe(2032n);
		expect(at(known, 16)?.register(8)).toBe(2032n - 8n + 7n);
	});
});

test("is read in the 64-bit format, and from each version of the common entry", () => {
	const program = bytes().u8(0x0c, 2, 32);
	for (const is64 of [false, true])
		for (const version of [1, 3, 4]) expect(at(frames(program, { is64, version }), 0)?.cfa).toBe(2032n);
});

test.each<[string, Bytes, string]>([
	["an instruction of a vendor", bytes().u8(0x2d), "call-frame instruction 0x2d"],
	["an operand that is cut off", bytes().u8(0x0c, 2), "ends inside an entry"],
])("refuses %s", (_, program, message) => {
	expect(() => at(frames(program), 0)).toThrow(message);
});

test("an entry that is filled up, or whose common entry is not there, is passed over", () => {
	const section = cie();
	section.raw(withLength(bytes()).list);
	section.raw(fde(0x77, start, 64, bytes().u8(0x0c, 2, 16)).list);
	section.raw(fde(0, start, 64, bytes().u8(0x0c, 2, 32)).list);
	expect(at(framesOf({ ".debug_frame": section }), 0)?.cfa).toBe(2032n);
});

test("an augmentation that is not known and has no size is passed over with what needs it; with a size it is read", () => {
	const program = bytes().u8(0x0c, 2, 32);
	expect(at(frames(program, { augmentation: "eh" }), 0)).toBeUndefined();
	const section = cie({ augmentation: "zX", augmentationData: bytes().u8(1, 2, 3) });
	const body = bytes().u32(0).u64(start).u64(64).uleb(2).u8(9, 9).raw(program.list);
	section.raw(withLength(body).list);
	expect(at(framesOf({ ".debug_frame": section }), 0)?.cfa).toBe(2032n);
});

describe(".eh_frame", () => {
	/** An entry whose pointers have this encoding, as `write` puts them; the section lies at address 0x1000. */
	const section = 0x1000;
	const eh = (encoding: number, write: (body: Bytes, at: number) => void, more = bytes()) => {
		const first = cie(
			{ augmentation: "zR", augmentationData: bytes().u8(encoding), initial: bytes().u8(0x0c, 2, 32) },
			true,
		);
		const entryAt = first.length;
		const body = bytes().u32(entryAt + 4);
		write(body, section + entryAt + 4 + 4);
		body.u8(0);
		const whole = bytes().raw(first.list).raw(withLength(body).list).raw(more.list);
		return new CallFrames(
			new DebugSections(
				new ElfFile(elfWith({ more: [{ name: ".eh_frame", bytes: whole.bytes, flags: 2, address: section }] })),
			),
		);
	};
	const covered = (known: CallFrames, low: number) =>
		[low - 1, low, low + 15, low + 16].map((pc) => known.covers(BigInt(pc)));
	const all = [false, true, true, false];

	test.each<[string, number, number, (body: Bytes, at: number) => void]>([
		["absolute, 8 bytes", 0x00, start, (body) => body.u64(start).u64(16)],
		["absolute, 8 bytes unsigned", 0x04, start, (body) => body.u64(start).u64(16)],
		["absolute, 8 bytes signed", 0x0c, start, (body) => body.u64(start).u64(16)],
		["absolute, 4 bytes unsigned", 0x03, start, (body) => body.u32(start).u32(16)],
		["absolute, 4 bytes signed", 0x0b, 0x4000, (body) => body.u32(0x4000).u32(16)],
		["absolute, 2 bytes unsigned", 0x02, 0xf000, (body) => body.u16(0xf000).u16(16)],
		["absolute, 2 bytes signed", 0x0a, 0x4000, (body) => body.u16(0x4000).u16(16)],
		["from its own place, 4 bytes signed, forwards", 0x1b, start, (body, at) => body.u32(start - at).u32(16)],
		["from its own place, 4 bytes signed, backwards", 0x1b, 0x800, (body, at) => body.u32((0x800 - at) >>> 0).u32(16)],
		[
			"from its own place, 2 bytes signed, backwards",
			0x1a,
			0x800,
			(body, at) => body.u16((0x800 - at) & 0xffff).u16(16),
		],
	])("has pointers that are %s", (_, encoding, low, write) => {
		const known = eh(encoding, write);
		expect(covered(known, low)).toEqual(all);
		expect(known.unwind(BigInt(low), context)?.cfa).toBe(2032n);
	});

	test("ends at an empty entry", () => {
		const after = bytes().u32(0).u32(0xfffffff8).raw([1, 2, 3]);
		expect(
			covered(
				eh(0x00, (body) => body.u64(start).u64(16), after),
				start,
			),
		).toEqual(all);
	});

	test("refuses an encoding that no tool for RISC-V writes", () => {
		expect(() => eh(0x01, (body) => body.u64(start).u64(16)).covers(0n)).toThrow("pointer encoding 0x1");
	});

	test("has the personality and language data of C++ before the encoding", () => {
		const data = bytes().u8(0x03).u32(0x1234).u8(0x1b, 0x00);
		const whole = cie({ augmentation: "zPLR", augmentationData: data, initial: bytes().u8(0x0c, 2, 48) }, true);
		const entryAt = whole.length;
		whole.raw(
			withLength(
				bytes()
					.u32(entryAt + 4)
					.u64(start)
					.u64(16)
					.uleb(4)
					.u32(0),
			).list,
		);
		expect(at(framesOf({ ".eh_frame": whole }), 0)?.cfa).toBe(2048n);
	});

	test("is used where .debug_frame has nothing for the code", () => {
		const debug = cie();
		debug.raw(fde(0, start, 16, bytes().u8(0x0c, 2, 16)).list);
		const whole = cie({ augmentation: "zR", augmentationData: bytes().u8(0) }, true);
		const entryAt = whole.length;
		whole.raw(
			withLength(
				bytes()
					.u32(entryAt + 4)
					.u64(start)
					.u64(64)
					.u8(0, 0x0c, 2, 32),
			).list,
		);
		const known = framesOf({ ".debug_frame": debug, ".eh_frame": whole });
		expect([at(known, 0)?.cfa, at(known, 16)?.cfa]).toEqual([2016n, 2032n]);
	});
});

test("a program without call-frame information has no frames", () => {
	const none = framesOf({});
	expect(none.covers(BigInt(start))).toBe(false);
	expect(at(none, 0)).toBeUndefined();
});
