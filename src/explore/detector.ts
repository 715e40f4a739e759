import { hex } from "../common/bytes.ts";
import { AccessKind, foundZero, leftZero, recordWords } from "../machine/accessWatch.ts";
import { deadlocks } from "./deadlock.ts";
import { Fences } from "./fences.ts";
import type { KernelCode } from "./kernelCode.ts";
import { LockOrder } from "./lockOrder.ts";
import { Lockset } from "./lockset.ts";
import { Mappings } from "./mappings.ts";
import { hartsMax, Races } from "./races.ts";
import { type Held, OwnKind, type Point, type Suspicion } from "./records.ts";
import { ATOMIC, BESIDE, LOCK, Shadow, type ShadowPage } from "./shadow.ts";

/** What the detectors ask of a kernel's image. */
export type DetectedCode = Pick<
	KernelCode,
	"range" | "spinlock" | "isExempt" | "takesLocks" | "pcOf" | "isOfProcess" | "isVariable" | "isScalar" | "scalarsOf"
>;

/**
 * All detectors over the records of one run. Locks are recognised by what is done to them: a word that a swap (AMO) of acquire()
 * takes from 0 is a lock, and a 4-byte store of 0, or a swap to 0, releases it. Words that other AMOs change are flags and counts
 * which order their users, as C's atomic variables do.
 */
export class Detector {
	private readonly suspicions: Suspicion[] = [];
	private readonly told = new Set<string>();
	private readonly report = (suspicion: Suspicion) => {
		const lock = this.inPage.get(Math.floor(suspicion.address / 4096));
		this.suspicions.push(
			lock === undefined ? suspicion : { ...suspicion, beside: { lock, name: this.nameOfLock(lock) } },
		);
	};
	private readonly races = new Races(this.report);
	private readonly fences = new Fences(this.races);
	private readonly lockset = new Lockset(this.report);
	private readonly order: LockOrder;
	private readonly mappings = new Mappings(this.report);
	private readonly shadow: Shadow;
	private readonly holds: Held[][] = Array.from({ length: hartsMax }, () => []);
	/** Calls of acquire() that have not got their lock yet. */
	private readonly calls: Call[][] = Array.from({ length: hartsMax }, () => []);
	private readonly sleeping: ((Point & { readonly lock: number }) | undefined)[] = [];
	/** By signed address. */
	private readonly names = new Map<number, string>();
	/** The last name of each, of those in pages that were freed, too. */
	private readonly allNames = new Map<number, string>();
	/** Locks outside of the kernel's variables, by page. */
	private readonly inPage = new Map<number, number>();

	constructor(
		private readonly code: DetectedCode,
		/** The text at an address of the kernel's; undefined: none can be read. */
		private readonly textAt: (address: number) => string | undefined,
	) {
		this.shadow = new Shadow(code.range.from >>> 12, (page) => code.scalarsOf(page));
		this.order = new LockOrder((lock) => code.isOfProcess(lock));
	}

	/** Spinlocks that a hart holds, the first taken first. */
	held(hart: number): readonly Held[] {
		return this.holds[hart] ?? [];
	}

	/** Locks that were seen, with their names. */
	get lockNames(): ReadonlyMap<number, string> {
		return this.allNames;
	}

	/** What was seen so far, in the order of the run; orders of locks last. */
	findings(): readonly Suspicion[] {
		return [...this.suspicions.filter((one) => !this.fences.isHandOver(one)), ...this.order.cycles()];
	}

	/** Harts that wait for each other now. */
	deadlocks(): readonly Suspicion[] {
		const waiting = this.calls.flatMap((calls, hart) => {
			const call = calls.at(-1);
			if (!call) return [];
			const { lock, pc, record } = call;
			return [{ hart, lock, call: { record, hart, pc, does: "wait" as const, size: 0 } }];
		});
		return deadlocks(waiting, (hart) => this.held(hart));
	}

	/** Addresses are signed on the way to those who look at every record: V8 allocates a number above 2^31 each time that it is passed on. */
	feed(records: Uint32Array, count: number, first: number): void {
		for (let i = 0; i < count; i++) {
			const at = i * recordWords;
			const pc = (records[at] as number) | 0;
			const address = (records[at + 1] as number) | 0;
			const bits = (records[at + 2] as number) | 0;
			const value = (records[at + 3] as number) | 0;
			const kind = (bits >>> 4) & 15;
			if (kind === AccessKind.write && ((records[at + recordWords] as number) | 0) === pc) {
				const run = runLength(records, i, count);
				if (run >= leastRun && this.fill(first + i, pc, address, bits, run)) {
					i += run - 1;
					continue;
				}
			}
			if (kind <= AccessKind.write) this.access(first + i, pc, address, bits, value);
			else this.other(first + i, pc >>> 0, address >>> 0, bits, value >>> 0);
		}
	}

