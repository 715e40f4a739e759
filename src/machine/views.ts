import { hex } from "../common/bytes.ts";
import { UserError } from "../common/errors.ts";
import * as layout from "./core/layout.ts";
import { type CoreExports, hartBase } from "./coreAbi.ts";
import type { Hart, InterruptController, PhysicalMemory } from "./types.ts";
import { board } from "./virtBoard.ts";

/** Guest RAM, read where it lies; `put` writes to a physical range that is all RAM. */
export function physicalMemory(
	buffer: ArrayBuffer,
	ramBytes: number,
	put: (address: bigint, bytes: Uint8Array) => void,
): PhysicalMemory {
	const view = new DataView(buffer);
	const base = BigInt(board.ram.base);
	const pointer = (address: bigint, length: number) => {
		const offset = address - base;
		return offset >= 0n && offset + BigInt(length) <= BigInt(ramBytes) ? layout.RAM_BASE + Number(offset) : undefined;
	};
	return {
		base,
		size: ramBytes,
		bytes: () => new Uint8Array(buffer, layout.RAM_BASE, ramBytes),
		readU64: (address) => {
			const at = pointer(address, 8);
			return at === undefined ? undefined : view.getBigUint64(at, true);
		},
		readU32: (address) => {
			const at = pointer(address, 4);
			return at === undefined ? undefined : view.getUint32(at, true);
		},
		write: (address, bytes) => {
			if (pointer(address, bytes.length) === undefined) {
				const where = `[${hex(address)}, +${bytes.length})`;
				throw new UserError("machine-options", `${where} is not all in RAM`, "Give an address in RAM.");
			}
			if (bytes.length > 0) put(address, bytes);
		},
	};
}

/** One hart, read where its state lies; `changed` follows each change of it. */
export function hartView(view: DataView, core: CoreExports, id: number, changed: () => void): Hart {
	const at = hartBase(id);
	/** Inside of its turn the count of steps is in the words that the core runs with. */
	const steps = () =>
		view.getUint32(layout.T_RUNNING, true) === id + 1
			? view.getBigUint64(at + layout.V_STEPS_END, true) - BigInt(view.getUint32(at + layout.V_LEFT, true))
			: view.getBigUint64(at + layout.H_STEPS, true);
	const set = (offset: number, value: bigint) => {
		view.setBigUint64(at + offset, BigInt.asUintN(64, value), true);
		core.hartChanged(id);
		changed();
	};
	return {
		id,
		get pc() {
			return view.getBigUint64(at + layout.H_PC, true);
		},
		get mode() {
			return view.getUint32(at + layout.H_MODE, true) as 0 | 1 | 3;
		},
		get waiting() {
			return view.getUint32(at + layout.H_WAITING, true) !== 0;
		},
		get spins() {
			return view.getUint32(at + layout.H_SPIN_STATE, true) === layout.SPIN_RESTS;
		},
		get instret() {
			return steps() - view.getBigUint64(at + layout.H_EXCEPTIONS, true);
		},
		register: (index) => view.getBigUint64(at + layout.H_X + 8 * index, true),
		low: (index) => view.getInt32(at + layout.H_X + 8 * index, true),
		floatRegister: (index) => view.getBigUint64(at + layout.H_F + 8 * index, true),
		csr: (number) => (core.hasCsr(id, number) ? BigInt.asUintN(64, core.peekCsr(id, number)) : undefined),
		get steps() {
			return steps();
		},
		setPc: (value) => {
			view.setUint32(at + layout.H_WAITING, 0, true);
			set(layout.H_PC, value & ~1n);
		},
		setRegister: (index, value) => {
			if (index > 0 && index < 32) set(layout.H_X + 8 * index, value);
		},
		setFloatRegister: (index, value) => {
			if (index >= 0 && index < 32) set(layout.H_F + 8 * index, value);
		},
		setCsr: (number, value) => {
			const done = core.pokeCsr(id, number, BigInt.asIntN(64, value)) !== 0;
			if (done) changed();
			return done;
		},
	};
}

/** The PLIC, read where its state lies. */
export function plicView(view: DataView): InterruptController {
	/** Of supervisor mode. */
	const context = (hart: number) => 2 * hart + 1;
	const bit = (at: number, source: number) =>
		((view.getUint32(at + 4 * (source >> 5), true) >> (source & 31)) & 1) !== 0;
	return {
		claimed: (source) => bit(layout.PLIC_CLAIMED, source),
		pending: (source) => bit(layout.PLIC_PENDING, source),
		priority: (source) => view.getUint32(layout.PLIC_PRIORITY + 4 * source, true),
		enabled: (source, hart) => bit(layout.PLIC_ENABLE + 16 * context(hart), source),
		threshold: (hart) => view.getUint32(layout.PLIC_THRESHOLD + 4 * context(hart), true),
	};
}
