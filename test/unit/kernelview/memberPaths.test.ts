import { describe, expect, test } from "vitest";
import { follow, pathAt, readNumber } from "../../../src/kernelview/typedMemory.ts";
import { array, int, PaperKernel, pointer, struct, uint, ushort } from "../../support/paperKernel.ts";

describe("paths of members", () => {
	const inner = struct("inner", { id: int, flags: ushort });
	const node = struct("node", {
		count: uint,
		list: array(inner, 3),
		next: pointer(inner),
		"": struct("", { hidden: int }),
	});
	const kernel = new PaperKernel({ node, here: pointer(node) });
	kernel.set("node.list[2].id", -7).set("node.count", 0xfffffff0).set("node.next", kernel.end).poke(kernel.end, 42, 4);
	kernel.set("here", kernel.at("node")).set("node.list[1].flags", 0xfffe);
	const place = (name: string) => kernel.names.variable(name) as NonNullable<ReturnType<typeof kernel.names.variable>>;
	test.each<[string, string, number | undefined]>([
		["node", "count", 0xfffffff0],
		["node", "list[2].id", -7],
		["node", "list[1].flags", 0xfffe],
		["node", "list[3].id", undefined],
		["node", "next.id", 42],
		["node", "next->id", 42],
		["node", "next", 0],
		["node", "hidden", 0],
		["node", "none", undefined],
		["node", "count.id", undefined],
		["node", "count[0]", undefined],
		["node", "a b", undefined],
		["here", "list[2].id", -7],
		["here", "next->id", 42],
	])("%s and %s", (variable, path, value) => {
		const { memory } = kernel;
		const found = follow(memory, place(variable), path);
		if (path === "next") expect(found && readNumber(memory, found)).toBe(kernel.end);
		else expect(found && readNumber(memory, found)).toBe(value);
	});

	test("end where a pointer leaves RAM", () => {
		kernel.set("node.next", 0x1000);
		expect(follow(kernel.memory, place("node"), "next->id")).toBeUndefined();
		kernel.set("node.next", kernel.end);
	});

	test.each<[number, string]>([
		[0, ""],
		[4, ".list[0]"],
		[12, ".list[1]"],
		[16, ".list[1].flags"],
		[32, ".next"],
		[36, ".next+0x4"],
	])("byte %i of a node is %s", (offset, text) => {
		expect(pathAt(place("node").type, offset)).toBe(text);
	});
});
