import { elfOf, isElf } from "../common/elf.ts";
import { loadElf } from "../machine/elfLoader.ts";
import type { RawImage } from "../machine/loader.ts";
import { board } from "../machine/virtBoard.ts";

const ramBase = BigInt(board.ram.base);
/** Where QEMU puts a kernel that is no ELF file, and where OpenSBI's generic build expects the next stage. */
const nextStage = ramBase + 0x200000n;

/** What a machine starts with: firmware in machine mode, and the kernel that it hands over to (`fw_dynamic` of OpenSBI). */
export interface FirmwareImages {
	/** An ELF file: the firmware. */
	readonly kernel: Uint8Array;
	readonly extraImages: readonly RawImage[];
}

/** Firmware and kernel as ELF files or raw images. Throws UserError as for any kernel that cannot be loaded. */
export function withFirmware(firmware: Uint8Array, kernel: Uint8Array | undefined, ramBytes: number): FirmwareImages {
	return {
		kernel: isElf(firmware) ? firmware : elfOf(firmware, ramBase),
		extraImages: kernel === undefined ? [] : payload(kernel, ramBytes),
	};
}

/** The first image says where the firmware is to jump to. */
function payload(kernel: Uint8Array, ramBytes: number): readonly RawImage[] {
	if (!isElf(kernel)) return [{ physical: nextStage, bytes: kernel }];
	const { entry, segments } = loadElf(kernel, ramBytes);
	return [{ physical: entry, bytes: new Uint8Array(0) }, ...segments];
}
