/**
 * xv6's file system in an image (kernel/fs.h), as far as a check of its consistency has to know it. Nothing is assumed of an image: any
 * bytes are read without an error.
 */

const inodeSize = 64;
const addressesAt = 12;
const addressCount = 13;
const entrySize = 16;
const rootInode = 1;
const typeDirectory = 1;
const typeDevice = 3;
const magic = 0x10203040;
/** Of the blocks that a tree may have; the second one is the superblock. */
const blockSizes = [1024, 512, 2048, 4096];
const mostProblems = 200;

export interface SuperBlock {
	/** Bytes of a block. */
	readonly blockSize: number;
	/** Blocks. */
	readonly size: number;
	readonly inodes: number;
	readonly logBlocks: number;
	readonly logStart: number;
	readonly inodeStart: number;
	readonly bitmapStart: number;
}

/** How the 13 addresses of an inode are used: so many direct, then one of each of these levels of indirect blocks. */
export interface FileSystemLayout {
	readonly direct: number;
	readonly levels: readonly number[];
}

/** xv6's own, and the one with a doubly-indirect block that a lab asks for. */
const layouts: readonly FileSystemLayout[] = [
	{ direct: 12, levels: [1] },
	{ direct: 11, levels: [1, 2] },
	{ direct: 10, levels: [1, 2, 3] },
];

interface Inode {
	readonly type: number;
	readonly links: number;
	readonly size: number;
	/** Of its content, holes left out. */
	readonly content: readonly number[];
	/** All that it has on disk: indirect blocks too. */
	readonly blocks: readonly number[];
}

class Image {
	private readonly view: DataView;

	constructor(readonly bytes: Uint8Array) {
		this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	}

	u32(at: number): number {
		return at + 4 <= this.bytes.length ? this.view.getUint32(at, true) : 0;
	}

	u16(at: number): number {
		return at + 2 <= this.bytes.length ? this.view.getUint16(at, true) : 0;
	}

	u8(at: number): number {
		return this.bytes[at] ?? 0;
	}
}

/** Undefined: this is no xv6 file system with a magic number. */
export function superBlock(bytes: Uint8Array): SuperBlock | undefined {
	const image = new Image(bytes);
	for (const blockSize of blockSizes) {
		const word = (i: number) => image.u32(blockSize + 4 * i);
		const size = word(1);
		if (word(0) !== magic || size === 0 || size * blockSize > bytes.length) continue;
		const [inodes, logBlocks, logStart, inodeStart, bitmapStart] = [word(3), word(4), word(5), word(6), word(7)];
		if ([logStart, inodeStart, bitmapStart].some((block) => block >= size) || inodes > 1 << 16) continue;
		return { blockSize, size, inodes, logBlocks, logStart, inodeStart, bitmapStart };
	}
	return undefined;
}

/** Committed blocks that wait in the log. */
export function logLength(bytes: Uint8Array, { logStart, blockSize }: SuperBlock): number {
	return new Image(bytes).u32(logStart * blockSize) | 0;
}

/** Does the log have this block? */
export function inLog({ logStart, logBlocks }: SuperBlock, block: number): boolean {
	return block >= logStart && block < logStart + logBlocks;
}

/** The layout by which an image that nobody has written to is in order; undefined: by none that is known. */
export function layoutOf(fresh: Uint8Array): FileSystemLayout | undefined {
	return superBlock(fresh) && layouts.find((layout) => checkFileSystem(fresh, layout).length === 0);
}

