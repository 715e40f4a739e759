import { expect, test } from "vitest";
import { ConsoleRecord } from "../../../src/session/consoleRecord.ts";

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const bytes = (words: string) => new TextEncoder().encode(words);

test("what the console had shown at any count of bytes, over the pieces in which it came", () => {
	const record = new ConsoleRecord();
	for (const piece of ["$ ", "echo a\n", "", "a\n$ "]) record.add(bytes(piece));
	const all = "$ echo a\na\n$ ";
	for (let count = 0; count <= all.length + 3; count++) {
		expect(text(record.before(count))).toBe(all.slice(0, count));
		expect(text(record.before(count, 4))).toBe(all.slice(Math.max(0, Math.min(count, all.length) - 4), count));
	}
});

test("what was cut was not printed, and what comes then follows the moment", () => {
	const record = new ConsoleRecord();
	record.add(bytes("$ first\n"));
	record.cut(2);
	record.add(bytes("second\n"));
	expect([text(record.before(100)), record.total]).toEqual(["$ second\n", 9]);
});

test("a guest that floods the console fills no memory: the last megabyte is kept, by its count", () => {
	const record = new ConsoleRecord();
	const piece = new Uint8Array(10_000).fill(0x61);
	for (let i = 0; i < 500; i++) record.add(piece);
	record.add(bytes("end"));
	expect(record.total).toBe(5_000_003);
	const kept = record.before(record.total);
	expect(kept.length).toBeGreaterThanOrEqual(1 << 20);
	expect(kept.length).toBeLessThan((1 << 20) + 20_000);
	expect(text(record.before(record.total, 4))).toBe("aend");
	// Long ago: gone.
	expect(record.before(100).length).toBe(0);
});
