import { afterAll, expect, test } from "vitest";
import { createMachine } from "../../src/cli/machine.ts";
import { fromUtf8, utf8 } from "../../src/common/bytes.ts";
import { ProgramSymbols } from "../../src/debuginfo/symbolizer.ts";
import type { Machine } from "../../src/machine/machine.ts";
import { build, catalog, closeToolchains } from "../support/lab.ts";

afterAll(closeToolchains);

/**
 * prodcons3 on a kernel whose forked processes each get a frame of their own prints `total = 673720320`, which is four bytes of
 * kalloc's junk. Back in time from that line to why: who stored the total, which frame it read from, who mapped that
 * frame, and where the other process stored instead.
 */
async function lived(harts: number) {
	const output = await build(await catalog.workspace("hw5-anonymous-mmap", "2b"));
	const { machine } = await createMachine(output, { harts, translator: true });
	machine.keepHistory({ every: 10_000_000 });
	let text = "";
	machine.console.onData((bytes) => {
		text += fromUtf8(bytes);
	});
	const until = (pattern: RegExp) => {
		while (!pattern.test(text)) machine.run(200_000);
		machine.run(400_000);
	};
	until(/\$ $/);
	machine.console.write(utf8("prodcons3\n"));
	until(/total = .*\n\$ $/);
	expect(text).toMatch(/total = 673720320\n/);
	const elf = output.programs.find(({ name }) => name === "prodcons3")?.elf as Uint8Array;
	const source = fromUtf8((await catalog.workspace("hw5-anonymous-mmap", "2b")).get("user/prodcons3.c") as Uint8Array);
	return {
		machine,
		source,
		elf,
		user: new ProgramSymbols("prodcons3", elf),
		kernel: new ProgramSymbols("kernel", output.kernel),
	};
}

const read = (machine: Machine, space: bigint, address: bigint) => {
	const physical = machine.translate(space, address);
	return physical === undefined ? undefined : machine.memory.readU64(physical);
};

/** Bytes of a program's text. */
function codeAt(elf: Uint8Array, address: number, length: number): Uint8Array {
	const view = new DataView(elf.buffer, elf.byteOffset, elf.byteLength);
	const headers = Number(view.getBigUint64(32, true));
	for (let i = 0; i < view.getUint16(56, true); i++) {
		const at = headers + 56 * i;
		const [offset, start, size] = [8, 16, 32].map((field) => Number(view.getBigUint64(at + field, true))) as [
			number,
			number,
			number,
		];
		if (view.getUint32(at, true) !== 1 || address < start || address >= start + size) continue;
		return elf.subarray(offset + address - start, offset + address - start + length);
	}
	throw new Error(`nothing at ${address}`);
}

/** Where the leaf entry of an address lies, and what it says. */
function entryOf(machine: Machine, space: bigint, address: bigint): { at: bigint; frame: bigint } {
	let table = space;
	for (const level of [2n, 1n]) {
		const entry = machine.memory.readU64(table + (((address >> (12n + 9n * level)) & 511n) << 3n)) ?? 0n;
		table = ((entry >> 10n) & 0xfffffffffffn) << 12n;
	}
	const at = table + (((address >> 12n) & 511n) << 3n);
	return { at, frame: (((machine.memory.readU64(at) ?? 0n) >> 10n) & 0xfffffffffffn) << 12n };
}

test.each([1, 3])("from a wrong total back to the frame that nobody else writes, %i harts", async (harts) => {
	const { machine, source, elf, user, kernel } = await lived(harts);
	const history = machine.keepHistory();
	const [end, hash] = [machine.position, machine.stateHash()];
	const said = machine.instret;
	const functionAt = (symbols: ProgramSymbols, pc: bigint) =>
		symbols.info?.functionsAt(Number(pc)).map(({ name }) => name) ?? [];

	// 1. Back to the line that prints it.
	const line = source.split("\n").findIndex((one) => one.includes("total = %d")) + 1;
	const [place] = user.info?.lines.breakpointsOf("user/prodcons3.c", line) ?? [];
	const printed = machine.addBreakpoint(BigInt(place as number), { mode: 0 });
	let found = history.backTo();
	while (found && !isProdcons(found.stop)) found = history.backTo();
	function isProdcons(stop: { kind: string; hart?: number | undefined }): boolean {
		const space = machine.spaceOf(stop.hart as number) as bigint;
		const physical = machine.translate(space, BigInt(place as number)) as bigint;
		const offset = Number(physical - machine.memory.base);
		return codeAt(elf, place as number, 16).every((byte, i) => machine.memory.bytes()[offset + i] === byte);
	}
	printed.dispose();
	if (found?.stop.kind !== "breakpoint") throw new Error("the line was never reached");
	const { hart: printing } = found.stop;
	const parent = machine.spaceOf(printing) as bigint;
	const bufferAt = BigInt(user.info?.variable("buffer")?.address as number);
	const buffer = read(machine, parent, bufferAt) as bigint;
	// buf[2048], nextin, nextout, num_produced, num_consumed, total
	const total = machine.translate(parent, buffer + 2048n * 4n + 16n) as bigint;
	expect(machine.memory.readU32(total)).toBe(673720320);

	// 2. Who stored it: the consumer, in user mode.
	const stored = history.lastWrite(total, 4);
	expect(functionAt(user, stored?.pc as bigint)).toContain("consumer");
	const consumer = machine.spaceOf(stored?.hart as number) as bigint;
	expect(machine.harts[stored?.hart as number]?.mode).toBe(0);
	expect(consumer).not.toBe(parent);

	// 3. Who mapped the frame that it reads: the page fault's handler, a fresh one.
	const reads = entryOf(machine, consumer, buffer);
	const mapped = history.lastWrite(reads.at, 8, ({ hart }) => hart?.mode === 1);
	expect(functionAt(kernel, mapped?.pc as bigint)).toContain("mappages");
	expect(entryOf(machine, consumer, buffer).frame).toBe(reads.frame);

	// 4. Before that the consumer had no such page: the last store to the address is another process's, to another frame.
	const watch = machine.addWatchpoint(buffer, 4096, "write", { mode: 0 });
	const other = history.backTo();
	watch.dispose();
	const { stop } = other as { stop: { kind: string; hart: number; pc: bigint } };
	expect(stop.kind).toBe("watchpoint");
	expect(functionAt(user, stop.pc)).toContain("producer");
	const producer = machine.spaceOf(stop.hart) as bigint;
	const writes = entryOf(machine, producer, buffer);
	expect(writes.frame).not.toBe(reads.frame);

	// 5. And that one was mapped in a fault of its own.
	const own = history.lastWrite(writes.at, 8, ({ hart }) => hart?.mode === 1);
	expect(functionAt(kernel, own?.pc as bigint)).toContain("mappages");

	// Forward again: the same run.
	while (machine.run(3_000_000).kind !== "present");
	expect([machine.position, machine.stateHash(), machine.instret]).toEqual([end, hash, said]);
	machine.dispose();
});
