import { resetVector } from "./bootRom.ts";
import * as layout from "./core/layout.ts";
import { hartBase } from "./coreAbi.ts";
import { boardTree, type Chosen } from "./deviceTree.ts";
import type { LoadedElf } from "./elfLoader.ts";
import { board } from "./virtBoard.ts";

/** An image that is put into RAM as it is (firmware payloads). */
export interface RawImage {
	readonly physical: bigint;
	readonly bytes: Uint8Array;
}

interface LoaderTarget {
	readonly bytes: Uint8Array;
	readonly view: DataView;
	readonly harts: number;
	readonly ramBytes: number;
	/** Puts bytes into guest RAM. */
	put(physical: bigint, bytes: Uint8Array): void;
	/** Zeroes guest RAM. */
	clear(physical: bigint, length: number): void;
}

/** Kernel, further images, device tree and boot ROM; every hart at the reset vector. */
export function loadImages(
	target: LoaderTarget,
	elf: LoadedElf,
	extra: readonly RawImage[],
	chosen: Chosen | undefined,
): void {
	const { harts, ramBytes } = target;
	for (const { physical, bytes, memorySize } of elf.segments) {
		target.put(physical, bytes);
		if (memorySize > bytes.length) target.clear(physical + BigInt(bytes.length), memorySize - bytes.length);
	}
	for (const { physical, bytes } of extra) target.put(physical, bytes);
	const tree = boardTree(harts, ramBytes, chosen);
	// At the end of RAM, on a 2 MiB border where there is room, where kernels clear or overwrite it last.
	const border = ramBytes >= 8 * 1024 * 1024 ? 2 * 1024 * 1024 : layout.PAGE_SIZE;
	const offset = Math.floor((ramBytes - tree.length) / border) * border;
	const treeAt = BigInt(board.ram.base + offset);
	target.put(treeAt, tree);
	const vector = resetVector(elf.entry, treeAt, extra[0]?.physical ?? 0n);
	target.bytes.set(vector, layout.ROM_BASE + board.bootRom.base);
	for (let hart = 0; hart < harts; hart++) {
		target.view.setBigUint64(hartBase(hart) + layout.H_PC, BigInt(board.bootRom.base), true);
	}
}