	/** What most records are: a load or a store. Nothing is allocated here. */
	private access(record: number, pc: number, address: number, bits: number, value: number): void {
		const hart = bits & 15;
		const log2 = (bits >>> 8) & 15;
		const held = this.holds[hart];
		if (!held) return;
		const page = this.shadow.page(address);
		const word = (address & 4095) >>> 2;
		const role = page.role[word];
		const write = (bits >>> 4) & 1;
		if (role === LOCK) {
			this.fences.other(hart);
			if (write && log2 === 2 && value === 0) this.release(address >>> 0, record, hart, pc >>> 0, 4);
			else if (write) this.unmark(page, word, address >>> 0);
			return;
		}
		if (role === ATOMIC) {
			this.fences.other(hart);
			if (write) this.races.released(hart, address);
			else this.races.acquired(hart, address);
			return;
		}
		if (page.isTable && write && log2 === 3) this.mappings.stored(hart, pc >>> 0, record, address >>> 0, value >>> 0);
		if (role === BESIDE || this.code.isExempt(pc)) return this.fences.other(hart);
		const first = held[0];
		if ((bits >>> 12) & 1 && first)
			this.once("interrupts-on", first.lock, [this.takenAt(first, hart), pointAt(record, hart, pc >>> 0, "use", 0)]);
		const size = 1 << log2;
		this.races.access(page, address, hart, pc, write, record, size);
		if (log2 === 3 && word < 1023) this.races.access(page, address + 4, hart, pc, write, record, size);
		if (!write) for (let i = 0; i < held.length; i++) (held[i] as Held).looked = true;
		if (page.scalars?.[word] === 1 && this.code.isScalar(address >>> 0))
			this.lockset.access(address >>> 0, pointAt(record, hart, pc >>> 0, write ? "write" : "read", size), held);
		if (write) this.fences.store(hart, address, pc, record);
		else this.fences.load(hart, address, pc, record);
	}

	/** Stores of a loop to so many words one after the other, as one; false: each of them has to be looked at. */
	private fill(record: number, pc: number, address: number, bits: number, count: number): boolean {
		const hart = bits & 15;
		const log2 = (bits >>> 8) & 15;
		const held = this.holds[hart];
		const page = this.shadow.page(address);
		if (page.roles > 0 || page.scalars || (page.isTable && log2 === 3) || this.fences.isReleasing(hart)) return false;
		if (!held || this.code.isExempt(pc) || ((bits >>> 12) & 1 && held.length > 0)) return false;
		this.races.fill(page, address, hart, pc, count, record, 1 << log2);
		this.fences.store(hart, address, pc, record);
		return true;
	}

	private other(record: number, pc: number, address: number, bits: number, value: number): void {
		const hart = bits & 15;
		const held = this.holds[hart];
		if (!held) return;
		const swapped = 1 << ((bits >>> 8) & 15);
		switch ((bits >>> 4) & 15) {
			case AccessKind.order:
				// Those of a lock order its own users.
				if (this.code.isExempt(pc)) this.fences.other(hart);
				else this.fences.fence(hart, value);
				return;
			// acquire(address); value: where the name of the lock is.
			case AccessKind.call:
				this.fences.other(hart);
				this.calls[hart]?.push({ lock: address, pc, record, name: value });
				return;
			case AccessKind.walk:
				this.mappings.walk(hart, this.code.pcOf(pc), record, address, value);
				return;
			case AccessKind.leaf:
				this.shadow.page(address).isTable = true;
				this.mappings.leaf(hart, this.code.pcOf(pc), record, address, value);
				return;
			case AccessKind.fence:
				this.mappings.fence(hart);
				return;
			case AccessKind.swap:
				this.fences.other(hart);
				if (!this.code.takesLocks(pc)) return this.atomic(address, hart);
				this.mark(address);
				if (value & leftZero) this.release(address, record, hart, pc, swapped);
				else if (value & foundZero) this.acquire(address, pointAt(record, hart, pc, "acquire", swapped));
				return;
			case OwnKind.sleep:
				this.sleep(pointAt(record, hart, pc, "sleep", 0), address, held);
				return;
			case OwnKind.trapReturn:
				if (value === 0 && held.length > 0) this.returns(pointAt(record, hart, pc, "return", 0), held);
		}
	}

	private takenAt({ record, swap }: Held, hart: number): Point {
		return { record, hart, pc: swap, does: "acquire", size: 0 };
	}

	/** `what`: of each lock's name the first only. */
	private once(kind: Suspicion["kind"], lock: number, points: readonly Point[]): void {
		const key = `${kind} ${this.nameOfLock(lock)} ${points.at(-1)?.pc}`;
		if (this.told.has(key)) return;
		this.told.add(key);
		this.report({ kind, address: lock, points });
	}

	private nameOfLock(lock: number): string {
		let name = this.names.get(lock | 0);
		if (name === undefined) {
			const call = this.calls.flat().find((one) => one.lock === lock);
			name = (call && this.textAt(call.name)) ?? hex(lock);
			this.names.set(lock | 0, name);
			this.allNames.set(lock, name);
		}
		return name;
	}

