import { loadElf } from "../../machine/elfLoader.ts";

const SYSTEM = 0x73;
const pmpaddr0 = 0x3b0;

/** Whether the kernel's code has an instruction that accesses pmpaddr0. */
export function setsPmp(kernel: Uint8Array): boolean {
	// Where a segment is to lie does not matter here.
	const { segments } = loadElf(kernel, 1024 * 1024 * 1024);
	return segments.some(({ bytes }) => {
		const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
		for (let at = 0; at + 4 <= bytes.length; at += 2) {
			const word = view.getUint32(at, true);
			// Any CSR instruction has a funct3 other than 0 (unprivileged ISA, chapter "Zicsr").
			if ((word & 0x7f) === SYSTEM && ((word >>> 12) & 7) !== 0 && word >>> 20 === pmpaddr0) return true;
		}
		return false;
	});
}
