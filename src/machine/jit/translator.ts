// When code is translated, and where its translations live.
//
// The core offers code that it arrived at often enough (execute.ts). Regions are written at once and compiled in batches. A
// module costs much more than its functions, and each one that imports the table makes all changes of it slower; so when
// there are more than `modulesMax` the smallest are compiled again as one. When the cache is full everything is dropped and begins again: heat,
// regions and table elements are caches, nothing of them can be seen by a guest.

import * as layout from "../core/layout.ts";
import * as op from "../core/opcodes.ts";
import type { CoreExports } from "../coreAbi.ts";
import { translateRegion } from "./emitRegion.ts";
import { readRecord } from "./instruction.ts";
import { assembleModule, importsOf } from "./module.ts";
import { defaultLimits, discover, type Region } from "./region.ts";
import type { FunctionBody } from "./wasmWriter.ts";

export interface TranslatorOptions {
	/** Arrivals after which code is translated. */
	readonly hot: number;
	/** Regions that are compiled together, and steps after which fewer are. */
	readonly batch: number;
	readonly patience: number;
	/** Each region is compiled by itself at first, without ways to other regions. */
	readonly atOnce: boolean;
	/** Regions after which the cache is dropped. */
	readonly regionsMax: number;
	/** Bytes of WebAssembly after which it is dropped. */
	readonly bytesMax: number;
	readonly modulesMax: number;
}

export const normalOptions: TranslatorOptions = {
	hot: 500,
	batch: 24,
	patience: 1_000_000,
	atOnce: false,
	regionsMax: 6000,
	bytesMax: 12 << 20,
	modulesMax: 16,
};

/** Translates what is executed once, at once. */
export const eagerOptions: TranslatorOptions = { ...normalOptions, hot: 1, batch: 250, atOnce: true };

export interface TranslatorStatistics {
	regions: number;
	instructions: number;
	modules: number;
	merges: number;
	drops: number;
	refused: number;
	irreducible: number;
	/** Bytes of WebAssembly compiled, merges included. */
	bytes: number;
}

interface Translated {
	readonly heatAt: number;
	readonly body: FunctionBody;
	/** Value of its heat when it is compiled. */
	readonly heat: number;
	/** Offsets of its instructions. */
	readonly offsets: Uint16Array;
}

interface Batch {
	readonly regions: readonly Translated[];
	readonly bytes: number;
}

const tableStep = 512;
const voidedMax = 3;
const hotMax = 1000;

export class Translator {
	readonly statistics: TranslatorStatistics = {
		regions: 0,
		instructions: 0,
		modules: 0,
		merges: 0,
		drops: 0,
		refused: 0,
		irreducible: 0,
		bytes: 0,
	};
	private readonly view: DataView;
	private readonly imports: WebAssembly.Imports;
	private waiting: Translated[] = [];
	private waitingBytes = 0;
	private waitingSince = 0;
	private batches: Batch[] = [];
	private cachedBytes = 0;
	private next = layout.HEAT_CODE;
	private generation: number;
	/** Regions that can be entered, by the place of their heat: those of which nothing is noted yet sleep (core/ran.ts). */
	private awake = new Map<number, Translated>();
	private asleep = new Map<number, Translated>();
	/** How often decoded pages ran out: code that changes all the time has to run longer before it is worth a translation. */
	private voided = 0;
	private hot: number;

	constructor(
		private readonly core: CoreExports,
		memory: WebAssembly.Memory,
		private readonly options: TranslatorOptions,
	) {
		this.view = new DataView(memory.buffer);
		this.imports = importsOf(core, memory);
		this.generation = core.slotGeneration.value;
		this.hot = options.hot;
		this.view.setUint32(layout.T_HOT, this.hot, true);
	}

	/** Regions that exist now. */
	get live(): number {
		return this.next - layout.HEAT_CODE;
	}

	/** The core arrived at this place often. */
	offer(slot: number, offset: number): void {
		if (this.core.slotGeneration.value !== this.generation) this.forget();
		const heatAt = layout.HEAT_BASE + slot * layout.HEAT_STRIDE + offset;
		this.view.setUint16(heatAt, layout.HEAT_QUIET, true);
		const read = (at: number) => readRecord(this.view, this.core.decodeRecord(slot, at) >>> 0, at);
		const records = layout.SLOT_RECORDS + slot * layout.SLOT_RECORDS_STRIDE;
		const isDecoded = (at: number) => this.view.getUint8(records + at * (layout.RECORD_SIZE / 2)) !== op.OP_UNDECODED;
		// What never ran in all the arrivals up to here is an error's way, as `panic` is.
		const region = discover(read, offset, defaultLimits, this.options.atOnce ? undefined : isDecoded);
		if (!region) {
			this.statistics.refused++;
			return;
		}
		const { body, instructions, irreducible } = translateRegion(region, slot, true);
		this.statistics.instructions += instructions;
		this.statistics.irreducible += irreducible;
		if (
			this.live >= this.options.regionsMax ||
			this.cachedBytes + this.waitingBytes + body.code.length > this.options.bytesMax
		) {
			this.dropAll();
			return;
		}
		if (this.waiting.length === 0) this.waitingSince = this.steps;
		const translated = { heatAt, body, heat: this.next++, offsets: offsetsOf(region) };
		this.waiting.push(translated);
		this.waitingBytes += body.code.length;
		if (this.options.atOnce) {
			this.install([{ ...translated, body: translateRegion(region, slot, false).body }], false);
			this.open(translated);
		}
		if (this.waiting.length >= this.options.batch) this.flush();
		else this.tick();
	}

