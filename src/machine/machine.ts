import type { Disposable } from "../common/disposable.ts";
import { UserError } from "../common/errors.ts";
import { Emitter } from "../common/event.ts";
import { resetVector } from "./bootRom.ts";
import { checkOptions } from "./checkOptions.ts";
import { ConsoleLine } from "./consoleLine.ts";
import * as layout from "./core/layout.ts";
import { type CoreExports, type CoreImports, diskBase, hartBase, memoryPages } from "./coreAbi.ts";
import { type Device, type DeviceHost, StateAllocator } from "./device.ts";
import { finisherStateBytes, TestFinisher } from "./devices/testFinisher.ts";
import { Uart16550, uartStateBytes } from "./devices/uart16550.ts";
import { VirtioBlock } from "./devices/virtioBlock.ts";
import { VirtioEmptySlot } from "./devices/virtioEmptySlot.ts";
import { VirtioMmio, virtioStateBytes } from "./devices/virtioMmio.ts";
import { boardTree } from "./deviceTree.ts";
import { type LoadedElf, loadElf } from "./elfLoader.ts";
import { GuestEvents } from "./guestEvents.ts";
import { InputLog, type InputMoment, type InputRecord } from "./inputLog.ts";
import {
	eagerOptions,
	normalOptions,
	Translator,
	type TranslatorOptions,
	type TranslatorStatistics,
} from "./jit/translator.ts";
import { PageStore, type Snapshot } from "./snapshot.ts";
import { Mixer, PageHasher } from "./stateHash.ts";
import type {
	ConsolePort,
	Hart,
	Instructions,
	InterruptController,
	MachineOptions,
	MachineSurface,
	PhysicalMemory,
	RunOptions,
	StallReport,
	StopReason,
} from "./types.ts";
import { hartView, physicalMemory, plicView } from "./views.ts";
import { board } from "./virtBoard.ts";
import { Watchdog } from "./watchdog.ts";

/** Instructions between two looks of the watchdog, and the most that one call of the core runs: i32 steps. */
const stretch = 5_000_000;
/** Different texts of guest errors that are told; a driver that goes wild has said enough by then. */
const guestErrorsMax = 20;
const allOnes = 0xffff_ffff_ffff_ffffn;

/** What a machine is created from beside {@link MachineOptions}. */
export interface MachineParts {
	/** The compiled core (dist/machine/core.wasm); one module serves any number of machines. */
	readonly core: WebAssembly.Module;
	/** Names an address for the watchdog's reports; undefined: unknown. */
	readonly symbolize?: (pc: bigint) => string | undefined;
	/** Input of an earlier run, given at the same moments; `console.write` is ignored then. */
	readonly replay?: readonly InputRecord[];
	/** Other thresholds and limits for the translator, for tests of it. */
	readonly translator?: Partial<TranslatorOptions>;
	/** More images put into RAM before the start (firmware payloads). */
	readonly extraImages?: readonly { readonly physical: bigint; readonly bytes: Uint8Array }[];
}

interface Shape {
	readonly harts: number;
	readonly ramBytes: number;
	/** Bytes of the disk in linear memory, whole pages, and of the image itself. */
	readonly diskBytes: number;
	readonly imageBytes: number;
	readonly elf: LoadedElf;
}

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

/** A QEMU-`virt`-compatible computer. The only public class of this room; see types.ts for what its members promise. */
export class Machine implements MachineSurface {
	static async create(options: MachineOptions, parts: MachineParts): Promise<Machine> {
		const harts = options.harts ?? 1;
		const ramBytes = options.memoryBytes ?? board.ram.defaultSize;
		checkOptions(harts, ramBytes, options);
		const elf = loadElf(options.kernel, ramBytes, ["tohost", "fromhost"]);
		const diskBytes = options.disk ? Math.ceil(options.disk.length / layout.PAGE_SIZE) * layout.PAGE_SIZE : 0;
		const pages = memoryPages(ramBytes, diskBytes);
		const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
		const imageBytes = options.disk?.length ?? 0;
		return new Machine(options, parts, memory, { harts, ramBytes, diskBytes, imageBytes, elf });
	}

