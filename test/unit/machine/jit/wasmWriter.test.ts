import { expect, test } from "vitest";
import { ByteWriter, CodeWriter, i32, i64, wasm, writeModule } from "../../../../src/machine/jit/wasmWriter.ts";

const bytesOf = (write: (out: ByteWriter) => void) => {
	const out = new ByteWriter();
	write(out);
	return [...out.take()];
};

test.each([
	[0, [0]],
	[127, [127]],
	[128, [0x80, 1]],
	[624485, [0xe5, 0x8e, 0x26]],
	[0xffff_ffff, [0xff, 0xff, 0xff, 0xff, 0x0f]],
])("unsigned LEB128 of %i", (value, bytes) => {
	expect(bytesOf((out) => out.unsigned(value))).toEqual(bytes);
});

test.each([
	[0, [0]],
	[63, [63]],
	[64, [0xc0, 0]],
	[-1, [0x7f]],
	[-64, [0x40]],
	[-65, [0xbf, 0x7f]],
	[-123456, [0xc0, 0xbb, 0x78]],
	[-2147483648, [0x80, 0x80, 0x80, 0x80, 0x78]],
])("signed LEB128 of %i, as a number and as a bigint", (value, bytes) => {
	expect(bytesOf((out) => out.signed(value))).toEqual(bytes);
	expect(bytesOf((out) => out.signedBig(BigInt(value)))).toEqual(bytes);
});

test("what is written grows without bounds", () => {
	const long = Array.from({ length: 5000 }, (_, i) => i & 255);
	expect(bytesOf((out) => out.append(long))).toEqual(long);
});

test("a module of two functions runs, with constants of all widths", () => {
	const shape = { types: [{ parameters: [i64], result: i64 }], imports: [], table: false };
	const body = (value: bigint) => {
		const code = new CodeWriter();
		code.unsigned(1);
		code.unsigned(1);
		code.byte(i32);
		code.get(0);
		code.const64(value);
		code.op(wasm.i64Add, wasm.end);
		return { code: code.take(), unlikely: [] };
	};
	const values = [1n, -(1n << 63n), 0x1234_5678_9abc_def0n];
	const bytes = writeModule(shape, values.map(body));
	const memory = new WebAssembly.Memory({ initial: 1 });
	const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes as Uint8Array<ArrayBuffer>), {
		e: { memory },
	});
	values.forEach((value, index) => {
		const add = exports[String(index)] as (n: bigint) => bigint;
		expect(add(5n)).toBe(BigInt.asIntN(64, value + 5n));
	});
});
