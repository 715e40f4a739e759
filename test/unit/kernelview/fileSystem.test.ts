import { describe, expect, test } from "vitest";
import { checkFileSystem, inLog, layoutOf, logLength, superBlock } from "../../../src/kernelview/fileSystem.ts";
import { recorded } from "./recorded.ts";

// An image that mkfs made, and xv6 booted from: every fault is one change of it.
const image = recorded("disk");
const sb = superBlock(image) as NonNullable<ReturnType<typeof superBlock>>;
const { blockSize } = sb;
const root = 1;

class Changed {
	readonly bytes = image.slice();
	readonly view = new DataView(this.bytes.buffer);
	inode(number: number): number {
		return sb.inodeStart * blockSize + number * 64;
	}
	block(number: number, index: number): number {
		return this.view.getUint32(this.inode(number) + 12 + 4 * index, true);
	}
	/** Where the entry of a name stands in the root directory. */
	entry(wanted: string): number {
		for (let i = 0; i < blockSize / 16; i++) {
			const at = this.block(root, 0) * blockSize + 16 * i;
			const name = new TextDecoder().decode(this.bytes.subarray(at + 2, at + 16)).replace(/\0.*/s, "");
			if (name === wanted) return at;
		}
		throw new Error(`no ${wanted}`);
	}
	find(name: string): number {
		return this.view.getUint16(this.entry(name), true);
	}
	flip(block: number): void {
		const at = sb.bitmapStart * blockSize + (block >> 3);
		this.bytes[at] = (this.bytes[at] as number) ^ (1 << (block & 7));
	}
}

test("an image of mkfs is in order, by xv6's own layout", () => {
	expect(checkFileSystem(image)).toEqual([]);
	expect(layoutOf(image)).toEqual({ direct: 12, levels: [1] });
	expect(logLength(image, sb)).toBe(0);
	expect(sb).toMatchObject({ blockSize: 1024, logStart: 2 });
	expect(
		[sb.logStart - 1, sb.logStart, sb.logStart + sb.logBlocks - 1, sb.logStart + sb.logBlocks].map((block) =>
			inLog(sb, block),
		),
	).toEqual([...[false, true, true, false]]);
});

describe("a file system that contradicts itself", () => {
	const readme = new Changed().find("README");
	const free = new Changed();
	let unused = sb.size - 1;
	while ((free.bytes[sb.bitmapStart * blockSize + (unused >> 3)] as number) & (1 << (unused & 7))) unused--;
	test.each<[string, (changed: Changed) => void, (string | RegExp)[]]>([
		[
			"committed blocks in the log",
			(c) => c.view.setUint32(sb.logStart * blockSize, 3, true),
			["the log has 3 blocks"],
		],
		[
			"a block that is taken, and nobody has it",
			(c) => c.flip(unused),
			[`block ${unused} is lost: nobody has it, and it is not free`],
		],
		["a block of a file that is free", (c) => c.flip(c.block(readme, 0)), [/^inode \d+ has block \d+, which is free$/]],
		[
			"a block of two files",
			(c) => c.view.setUint32(c.inode(readme) + 12, c.block(c.find("echo"), 0), true),
			[/^inodes \d+ and \d+ both have block \d+$/, /^block \d+ is lost/],
		],
		[
			"a block that is none of data",
			(c) => c.view.setUint32(c.inode(readme) + 12, sb.inodeStart, true),
			[`inode ${readme} has block ${sb.inodeStart}, which holds no data`, /^block \d+ is lost/],
		],
		[
			"a block after the last one",
			(c) => c.view.setUint32(c.inode(readme) + 12, sb.size, true),
			[`inode ${readme} has block ${sb.size}, which holds no data`, /^block \d+ is lost/],
		],
		[
			"a size that its blocks do not hold",
			(c) => c.view.setUint32(c.inode(readme) + 8, 1 << 20, true),
			[/^inode \d+: 1048576 bytes in \d+ blocks$/],
		],
		["a link too many", (c) => c.view.setUint16(c.inode(readme) + 6, 2, true), [`inode ${readme}: 2 links, 1 names`]],
		["a name too many", (c) => c.view.setUint16(c.inode(readme) + 6, 0, true), [`inode ${readme}: 0 links, 1 names`]],
		[
			"a file whose name is gone",
			(c) => c.view.setUint16(c.entry("README"), 0, true),
			[`inode ${readme}: 1 links, 0 names`],
		],
		[
			"a file that was removed while it was open",
			(c) => {
				c.view.setUint16(c.entry("README"), 0, true);
				c.view.setUint16(c.inode(readme) + 6, 0, true);
			},
			[/^inode \d+ has no name and is not free: it was removed while open, and it and its \d+ blocks are lost$/],
		],
		[
			"a name of an inode that is free",
			(c) => c.view.setUint16(c.entry("README"), sb.inodes - 1, true),
			[`directory 1: README is inode ${sb.inodes - 1}, which is free`, `inode ${readme}: 1 links, 0 names`],
		],
		[
			"a directory without itself",
			(c) => c.bytes.set([0x78], c.entry(".") + 2),
			['directory 1 has no "."', /^inode 1: \d links, \d names$/],
		],
		["a directory without its parent", (c) => c.bytes.set([0x78], c.entry("..") + 3), ['directory 1 has no ".."']],
		[
			"a directory whose own name is another inode",
			(c) => c.view.setUint16(c.entry("."), readme, true),
			['directory 1 has no "."'],
		],
		[
			"blocks of a device are not looked at",
			(c) => {
				c.view.setUint16(c.inode(readme), 3, true);
				for (let i = 0; i < 13; i++) c.view.setUint32(c.inode(readme) + 12 + 4 * i, 0, true);
			},
			[/^block \d+ is lost/],
		],
	])("%s", (_, change, expected) => {
		const changed = new Changed();
		change(changed);
		const problems = checkFileSystem(changed.bytes);
		expect(problems.length).toBeGreaterThan(0);
		for (const one of expected)
			expect(problems, problems.join("\n")).toEqual(
				expect.arrayContaining([typeof one === "string" ? one : expect.stringMatching(one)]),
			);
		// Nothing else is said but of the same kinds.
		const kinds = expected.map((one) => (typeof one === "string" ? one : one.source).replace(/^\^/, "").slice(0, 5));
		expect(
			problems.filter((problem) => !kinds.some((kind) => problem.startsWith(kind.replace(/\\d.*|\\/g, "")))),
		).toEqual([]);
	});

	test("a file as large as an indirect block makes it is whole, and its blocks are followed", () => {
		const changed = new Changed();
		const large = [...Array(sb.inodes).keys()].find((i) => i > 0 && changed.block(i, 12) !== 0) as number;
		const indirect = changed.block(large, 12);
		expect(large).toBeGreaterThan(0);
		const first = changed.view.getUint32(indirect * blockSize, true);
		changed.flip(first);
		expect(checkFileSystem(changed.bytes)).toEqual([`inode ${large} has block ${first}, which is free`]);
		changed.flip(first);
		changed.flip(indirect);
		expect(checkFileSystem(changed.bytes)).toEqual([`inode ${large} has block ${indirect}, which is free`]);
	});

	test("no more than a reader would read is said", () => {
		const changed = new Changed();
		changed.bytes.fill(0xff, sb.bitmapStart * blockSize, (sb.bitmapStart + 1) * blockSize);
		expect(checkFileSystem(changed.bytes)).toHaveLength(200);
	});
});

