/**
 * The boundary between the core (WebAssembly, `core/`) and the host side of the machine. Addresses of state are in
 * `core/layout.ts`; whatever is not a call here is read and written in the shared memory.
 *
 * Life of a core: create the memory (`memoryPages`), instantiate with `CoreImports`, `initialize`, `addDevice`…, load
 * RAM, ROM and disk through views on the memory, set the harts' pc and registers, `run`.
 */

import * as layout from "./core/layout.ts";

export interface CoreImports {
	env: {
		memory: WebAssembly.Memory;
		/** Called by AssemblyScript's runtime on a bug of ours only. */
		abort(): void;
		/** An aligned access of 1, 2, 4 or 8 bytes inside a device's range; the result is zero-extended by the core. With
		 * ACCESS_SPLIT_8 one of 8 bytes comes as two of 4; with ACCESS_8 as one, with the low word of a value. */
		deviceRead(device: number, offset: number, size: number): number;
		deviceWrite(device: number, offset: number, size: number, value: number): void;
		/** At a slice end when M_DEVICE_WORK was set or M_DEVICE_TIME has come: the only place where completions and
		 * console input may change device state or interrupt levels outside of the guest's own accesses. */
		deviceTick(): void;
		/** Event hooks; called only while their EVENT_* bit is set. Details: V_TRAP_* words of the hart, H_SATP. */
		onTrap(hart: number): void;
		onTrapReturn(hart: number): void;
		onRootChange(hart: number): void;
		/** A hart is about to execute at T_STOP_PC, where there is a breakpoint; nonzero: the run stops there. */
		onBreakpoint(hart: number): number;
		/** T_STOP_* say which access was made to the range with this id; nonzero: the run stops after the instruction. */
		onWatchpoint(id: number): number;
		/** Decoded records of a slot changed (breakpoints): what waits for its translation is void. */
		slotChanged(slot: number): void;
		/** The area of kept pages is full and is about to be used again from its start; entries made so far. */
		undoFull(entries: number): void;
		/** Only core-watch.wasm: there are T_WATCHED_LIMIT records of accesses. */
		accessesFull(): void;
		/** Only core-watch.wasm: all slots are about to be forgotten, and with them what was executed. */
		slotsDropped(): void;
		/** A region that sleeps was arrived at: it is to be awake, and its instructions marked in RAN_MARKS. */
		wake(slot: number, offset: number): void;
		/** Code at an offset of a decoded page was arrived at T_HOT times; the translator may change its heat (HEAT_*). */
		translate(slot: number, offset: number): void;
	};
}

export interface CoreExports {
	readonly table: WebAssembly.Table;
	/**
	 * Resets STATE and all caches. Harts start in M-mode at pc 0 with all registers zero (set H_PC, a0, a1 afterwards).
	 * RAM and disk are left untouched. `seed` 0 is plain round robin.
	 */
	initialize(harts: number, ramBytes: number, diskBytes: number, seed: bigint, pmpEnforced: number): void;
	/** Access mask: ACCESS_* bits. Ranges must not overlap RAM, ROM, CLINT or PLIC (those are inside the core). */
	addDevice(base: bigint, size: bigint, device: number, access: number): void;
	/**
	 * Runs exactly `maxSteps` steps (retired instructions of all harts; one that traps counts too) unless it stops
	 * earlier; returns a STOP_* code. How many were run is in M_STEPS. Stopping and going on at any count changes nothing.
	 */
	run(maxSteps: number, flags: number): number;
	/** From inside an import only: the run stops after the current instruction with STOP_REQUESTED. */
	requestStop(): void;
	/** Scheduling policies (core/policy.ts): seeded (0: plain) or directed, from the next round on, and what may come with both. */
	reseed(seed: bigint): void;
	direct(slice: number): void;
	addDecision(hart: number, at: bigint, rounds: number): number;
	wakeEvery(rounds: number): void;
	/** mtime of the next timer event (timer compares of harts, M_DEVICE_TIME); all ones when there is none. */
	nextEventTime(): bigint;

	/** Level of PLIC source 1..127. */
	setIrqLevel(irq: number, level: number): void;
	/** Before the host writes pages of RAM or disk: keeps what a history needs. `ramWritten` comes after. */
	ramWriting(linearPage: number, count: number): void;
	/** A device accessed linear bytes of RAM: for physical watchpoints. */
	deviceAccessed(linear: number, length: number, writes: number): void;
	/** After a debugger's changes: of RAM (and `ramWritten`), of a hart's registers or pc. */
	ramPoked(): void;
	hartChanged(hart: number): void;
	/** After a device wrote guest RAM (or the host patched it): linear pages [page, page + count) have new content. Marks
	 * them dirty, drops decoded code and cached translations that depend on them, breaks reservations in them. */
	ramWritten(linearPage: number, count: number): void;
	/** Linear address of [physical, physical + length) if all of it is RAM, else 0 (read it with >>> 0). For DMA. */
	ramPointer(physical: bigint, length: number): number;