	readonly console: ConsolePort;
	readonly memory: PhysicalMemory;
	readonly harts: readonly Hart[];
	readonly plic: InterruptController;
	/** What was typed so far, for a replay. */
	readonly inputLog = new InputLog();

	private readonly core: CoreExports;
	private readonly translator: Translator | undefined;
	private readonly bytes: Uint8Array;
	private readonly view: DataView;
	private readonly devices: Device[] = [];
	private readonly pages: PageStore;
	private readonly hasher: PageHasher;
	private readonly watchdog: Watchdog;
	private readonly events: GuestEvents;
	private readonly stalls = new Emitter<StallReport>();
	private readonly guestErrors = new Emitter<string>();
	private readonly line = new ConsoleLine((bytes) => this.typed(bytes));
	private readonly finisher: TestFinisher;
	/** Written while the core ran: joins the queue when it comes back, at a moment that a replay finds again. */
	private late: Uint8Array[] = [];
	private inside = false;
	/** How the core's last run ended. */
	private lastStop: number = layout.STOP_BUDGET;
	private restartAsked = false;
	private replay: { readonly records: readonly InputRecord[]; next: number } | undefined;
	private readonly saidErrors = new Set<string>();
	/** STATE as it was before the first instruction. */
	private readonly powerOn: Uint8Array;
	private readonly tohost: bigint | undefined;
	private readonly extraImages: NonNullable<MachineParts["extraImages"]>;

	private constructor(
		options: MachineOptions,
		parts: MachineParts,
		memory: WebAssembly.Memory,
		private readonly shape: Shape,
	) {
		const { harts, ramBytes, diskBytes, elf } = shape;
		this.bytes = new Uint8Array(memory.buffer);
		this.view = new DataView(memory.buffer);
		this.events = new GuestEvents(this.view, () => this.core);
		const instance = new WebAssembly.Instance(parts.core, this.imports(memory) as unknown as WebAssembly.Imports);
		this.core = instance.exports as unknown as CoreExports;
		this.core.initialize(harts, ramBytes, diskBytes, BigInt(options.seed ?? 0), options.pmp === false ? 0 : 1);
		this.view.setUint32(layout.T_HOT, 0, true);
		if (options.jit === "on" || options.jit === "eager") {
			const base = options.jit === "eager" ? eagerOptions : normalOptions;
			this.translator = new Translator(this.core, memory, { ...base, ...parts.translator });
		}
		this.onTrap = this.events.onTrap;
		this.onTrapReturn = this.events.onTrapReturn;
		this.onRootChange = this.events.onRootChange;
		if (options.disk) {
			this.bytes.set(options.disk, diskBase(ramBytes));
			this.written(diskBase(ramBytes), options.disk.length);
		}
		this.finisher = this.addDevices(memory, options);
		this.pages = new PageStore(this.bytes, layout.RAM_BASE, (ramBytes + diskBytes) / layout.PAGE_SIZE);
		this.hasher = new PageHasher(memory.buffer, layout.RAM_BASE, (ramBytes + diskBytes) / layout.PAGE_SIZE);
		this.extraImages = parts.extraImages ?? [];
		this.loadImages(elf, this.extraImages);
		this.replay = parts.replay ? { records: parts.replay, next: 0 } : undefined;
		this.tohost = elf.symbols.get("tohost");
		if (this.tohost !== undefined) this.core.addWatchpoint(this.tohost, this.tohost + 8n, layout.WATCH_PHYSICAL_WRITE);
		this.console = this.line;
		this.memory = physicalMemory(memory.buffer, ramBytes);
		this.harts = Array.from({ length: harts }, (_, id) => hartView(this.view, this.core, id));
		this.plic = plicView(this.view);
		this.watchdog = new Watchdog(this.view, harts, parts.symbolize);
		this.powerOn = this.bytes.slice(layout.STATE_BASE, layout.STATE_BASE + layout.STATE_SIZE);
	}

	// ---- running ---------------------------------------------------------------------------------------------------

	/** Steps of all harts together: retired instructions, and those that trapped. */
	get instret(): Instructions {
		return Number(this.view.getBigUint64(layout.M_STEPS, true));
	}

