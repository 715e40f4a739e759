import { UserError } from "../common/errors.ts";
import { sectorSize } from "./devices/virtioBlock.ts";
import type { MachineOptions } from "./types.ts";
import { board } from "./virtBoard.ts";

/** Throws UserError for a machine that cannot be made. */
export function checkOptions(harts: number, ramBytes: number, options: MachineOptions): void {
	const bad = (what: string, next: string) => new UserError("machine-options", what, next);
	if (!Number.isInteger(harts) || harts < 1 || harts > board.maxHarts) {
		throw bad(`A machine with ${harts} harts cannot be made`, `Choose 1 to ${board.maxHarts}.`);
	}
	const step = 64 * 1024;
	if (!Number.isInteger(ramBytes) || ramBytes < 1024 * 1024 || ramBytes > 1024 * 1024 * 1024 || ramBytes % step !== 0) {
		throw bad(`A machine with ${ramBytes} bytes of memory cannot be made`, "Choose 1 MiB to 1 GiB.");
	}
	const { rtc } = options;
	if (rtc !== undefined && !(Number.isSafeInteger(rtc) && rtc >= 0)) {
		throw bad(`A clock cannot begin at ${rtc}`, "Give whole seconds since 1970.");
	}
	for (const disk of [options.disk, options.secondDisk]) checkDisk(disk);
	if (options.secondDisk && !options.disk)
		throw bad("A machine with a second disk only cannot be made", "Give the first one.");
}

function checkDisk(disk: Uint8Array | undefined): void {
	if (disk && (disk.length === 0 || disk.length % sectorSize !== 0 || disk.length > 512 * 1024 * 1024)) {
		const next = `An image is a whole number of ${sectorSize}-byte sectors, at most 512 MiB: make fs.img again.`;
		throw new UserError("disk-image-size", `The disk image has ${disk.length} bytes`, next);
	}
}
