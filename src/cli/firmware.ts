import { loadElf } from "../machine/elfLoader.ts";
import type { RawImage } from "../machine/loader.ts";
import { board } from "../machine/virtBoard.ts";

const ramBase = BigInt(board.ram.base);
/** Where QEMU puts a kernel that is no ELF file, and where OpenSBI's generic build expects the next stage. */
const nextStage = ramBase + 0x200000n;

const isElf = (bytes: Uint8Array) => [0x7f, 0x45, 0x4c, 0x46].every((byte, i) => bytes[i] === byte);

/** What a machine starts with: firmware in machine mode, and the kernel that it hands over to (`fw_dynamic` of OpenSBI). */
export interface FirmwareImages {
	/** An ELF file: the firmware. */
	readonly kernel: Uint8Array;
	readonly extraImages: readonly RawImage[];
}

/** Firmware and kernel as ELF files or raw images. Throws UserError as for any kernel that cannot be loaded. */
export function withFirmware(firmware: Uint8Array, kernel: Uint8Array | undefined, ramBytes: number): FirmwareImages {
	return {
		kernel: isElf(firmware) ? firmware : asElf(firmware),
		extraImages: kernel === undefined ? [] : payload(kernel, ramBytes),
	};
}

/** The first image says where the firmware is to jump to. */
function payload(kernel: Uint8Array, ramBytes: number): readonly RawImage[] {
	if (!isElf(kernel)) return [{ physical: nextStage, bytes: kernel }];
	const { entry, segments } = loadElf(kernel, ramBytes);
	return [{ physical: entry, bytes: new Uint8Array(0) }, ...segments];
}

/** An ELF64 file of one segment at the start of RAM. */
function asElf(image: Uint8Array): Uint8Array {
	const start = 64 + 56;
	const file = new Uint8Array(start + image.length);
	const view = new DataView(file.buffer);
	file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
	view.setUint16(16, 2, true);
	view.setUint16(18, 243, true);
	view.setUint32(20, 1, true);
	view.setBigUint64(24, ramBase, true);
	view.setBigUint64(32, 64n, true);
	view.setUint16(52, 64, true);
	view.setUint16(54, 56, true);
	view.setUint16(56, 1, true);
	view.setUint32(64, 1, true);
	view.setUint32(68, 7, true);
	view.setBigUint64(72, BigInt(start), true);
	view.setBigUint64(80, ramBase, true);
	view.setBigUint64(88, ramBase, true);
	view.setBigUint64(96, BigInt(image.length), true);
	view.setBigUint64(104, BigInt(image.length), true);
	file.set(image, start);
	return file;
}
