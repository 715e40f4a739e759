import { UserError } from "../common/errors.ts";
import * as layout from "./core/layout.ts";
import { type CoreExports, hartBase } from "./coreAbi.ts";
import { PageStore, type Snapshot } from "./snapshot.ts";
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
	/** Stamp of the last snapshot that was saved or restored. */
	private saved: number | undefined;

	constructor(
		private readonly bytes: Uint8Array,
		private readonly core: () => CoreExports,
		private readonly shape: { readonly harts: number; readonly ramBytes: number; readonly diskBytes: number },
	) {
		const pages = (shape.ramBytes + shape.diskBytes) / layout.PAGE_SIZE;
		this.pages = new PageStore(bytes, layout.RAM_BASE, pages);
		this.hasher = new PageHasher(bytes.buffer as ArrayBuffer, layout.RAM_BASE, pages);
	}

	snapshot(beside: Beside): Snapshot {
		this.noteDirty();
		this.saved = beside.stamp;
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
		}
		core.stateRestored();
		this.saved = snapshot.stamp;
		// What was written back is not news: the next snapshot compares with this one.
		core.takeDirty();
	}

	/**
	 * Pages, RAM's first, that may have changed since the moment with that stamp, 1 each; undefined where that was not the last saved or
	 * restored. Changes nothing: the core may be running.
	 */
	changedSince(stamp: number): Uint8Array | undefined {
		if (stamp !== this.saved) return undefined;
		return this.pages.changedWith(this.bytes.subarray(layout.DIRTY_BASE, layout.DIRTY_BASE + layout.DIRTY_SIZE));
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
		this.pages.noteDirty(bitmap);
		this.hasher.noteDirty(bitmap);
	}
}
