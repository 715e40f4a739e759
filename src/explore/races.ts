import type { Point, Suspicion } from "./records.ts";
import type { ShadowPage } from "./shadow.ts";

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
	private readonly locks = new Map<number, Uint32Array>();
	private readonly seen = new Set<number>();

	constructor(private readonly report: (suspicion: Suspicion) => void) {}

	acquired(hart: number, lock: number): void {
		const from = this.locks.get(lock);
		const clock = this.clocks[hart];
		if (!from || !clock) return;
		for (let i = 0; i < hartsMax; i++) clock[i] = Math.max(clock[i] as number, from[i] as number);
	}

	released(hart: number, lock: number): void {
		const clock = this.clocks[hart];
		if (!clock) return;
		const kept = this.locks.get(lock);
		if (kept) kept.set(clock);
		else this.locks.set(lock, clock.slice());
		clock[hart] = (clock[hart] as number) + 1;
	}

	/** The lock's memory is used for something else. */
	forget(lock: number): void {
		this.locks.delete(lock);
	}

	access(
		page: ShadowPage,
		address: number,
		hart: number,
		pc: number,
		write: boolean,
		record: number,
		size: number,
	): void {
		const clock = this.clocks[hart];
		if (!clock) return;
		const word = (address & 4095) >>> 2;
		const last = page.write[word] as number;
		const unordered = (epoch: number) =>
			epoch !== 0 && (epoch & 7) !== hart && epoch >>> 3 > (clock[epoch & 7] as number);
		const point = (): Point => ({ record, hart, pc, does: write ? "write" : "read", size });
		if (unordered(last)) {
			this.race(address, page.writePc[word] as number, pc, () => [
				{
					record: page.writeRecord[word] as number,
					hart: last & 7,
					pc: page.writePc[word] as number,
					does: "write",
					size: 0,
				},
				point(),
			]);
		}
		const epoch = (((clock[hart] as number) << 3) | hart) >>> 0;
		const read = page.read[word] as number;
		if (!write) {
			if (unordered(read)) {
				const others = (page.otherReads.get(word) ?? []).filter((other) => (other.epoch & 7) !== (read & 7));
				others.push({ epoch: read, pc: page.readPc[word] as number, record: page.readRecord[word] as number });
				page.otherReads.set(word, others);
			}
			page.read[word] = epoch;
			page.readPc[word] = pc;
			page.readRecord[word] = record;
			return;
		}
		const reads = [
			{ epoch: read, pc: page.readPc[word] as number, record: page.readRecord[word] as number },
			...(page.otherReads.get(word) ?? []),
		];
		for (const one of reads) {
			if (!unordered(one.epoch)) continue;
			this.race(address, one.pc, pc, () => [
				{ record: one.record, hart: one.epoch & 7, pc: one.pc, does: "read", size: 0 },
				point(),
			]);
		}
		page.otherReads.delete(word);
		page.read[word] = 0;
		page.write[word] = epoch;
		page.writePc[word] = pc;
		page.writeRecord[word] = record;
	}

	/** One for each pair of instructions. */
	private race(address: number, first: number, second: number, points: () => readonly Point[]): void {
		const key = (first & 0x1fff_ffff) * 0x100_0000 + (second & 0xff_ffff);
		if (this.seen.has(key)) return;
		this.seen.add(key);
		this.report({ kind: "race", address, points: points() });
	}
}
