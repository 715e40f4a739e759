import { expect, test } from "vitest";
import { concat, equalBytes, hex, utf8 } from "../../../src/common/bytes.ts";
import { DisposableStore, MutableDisposable, toDisposable } from "../../../src/common/disposable.ts";
import { Emitter } from "../../../src/common/event.ts";
import { MemoryTree } from "../../../src/common/sourceTree.ts";

test("a store disposes in reverse order, once, and at once what comes too late", () => {
	const order: string[] = [];
	const store = new DisposableStore();
	store.add(toDisposable(() => order.push("first")));
	store.add(toDisposable(() => order.push("second")));
	store.dispose();
	store.dispose();
	store.add(toDisposable(() => order.push("late")));
	expect(order).toEqual(["second", "first", "late"]);
});

test("a replaced value is disposed, the same value is not", () => {
	let disposed = 0;
	const holder = new MutableDisposable();
	const value = { dispose: () => disposed++ };
	holder.value = value;
	holder.value = value;
	expect(disposed).toBe(0);
	holder.value = undefined;
	expect(disposed).toBe(1);
});

test("a listener that leaves while an event fires does not disturb the others", () => {
	const emitter = new Emitter<number>();
	const seen: string[] = [];
	const first = emitter.event((value) => {
		seen.push(`first ${value}`);
		first.dispose();
	});
	emitter.event((value) => seen.push(`second ${value}`));
	emitter.fire(1);
	emitter.fire(2);
	expect(seen).toEqual(["first 1", "second 1", "second 2"]);
});

test("bytes and hexadecimal", () => {
	expect(equalBytes(concat([utf8("a"), utf8("bc")]), utf8("abc"))).toBe(true);
	expect(hex(0x1000)).toBe("0x1000");
	expect(hex(-1n)).toBe("0xffffffffffffffff");
});

test("a tree in memory lists files and folders of one level, in name order", async () => {
	const tree = new MemoryTree(
		"memory",
		new Map([
			["Makefile", utf8("")],
			["kernel/vm.c", utf8("")],
			["kernel/a/b.c", utf8("")],
		]),
	);
	expect(await tree.list("")).toEqual([
		{ name: "Makefile", kind: "file" },
		{ name: "kernel", kind: "folder" },
	]);
	expect(await tree.list("kernel")).toEqual([
		{ name: "a", kind: "folder" },
		{ name: "vm.c", kind: "file" },
	]);
	expect(await tree.read("kernel/none.c")).toBeUndefined();
});
