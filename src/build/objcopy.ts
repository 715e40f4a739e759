import { isElf64, SHF_ALLOC } from "../common/elf.ts";
import { bug } from "../common/errors.ts";
import { sectionsOf } from "./elf.ts";

/** `objcopy -O binary`: the bytes of all sections that are loaded, from the lowest address on, gaps zero. */
export function elfToBinary(elf: Uint8Array): Uint8Array {
	if (!isElf64(elf)) bug("elfToBinary wants an ELF-64 file");
	const loaded = sectionsOf(elf)
		.filter(({ flags, bytes }) => (flags & SHF_ALLOC) !== 0n && bytes.length > 0)
		.map(({ address, bytes }) => ({ address: Number(address), bytes }));
	if (loaded.length === 0) return new Uint8Array();
	const start = Math.min(...loaded.map(({ address }) => address));
	const ends = loaded.map(({ address, bytes }) => address - start + bytes.length);
	const image = new Uint8Array(Math.max(...ends));
	for (const { address, bytes } of loaded) image.set(bytes, address - start);
	return image;
}
