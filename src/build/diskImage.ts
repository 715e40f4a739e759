/** xv6's super block (kernel/fs.h) at block 1: magic, size, nblocks, ninodes, nlog, logstart, inodestart, bmapstart. */
export const superBlockMagic = 0x10203040;
export const blockSizes = [512, 1024, 2048, 4096];
const inodeStart = 24;
/** struct dinode: type, major, minor, nlink (16 bits each), size, addrs[]. Trees differ in how many addresses of blocks it has. */
const inodeSizes = [64, 128, 256, 32];
const sizeAt = 8;
const addressesAt = 12;
const directory = 1;
const rootInode = 1;
const entrySize = 16;

/**
 * Names in the root directory of a disk image, without `.` and `..`. Empty where the image is not laid out as xv6's mkfs does it, with
 * names of 14 characters.
 */
export function rootNames(image: Uint8Array): string[] {
	const view = new DataView(image.buffer, image.byteOffset, image.byteLength);
	for (const block of blockSizes) {
		if (image.length < 2 * block || view.getUint32(block, true) !== superBlockMagic) continue;
		const inodes = view.getUint32(block + inodeStart, true) * block;
		for (const inodeSize of inodeSizes) {
			const inode = inodes + rootInode * inodeSize;
			if (inode + inodeSize > image.length || view.getUint16(inode, true) !== directory) continue;
			const names = namesIn(view, inode, inodeSize, block);
			if (names[0] === "." && names[1] === "..") return names.slice(2);
		}
	}
	return [];
}

/** Of a directory in its direct blocks; a root of mkfs has no need of others. */
function namesIn(view: DataView, inode: number, inodeSize: number, block: number): string[] {
	const names: string[] = [];
	const size = view.getUint32(inode + sizeAt, true);
	for (let at = 0; at < size; at += entrySize) {
		const address = inode + addressesAt + 4 * Math.floor(at / block);
		if (address + 4 > inode + inodeSize) break;
		const entry = view.getUint32(address, true) * block + (at % block);
		if (entry + entrySize > view.byteLength) break;
		if (view.getUint16(entry, true) === 0) continue;
		const bytes = new Uint8Array(view.buffer, view.byteOffset + entry + 2, entrySize - 2);
		names.push(new TextDecoder().decode(bytes).split("\0", 1)[0] as string);
	}
	return names;
}
