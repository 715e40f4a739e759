import { bug } from "../common/errors.ts";

/** ELF-64 little-endian (System V gABI 4, section header): offsets of what is needed here. */
const shNobits = 8;
const shfAlloc = 2n;

/** `objcopy -O binary`: the bytes of all sections that are loaded, from the lowest address on, gaps zero. */
export function elfToBinary(elf: Uint8Array): Uint8Array {
	const view = new DataView(elf.buffer, elf.byteOffset, elf.byteLength);
	if (elf.length < 64 || view.getUint32(0) !== 0x7f454c46 || elf[4] !== 2) bug("elfToBinary wants an ELF-64 file");
	const tableOffset = Number(view.getBigUint64(0x28, true));
	const entrySize = view.getUint16(0x3a, true);
	const count = view.getUint16(0x3c, true);
	const loaded: { readonly address: number; readonly bytes: Uint8Array }[] = [];
	for (let i = 0; i < count; i++) {
		const at = tableOffset + i * entrySize;
		const flags = view.getBigUint64(at + 8, true);
		const size = Number(view.getBigUint64(at + 0x20, true));
		if ((flags & shfAlloc) === 0n || view.getUint32(at + 4, true) === shNobits || size === 0) continue;
		const offset = Number(view.getBigUint64(at + 0x18, true));
		loaded.push({ address: Number(view.getBigUint64(at + 0x10, true)), bytes: elf.subarray(offset, offset + size) });
	}
	if (loaded.length === 0) return new Uint8Array();
	const start = Math.min(...loaded.map(({ address }) => address));
	const ends = loaded.map(({ address, bytes }) => address - start + bytes.length);
	const image = new Uint8Array(Math.max(...ends));
	for (const { address, bytes } of loaded) image.set(bytes, address - start);
	return image;
}
