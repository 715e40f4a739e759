import type { Point, Suspicion } from "./records.ts";
import {
	type PastRead,
	READ,
	READ_PC,
	READ_RECORD,
	recordIn,
	type ShadowPage,
	WRITE,
	WRITE_PC,
	WRITE_RECORD,
	wordSize,
} from "./shadow.ts";

export const hartsMax = 8;

/**
 * Happens-before with harts as threads: a process that moves to another hart does so through its own lock, so there is an edge
 * for every move, and what is reported is ordered by no lock at all.
 */
export class Races {
	/** Of each hart: what it knows of the others' clocks. */
	private readonly clocks = Array.from({ length: hartsMax }, (_, hart) => {
		const clock = new Uint32Array(hartsMax);
		clock[hart] = 1;
		return clock;
	});
	/** By signed address, as that is a small integer. */
	private readonly locks = new Map<number, Uint32Array>();
	private readonly seen = new Set<number>();

	constructor(private readonly report: (suspicion: Suspicion) => void) {}

	acquired(hart: number, lock: number): void {
		const from = this.locks.get(lock | 0);
		const clock = this.clocks[hart];
		if (!from || !clock) return;
		for (let i = 0; i < hartsMax; i++) {
			const theirs = from[i] as number;
			if (theirs > (clock[i] as number)) clock[i] = theirs;
		}
	}

	released(hart: number, lock: number): void {
		const clock = this.clocks[hart];
		if (!clock) return;
		const kept = this.locks.get(lock | 0);
		if (kept) for (let i = 0; i < hartsMax; i++) kept[i] = clock[i] as number;
		else this.locks.set(lock | 0, clock.slice());
		clock[hart] = (clock[hart] as number) + 1;
	}

	/** The lock's memory is used for something else. */
	forget(lock: number): void {
		this.locks.delete(lock | 0);
	}

	/** Of one word. Called for most records: it allocates nothing but for what is unordered. `address` and `pc` may be signed. */
	access(
		page: ShadowPage,
		address: number,
		hart: number,
		pc: number,
		write: number,
		record: number,
		size: number,
	): void {
		const clock = this.clocks[hart];
		if (!clock) return;
		const word = (address & 4095) >>> 2;
		const words = page.of(word);
		const at = word * wordSize;
		const last = words[at + WRITE] as number;
		if (isUnordered(last, hart, clock)) {
			const first = { epoch: last, pc: words[at + WRITE_PC] as number, record: words[at + WRITE_RECORD] as number };
			this.race(address, "write", first, { record, hart, pc, does: write ? "write" : "read", size });
		}
		const epoch = (((clock[hart] as number) << 3) | hart) >>> 0;
		const read = words[at + READ] as number;
		if (!write) {
			if (isUnordered(read, hart, clock)) {
				page.otherReads ??= new Map();
				const others = page.otherReads.get(word);
				if (!others) page.otherReads.set(word, [readIn(words, at)]);
				else keepLast(others, words, at);
			}
			words[at + READ] = epoch;
			words[at + READ_PC] = pc;
			words[at + READ_RECORD] = record;
			return;
		}
		if (isUnordered(read, hart, clock))
			this.race(address, "read", readIn(words, at), { record, hart, pc, does: "write", size });
		if (page.otherReads) {
			for (const first of page.otherReads.get(word) ?? [])
				if (isUnordered(first.epoch, hart, clock))
					this.race(address, "read", first, { record, hart, pc, does: "write", size });
			page.otherReads.delete(word);
		}
		words[at + READ] = 0;
		words[at + WRITE] = epoch;
		words[at + WRITE_PC] = pc;
		words[at + WRITE_RECORD] = record;
	}

	/** Stores of one instruction to `count` words one after the other, or to pairs of words, by records one after the other. */
	fill(page: ShadowPage, address: number, hart: number, pc: number, count: number, record: number, size: number): void {
		const clock = this.clocks[hart];
		if (!clock) return;
		const first = (address & 4095) >>> 2;
		const step = size === 8 ? 2 : 1;
		const to = first + step * count;
		const recordOf = (word: number) => record + Math.floor((word - first) / step);
		const addressOf = (word: number) => (word === first ? address : address - (address & 4095) + word * 4);
		// All at once: a look at a word of a fill would take it out of there.
		const before = page.fills.filter((one) => one.from < to && one.to > first);
		let word = first;
		for (const past of [...before, undefined]) {
			const end = past ? Math.max(past.from, first) : to;
			// No word of a page without words can race.
			if (page.isBlank) word = end;
			for (; word < end; word++) this.access(page, addressOf(word), hart, pc, 1, recordOf(word), size);
			if (!past) break;
			if (isUnordered(past.epoch, hart, clock)) {
				const { epoch } = past;
				const last = { epoch, pc: past.pc >>> 0, record: recordIn(past, word) };
				this.race(addressOf(word), "write", last, { record: recordOf(word), hart, pc, does: "write", size });
			}
			word = Math.min(past.to, to);
		}
		const epoch = (((clock[hart] as number) << 3) | hart) >>> 0;
		page.cover({ from: first, to, epoch, pc, starts: [first, record, step] });
	}

	/** One for each pair of instructions. */
	private race(at: number, does: "read" | "write", { epoch, pc, record }: PastRead, later: Point): void {
		const address = at >>> 0;
		const second = { ...later, pc: later.pc >>> 0 };
		const key = (pc & 0x1fff_ffff) * 0x100_0000 + (second.pc & 0xff_ffff);
		if (this.seen.has(key)) return;
		this.seen.add(key);
		this.report({ kind: "race", address, points: [{ record, hart: epoch & 7, pc, does, size: 0 }, second] });
	}
}

/** Of each hart the last read. */
function keepLast(others: PastRead[], words: Uint32Array, at: number): void {
	const epoch = words[at + READ] as number;
	for (const other of others) {
		if ((other.epoch & 7) !== (epoch & 7)) continue;
		other.epoch = epoch;
		other.pc = words[at + READ_PC] as number;
		other.record = words[at + READ_RECORD] as number;
		return;
	}
	others.push(readIn(words, at));
}

function readIn(words: Uint32Array, at: number): PastRead {
	return {
		epoch: words[at + READ] as number,
		pc: words[at + READ_PC] as number,
		record: words[at + READ_RECORD] as number,
	};
}

/** Nothing orders what happened at an epoch before what the hart, with this clock, does now. */
function isUnordered(epoch: number, hart: number, clock: Uint32Array): boolean {
	return epoch !== 0 && (epoch & 7) !== hart && epoch >>> 3 > (clock[epoch & 7] as number);
}