	run(budget: Instructions, options: RunOptions = {}): StopReason {
		let left = budget;
		while (left > 0) {
			if (this.finisher.halted) break;
			const asked = options.stopWhenWaiting === true;
			// Called again after `waiting` and nothing was typed: the wait is over, time goes on to the timer.
			const pass = this.lastStop === layout.STOP_WAITING && this.line.pending === 0;
			const { steps, replayed } = this.admitInput();
			if (steps === 0) return { kind: "requested" };
			const before = this.instret;
			const flags = replayed || (asked && !pass) ? layout.RUN_STOP_BEFORE_SKIP : 0;
			const stop = this.enter(Math.min(left, steps, asked && pass ? 1 : stretch), flags);
			left -= this.instret - before;
			const report = this.watchdog.look(stop === layout.STOP_IDLE);
			if (report) this.stalls.fire(report);
			const due = this.replay?.records[this.replay.next];
			if (due && isWait(stop)) {
				if (due.at === this.instret) continue;
				// Nothing but this input could get the machine there.
				if (stop === layout.STOP_IDLE) throw otherRun();
			}
			const reason = this.stopped(stop);
			if (reason) return reason;
		}
		const { halted } = this.finisher;
		return halted ? { kind: "halt", ...halted } : { kind: "budget" };
	}

	requestStop(): void {
		this.core.requestStop();
	}

	private enter(steps: number, flags: number): number {
		this.inside = true;
		try {
			for (let left = steps; left > 0; ) {
				const before = this.instret;
				this.lastStop = this.core.run(Math.min(left, this.translator?.dueAfter ?? left), flags);
				this.translator?.tick();
				left -= this.instret - before;
				if (this.lastStop !== layout.STOP_BUDGET) break;
			}
		} finally {
			this.inside = false;
		}
		this.line.flush();
		for (const bytes of this.late.splice(0)) this.typed(bytes);
		if (this.restartAsked) this.restart();
		return this.lastStop;
	}

	/** Undefined: the run goes on. */
	private stopped(stop: number): StopReason | undefined {
		const { halted } = this.finisher;
		if (halted) return { kind: "halt", ...halted };
		const hart = this.view.getUint32(layout.T_STOP_HART, true);
		const pc = this.view.getBigUint64(layout.T_STOP_PC, true);
		switch (stop) {
			case layout.STOP_IDLE:
				return { kind: "idle" };
			case layout.STOP_WAITING: {
				const at = BigInt.asUintN(64, this.core.nextEventTime());
				return { kind: "waiting", ticks: Number(at - this.view.getBigUint64(layout.M_TIME, true)) };
			}
			case layout.STOP_BREAKPOINT:
				return { kind: "breakpoint", hart, pc };
			case layout.STOP_WATCHPOINT: {
				const address = this.view.getBigUint64(layout.T_STOP_ADDRESS, true);
				if (this.tohost !== undefined && address >= this.tohost && address < this.tohost + 8n) return this.readToHost();
				return { kind: "watchpoint", hart, pc, address };
			}
			case layout.STOP_REQUESTED:
				return { kind: "requested" };
			default:
				return undefined;
		}
	}

	/**
	 * Berkeley host-target interface: an odd value ends the run with the rest as its code; device 1, command 1 sends a
	 * character. Anything else is taken and not answered.
	 */
	private readToHost(): StopReason | undefined {
		const place = this.tohost as bigint;
		const value = this.memory.readU64(place) ?? 0n;
		if (value === 0n) return undefined;
		const device = value >> 56n;
		if (device === 0n && (value & 1n) === 1n) {
			const code = Number((value >> 1n) & 0xffffn);
			this.finisher.halt(code, "tohost");
			return { kind: "halt", code, by: "tohost" };
		}
		if (device === 1n && ((value >> 48n) & 0xffn) === 1n) this.line.transmit(Number(value & 0xffn));
		this.put(place, new Uint8Array(8));
		return undefined;
	}