	private acquire(lock: number, point: Point): void {
		const { hart } = point;
		const held = this.holds[hart] as Held[];
		const calls = this.calls[hart] as Call[];
		const call = indexOfLock(calls, lock);
		const pc = calls[call]?.pc ?? point.pc;
		const name = this.nameOfLock(lock);
		if (call >= 0) calls.length = call;
		this.races.acquired(hart, lock);
		for (const other of held)
			if (other.lock !== lock) this.order.took(other, this.nameOfLock(other.lock), lock, name, point);
		held.push({ lock, record: point.record, swap: point.pc, pc, looked: false });
	}

	private release(lock: number, record: number, hart: number, pc: number, size: number): void {
		const held = this.holds[hart] as Held[];
		this.races.released(hart, lock);
		const sleep = this.sleeping[hart];
		if (sleep?.lock === lock) {
			// The process's own lock has to be held by now: wakeup() looks at the process under it.
			if (held.length < 2 && !this.code.isOfProcess(lock))
				this.once("sleep-window", lock, [sleep, pointAt(record, hart, pc, "release", size)]);
			this.sleeping[hart] = undefined;
		}
		const at = indexOfLock(held, lock);
		if (at >= 0) {
			if (at === held.length - 1) held.pop();
			else held.splice(at, 1);
			return;
		}
		for (const [other, theirs] of this.holds.entries()) {
			const index = indexOfLock(theirs, lock);
			const [taken] = index < 0 ? [] : theirs.splice(index, 1);
			if (taken)
				this.once("released-by-another", lock, [
					this.takenAt(taken, other),
					pointAt(record, hart, pc, "release", size),
				]);
		}
	}

	private sleep(point: Point, lock: number, held: readonly Held[]): void {
		const own = held.find((one) => one.lock === lock);
		const more = held.find((one) => one.lock !== lock);
		if (own && !own.looked) this.once("sleep-blind", lock, [this.takenAt(own, point.hart), point]);
		if (own && more) this.once("held-at-sleep", more.lock, [this.takenAt(more, point.hart), point]);
		this.sleeping[point.hart] = { ...point, lock };
	}

	private returns(point: Point, held: readonly Held[]): void {
		for (const one of held) this.once("held-in-user-mode", one.lock, [this.takenAt(one, point.hart), point]);
	}

	private atomic(address: number, hart: number): void {
		this.shadow.page(address).setRole((address & 4095) >>> 2, ATOMIC);
		this.races.acquired(hart, address);
		this.races.released(hart, address);
	}

	private mark(lock: number): void {
		const page = this.shadow.page(lock);
		const word = (lock & 4095) >>> 2;
		if (page.role[word] === LOCK) return;
		page.setRole(word, LOCK);
		if (!this.code.isVariable(lock)) this.inPage.set(lock >>> 12, lock);
		for (let i = 1; i < this.code.spinlock.size / 4 && word + i < 1024; i++)
			if (page.role[word + i] === 0) page.setRole(word + i, BESIDE);
	}

	/** Something else is written there: the memory is no lock any more. */
	private unmark(page: ShadowPage, word: number, lock: number): void {
		page.setRole(word, 0);
		for (let i = 1; i < this.code.spinlock.size / 4 && word + i < 1024; i++) {
			if (page.role[word + i] === BESIDE) page.setRole(word + i, 0);
		}
		this.races.forget(lock);
		this.names.delete(lock | 0);
		if (this.inPage.get(lock >>> 12) === lock) this.inPage.delete(lock >>> 12);
	}
}

/** The last one of this lock; -1: none. */
function indexOfLock(list: readonly { readonly lock: number }[], lock: number): number {
	let i = list.length - 1;
	while (i >= 0 && list[i]?.lock !== lock) i--;
	return i;
}

/** Fewer stores in a row are looked at one by one. */
const leastRun = 8;

/** Records from this one on that are the same instruction's stores, by the same hart, to the words of one page in their order. */
function runLength(records: Uint32Array, first: number, count: number): number {
	const at = first * recordWords;
	const pc = records[at];
	const bits = records[at + 2] as number;
	const step = ((bits >>> 8) & 15) === 3 ? 2 : 1;
	const page = (records[at + 1] as number) >>> 12;
	let word = (records[at + 1] as number) >>> 2;
	// A pair of words that lies across two pages is no fill.
	const last = ((page + 1) << 10) - step;
	let i = first + 1;
	for (; i < count; i++) {
		const next = i * recordWords;
		word += step;
		if (records[next] !== pc || records[next + 2] !== bits || word > last) break;
		if ((records[next + 1] as number) >>> 2 !== word) break;
	}
	return i - first;
}

function pointAt(record: number, hart: number, pc: number, does: Point["does"], size: number): Point {
	return { record, hart, pc, does, size };
}

interface Call {
	readonly lock: number;
	/** Where it returns to. */
	readonly pc: number;
	readonly record: number;
	/** Address of the lock's name. */
	readonly name: number;
}
