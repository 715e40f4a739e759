import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { boardTree, flatten } from "../../../src/machine/deviceTree.ts";
import { board } from "../../../src/machine/virtBoard.ts";

interface Parsed {
	readonly properties: Map<string, Uint8Array>;
	readonly children: Map<string, Parsed>;
}

/** Reads a blob by the Devicetree Specification 0.4, chapter 5, on its own. */
function parse(blob: Uint8Array): Parsed {
	const view = new DataView(blob.buffer, blob.byteOffset, blob.length);
	expect([view.getUint32(0), view.getUint32(4), view.getUint32(20)]).toEqual([0xd00dfeed, blob.length, 17]);
	const strings = view.getUint32(12);
	let at = view.getUint32(8);
	const text = (from: number) => {
		let end = from;
		while (blob[end]) end++;
		return new TextDecoder().decode(blob.subarray(from, end));
	};
	const node = (): Parsed => {
		const parsed: Parsed = { properties: new Map(), children: new Map() };
		for (;;) {
			const token = view.getUint32(at);
			at += 4;
			if (token === 2) return parsed;
			if (token === 3) {
				const length = view.getUint32(at);
				parsed.properties.set(text(strings + view.getUint32(at + 4)), blob.slice(at + 8, at + 8 + length));
				at += 8 + ((length + 3) & ~3);
			} else if (token === 1) {
				const name = text(at);
				at += (name.length + 4) & ~3;
				parsed.children.set(name, node());
			} else throw new Error(`token ${token} at ${at - 4}`);
		}
	};
	expect(view.getUint32(at)).toBe(1);
	at += 8;
	const root = node();
	expect(view.getUint32(at)).toBe(9);
	return root;
}

const cells = (bytes: Uint8Array | undefined) => {
	if (!bytes) return undefined;
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
	return Array.from({ length: bytes.length / 4 }, (_, i) => view.getUint32(4 * i));
};
const string = (bytes: Uint8Array | undefined) => new TextDecoder().decode(bytes).replace(/\0$/, "");

test("names, values and alignment survive flattening", () => {
	const root = parse(
		flatten({ model: "m", list: ["a", "bc"], "#cells": [1, 2], empty: true, "child@1": { reg: [7] } }),
	);
	expect(string(root.properties.get("model"))).toBe("m");
	expect(string(root.properties.get("list"))).toBe("a\0bc");
	expect(cells(root.properties.get("#cells"))).toEqual([1, 2]);
	expect(root.properties.get("empty")?.length).toBe(0);
	expect(cells(root.children.get("child@1")?.properties.get("reg"))).toEqual([7]);
});

test.each([1, 3, 8])("the board with %i harts tells its memory, harts and devices", (harts) => {
	const root = parse(boardTree(harts, 128 << 20));
	expect(cells(root.children.get("memory@80000000")?.properties.get("reg"))).toEqual([0, 0x80000000, 0, 128 << 20]);
	const cpus = root.children.get("cpus");
	expect([...(cpus?.children.keys() ?? [])].filter((name) => name.startsWith("cpu@")).length).toBe(harts);
	expect(cells(cpus?.properties.get("timebase-frequency"))).toEqual([10_000_000]);
	const soc = root.children.get("soc");
	const { uart, plic, clint, testFinisher, virtio } = board;
	const addresses = [uart, plic, clint, testFinisher, virtio].map(({ base }) => base.toString(16));
	for (const address of addresses) {
		expect(
			[...(soc?.children.keys() ?? [])].some((name) => name.endsWith(`@${address}`)),
			address,
		).toBe(true);
	}
	const names = [...(soc?.children.keys() ?? [])].filter((name) => name.startsWith("virtio_mmio"));
	expect(names.length).toBe(8);
	const contexts = cells(
		[...(soc?.children ?? [])].find(([name]) => name.startsWith("plic"))?.[1].properties.get("interrupts-extended"),
	);
	expect(contexts?.length).toBe(4 * harts);
});

test("a kernel is told its command line, its initial RAM disk and the clock, and only where there is one", () => {
	const initrd = { physical: 0x1_8000_1000n, length: 0x2345 };
	const root = parse(boardTree(1, 128 << 20, { bootargs: "console=ttyS0 quiet", initrd, rtc: true }));
	const chosen = root.children.get("chosen")?.properties;
	expect(string(chosen?.get("bootargs"))).toBe("console=ttyS0 quiet");
	expect(cells(chosen?.get("linux,initrd-start"))).toEqual([1, 0x80001000]);
	expect(cells(chosen?.get("linux,initrd-end"))).toEqual([1, 0x80003345]);
	expect([...(root.children.get("soc")?.children.keys() ?? [])]).toContain("rtc@101000");
	expect(boardTree(1, 128 << 20, {})).toEqual(boardTree(1, 128 << 20));
	const plain = parse(boardTree(1, 128 << 20));
	expect([...(plain.children.get("chosen")?.properties.keys() ?? [])]).toEqual(["stdout-path"]);
	expect([...(plain.children.get("soc")?.children.keys() ?? [])]).not.toContain("rtc@101000");
});

const dtc = spawnSync("dtc", ["--version"]).status === 0;
test.skipIf(!dtc)("the device tree compiler reads it without a complaint of an error", () => {
	const result = spawnSync("dtc", ["-I", "dtb", "-O", "dts", "-q"], { input: boardTree(4, 128 << 20) });
	expect([result.status, result.stderr.toString()]).toEqual([0, ""]);
	expect(result.stdout.toString()).toContain("riscv,plic0");
});
