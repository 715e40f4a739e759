import * as layout from "./core/layout.ts";
import { type CoreExports, hartBase } from "./coreAbi.ts";
import type { Hart, InterruptController, PhysicalMemory } from "./types.ts";
import { board } from "./virtBoard.ts";

/** Guest RAM, read where it lies. */
export function physicalMemory(buffer: ArrayBuffer, ramBytes: number): PhysicalMemory {
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
	};
}

/** One hart, read where its state lies. */
export function hartView(view: DataView, core: CoreExports, id: number): Hart {
	const at = hartBase(id);
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
		get instret() {
			return view.getBigUint64(at + layout.H_STEPS, true) - view.getBigUint64(at + layout.H_EXCEPTIONS, true);
		},
		register: (index) => view.getBigUint64(at + layout.H_X + 8 * index, true),
		low: (index) => view.getInt32(at + layout.H_X + 8 * index, true),
		floatRegister: (index) => view.getBigUint64(at + layout.H_F + 8 * index, true),
		csr: (number) => (core.hasCsr(id, number) ? BigInt.asUintN(64, core.peekCsr(id, number)) : undefined),
	};
}

/** The PLIC, read where its state lies. Context 2 * hart + 1 is the hart's supervisor mode. */
export function plicView(view: DataView): InterruptController {
	const bit = (at: number, source: number) =>
		((view.getUint32(at + 4 * (source >> 5), true) >> (source & 31)) & 1) !== 0;
	return {
		claimed: (source) => bit(layout.PLIC_CLAIMED, source),
		pending: (source) => bit(layout.PLIC_PENDING, source),
		reaches: (source, hart) => {
			const context = 2 * hart + 1;
			const priority = view.getUint32(layout.PLIC_PRIORITY + 4 * source, true);
			const threshold = view.getUint32(layout.PLIC_THRESHOLD + 4 * context, true);
			return bit(layout.PLIC_ENABLE + 16 * context, source) && priority > threshold;
		},
	};
}