describe("a superblock", () => {
	const words = (change: (view: DataView) => void, bytes = image.slice()) => {
		change(new DataView(bytes.buffer));
		return superBlock(bytes);
	};
	test("is none without its magic number, or where it cannot be", () => {
		expect(words((view) => view.setUint32(blockSize, 1, true))).toBeUndefined();
		expect(words((view) => view.setUint32(blockSize + 4, 0, true))).toBeUndefined();
		expect(words((view) => view.setUint32(blockSize + 4, 1 << 30, true))).toBeUndefined();
		for (const field of [5, 6, 7])
			expect(words((view) => view.setUint32(blockSize + 4 * field, sb.size, true))).toBeUndefined();
		expect(words((view) => view.setUint32(blockSize + 12, (1 << 16) + 1, true))).toBeUndefined();
		expect(superBlock(new Uint8Array(1026))).toBeUndefined();
		expect(checkFileSystem(new Uint8Array(64))).toEqual(["there is no xv6 file system"]);
		expect(layoutOf(new Uint8Array(64))).toBeUndefined();
	});

	test("of other block sizes is found", () => {
		for (const size of [512, 2048, 4096]) {
			const bytes = new Uint8Array(64 * size);
			const view = new DataView(bytes.buffer);
			[0x10203040, 64, 0, 16, 4, 2, 6, 8].forEach((word, i) => {
				view.setUint32(size + 4 * i, word, true);
			});
			expect(superBlock(bytes)).toEqual({
				blockSize: size,
				size: 64,
				inodes: 16,
				logBlocks: 4,
				logStart: 2,
				inodeStart: 6,
				bitmapStart: 8,
			});
		}
	});
});

test("a layout with a doubly-indirect block is told by an image that only it explains", () => {
	// Block size 1024; inode 1 is the root, inode 2 a file of 11 direct blocks, one single and one double.
	const size = 400;
	const bytes = new Uint8Array(size * 1024);
	const view = new DataView(bytes.buffer);
	[0x10203040, size, 0, 16, 4, 2, 6, 7].forEach((word, i) => {
		view.setUint32(1024 + 4 * i, word, true);
	});
	let next = 8;
	const taken: number[] = [];
	const take = () => {
		taken.push(next);
		return next++;
	};
	const inode = (number: number, type: number, links: number, length: number) => {
		const at = 6 * 1024 + number * 64;
		view.setUint16(at, type, true);
		view.setUint16(at + 6, links, true);
		view.setUint32(at + 8, length, true);
		return (index: number, block: number) => view.setUint32(at + 12 + 4 * index, block, true);
	};
	const rootBlock = take();
	inode(1, 1, 1, 48)(0, rootBlock);
	[".", "..", "big"].forEach((name, i) => {
		view.setUint16(rootBlock * 1024 + 16 * i, i < 2 ? 1 : 2, true);
		bytes.set(new TextEncoder().encode(name), rootBlock * 1024 + 16 * i + 2);
	});
	const set = inode(2, 2, 1, (11 + 256 + 2) * 1024);
	for (let i = 0; i < 11; i++) set(i, take());
	const single = take();
	set(11, single);
	for (let i = 0; i < 256; i++) view.setUint32(single * 1024 + 4 * i, take(), true);
	const double = take();
	set(12, double);
	const inner = take();
	view.setUint32(double * 1024, inner, true);
	for (let i = 0; i < 2; i++) view.setUint32(inner * 1024 + 4 * i, take(), true);
	for (const block of taken)
		bytes[7 * 1024 + (block >> 3)] = (bytes[7 * 1024 + (block >> 3)] as number) | (1 << (block & 7));
	expect(layoutOf(bytes)).toEqual({ direct: 11, levels: [1, 2] });
	expect(checkFileSystem(bytes).length).toBeGreaterThan(0);
});
