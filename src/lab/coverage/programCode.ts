import { SHF_EXECINSTR, SHT_NOBITS } from "../../common/elf.ts";
import type { ProgramSymbols } from "../../debuginfo/symbolizer.ts";

const pageBytes = 4096;

interface SourceLine {
	readonly file: string;
	readonly line: number;
}

interface CodePoint {
	/** Of the code that the program's marks are for: its half-word number. */
	readonly at: number;
	/** Its own line first, then the lines of the calls that it was inlined from. Empty: it belongs to no line. */
	readonly lines: readonly SourceLine[];
	/** A conditional branch whose ways are known. */
	readonly jump: boolean;
}

interface CodeFunction extends SourceLine {
	readonly name: string;
	/** Half-word number of its first instruction. */
	readonly at: number;
}

/** Code of one page of the program, as far as it is code. */
export interface CodePiece {
	/** First byte in the page. */
	readonly offset: number;
	readonly bytes: Uint8Array;
	/** Half-word number of its first instruction. */
	readonly at: number;
}

/** What can be executed of a program, by its ELF file: pages to know it by in memory, instructions, lines and functions. */
export class ProgramCode {
	readonly pieces: readonly CodePiece[];
	/** Half words of code in all; marks have a byte for each. */
	readonly size: number;
	/** Half-word numbers of the page with the first instruction of a process; undefined: not known. */
	readonly entryPage: { readonly from: number; readonly to: number } | undefined;
	private readonly sections: readonly { readonly address: number; readonly bytes: Uint8Array; readonly at: number }[];
	private known: readonly CodePoint[] | undefined;
	private knownFunctions: readonly CodeFunction[] | undefined;

	constructor(readonly symbols: ProgramSymbols) {
		const { elf } = symbols;
		let at = 0;
		this.sections = (elf?.sections ?? []).flatMap(({ name, type, flags, address, size }) => {
			if (!(flags & SHF_EXECINSTR) || type === SHT_NOBITS || size < 2) return [];
			const bytes = symbols.attempt(() => elf?.data(name));
			if (!bytes || bytes.length !== size || address % 2 !== 0) return [];
			const section = { address, bytes, at };
			at += size >> 1;
			return [section];
		});
		this.size = at;
		this.pieces = this.sections.flatMap(({ address, bytes, at: first }) => {
			const pieces: CodePiece[] = [];
			for (let from = 0; from < bytes.length; ) {
				const offset = (address + from) % pageBytes;
				const to = Math.min(bytes.length, from + pageBytes - offset);
				pieces.push({ offset, bytes: bytes.subarray(from, to), at: first + (from >> 1) });
				from = to;
			}
			return pieces;
		});
		const entry = elf && this.halfWord(elf.entry);
		const piece = this.pieces.find(
			({ at, bytes }) => entry !== undefined && entry >= at && entry < at + bytes.length / 2,
		);
		this.entryPage = piece && { from: piece.at, to: piece.at + (piece.bytes.length >> 1) };
	}

	/** Half-word number of an address of code. */
	halfWord(address: number): number | undefined {
		const section = this.sections.find((one) => address >= one.address && address < one.address + one.bytes.length);
		return section && section.at + ((address - section.address) >> 1);
	}

	/** All instructions that belong to a line, by address. */
	get points(): readonly CodePoint[] {
		this.known ??= this.sections.flatMap((section) => this.pointsOf(section));
		return this.known;
	}

	get functions(): readonly CodeFunction[] {
		this.knownFunctions ??= (this.symbols.attempt(() => this.symbols.info?.functions) ?? []).flatMap(
			({ name, range, file, line }) => {
				const at = this.halfWord(range.low);
				return at === undefined || file === undefined || line === undefined || line === 0
					? []
					: [{ name, file, line, at }];
			},
		);
		return this.knownFunctions;
	}

	private pointsOf({ address, bytes, at }: { address: number; bytes: Uint8Array; at: number }): CodePoint[] {
		const { symbols } = this;
		const points: CodePoint[] = [];
		let last = { file: "", line: -1, column: -1 };
		let lines: readonly SourceLine[] = [];
		for (let offset = 0; offset + 2 <= bytes.length; ) {
			const low = (bytes[offset] as number) | ((bytes[offset + 1] as number) << 8);
			const length = (low & 3) === 3 ? 4 : 2;
			const pc = address + offset;
			const position = symbols.attempt(() => symbols.info?.lines.lineAt(pc));
			if (!position) {
				lines = [];
				last = { file: "", line: -1, column: -1 };
			} else if (position.file !== last.file || position.line !== last.line || position.column !== last.column) {
				lines = [position, ...this.callsAt(pc)].map(({ file, line }) => ({ file, line }));
				last = position;
			}
			if (lines.length > 0) {
				const straddles = length === 4 && pc % pageBytes === pageBytes - 2;
				points.push({ at: at + (offset >> 1), lines, jump: isConditional(low) && !straddles });
			}
			offset += length;
		}
		return points;
	}

	private callsAt(pc: number): SourceLine[] {
		const frames = this.symbols.attempt(() => this.symbols.info?.functionsAt(pc)) ?? [];
		return frames.flatMap(({ call }) => (call && call.line > 0 ? [call] : []));
	}
}

/** By its low half: BRANCH (beq to bgeu), or c.beqz and c.bnez. */
function isConditional(low: number): boolean {
	if ((low & 0x7f) === 0x63) return ((low >> 12) & 6) !== 2;
	return (low & 3) === 1 && low >> 14 === 3;
}
