import { Emitter } from "../common/event.ts";
import * as layout from "./core/layout.ts";
import * as op from "./core/opcodes.ts";
import { isBranch } from "./jit/instruction.ts";

/** Bits of what is known of an instruction. */
export const Ran = { executed: 1, taken: 2, passed: 4 } as const;

/** A page of code by its content: wherever it lay, and in however many address spaces. */
export interface ExecutedPage {
	/** 4096 bytes; valid until the machine runs again. */
	readonly content: Uint8Array;
	/** {@link Ran} bits of the instruction at an even offset; 0: nothing was executed there. A branch that crosses a page has no ways. */
	ran(offset: number): number;
}

/**
 * Which instructions were executed, and which ways conditional branches went, of a machine that runs core-watch.wasm: an instruction is
 * decoded right before it is executed for the first time, so the decoded records know. (The first instructions of a byte loop are
 * decoded with its end, executed or not.)
 */
export class ExecutedCode {
	private readonly view: DataView;
	private readonly bytes: Uint8Array;
	private readonly drops = new Emitter<void>();
	/** What was executed is about to be forgotten, since decoded pages have run out: the last moment to read it. */
	readonly onDrop = this.drops.event;

	constructor(
		memory: ArrayBuffer,
		/** Forgets all decoded pages. */
		private readonly drop: () => void,
	) {
		this.view = new DataView(memory);
		this.bytes = new Uint8Array(memory);
	}

	/** What the core calls. */
	readonly dropping = (): void => this.drops.fire();

	/** From now on nothing was executed. Between runs; the run does not depend on it. */
	forget(): void {
		this.drop();
	}

	*pages(): Iterable<ExecutedPage> {
		for (const slot of this.slots()) {
			const copy = layout.SLOT_COPY + slot * layout.PAGE_SIZE;
			const records = layout.SLOT_RECORDS + slot * layout.SLOT_RECORDS_STRIDE;
			const ways = layout.HEAT_BASE + slot * layout.HEAT_STRIDE;
			yield {
				content: this.bytes.subarray(copy, copy + layout.PAGE_SIZE),
				ran: (offset) => {
					const code = this.view.getUint8(records + offset * (layout.RECORD_SIZE / 2));
					if (code === op.OP_UNDECODED) return 0;
					if (!isBranch(code)) return Ran.executed;
					return Ran.executed | ((this.view.getUint8(ways + offset) & 3) << 1);
				},
			};
		}
	}

	/** Numbers of the slots in use, as the buckets chain them. */
	private *slots(): Iterable<number> {
		for (let bucket = 0; bucket < layout.SLOT_BUCKET_COUNT; bucket++) {
			let slot = this.view.getUint32(layout.SLOT_BUCKETS + 4 * bucket, true);
			while (slot !== 0) {
				yield slot;
				slot = this.view.getUint32(layout.SLOT_INFO + slot * layout.SLOT_INFO_SIZE + 8, true);
			}
		}
	}
}
