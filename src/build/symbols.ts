import { isElf64 } from "./elf.ts";

const headerSize = 64;
const symbolSize = 24;
const shtSymtab = 2;
/** RELA, REL, GROUP and SYMTAB_SHNDX name symbols by their number (gABI 4, "Section Types"). */
const byNumber: ReadonlySet<number> = new Set([4, 9, 17, 18]);

/**
 * A copy of a linked program without the labels that the compiler made for itself: local symbols without a name or type, or named `.L…`.
 * gcc's assembler leaves them out of its objects; llc's are a quarter of a small program, and the disk has to hold them.
 */
export function withoutLabels(elf: Uint8Array): Uint8Array {
	if (!isElf64(elf)) return elf;
	const view = new DataView(elf.buffer, elf.byteOffset, elf.byteLength);
	const table = Number(view.getBigUint64(0x28, true));
	const count = view.getUint16(0x3c, true);
	if (count === 0 || view.getUint16(0x3a, true) !== headerSize || table + count * headerSize > elf.length) return elf;
	const headers = Array.from({ length: count }, (_, i) => table + i * headerSize);
	const typeOf = (header: number) => view.getUint32(header + 4, true);
	const offsetOf = (header: number) => Number(view.getBigUint64(header + 0x18, true));
	const sizeOf = (header: number) => Number(view.getBigUint64(header + 0x20, true));
	const symbols = headers.find((header) => typeOf(header) === shtSymtab);
	if (symbols === undefined || headers.some((header) => byNumber.has(typeOf(header)))) return elf;
	const names = headers[view.getUint32(symbols + 0x28, true)];
	if (names === undefined) return elf;
	const start = offsetOf(symbols);
	const end = start + sizeOf(symbols);

	const isLabel = (at: number) => {
		const name = offsetOf(names) + view.getUint32(at, true);
		const unnamed = elf[name] === 0 || (elf[name] === 0x2e && elf[name + 1] === 0x4c);
		// Binding in the high half, type in the low one: both 0 for a local symbol of no type.
		return unnamed && elf[at + 4] === 0;
	};
	const kept: Uint8Array[] = [];
	for (let at = start; at + symbolSize <= end; at += symbolSize) {
		// The first entry stands for no symbol, and stays.
		if (at === start || !isLabel(at)) kept.push(elf.subarray(at, at + symbolSize));
	}
	const removed = end - start - kept.length * symbolSize;
	if (removed === 0) return elf;

	const shorter = new Uint8Array(elf.length - removed);
	shorter.set(elf.subarray(0, start));
	for (const [i, symbol] of kept.entries()) shorter.set(symbol, start + i * symbolSize);
	shorter.set(elf.subarray(end), end - removed);
	const out = new DataView(shorter.buffer);
	// An entry is 24 bytes: what comes after keeps its alignment of 8.
	const moved = (offset: number) => (offset >= end ? offset - removed : offset);
	out.setBigUint64(0x28, BigInt(moved(table)), true);
	for (const header of headers) out.setBigUint64(moved(header) + 0x18, BigInt(moved(offsetOf(header))), true);
	out.setBigUint64(moved(symbols) + 0x20, BigInt(end - start - removed), true);
	out.setUint32(moved(symbols) + 0x2c, view.getUint32(symbols + 0x2c, true) - removed / symbolSize, true);
	return shorter;
}