/** Everything in which an image whose log is empty contradicts itself; no more than a reader would read. */
export function checkFileSystem(
	bytes: Uint8Array,
	layout: FileSystemLayout = layouts[0] as FileSystemLayout,
): string[] {
	const sb = superBlock(bytes);
	if (!sb) return ["there is no xv6 file system"];
	const { blockSize } = sb;
	const image = new Image(bytes);
	const problems: string[] = [];
	const waiting = logLength(bytes, sb);
	if (waiting !== 0) problems.push(`the log has ${waiting} blocks`);

	const firstData = sb.bitmapStart + Math.ceil(sb.size / (blockSize * 8));
	const isData = (block: number) => block >= firstData && block < sb.size;
	const inodes = new Map<number, Inode>();
	for (let i = rootInode; i < sb.inodes; i++) {
		const inode = readInode(image, sb.inodeStart * blockSize + i * inodeSize, blockSize, layout, isData);
		if (inode.type !== 0) inodes.set(i, inode);
	}

	const owner = new Map<number, number>();
	for (const [number, { type, blocks, size, content }] of inodes) {
		if (type === typeDevice) continue;
		for (const block of blocks) {
			if (!isData(block)) problems.push(`inode ${number} has block ${block}, which holds no data`);
			const other = owner.get(block);
			if (other !== undefined) problems.push(`inodes ${other} and ${number} both have block ${block}`);
			owner.set(block, number);
		}
		if (size > content.length * blockSize) problems.push(`inode ${number}: ${size} bytes in ${content.length} blocks`);
	}
	for (let block = firstData; block < sb.size; block++) {
		const taken = (image.u8(sb.bitmapStart * blockSize + (block >> 3)) & (1 << (block & 7))) !== 0;
		if (taken && !owner.has(block)) problems.push(`block ${block} is lost: nobody has it, and it is not free`);
		if (!taken && owner.has(block)) problems.push(`inode ${owner.get(block)} has block ${block}, which is free`);
	}

	const names = new Map<number, number>();
	for (const [number, inode] of inodes) {
		if (inode.type !== typeDirectory) continue;
		const list = entries(image, inode, blockSize);
		if (list.find(({ name }) => name === ".")?.inode !== number) problems.push(`directory ${number} has no "."`);
		if (!list.some(({ name }) => name === "..")) problems.push(`directory ${number} has no ".."`);
		for (const { inode: target, name } of list) {
			if (!inodes.has(target)) problems.push(`directory ${number}: ${name} is inode ${target}, which is free`);
			if (name !== ".") names.set(target, (names.get(target) ?? 0) + 1);
		}
	}
	for (const [number, { links, blocks }] of inodes) {
		const known = names.get(number) ?? 0;
		if (known === links && links > 0) continue;
		if (links === 0 && known === 0)
			problems.push(
				`inode ${number} has no name and is not free: it was removed while open, and it and its ${blocks.length} blocks are lost`,
			);
		else problems.push(`inode ${number}: ${links} links, ${known} names`);
	}
	return problems.slice(0, mostProblems);
}

function readInode(
	image: Image,
	at: number,
	blockSize: number,
	{ direct, levels }: FileSystemLayout,
	isData: (block: number) => boolean,
): Inode {
	const content: number[] = [];
	const indirect: number[] = [];
	const add = (block: number, level: number) => {
		if (block === 0 || content.length + indirect.length > 1 << 20) return;
		if (level === 0) {
			content.push(block);
			return;
		}
		indirect.push(block);
		// What holds no data holds no addresses: it is reported, and not followed.
		if (!isData(block)) return;
		for (let i = 0; i < blockSize / 4; i++) add(image.u32(block * blockSize + 4 * i), level - 1);
	};
	for (let i = 0; i < addressCount; i++) {
		add(image.u32(at + addressesAt + 4 * i), i < direct ? 0 : (levels[i - direct] ?? 0));
	}
	return {
		type: image.u16(at),
		links: image.u16(at + 6),
		size: image.u32(at + 8),
		content,
		blocks: [...content, ...indirect],
	};
}

function entries(image: Image, { content, size }: Inode, blockSize: number): { inode: number; name: string }[] {
	const places = content.flatMap((block) =>
		Array.from({ length: blockSize / entrySize }, (_, i) => block * blockSize + i * entrySize),
	);
	return places.slice(0, Math.floor(size / entrySize)).flatMap((at) => {
		const inode = image.u16(at);
		const name = new TextDecoder().decode(image.bytes.subarray(at + 2, at + entrySize)).split("\0", 1)[0] as string;
		return inode === 0 ? [] : [{ inode, name }];
	});
}