	/** Records of a slot changed: regions of it that wait to be compiled are void. The core forgot those that were. */
	slotChanged(slot: number): void {
		const first = layout.HEAT_BASE + slot * layout.HEAT_STRIDE;
		const void_ = ({ heatAt }: Translated) => heatAt >= first && heatAt < first + layout.HEAT_STRIDE;
		for (const one of this.waiting) if (void_(one)) this.waitingBytes -= one.body.code.length;
		this.waiting = this.waiting.filter((one) => !void_(one));
		for (const regions of [this.awake, this.asleep]) {
			for (const [heatAt, one] of regions) if (void_(one)) regions.delete(heatAt);
		}
	}

	/** The region can be entered, and all of it is taken for executed. */
	private open(region: Translated): void {
		const { heatAt, heat, offsets } = region;
		this.view.setUint16(heatAt, heat, true);
		this.awake.set(heatAt, region);
		this.asleep.delete(heatAt);
		const slot = Math.floor((heatAt - layout.HEAT_BASE) / layout.HEAT_STRIDE);
		const marks = layout.RAN_MARKS + slot * layout.RAN_MARKS_STRIDE;
		for (const offset of offsets) {
			const at = marks + (offset >> 1);
			this.view.setUint8(at, this.view.getUint8(at) | layout.RAN_REGION);
		}
	}

	/** The core arrived at a region that sleeps. */
	wake(slot: number, offset: number): void {
		this.open(this.asleep.get(layout.HEAT_BASE + slot * layout.HEAT_STRIDE + offset) as Translated);
	}

	/** From here on it counts which regions are entered. Between runs. */
	sleep(): void {
		if (this.core.slotGeneration.value !== this.generation) this.forget();
		for (const [heatAt, region] of this.awake) {
			this.view.setUint16(heatAt, layout.HEAT_ASLEEP, true);
			this.asleep.set(heatAt, region);
		}
		this.awake.clear();
	}

	/** Steps after which `tick` is due. */
	get dueAfter(): number {
		return this.waiting.length > 0 ? this.options.patience : Number.POSITIVE_INFINITY;
	}

	/** Between runs: fewer than a batch do not wait for ever. */
	tick(): void {
		if (this.waiting.length > 0 && this.steps - this.waitingSince >= this.options.patience) this.flush();
	}

	private get steps(): number {
		return Number(this.view.getBigUint64(layout.M_STEPS, true));
	}

	private flush(): void {
		if (this.core.slotGeneration.value !== this.generation) {
			this.forget();
			return;
		}
		const regions = this.waiting;
		this.waiting = [];
		this.waitingBytes = 0;
		this.compile(regions);
		for (const region of regions) this.open(region);
		this.statistics.regions += regions.length;
		if (this.batches.length > this.options.modulesMax) this.merge();
	}

	private compile(regions: readonly Translated[]): void {
		const bytes = this.install(regions, true);
		this.batches.push({ regions, bytes });
		this.cachedBytes += bytes;
	}

	/** Makes a module and puts its functions into the table; returns its size. */
	private install(regions: readonly Translated[], chained: boolean): number {
		const bytes = assembleModule(
			regions.map(({ body }) => body),
			chained,
		);
		const { exports } = new WebAssembly.Instance(
			new WebAssembly.Module(bytes as Uint8Array<ArrayBuffer>),
			this.imports,
		);
		const { table } = this.core;
		const end =
			regions.reduce((most, { heat }) => Math.max(most, heat), 0) - layout.HEAT_CODE + layout.REGION_TABLE + 1;
		if (table.length < end) table.grow(Math.ceil((end - table.length) / tableStep) * tableStep);
		regions.forEach(({ heat }, index) => {
			table.set(heat - layout.HEAT_CODE + layout.REGION_TABLE, exports[String(index)]);
		});
		this.statistics.modules++;
		this.statistics.bytes += bytes.length;
		return bytes.length;
	}

	/** The smaller half of the modules becomes one, so that each region is compiled again a few times at most. */
	private merge(): void {
		const sorted = this.batches.sort((a, b) => a.bytes - b.bytes);
		const small = sorted.slice(0, (sorted.length >> 1) + 1);
		this.batches = sorted.slice(small.length);
		for (const { bytes } of small) this.cachedBytes -= bytes;
		this.compile(small.flatMap(({ regions }) => regions));
		this.statistics.merges++;
	}

	private dropAll(): void {
		this.core.dropHeat();
		this.forget();
		this.statistics.drops++;
	}

	/** All regions are void. Their table elements stay until they are used again: no heat leads to them. */
	private forget(): void {
		this.waiting = [];
		this.waitingBytes = 0;
		this.awake.clear();
		this.asleep.clear();
		this.batches = [];
		this.cachedBytes = 0;
		this.next = layout.HEAT_CODE;
		const generation = this.core.slotGeneration.value as number;
		if (generation !== this.generation && ++this.voided > voidedMax && this.hot < hotMax) {
			this.hot *= 2;
			this.view.setUint32(layout.T_HOT, this.hot, true);
		}
		this.generation = generation;
	}
}

function offsetsOf({ blocks }: Region): Uint16Array {
	const offsets = new Set<number>();
	for (const { instructions } of blocks.values()) for (const { offset } of instructions) offsets.add(offset);
	return Uint16Array.from(offsets);
}
