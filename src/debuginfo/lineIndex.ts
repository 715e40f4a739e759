import type { LineRow } from "./lines.ts";
import type { AddressRange, Die } from "./unit.ts";

export interface LinePosition {
	readonly file: string;
	readonly line: number;
	readonly column: number;
}

/** A function that holds a pc, or one that is inlined there. */
interface FunctionCode {
	readonly inlined: boolean;
	readonly die: Die;
}

/** Which line an instruction is of, and which instructions a line has, by the line tables of a whole program. */
export class LineIndex {
	private sorted: readonly LineRow[] | undefined;
	private fileNames: ReadonlySet<string> | undefined;

	constructor(
		/** Rows of all units; asked once, at the first question. */
		private readonly read: () => readonly LineRow[],
		/** The functions that hold a pc, innermost first. */
		private readonly functionsAt: (pc: number) => readonly FunctionCode[],
	) {}

	/** All rows of all units, by address; at one address an end of a sequence comes before the next sequence's start. */
	private get rows(): readonly LineRow[] {
		this.sorted ??= this.read()
			.map((row, order) => ({ row, order }))
			.sort((a, b) => a.row.address - b.row.address || Number(b.row.end) - Number(a.row.end) || a.order - b.order)
			.map(({ row }) => row);
		return this.sorted;
	}

	/** Index of the last row at or below an address; -1: none. */
	private rowBefore(pc: number): number {
		const { rows } = this;
		let low = 0;
		let high = rows.length;
		while (low < high) {
			const middle = (low + high) >> 1;
			if ((rows[middle] as LineRow).address <= pc) low = middle + 1;
			else high = middle;
		}
		return low - 1;
	}

	/** Source line of an instruction. */
	lineAt(pc: number): LinePosition | undefined {
		// A row with line 0 belongs to no line: the compiler made the code up.
		const row = this.rows[this.rowBefore(pc)];
		if (!row || row.end || row.line === 0) return undefined;
		return { file: row.file, line: row.line, column: row.column };
	}

	/**
	 * Where code of a line begins: the lowest statement of it in each function that has code of it, an inlined one once for each place that it
	 * is inlined at. (A `for` line has more statements, its increment for one, that are no beginnings.)
	 */
	addressesOf(file: string, line: number): number[] {
		const statements = new Map<Die | undefined, number>();
		const others = new Map<Die | undefined, number>();
		const empty: number[] = [];
		for (const [i, row] of this.rows.entries()) {
			if (row.end || row.line !== line || !sameFile(row.file, file)) continue;
			// Optimized code has rows without an instruction: the last row at an address has its code.
			if (!this.hasCode(i)) {
				if (row.statement) empty.push(row.address);
				continue;
			}
			const found = row.statement ? statements : others;
			const key = this.functionsAt(row.address)[0]?.die;
			const before = found.get(key);
			if (before === undefined || row.address < before) found.set(key, row.address);
		}
		const addresses = [statements.values(), others.values(), empty]
			.map((list) => [...list])
			.find((list) => list.length > 0);
		return [...new Set(addresses ?? [])].sort((a, b) => a - b);
	}

	private hasCode(index: number): boolean {
		const row = this.rows[index] as LineRow;
		let last = row;
		for (let i = index + 1; this.rows[i]?.address === row.address; i++) last = this.rows[i] as LineRow;
		return !last.end && last.line === row.line && last.file === row.file;
	}

	/** Where a breakpoint on a line belongs: at its code, but past the prologue where it is the line that a function begins with. */
	breakpointsOf(file: string, line: number): number[] {
		return [...new Set(this.addressesOf(file, line).map((address) => this.pastPrologue(address)))].sort(
			(a, b) => a - b,
		);
	}

	/** The first line from `line` on that has code, as long as it is in the same function or before the next one. */
	nextLineWithCode(file: string, line: number): number | undefined {
		let best: number | undefined;
		for (const row of this.rows)
			if (
				!row.end &&
				row.statement &&
				row.line >= line &&
				(best === undefined || row.line < best) &&
				sameFile(row.file, file)
			)
				best = row.line;
		return best;
	}

	/** Lines of a file that have code, in order. */
	linesWithCode(file: string): number[] {
		const lines = new Set<number>();
		for (const row of this.rows)
			if (!row.end && row.statement && row.line > 0 && sameFile(row.file, file)) lines.add(row.line);
		return [...lines].sort((a, b) => a - b);
	}

	/** Source files that have code, as the compiler recorded them. */
	get files(): ReadonlySet<string> {
		this.fileNames ??= new Set(this.rows.filter((row) => !row.end).map((row) => row.file));
		return this.fileNames;
	}

	/** A statement of its line begins at this address. */
	isStatement(pc: number): boolean {
		for (let i = this.rowBefore(pc); i >= 0; i--) {
			const row = this.rows[i] as LineRow;
			if (row.address !== pc) return false;
			if (!row.end && row.statement && row.line > 0) return true;
		}
		return false;
	}

	/** The lowest statement of each line within a function's code, lines that other functions were inlined from left out. */
	lineStarts(ranges: readonly AddressRange[]): number[] {
		const starts = new Map<string, number>();
		for (const { low, high } of ranges) {
			for (let i = this.rowBefore(low - 1) + 1; i < this.rows.length; i++) {
				const row = this.rows[i] as LineRow;
				if (row.address >= high) break;
				if (row.end || !row.statement || row.line === 0 || !this.hasCode(i)) continue;
				if (this.functionsAt(row.address)[0]?.inlined) continue;
				const key = `${row.file}:${row.line}`;
				const before = starts.get(key);
				if (before === undefined || row.address < before) starts.set(key, row.address);
			}
		}
		return [...starts.values()].sort((a, b) => a - b);
	}

	/** Moves the first instruction of a function past its prologue, as the compiler or the second row tells; other addresses stay. */
	pastPrologue(address: number): number {
		const frame = this.functionsAt(address).at(-1);
		const range = frame?.die.unit.ranges(frame.die).find(({ low }) => low === address);
		if (!range) return address;
		let second: number | undefined;
		for (let i = this.rowBefore(address - 1) + 1; i < this.rows.length; i++) {
			const row = this.rows[i] as LineRow;
			if (row.address >= range.high) break;
			if (row.address < address || row.end) continue;
			if (row.prologueEnd) return row.address;
			if (row.address > address && row.line > 0) second ??= row.address;
		}
		return second ?? address;
	}
}

/** Names agree when one ends with the other at a folder's edge: builds record relative and absolute ones. */
export function sameFile(a: string, b: string): boolean {
	return a === b || a.endsWith(`/${b}`) || b.endsWith(`/${a}`);
}
