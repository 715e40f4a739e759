import { expect, test } from "vitest";
import { UserError } from "../../../src/common/errors.ts";
import { DebugInfo } from "../../../src/debuginfo/debugInfo.ts";
import { elfOf, names } from "./fixtures.ts";

/** Asks everything there is to ask. */
function useAll(bytes: Uint8Array): void {
	const info = new DebugInfo(bytes);
	void info.elf.symbols;
	info.struct("node")?.members.map((member) => member.type?.size);
	info.variable("nodes");
	info.typedef("table_t");
	for (let pc = 0x80000000; pc < 0x80000100; pc += 8) {
		info.lines.lineAt(pc);
		info.functionsAt(pc);
		const context = { register: () => 4096n, memory: () => 1n, cfa: () => 1n };
		for (const local of info.localsAt(pc)) local.locate(context);
		info.frames.unwind(BigInt(pc), context);
	}
	info.lines.addressesOf("fixture.c", 30);
}

/** Ends, and with nothing but a UserError. */
function survives(bytes: Uint8Array): boolean {
	try {
		useAll(bytes);
		return true;
	} catch (error) {
		if (error instanceof UserError && error.code === "debug-info-damaged") return false;
		throw error;
	}
}

/** xorshift: the seed replays a failure. */
function random(seed: number): () => number {
	let state = seed;
	return () => {
		state ^= state << 13;
		state ^= state >>> 17;
		state ^= state << 5;
		return state >>> 0;
	};
}

test.each(names)("%s: a file cut anywhere is reported or read, never more", (name) => {
	const bytes = elfOf(name);
	let damaged = 0;
	for (let length = 0; length < bytes.length; length += 1 + Math.floor(bytes.length / 60)) {
		if (!survives(bytes.slice(0, length))) damaged++;
	}
	expect(damaged).toBeGreaterThan(50);
});

test.each(names)("%s: changed bytes never hang or crash the readers", (name) => {
	const whole = elfOf(name);
	const next = random(20261121);
	for (let round = 0; round < 150; round++) {
		const bytes = whole.slice();
		const count = 1 + (next() % 20);
		for (let i = 0; i < count; i++) bytes[64 + (next() % (bytes.length - 64))] = next() & 255;
		survives(bytes);
	}
});

test("what is no ELF file is said so", () => {
	expect(() => new DebugInfo(new Uint8Array(100))).toThrow("This is not an ELF file");
	expect(() => new DebugInfo(new Uint8Array())).toThrow("This is not an ELF file");
});

test("a program without debug information has symbols only", () => {
	const bytes = elfOf(names[0] as string);
	const view = new DataView(bytes.buffer);
	// No section headers at all.
	view.setUint16(60, 0, true);
	const info = new DebugInfo(bytes);
	expect(info.empty).toBe(true);
	expect(info.lines.lineAt(0x80000000)).toBeUndefined();
	expect(info.functionsAt(0x80000000)).toEqual([]);
});
