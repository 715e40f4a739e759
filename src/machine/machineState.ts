import { UserError } from "../common/errors.ts";
import * as layout from "./core/layout.ts";
import { type CoreExports, hartBase } from "./coreAbi.ts";
import { forEachDirty, PageStore, type Snapshot } from "./snapshot.ts";
import { Mixer, PageHasher } from "./stateHash.ts";

/** Words of a hart that hold nothing between instructions. */
const transientWords = [
	layout.H_SINK,
	layout.H_SINK + 4,
	layout.H_FAULT,
	layout.H_FAULT_CAUSE,
	layout.H_FAULT_CAUSE + 4,
	layout.H_FAULT_TVAL,
	layout.H_FAULT_TVAL + 4,
];

/** What a snapshot has besides memory. */
type Beside = Pick<Snapshot, "waiting" | "inputs" | "lastStop" | "stamp">;

/** All that a machine's future depends on, kept, put back and hashed: STATE, and the pages of RAM and disk that changed. */
export class MachineState {
	private readonly pages: PageStore;
	private readonly hasher: PageHasher;
	/** Counts how often the core's dirty bits were taken. */
	private epoch = 0;
	/** By page of RAM: the last epoch whose bits had it. */
	private readonly epochs: Uint32Array;
	/** The machine's stamp when its bits were last taken for a mark. */
	private marked = 0;

	constructor(
		private readonly bytes: Uint8Array,
		private readonly core: () => CoreExports,
		private readonly shape: { readonly harts: number; readonly ramBytes: number; readonly diskBytes: number },
	) {
		const pages = (shape.ramBytes + shape.diskBytes) / layout.PAGE_SIZE;
		this.pages = new PageStore(bytes, layout.RAM_BASE, pages);
		this.hasher = new PageHasher(bytes.buffer as ArrayBuffer, layout.RAM_BASE, pages);
		this.epochs = new Uint32Array(shape.ramBytes / layout.PAGE_SIZE);
	}

	snapshot(beside: Beside): Snapshot {
		this.noteDirty();
		const { harts, ramBytes, diskBytes } = this.shape;
		return { harts, ramBytes, diskBytes, state: this.state(), ...beside, pages: this.pages.save() };
	}

	/** Throws UserError `snapshot-damaged` where it is of a machine of another shape. */
	restore(snapshot: Snapshot): void {
		const { harts, ramBytes, diskBytes } = this.shape;
		const devices = (state: Uint8Array, at: number) => new DataView(state.buffer, state.byteOffset).getUint32(at, true);
		const sameShape =
			snapshot.harts === harts &&
			snapshot.ramBytes === ramBytes &&
			snapshot.diskBytes === diskBytes &&
			devices(snapshot.state, layout.DEVICE_TABLE_COUNT - layout.STATE_BASE) ===
				devices(this.bytes, layout.DEVICE_TABLE_COUNT);
		if (!sameShape) {
			const next = "Restore it on a machine with the same harts, memory, disk and network card.";
			throw new UserError("snapshot-damaged", "The snapshot is of a machine of another shape", next);
		}
		this.noteDirty();
		this.bytes.set(snapshot.state, layout.STATE_BASE);
		const core = this.core();
		for (const [first, count] of this.pages.restore(snapshot.pages)) {
			core.ramWritten(layout.RAM_BASE / layout.PAGE_SIZE + first, count);
			this.hasher.invalidate(first, count);
			this.epochs.fill(this.epoch, first, first + count);
		}
		core.stateRestored();
		// What was written back is not news: the next snapshot compares with this one.
		core.takeDirty();
	}

	/**
	 * See types.ts `PageChanges`. `stamp`: the machine's; 0: the core is running, and its bits stay where they are. They are then taken for
	 * changes of after this moment, which is true of more pages than changed.
	 */
	mark(stamp: number): number {
		if (stamp !== 0 && stamp !== this.marked) {
			this.noteDirty();
			this.marked = stamp;
		}
		return this.epoch;
	}

	isChanged(page: number, since: number): boolean {
		if ((this.epochs[page] as number) > since) return true;
		const linear = layout.RAM_BASE / layout.PAGE_SIZE + page;
		return (((this.bytes[layout.DIRTY_BASE + (linear >> 3)] as number) >> (linear & 7)) & 1) !== 0;
	}

	changed(since: number): readonly number[] {
		const { bytes, epochs, epoch } = this;
		const pages: number[] = [];
		if (since < epoch) for (let i = 0; i < epochs.length; i++) if ((epochs[i] as number) > since) pages.push(i);
		const bitmap = bytes.subarray(layout.DIRTY_BASE, layout.DIRTY_BASE + layout.DIRTY_SIZE);
		forEachDirty(bitmap, layout.RAM_BASE / layout.PAGE_SIZE, epochs.length, (page) => pages.push(page));
		return pages;
	}

	/** `waiting`: console input that the guest has not read. */
	hash(waiting: Uint8Array): string {
		this.noteDirty();
		const mix = new Mixer();
		const state = new Uint32Array(this.state().buffer);
		for (let hart = 0; hart < this.shape.harts; hart++) {
			for (const place of transientWords) state[(hartBase(hart) + place - layout.STATE_BASE) / 4] = 0;
		}
		for (const word of state) mix.add(word);
		for (const byte of waiting) mix.add(byte);
		this.hasher.feed(mix);
		return mix.hex;
	}

	/** A copy. */
	state(): Uint8Array {
		return this.bytes.slice(layout.STATE_BASE, layout.STATE_BASE + layout.STATE_SIZE);
	}

	private noteDirty(): void {
		this.core().takeDirty();
		const bitmap = this.bytes.subarray(layout.DIRTY_TAKEN_BASE, layout.DIRTY_TAKEN_BASE + layout.DIRTY_SIZE);
		this.epoch++;
		this.marked = 0;
		forEachDirty(bitmap, layout.RAM_BASE / layout.PAGE_SIZE, this.pages.count, (page) => {
			this.pages.noteChange(page);
			this.hasher.noteChange(page);
			if (page < this.epochs.length) this.epochs[page] = this.epoch;
		});
	}
}