	/** Copies the dirty bitmap to DIRTY_TAKEN, clears it, and makes write TLBs empty so that the next stores mark again. */
	takeDirty(): void;
	/** After STATE was overwritten (restore): drops TLBs and recomputes what is derived. Changed RAM pages: `ramWritten`. */
	stateRestored(): void;
	/** Drops every cache. Without visible effect. */
	dropVolatile(): void;

	/** EVENT_* bits to report. */
	setEventMask(mask: number): void;
	/** 1 on success, 0 when the table is full. */
	addBreakpoint(pc: bigint): number;
	removeBreakpoint(pc: bigint): void;
	/** The hart's next step is made whatever breakpoint is before it. */
	passBreakpoint(hart: number): void;
	/** [start, end) with WATCH_* bits; `onWatchpoint` is asked unless the id is 0. 1 on success. */
	addWatchpoint(start: bigint, end: bigint, access: number, id: number): number;
	removeWatchpoint(start: bigint, end: bigint, access: number, id: number): void;

	/** 1 if the CSR exists. */
	hasCsr(hart: number, csr: number): number;
	/** The CSR as M-mode would read it, without side effects. */
	peekCsr(hart: number, csr: number): bigint;
	/** As an M-mode write; 1 if the CSR can be written. */
	pokeCsr(hart: number, csr: number, value: bigint): number;
	/** Physical address for a virtual one under the hart's satp, or all ones; no access check, no side effects. */
	peekTranslate(hart: number, virtual: bigint): bigint;
	/** The same under a root page table at a physical address. */
	peekTranslateIn(root: bigint, virtual: bigint): bigint;

	/** Going back; see core/undo.ts and history.ts. */
	undoStart(
		entries: number,
		heads: number,
		copies: number,
		copyPages: number,
		state: number,
		out: number,
		outSize: number,
	): void;
	undoStop(): void;
	undoReset(): void;
	undoCount(): number;
	undoCopies(): number;
	undoState(): void;
	undoCollect(from: number, to: number): number;
	undoRevert(from: number, to: number): void;
	undoRevertState(): void;
	undoSwapBegin(log: number): void;
	undoSwap(end: number): number;
	undoOutput(): number;
	/** A virtual page's bit in UNDO_STORES. */
	undoStorePlaceOf(virtual: bigint): number;
	/** Makes RAN_SET; a virtual address's two bits in it, 16 bits of each, and those of its whole page. See core/ran.ts. */
	ranCollect(): void;
	ranPlacesOf(pc: bigint): number;
	ranPagePlacesOf(pc: bigint): number;

	/** For the translator; see core/index.ts. Decodes a record if needed; its linear address. */
	decodeRecord(slot: number, offset: number): number;
	/** Changes when all decoded pages, and the heat with them, were dropped. */
	readonly slotGeneration: WebAssembly.Global;
	/** Forgets all regions and counts of arrivals. */
	dropHeat(): void;
	/** Nobody but translated code calls the rest; jit/module.ts names it and has its types. */
	readonly [helper: string]: unknown;
}

/** Size of the memory that a machine needs, in 64 KiB WebAssembly pages (initial == maximum). */
export function memoryPages(ramBytes: number, diskBytes: number): number {
	return Math.ceil(undoLayout(ramBytes, diskBytes).end / 65536);
}

/** Places of what core/undo.ts keeps, after the disk. */
export function undoLayout(ramBytes: number, diskBytes: number) {
	const pages = Math.ceil(ramBytes / layout.PAGE_SIZE) + Math.ceil(diskBytes / layout.PAGE_SIZE);
	const copyPages = Math.min(pages, layout.UNDO_PAGES_MAX);
	const entries = diskBase(ramBytes) + Math.ceil(diskBytes / layout.PAGE_SIZE) * layout.PAGE_SIZE;
	const state = entries + Math.ceil((8 * pages) / 64) * 64;
	const heads = state + layout.STATE_SIZE;
	const copies = heads + pages * layout.UNDO_LINE;
	const log = copies + copyPages * layout.PAGE_SIZE;
	const out = log + layout.UNDO_BUFFER_SIZE;
	return { entries, state, heads, copies, copyPages, log, out, end: out + layout.UNDO_BUFFER_SIZE };
}

/** Linear address of the disk image. */
export function diskBase(ramBytes: number): number {
	return layout.RAM_BASE + Math.ceil(ramBytes / layout.PAGE_SIZE) * layout.PAGE_SIZE;
}

/** Base of a hart's state; add H_* for state, V_* for tracking words. */
export function hartBase(hart: number): number {
	return layout.HART_BASE + hart * layout.HART_STRIDE;
}
