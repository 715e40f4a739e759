import type { Disposable } from "../common/disposable.ts";
import * as layout from "./core/layout.ts";

/** 32-bit words of a record: pc, address, `hart | kind << 4 | log2 of the size << 8 | interrupts on << 12`, value. */
export const recordWords = 4;
/** The core's (layout.WATCHED_*; watch.ts says what each holds), and those that listeners put between them, from `firstOwn` on. */
export const AccessKind = {
	read: 0,
	write: 1,
	swap: 2,
	walk: 3,
	leaf: 4,
	fence: 5,
	call: 6,
	order: 7,
	firstOwn: 8,
} as const;
/** Bits of a swap's value. */
export const foundZero = 1;
export const leftZero = 2;

const capacity = layout.WATCHED_CAPACITY;
/** Bytes that a core's memory needs for the records, and for what it has seen; whole pages of WebAssembly. */
export const accessBytes = Math.ceil(layout.WATCHED_BYTES / 65_536) * 65_536;

/** `count` records from the array's begin, of consecutive numbers from `first` on. The array is used again afterwards. */
export type AccessListener = (records: Uint32Array, count: number, first: number) => void;

/**
 * What supervisor code reads and writes in a range of addresses below 4 GiB, in the order of execution; of a machine that runs
 * core-watch.wasm. An access is told before it is made, a swap (AMO) that changed something after it; of those that a hart repeats
 * between two swaps, fences or stores of 0 the first one (watch.ts). Byte loops that the core
 * runs in bulk (memset, memmove), LR and SC are not told. The run does not depend on whether anybody listens.
 */
export class AccessWatch {
	private listener: AccessListener | undefined;
	private told = 0;
	private wanted: readonly number[] = [];
	private readonly records: Uint32Array;
	/** What the core remembers of accesses, and the harts' epochs. */
	private readonly seen: Uint8Array;

	/** `at`: linear address of `accessBytes` bytes that are its own. */
	constructor(
		private readonly view: DataView,
		private readonly at: number,
	) {
		this.records = new Uint32Array(view.buffer, at, capacity * recordWords);
		this.seen = new Uint8Array(view.buffer, at + layout.WATCHED_SEEN, accessBytes - layout.WATCHED_SEEN);
	}

	/**
	 * Numbers records from 0. `stops`, in rising order: after these records the listener is called at once, with the machine at that
	 * very access. `call`: a function whose calls are told, too, where somebody keeps a breakpoint; `member`: offset of the word to be
	 * told in what its first argument points to. `quiet`: code of which only swaps are told, and where it is `releasing`, too, 4-byte
	 * stores of 0; `own`: memory that no other hart uses.
	 */
	start(
		range: { from: number; to: number },
		stops: readonly number[],
		listener: AccessListener,
		call?: { readonly pc: number; readonly member: number },
		quiet?: { readonly from: number; readonly to: number },
		releasing?: { readonly from: number; readonly to: number },
		own?: { readonly from: number; readonly to: number },
	): Disposable {
		this.listener = listener;
		this.told = 0;
		this.wanted = stops;
		const { view } = this;
		view.setBigUint64(layout.T_WATCHED_FROM, BigInt(range.from), true);
		view.setBigUint64(layout.T_WATCHED_SPAN, BigInt(range.to - range.from), true);
		view.setUint32(layout.T_WATCHED_RECORDS, this.at, true);
		view.setBigUint64(layout.T_WATCHED_CALL, BigInt(call?.pc ?? 0), true);
		view.setUint32(layout.T_WATCHED_MEMBER, call?.member ?? 0, true);
		view.setUint32(layout.T_WATCHED_QUIET, quiet?.from ?? 0, true);
		view.setUint32(layout.T_WATCHED_QUIET_SPAN, quiet ? quiet.to - quiet.from : 0, true);
		// No access has epoch 0.
		this.seen.fill(0);
		new Uint32Array(view.buffer, this.at + layout.WATCHED_EPOCHS, layout.MAX_HARTS).fill(1);
		new Uint32Array(view.buffer, this.at + layout.WATCHED_PRIVATE, 2).set(own ? [own.from, own.to - own.from] : [0, 0]);
		const release = releasing ?? quiet ?? { from: 0, to: 0 };
		new Uint32Array(view.buffer, this.at + layout.WATCHED_RELEASE, 2).set([release.from, release.to - release.from]);
		this.empty();
		return {
			dispose: () => {
				if (this.listener !== listener) return;
				this.flush();
				this.listener = undefined;
				view.setBigUint64(layout.T_WATCHED_SPAN, 0n, true);
			},
		};
	}

	/** Puts a record between the core's; while the machine runs, from a listener of its events. */
	add(hart: number, kind: number, pc: number, address: number, value: number): void {
		if (!this.listener) return;
		const n = this.view.getUint32(layout.T_WATCHED_COUNT, true);
		const at = n * recordWords;
		this.records[at] = pc;
		this.records[at + 1] = address;
		this.records[at + 2] = hart | (kind << 4);
		this.records[at + 3] = value;
		this.view.setUint32(layout.T_WATCHED_COUNT, n + 1, true);
		if (n + 1 >= this.view.getUint32(layout.T_WATCHED_LIMIT, true)) this.flush();
	}

	/** Tells what has not been told yet. */
	readonly flush = (): void => {
		const count = this.view.getUint32(layout.T_WATCHED_COUNT, true);
		const first = this.told;
		this.told += count;
		this.empty();
		if (count > 0) this.listener?.(this.records, count, first);
	};

	private empty(): void {
		const next = this.wanted.find((number) => number >= this.told);
		const room = next === undefined ? capacity : Math.min(capacity, next + 1 - this.told);
		this.view.setUint32(layout.T_WATCHED_COUNT, 0, true);
		this.view.setUint32(layout.T_WATCHED_LIMIT, room, true);
	}
}
