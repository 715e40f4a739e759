import { isElf64, SHT_SYMTAB, sectionHeadersOf, symbolBytes, symbolsOf, viewOf } from "../common/elf.ts";

/** RELA, REL, GROUP and SYMTAB_SHNDX name symbols by their number (gABI 4, "Section Types"). */
const byNumber: ReadonlySet<number> = new Set([4, 9, 17, 18]);

/**
 * A copy of a linked program without the labels that the compiler made for itself: local symbols without a name or type, or named `.L…`.
 * gcc's assembler leaves them out of its objects; llc's are a quarter of a small program, and the disk has to hold them.
 */
export function withoutLabels(elf: Uint8Array): Uint8Array {
	const headers = (isElf64(elf) && sectionHeadersOf(elf)) || [];
	const symbols = headers.find(({ type }) => type === SHT_SYMTAB);
	if (symbols === undefined || headers.some(({ type }) => byNumber.has(type))) return elf;
	const names = headers[symbols.link];
	const entries = symbolsOf(elf, symbols);
	if (names === undefined || entries === undefined) return elf;
	const start = Number(symbols.offset);
	const end = start + Number(symbols.size);

	const labels = entries.filter(({ name, type, binding }, i) => {
		const at = Number(names.offset) + name;
		const unnamed = elf[at] === 0 || (elf[at] === 0x2e && elf[at + 1] === 0x4c);
		// The first entry stands for no symbol, and stays.
		return i > 0 && unnamed && type === 0 && binding === 0;
	});
	const dropped = new Set(labels.map(({ at }) => at));
	const kept = entries.filter(({ at }) => !dropped.has(at)).map(({ at }) => elf.subarray(at, at + symbolBytes));
	const removed = end - start - kept.length * symbolBytes;
	if (removed === 0) return elf;

	const shorter = new Uint8Array(elf.length - removed);
	shorter.set(elf.subarray(0, start));
	for (const [i, symbol] of kept.entries()) shorter.set(symbol, start + i * symbolBytes);
	shorter.set(elf.subarray(end), end - removed);
	const [view, out] = [viewOf(elf), viewOf(shorter)];
	// An entry is 24 bytes: what comes after keeps its alignment of 8.
	const moved = (offset: number) => (offset >= end ? offset - removed : offset);
	out.setBigUint64(40, BigInt(moved(Number(view.getBigUint64(40, true)))), true);
	for (const { at, offset } of headers) out.setBigUint64(moved(at) + 24, BigInt(moved(Number(offset))), true);
	out.setBigUint64(moved(symbols.at) + 32, BigInt(end - start - removed), true);
	// `sh_info`: the number of the first symbol that is not local.
	out.setUint32(moved(symbols.at) + 44, view.getUint32(symbols.at + 44, true) - removed / symbolBytes, true);
	return shorter;
}