	/** The finisher's restart: power-on state and the images anew; disk, counters of steps and listeners stay. */
	private restart(): void {
		this.restartAsked = false;
		this.lastStop = layout.STOP_BUDGET;
		const kept = [layout.M_STEPS, layout.M_SLICES, layout.M_ROUNDS].map(
			(place) => [place, this.view.getBigUint64(place, true)] as const,
		);
		this.bytes.set(this.powerOn, layout.STATE_BASE);
		for (const [place, value] of kept) this.view.setBigUint64(place, value, true);
		this.loadImages(this.shape.elf, this.extraImages);
		this.core.stateRestored();
	}

	// ---- console input ----------------------------------------------------------------------------------------------

	private typed(bytes: Uint8Array): void {
		if (this.replay) return;
		if (this.inside) {
			this.late.push(bytes.slice());
			return;
		}
		this.inputLog.add({ at: this.instret, moment: momentOf(this.lastStop), bytes: [...bytes] });
		this.queue(bytes);
	}

	/** The input log as a file, with this moment as the run's end. */
	recordInput(): string {
		return this.inputLog.serialize({ at: this.instret, moment: momentOf(this.lastStop), hash: this.stateHash() });
	}

	private queue(bytes: Uint8Array): void {
		this.line.queue(bytes);
		this.requestSliceEnd();
	}

	/**
	 * Gives the replayed input that is due; says how far the core may run before the next, and whether it must find a wait.
	 * No steps: the recorded run ended here.
	 */
	private admitInput(): { steps: number; replayed: boolean } {
		const { replay } = this;
		for (;;) {
			const record = replay?.records[replay.next];
			if (!replay || !record) return { steps: Number.POSITIVE_INFINITY, replayed: false };
			if (record.at > this.instret) return { steps: record.at - this.instret, replayed: false };
			if (record.at < this.instret) throw otherRun();
			if (record.moment !== "steps" && record.moment !== momentOf(this.lastStop)) {
				// The next call of the core ends in this wait without a step, or the log is of another run.
				return { steps: 1, replayed: record.moment === "waiting" };
			}
			replay.next++;
			if (record.bytes.length === 0) return { steps: 0, replayed: false };
			this.queue(Uint8Array.from(record.bytes));
		}
	}

	// ---- events ----------------------------------------------------------------------------------------------------

	readonly onTrap: MachineSurface["onTrap"];
	readonly onTrapReturn: MachineSurface["onTrapReturn"];
	readonly onRootChange: MachineSurface["onRootChange"];
	readonly onStall = this.stalls.event;
	readonly onGuestError = this.guestErrors.event;

	addBreakpoint(pc: bigint): Disposable {
		return this.events.addBreakpoint(pc);
	}

	addWatchpoint(address: bigint, length: number, access: "read" | "write" | "any"): Disposable {
		return this.events.addWatchpoint(address, length, access);
	}

	// ---- snapshots and hashes ----------------------------------------------------------------------------------------

	snapshot(): Snapshot {
		this.noteDirty();
		const state = this.bytes.slice(layout.STATE_BASE, layout.STATE_BASE + layout.STATE_SIZE);
		const { harts, ramBytes, diskBytes } = this.shape;
		const inputs = this.inputLog.records.length;
		return {
			harts,
			ramBytes,
			diskBytes,
			state,
			waiting: this.line.waiting,
			inputs,
			lastStop: this.lastStop,
			pages: this.pages.save(),
		};
	}

	/** Back to a moment of this machine, or of one of the same shape, with the input that waited for the guest then. */
	restore(snapshot: Snapshot): void {
		const { harts, ramBytes, diskBytes } = this.shape;
		if (snapshot.harts !== harts || snapshot.ramBytes !== ramBytes || snapshot.diskBytes !== diskBytes) {
			const next = "Restore it on a machine with the same harts, memory and disk.";
			throw new UserError("snapshot-damaged", "The snapshot is of a machine of another shape", next);
		}
		this.noteDirty();
		this.bytes.set(snapshot.state, layout.STATE_BASE);
		for (const [first, count] of this.pages.restore(snapshot.pages)) {
			this.core.ramWritten(layout.RAM_BASE / layout.PAGE_SIZE + first, count);
			this.hasher.invalidate(first, count);
		}
		this.core.stateRestored();
		// What was written back is not news: the next snapshot compares with this one.
		this.core.takeDirty();
		this.line.restore(snapshot.waiting);
		this.late = [];
		this.lastStop = snapshot.lastStop;
		this.inputLog.rewind(snapshot.inputs);
		this.watchdog.reset();
	}

