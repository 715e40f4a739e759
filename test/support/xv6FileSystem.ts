/** xv6's file system in an image (kernel/fs.h), as far as a check of its consistency has to know it. */

export const blockSize = 1024;
const inodeSize = 64;
const direct = 12;
const entrySize = 16;
const rootInode = 1;
const typeDirectory = 1;
const typeDevice = 3;

export interface SuperBlock {
	readonly size: number;
	readonly inodes: number;
	readonly logBlocks: number;
	readonly logStart: number;
	readonly inodeStart: number;
	readonly bitmapStart: number;
}

interface Inode {
	readonly type: number;
	readonly links: number;
	readonly size: number;
	/** Of its content, holes left out. */
	readonly content: readonly number[];
	/** All that it has on disk: the indirect block too. */
	readonly blocks: readonly number[];
}

const view = (image: Uint8Array) => new DataView(image.buffer, image.byteOffset, image.byteLength);

export function superBlock(image: Uint8Array): SuperBlock {
	const word = (i: number) => view(image).getUint32(blockSize + 4 * i, true);
	if (word(0) !== 0x10203040) throw new Error("no xv6 file system");
	return {
		size: word(1),
		inodes: word(3),
		logBlocks: word(4),
		logStart: word(5),
		inodeStart: word(6),
		bitmapStart: word(7),
	};
}

/** Committed blocks that wait in the log. */
export function logLength(image: Uint8Array): number {
	return view(image).getInt32(superBlock(image).logStart * blockSize, true);
}

/** Does the log have this block? */
export function inLog({ logStart, logBlocks }: SuperBlock, block: number): boolean {
	return block >= logStart && block < logStart + logBlocks;
}

function readInode(image: Uint8Array, at: number): Inode {
	const data = view(image);
	const addresses = Array.from({ length: direct }, (_, i) => data.getUint32(at + 12 + 4 * i, true));
	const indirect = data.getUint32(at + 12 + 4 * direct, true);
	const more = Array.from({ length: indirect ? blockSize / 4 : 0 }, (_, i) =>
		data.getUint32(indirect * blockSize + 4 * i, true),
	);
	const content = [...addresses, ...more].filter((block) => block !== 0);
	return {
		type: data.getInt16(at, true),
		links: data.getInt16(at + 6, true),
		size: data.getUint32(at + 8, true),
		content,
		blocks: indirect ? [...content, indirect] : content,
	};
}

function entries(image: Uint8Array, { content, size }: Inode): { inode: number; name: string }[] {
	const places = content.flatMap((block) =>
		Array.from({ length: blockSize / entrySize }, (_, i) => block * blockSize + i * entrySize),
	);
	return places.slice(0, size / entrySize).flatMap((at) => {
		const inode = view(image).getUint16(at, true);
		const name = new TextDecoder().decode(image.subarray(at + 2, at + entrySize)).replace(/\0.*$/s, "");
		return inode === 0 ? [] : [{ inode, name }];
	});
}

/** Everything in which an image whose log is empty contradicts itself. */
export function checkFileSystem(image: Uint8Array): string[] {
	const sb = superBlock(image);
	const problems: string[] = [];
	if (logLength(image) !== 0) problems.push(`the log has ${logLength(image)} blocks`);
	const inodes = new Map<number, Inode>();
	for (let i = rootInode; i < sb.inodes; i++) {
		const inode = readInode(image, sb.inodeStart * blockSize + i * inodeSize);
		if (inode.type !== 0) inodes.set(i, inode);
	}

	const firstData = sb.bitmapStart + Math.ceil(sb.size / (blockSize * 8));
	const owner = new Map<number, number>();
	for (const [number, { type, blocks, size, content }] of inodes) {
		if (type === typeDevice) continue;
		for (const block of blocks) {
			if (block < firstData || block >= sb.size)
				problems.push(`inode ${number} has block ${block}, which holds no data`);
			const other = owner.get(block);
			if (other !== undefined) problems.push(`inodes ${other} and ${number} both have block ${block}`);
			owner.set(block, number);
		}
		if (size > content.length * blockSize) problems.push(`inode ${number}: ${size} bytes in ${content.length} blocks`);
	}
	for (let block = firstData; block < sb.size; block++) {
		const taken = ((image[sb.bitmapStart * blockSize + (block >> 3)] ?? 0) & (1 << (block & 7))) !== 0;
		if (taken && !owner.has(block)) problems.push(`block ${block} is lost`);
		if (!taken && owner.has(block)) problems.push(`inode ${owner.get(block)} has block ${block}, which is free`);
	}

	const names = new Map<number, number>();
	for (const [number, inode] of inodes) {
		if (inode.type !== typeDirectory) continue;
		const list = entries(image, inode);
		if (list.find(({ name }) => name === ".")?.inode !== number) problems.push(`directory ${number} has no "."`);
		if (!list.some(({ name }) => name === "..")) problems.push(`directory ${number} has no ".."`);
		for (const { inode: target, name } of list) {
			if (!inodes.has(target)) problems.push(`directory ${number}: ${name} is inode ${target}, which is free`);
			if (name !== ".") names.set(target, (names.get(target) ?? 0) + 1);
		}
	}
	for (const [number, { links }] of inodes)
		if ((names.get(number) ?? 0) !== links)
			problems.push(`inode ${number}: ${links} links, ${names.get(number) ?? 0} names`);
	return problems;
}
