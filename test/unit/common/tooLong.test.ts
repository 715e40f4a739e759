import { expect, test } from "vitest";
import { asTooLong } from "../../../src/common/tooLong.ts";

const place = { file: "kernel/entry.S" };

function failureOf(run: () => void): unknown {
	try {
		run();
	} catch (error) {
		return error;
	}
	return undefined;
}

const nested = (depth: number): number => (depth === 0 ? 0 : 1 + nested(depth - 1));

test.each([
	["its regular expressions' stack", () => /^((?:export|private)\s+)+/.test("export ".repeat(4_000_000))],
	["its own stack", () => nested(10_000_000)],
	["its longest string", () => "ab".repeat(1 << 29)],
])("JavaScript's limit of %s is the text's", (_, run) => {
	expect(asTooLong(failureOf(run), place)).toMatchObject({
		code: "limit-reached",
		message: "kernel/entry.S is too long, or too deeply nested, to be read",
		position: place,
	});
});

test("other failures stay what they are", () => {
	const outside = failureOf(() => new DataView(new ArrayBuffer(1)).getUint8(2));
	expect(outside).toBeInstanceOf(RangeError);
	expect(asTooLong(outside, place)).toBe(outside);
});