	stateHash(): string {
		this.noteDirty();
		const mix = new Mixer();
		const state = new Uint32Array(this.bytes.slice(layout.STATE_BASE, layout.STATE_BASE + layout.STATE_SIZE).buffer);
		for (let hart = 0; hart < this.shape.harts; hart++) {
			for (const place of transientWords) state[(hartBase(hart) + place - layout.STATE_BASE) / 4] = 0;
		}
		for (const word of state) mix.add(word);
		for (const byte of this.line.waiting) mix.add(byte);
		this.hasher.feed(mix);
		return mix.hex;
	}

	private noteDirty(): void {
		this.core.takeDirty();
		const bitmap = this.bytes.subarray(layout.DIRTY_TAKEN_BASE, layout.DIRTY_TAKEN_BASE + layout.DIRTY_SIZE);
		this.pages.noteDirty(bitmap);
		this.hasher.noteDirty(bitmap);
	}

	/** The disk as the guest left it, as long as the image that it was made from. */
	disk(): Uint8Array {
		const start = diskBase(this.shape.ramBytes);
		return this.bytes.slice(start, start + this.shape.imageBytes);
	}

	/** Undefined: the translator is off. `live` regions are in its cache now. */
	get translation(): (Readonly<TranslatorStatistics> & { readonly live: number }) | undefined {
		return this.translator && { ...this.translator.statistics, live: this.translator.live };
	}

	/** A counter of layout.ts (S_*). */
	statistic(address: number): number {
		return Number(this.view.getBigUint64(address, true));
	}

	dispose(): void {
		for (const one of [this.events, this.stalls, this.guestErrors]) one.dispose();
		this.line.dispose();
	}

	// ---- building --------------------------------------------------------------------------------------------------

	private imports(memory: WebAssembly.Memory): CoreImports {
		const device = (id: number) => this.devices[id] as Device;
		return {
			env: {
				memory,
				abort: () => {
					throw new Error("the core gave up: a defect of ours");
				},
				deviceRead: (id, offset, size) => device(id).read(offset, size) | 0,
				deviceWrite: (id, offset, size, value) => device(id).write(offset, size, value >>> 0),
				deviceTick: () => {
					for (const each of this.devices) each.sliceEnd?.();
				},
				...this.events.callbacks,
				translate: (slot, offset) => this.translator?.offer(slot, offset),
			},
		};
	}

	private requestSliceEnd(): void {
		this.view.setUint32(layout.M_DEVICE_WORK, 1, true);
	}

	/** Linear bytes [offset, offset + length) of RAM or disk have new content that no hart stored. */
	private written(offset: number, length: number): void {
		if (length === 0) return;
		const page = Math.floor(offset / layout.PAGE_SIZE);
		this.core.ramWritten(page, Math.floor((offset + length - 1) / layout.PAGE_SIZE) - page + 1);
	}

	/** Puts bytes into guest RAM. */
	private put(physical: bigint, bytes: Uint8Array): void {
		const offset = layout.RAM_BASE + Number(physical - BigInt(board.ram.base));
		this.bytes.set(bytes, offset);
		this.written(offset, bytes.length);
	}

	/** Zeroes guest RAM where it is not zero: what was never touched stays untouched on the host too. */
	private clear(physical: bigint, length: number): void {
		const start = layout.RAM_BASE + Number(physical - BigInt(board.ram.base));
		const range = this.bytes.subarray(start, start + length);
		if (this.instret === 0) return;
		range.fill(0);
		this.written(start, length);
	}

	private deviceHost(): DeviceHost {
		return {
			memory: {
				bytes: this.bytes,
				view: this.view,
				locate: (physical, length) => {
					const pointer = this.core.ramPointer(BigInt.asIntN(64, physical), length) >>> 0;
					return pointer === 0 ? undefined : pointer;
				},
				written: (offset, length) => this.written(offset, length),
			},
			setIrqLevel: (irq, level) => this.core.setIrqLevel(irq, level ? 1 : 0),
			requestSliceEnd: () => this.requestSliceEnd(),
			guestError: (text) => {
				if (this.saidErrors.has(text) || this.saidErrors.size >= guestErrorsMax) return;
				this.saidErrors.add(text);
				this.guestErrors.fire(text);
			},
		};
	}

