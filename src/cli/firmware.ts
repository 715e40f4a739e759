import { elfOf, isElf } from "../common/elf.ts";
import { UserError } from "../common/errors.ts";
import type { Chosen } from "../machine/deviceTree.ts";
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
	readonly chosen?: Chosen;
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

const mostKernel = 512 * 1024 * 1024;

/** The images with an initial RAM disk where QEMU puts it (hw/riscv/boot.c, riscv_load_initrd), and what the kernel is told. */
export function withBoot(
	images: FirmwareImages,
	initrd: Uint8Array | undefined,
	bootargs: string | undefined,
	ramBytes: number,
): FirmwareImages {
	const physical = nextStage + BigInt(Math.min(ramBytes / 2, mostKernel));
	if (initrd && Number(physical - ramBase) + initrd.length > ramBytes) {
		const what = `The initial RAM disk has ${Math.ceil(initrd.length / 1048576)} MiB, more than fits into the upper half of memory`;
		throw new UserError("usage", what, "Give the machine more memory with -m.");
	}
	return {
		...images,
		extraImages: [...images.extraImages, ...(initrd ? [{ physical, bytes: initrd }] : [])],
		chosen: {
			...(bootargs === undefined ? {} : { bootargs }),
			rtc: true,
			...(initrd ? { initrd: { physical, length: initrd.length } } : {}),
		},
	};
}