	private addDevices(memory: WebAssembly.Memory, options: MachineOptions): TestFinisher {
		const allocator = new StateAllocator(memory);
		const host = this.deviceHost();
		const add = <T extends Device>(device: T, base: number, size: number): T => {
			this.devices.push(device);
			this.core.addDevice(BigInt(base), BigInt(size), this.devices.length - 1, device.access);
			return device;
		};
		const { uart, virtio, testFinisher } = board;
		add(
			new Uart16550(host, {
				irq: uart.irq,
				state: allocator.take(uartStateBytes),
				onByte: (byte) => this.line.transmit(byte),
				nextByte: () => this.line.next(),
			}),
			uart.base,
			uart.registers,
		);
		const version = options.virtio === "legacy" ? 1 : 2;
		const blockState = allocator.take(virtioStateBytes);
		for (let slot = 0; slot < virtio.slots; slot++) {
			const base = virtio.base + slot * virtio.size;
			if (slot > 0 || !options.disk) add(new VirtioEmptySlot(version), base, virtio.registers);
			else {
				const disk = { offset: diskBase(this.shape.ramBytes), length: options.disk.length };
				const config = { irq: virtio.firstIrq, state: blockState, version } as const;
				add(new VirtioMmio(host, config, new VirtioBlock(host.memory, disk)), base, virtio.registers);
			}
		}
		const finisher = new TestFinisher({
			state: allocator.take(finisherStateBytes),
			onHalt: () => this.core.requestStop(),
			onRestart: () => {
				this.restartAsked = true;
				this.core.requestStop();
			},
		});
		return add(finisher, testFinisher.base, testFinisher.size);
	}

	/** Kernel, further images, device tree and boot ROM; every hart at the reset vector. */
	private loadImages(elf: LoadedElf, extra: NonNullable<MachineParts["extraImages"]>): void {
		const { harts, ramBytes } = this.shape;
		for (const { physical, bytes, memorySize } of elf.segments) {
			this.put(physical, bytes);
			if (memorySize > bytes.length) this.clear(physical + BigInt(bytes.length), memorySize - bytes.length);
		}
		for (const { physical, bytes } of extra) this.put(physical, bytes);
		const tree = boardTree(harts, ramBytes);
		// At the end of RAM, on a 2 MiB border where there is room, where kernels clear or overwrite it last.
		const border = ramBytes >= 8 * 1024 * 1024 ? 2 * 1024 * 1024 : layout.PAGE_SIZE;
		const offset = Math.floor((ramBytes - tree.length) / border) * border;
		const treeAt = BigInt(board.ram.base + offset);
		this.put(treeAt, tree);
		const vector = resetVector(elf.entry, treeAt, extra[0]?.physical ?? 0n);
		this.bytes.set(vector, layout.ROM_BASE + board.bootRom.base);
		for (let hart = 0; hart < harts; hart++) {
			this.view.setBigUint64(hartBase(hart) + layout.H_PC, BigInt(board.bootRom.base), true);
		}
	}

	/** Physical address of a virtual one under a hart's present page table, undefined where nothing is mapped. */
	translate(hart: number, address: bigint): bigint | undefined {
		const physical = BigInt.asUintN(64, this.core.peekTranslate(hart, BigInt.asIntN(64, address)));
		return physical === allOnes ? undefined : physical;
	}
}

function momentOf(stop: number): InputMoment {
	return stop === layout.STOP_IDLE ? "idle" : stop === layout.STOP_WAITING ? "waiting" : "steps";
}

function isWait(stop: number): boolean {
	return stop === layout.STOP_IDLE || stop === layout.STOP_WAITING;
}

function otherRun(): UserError {
	const next = "Replay it with the same kernel, disk image, harts, memory and seed.";
	return new UserError("input-log-damaged", "The input log is of another run than this one", next);
}
