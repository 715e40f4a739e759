import type { Disposable } from "../common/disposable.ts";
import { toDisposable } from "../common/disposable.ts";
import { UserError } from "../common/errors.ts";
import { Emitter } from "../common/event.ts";
import * as layout from "./core/layout.ts";
import { type CoreExports, type CoreImports, diskBase, hartBase, memoryPages } from "./coreAbi.ts";
import { type Device, type DeviceHost, StateAllocator } from "./device.ts";
import { TestFinisher } from "./devices/testFinisher.ts";
import { Uart16550, uartStateBytes } from "./devices/uart16550.ts";
import { VirtioBlock, virtioBlockStateBytes } from "./devices/virtioBlock.ts";
import { VirtioEmptySlot } from "./devices/virtioEmptySlot.ts";
import { boardTree } from "./deviceTree.ts";
import { type LoadedElf, loadElf } from "./elfLoader.ts";
import { InputLog, type InputRecord } from "./inputLog.ts";
import { PageStore, type Snapshot } from "./snapshot.ts";
import { Mixer, PageHasher } from "./stateHash.ts";
import type {
	ConsolePort,
	Hart,
	Instructions,
	MachineOptions,
	MachineSurface,
	PhysicalMemory,
	RootChange,
	StallReport,
	StopReason,
	Trap,
} from "./types.ts";
import { board } from "./virtBoard.ts";
import { Watchdog } from "./watchdog.ts";

const sectorSize = 512;
/** Instructions between two looks of the watchdog, and the most that one call of the core runs: i32 steps. */
const stretch = 5_000_000;
/** Console bytes are handed out when so many have gathered, or when `run` returns. */
const consoleBatch = 4096;
const allOnes = 0xffff_ffff_ffff_ffffn;

/** What a machine is created from beside {@link MachineOptions}. */
export interface MachineParts {
	/** The compiled core (dist/machine/core.wasm); one module serves any number of machines. */
	readonly core: WebAssembly.Module;
	/** Names an address for the watchdog's reports; undefined: unknown. */
	readonly symbolize?: (pc: bigint) => string | undefined;
	/** Input of an earlier run, fed at the same slice ends; `console.write` is ignored then. */
	readonly replay?: readonly InputRecord[];
	/** More images put into RAM before the start (firmware payloads). */
	readonly extraImages?: readonly { readonly physical: bigint; readonly bytes: Uint8Array }[];
}

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
		return new Machine(options, parts, memory, { harts, ramBytes, diskBytes, elf });
	}

	readonly console: ConsolePort;
	readonly memory: PhysicalMemory;
	readonly harts: readonly Hart[];
	/** What was typed so far, for a replay. */
	readonly inputLog = new InputLog();

	private readonly core: CoreExports;
	private readonly bytes: Uint8Array;
	private readonly view: DataView;
	private readonly devices: Device[] = [];
	private readonly pages: PageStore;
	private readonly hasher: PageHasher;
	private readonly watchdog: Watchdog;
	private readonly traps = new Emitter<Trap>();
	private readonly trapReturns = new Emitter<{ hart: number; pc: bigint; toMode: 0 | 1 | 3; instret: Instructions }>();
	private readonly roots = new Emitter<RootChange>();
	private readonly stalls = new Emitter<StallReport>();
	private readonly consoleData = new Emitter<Uint8Array>();
	private readonly out = new Uint8Array(consoleBatch);
	private outLength = 0;
	private input: number[] = [];
	private inputAt = 0;
	private replay: { records: readonly InputRecord[]; record: number; byte: number } | undefined;
	private halted: { readonly code: number; readonly by: "finisher" | "tohost" } | undefined;
	private readonly tohost: bigint | undefined;

	private constructor(
		options: MachineOptions,
		parts: MachineParts,
		memory: WebAssembly.Memory,
		private readonly shape: { harts: number; ramBytes: number; diskBytes: number; elf: LoadedElf },
	) {
		const { harts, ramBytes, diskBytes, elf } = shape;
		this.bytes = new Uint8Array(memory.buffer);
		this.view = new DataView(memory.buffer);
		const instance = new WebAssembly.Instance(parts.core, this.imports(memory) as unknown as WebAssembly.Imports);
		this.core = instance.exports as unknown as CoreExports;
		this.core.initialize(harts, ramBytes, diskBytes, BigInt(options.seed ?? 0), options.pmp === false ? 0 : 1);
		this.onTrap = this.listened(this.traps, layout.EVENT_TRAP);
		this.onTrapReturn = this.listened(this.trapReturns, layout.EVENT_TRAP_RETURN);
		this.onRootChange = this.listened(this.roots, layout.EVENT_ROOT_CHANGE);
		if (options.disk) this.bytes.set(options.disk, diskBase(ramBytes));
		this.addDevices(memory, options);
		this.loadImages(elf, parts.extraImages ?? []);
		this.pages = new PageStore(this.bytes, layout.RAM_BASE, (ramBytes + diskBytes) / layout.PAGE_SIZE);
		this.hasher = new PageHasher(memory.buffer, layout.RAM_BASE, (ramBytes + diskBytes) / layout.PAGE_SIZE);
		this.replay = parts.replay ? { records: parts.replay, record: 0, byte: 0 } : undefined;
		if (this.replay) this.requestSliceEnd();
		this.tohost = elf.symbols.get("tohost");
		if (this.tohost !== undefined) this.core.addWatchpoint(this.tohost, this.tohost + 8n, layout.WATCH_WRITE);
		this.console = this.makeConsole();
		this.memory = this.makeMemory();
		this.harts = Array.from({ length: harts }, (_, id) => this.makeHart(id));
		this.watchdog = new Watchdog(this.view, harts, parts.symbolize);
	}

	// ---- running ---------------------------------------------------------------------------------------------------

	/** Steps of all harts together: retired instructions, and those that trapped. */
	get instret(): Instructions {
		return Number(this.view.getBigUint64(layout.M_STEPS, true));
	}

	run(budget: Instructions): StopReason {
		let left = budget;
		while (left > 0) {
			if (this.halted) return { kind: "halt", ...this.halted };
			const before = this.instret;
			const stop = this.core.run(Math.min(left, stretch), 0);
			left -= this.instret - before;
			this.flushConsole();
			const reason = this.stopped(stop);
			this.look(stop);
			if (reason) return reason;
		}
		return this.halted ? { kind: "halt", ...this.halted } : { kind: "budget" };
	}

	requestStop(): void {
		this.core.requestStop();
	}

	/** Undefined: the core only came to the end of a stretch. */
	private stopped(stop: number): StopReason | undefined {
		if (this.halted) return { kind: "halt", ...this.halted };
		const hart = this.view.getUint32(layout.T_STOP_HART, true);
		const pc = this.view.getBigUint64(layout.T_STOP_PC, true);
		switch (stop) {
			case layout.STOP_IDLE:
				return { kind: "idle" };
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

	/** Berkeley host interface as the RISC-V test programs use it: an odd value ends the run with the rest as its code. */
	private readToHost(): StopReason | undefined {
		const value = this.memory.readU64(this.tohost as bigint) ?? 0n;
		if ((value & 1n) === 0n) return undefined;
		this.halted = { code: Number((value >> 1n) & 0xffffn), by: "tohost" };
		return { kind: "halt", ...this.halted };
	}

	private look(stop: number): void {
		const report = this.watchdog.look(stop === layout.STOP_IDLE);
		if (report) this.stalls.fire(report);
	}

	// ---- events ----------------------------------------------------------------------------------------------------

	readonly onTrap: MachineSurface["onTrap"];
	readonly onTrapReturn: MachineSurface["onTrapReturn"];
	readonly onRootChange: MachineSurface["onRootChange"];
	readonly onStall = this.stalls.event;
	private readonly listening = new Map<number, number>();

	/** An event that the core reports only while somebody listens. */
	private listened<T>(emitter: Emitter<T>, bit: number): (listener: (value: T) => void) => Disposable {
		return (listener) => {
			const subscription = emitter.event(listener);
			this.count(bit, 1);
			return toDisposable(() => {
				subscription.dispose();
				this.count(bit, -1);
			});
		};
	}

	private count(bit: number, change: number): void {
		this.listening.set(bit, (this.listening.get(bit) ?? 0) + change);
		let mask = 0;
		for (const [flag, listeners] of this.listening) if (listeners > 0) mask |= flag;
		this.core.setEventMask(mask);
	}

	addBreakpoint(pc: bigint): Disposable {
		if (!this.core.addBreakpoint(pc)) throw tableFull("breakpoints", layout.T_BREAKPOINT_MAX);
		return toDisposable(() => this.core.removeBreakpoint(pc));
	}

	addWatchpoint(address: bigint, length: number, access: "read" | "write" | "any"): Disposable {
		const bits =
			access === "read"
				? layout.WATCH_READ
				: access === "write"
					? layout.WATCH_WRITE
					: layout.WATCH_READ | layout.WATCH_WRITE;
		const end = address + BigInt(length);
		if (!this.core.addWatchpoint(address, end, bits)) throw tableFull("watchpoints", layout.T_WATCHPOINT_MAX);
		return toDisposable(() => this.core.removeWatchpoint(address, end, bits));
	}

	private trapOf(hart: number): Trap {
		const at = hartBase(hart);
		const cause = this.view.getBigUint64(at + layout.V_TRAP_CAUSE, true);
		return {
			hart,
			cause: Number(cause & 0xffn),
			interrupt: cause >> 63n === 1n,
			tval: this.view.getBigUint64(at + layout.V_TRAP_TVAL, true),
			pc: this.view.getBigUint64(at + layout.V_TRAP_PC, true),
			fromMode: this.view.getUint32(at + layout.V_TRAP_FROM, true) as 0 | 1 | 3,
			toMode: this.view.getUint32(at + layout.V_TRAP_TO, true) as 1 | 3,
			satp: this.view.getBigUint64(at + layout.H_SATP, true),
			instret: this.instret,
		};
	}

	// ---- snapshots and hashes ----------------------------------------------------------------------------------------

	snapshot(): Snapshot {
		this.noteDirty();
		const state = this.bytes.slice(layout.STATE_BASE, layout.STATE_BASE + layout.STATE_SIZE);
		const { harts, ramBytes, diskBytes } = this.shape;
		return { harts, ramBytes, diskBytes, state, pages: this.pages.save() };
	}

	/** Back to a moment of this machine, or of one of the same shape. Input that waited is forgotten. */
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
		this.halted = undefined;
		this.input = [];
		this.inputAt = 0;
		this.watchdog.reset();
		for (const device of this.devices) device.restored?.();
	}

	stateHash(): string {
		this.noteDirty();
		const mix = new Mixer();
		const state = new Uint32Array(this.bytes.buffer, layout.STATE_BASE, layout.STATE_SIZE / 4);
		for (const word of state) mix.add(word);
		this.hasher.feed(mix);
		return mix.hex;
	}

	private noteDirty(): void {
		this.core.takeDirty();
		const bitmap = this.bytes.subarray(layout.DIRTY_TAKEN_BASE, layout.DIRTY_TAKEN_BASE + layout.DIRTY_SIZE);
		this.pages.noteDirty(bitmap);
		this.hasher.noteDirty(bitmap);
	}

	/** The disk as the guest left it. */
	disk(): Uint8Array {
		const start = diskBase(this.shape.ramBytes);
		return this.bytes.slice(start, start + this.shape.diskBytes);
	}

	/** A counter of layout.ts (S_*). */
	statistic(address: number): number {
		return Number(this.view.getBigUint64(address, true));
	}

	dispose(): void {
		for (const emitter of [this.traps, this.trapReturns, this.roots, this.stalls, this.consoleData]) emitter.dispose();
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
				onTrap: (hart) => this.traps.fire(this.trapOf(hart)),
				onTrapReturn: (hart) => {
					const at = hartBase(hart);
					const pc = this.view.getBigUint64(at + layout.H_PC, true);
					const toMode = this.view.getUint32(at + layout.H_MODE, true) as 0 | 1 | 3;
					this.trapReturns.fire({ hart, pc, toMode, instret: this.instret });
				},
				onRootChange: (hart) => {
					const satp = this.view.getBigUint64(hartBase(hart) + layout.H_SATP, true);
					this.roots.fire({ hart, satp, instret: this.instret });
				},
			},
		};
	}

	private requestSliceEnd(): void {
		this.view.setUint32(layout.M_DEVICE_WORK, 1, true);
	}

	private addDevices(memory: WebAssembly.Memory, options: MachineOptions): void {
		const allocator = new StateAllocator(memory);
		const host: DeviceHost = {
			setIrqLevel: (irq, level) => this.core.setIrqLevel(irq, level ? 1 : 0),
			requestSliceEnd: () => this.requestSliceEnd(),
			ram: (physical, length) => {
				const pointer = this.core.ramPointer(BigInt.asIntN(64, physical), length) >>> 0;
				return pointer === 0 ? undefined : this.bytes.subarray(pointer, pointer + length);
			},
			ramWritten: (physical, length) => {
				if (length === 0) return;
				const first = Number(physical - BigInt(board.ram.base)) + layout.RAM_BASE;
				const page = Math.floor(first / layout.PAGE_SIZE);
				this.core.ramWritten(page, Math.floor((first + length - 1) / layout.PAGE_SIZE) - page + 1);
			},
		};
		const words = layout.ACCESS_1 | layout.ACCESS_2 | layout.ACCESS_4 | layout.ACCESS_SPLIT_8;
		const add = (device: Device, base: number, size: number) => {
			this.devices.push(device);
			this.core.addDevice(BigInt(base), BigInt(size), this.devices.length - 1, words);
		};
		const { uart, virtio, testFinisher } = board;
		const state = allocator.take(uartStateBytes);
		const onByte = (byte: number) => this.sent(byte);
		const nextByte = () => this.nextInput();
		add(new Uart16550(host, { irq: uart.irq, state, onByte, nextByte }), uart.base, uart.size);
		for (let slot = 0; slot < virtio.slots; slot++) {
			const version = options.virtio === "legacy" ? 1 : 2;
			const start = diskBase(this.shape.ramBytes);
			const device =
				slot === 0 && options.disk
					? new VirtioBlock(host, {
							irq: virtio.firstIrq,
							state: allocator.take(virtioBlockStateBytes),
							version,
							disk: this.bytes.subarray(start, start + options.disk.length),
							diskWritten: (offset, length) => {
								const first = Math.floor((start + offset) / layout.PAGE_SIZE);
								this.core.ramWritten(first, Math.floor((start + offset + length - 1) / layout.PAGE_SIZE) - first + 1);
							},
						})
					: new VirtioEmptySlot(version);
			add(device, virtio.base + slot * virtio.size, virtio.size);
		}
		const finish = (code: number) => {
			this.halted = { code, by: "finisher" };
			this.core.requestStop();
		};
		add(new TestFinisher(finish), testFinisher.base, testFinisher.size);
	}

	/** Kernel, device tree and the reset vector of QEMU's board (hw/riscv/boot.c, riscv_setup_rom_reset_vec). */
	private loadImages(elf: LoadedElf, extra: NonNullable<MachineParts["extraImages"]>): void {
		const { harts, ramBytes } = this.shape;
		const put = (physical: bigint, bytes: Uint8Array) =>
			this.bytes.set(bytes, layout.RAM_BASE + Number(physical - BigInt(board.ram.base)));
		for (const { physical, bytes } of elf.segments) put(physical, bytes);
		for (const { physical, bytes } of extra) put(physical, bytes);
		const tree = boardTree(harts, ramBytes);
		// At the end of RAM, on a 2 MiB border where there is room, where kernels clear or overwrite it last.
		const border = ramBytes >= 8 * 1024 * 1024 ? 2 * 1024 * 1024 : layout.PAGE_SIZE;
		const offset = Math.floor((ramBytes - tree.length) / border) * border;
		const treeAt = BigInt(board.ram.base + offset);
		put(treeAt, tree);
		const rom = layout.ROM_BASE + board.bootRom.base;
		const vector = [0x00000297, 0x02828613, 0xf1402573, 0x0202b583, 0x0182b283, 0x00028067];
		vector.forEach((word, i) => {
			this.view.setUint32(rom + 4 * i, word, true);
		});
		this.view.setBigUint64(rom + 24, elf.entry, true);
		this.view.setBigUint64(rom + 32, treeAt, true);
		// struct fw_dynamic_info for OpenSBI: magic, version 2, next stage at the first extra image, in S-mode.
		const info = [0x4942534fn, 2n, extra[0]?.physical ?? 0n, 1n, 0n, 0n];
		info.forEach((word, i) => {
			this.view.setBigUint64(rom + 40 + 8 * i, word, true);
		});
		for (let hart = 0; hart < harts; hart++) {
			this.view.setBigUint64(hartBase(hart) + layout.H_PC, BigInt(board.bootRom.base), true);
		}
	}

	// ---- console ---------------------------------------------------------------------------------------------------

	private makeConsole(): ConsolePort {
		const pending = () => this.input.length - this.inputAt;
		return {
			write: (bytes) => {
				if (this.replay) return;
				for (const byte of bytes) this.input.push(byte);
				this.requestSliceEnd();
			},
			get pending() {
				return pending();
			},
			onData: this.consoleData.event,
		};
	}

	private sent(byte: number): void {
		this.out[this.outLength++] = byte;
		if (this.outLength === consoleBatch) this.flushConsole();
	}

	private flushConsole(): void {
		if (this.outLength === 0) return;
		const bytes = this.out.slice(0, this.outLength);
		this.outLength = 0;
		this.consoleData.fire(bytes);
	}

	private nextInput(): number | undefined {
		if (this.replay) return this.nextReplayed(this.replay);
		if (this.inputAt >= this.input.length) return undefined;
		const byte = this.input[this.inputAt++] as number;
		if (this.inputAt === this.input.length) {
			this.input = [];
			this.inputAt = 0;
		}
		this.inputLog.add(Number(this.view.getBigUint64(layout.M_SLICES, true)), byte);
		return byte;
	}

	private nextReplayed(replay: NonNullable<Machine["replay"]>): number | undefined {
		const record = replay.records[replay.record];
		if (!record) return undefined;
		// Asked at every slice end until the input is used up.
		this.requestSliceEnd();
		if (Number(this.view.getBigUint64(layout.M_SLICES, true)) < record.slice) return undefined;
		const byte = record.bytes[replay.byte++];
		if (replay.byte >= record.bytes.length) {
			replay.record++;
			replay.byte = 0;
		}
		return byte;
	}

	// ---- views -----------------------------------------------------------------------------------------------------

	private makeMemory(): PhysicalMemory {
		const { ramBytes } = this.shape;
		const base = BigInt(board.ram.base);
		const pointer = (address: bigint, length: number) => {
			const offset = address - base;
			return offset >= 0n && offset + BigInt(length) <= BigInt(ramBytes) ? layout.RAM_BASE + Number(offset) : undefined;
		};
		return {
			base,
			size: ramBytes,
			bytes: () => this.bytes.subarray(layout.RAM_BASE, layout.RAM_BASE + ramBytes),
			readU64: (address) => {
				const at = pointer(address, 8);
				return at === undefined ? undefined : this.view.getBigUint64(at, true);
			},
			readU32: (address) => {
				const at = pointer(address, 4);
				return at === undefined ? undefined : this.view.getUint32(at, true);
			},
		};
	}

	private makeHart(id: number): Hart {
		const { view, core } = this;
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
			floatRegister: (index) => view.getBigUint64(at + layout.H_F + 8 * index, true),
			csr: (number) => (core.hasCsr(id, number) ? BigInt.asUintN(64, core.peekCsr(id, number)) : undefined),
		};
	}

	/** Physical address of a virtual one under a hart's present page table, undefined where nothing is mapped. */
	translate(hart: number, address: bigint): bigint | undefined {
		const physical = BigInt.asUintN(64, this.core.peekTranslate(hart, BigInt.asIntN(64, address)));
		return physical === allOnes ? undefined : physical;
	}
}

function tableFull(what: string, most: number): UserError {
	return new UserError("machine-options", `There are ${most} ${what} already`, "Remove one first.");
}

function checkOptions(harts: number, ramBytes: number, options: MachineOptions): void {
	const bad = (what: string, next: string) => new UserError("machine-options", what, next);
	if (!Number.isInteger(harts) || harts < 1 || harts > board.maxHarts) {
		throw bad(`A machine with ${harts} harts cannot be made`, `Choose 1 to ${board.maxHarts}.`);
	}
	const step = 64 * 1024;
	if (!Number.isInteger(ramBytes) || ramBytes < 1024 * 1024 || ramBytes > 1024 * 1024 * 1024 || ramBytes % step !== 0) {
		throw bad(`A machine with ${ramBytes} bytes of memory cannot be made`, "Choose 1 MiB to 1 GiB.");
	}
	const { disk } = options;
	if (disk && (disk.length === 0 || disk.length % sectorSize !== 0 || disk.length > 512 * 1024 * 1024)) {
		const next = `An image is a whole number of ${sectorSize}-byte sectors, at most 512 MiB: make fs.img again.`;
		throw new UserError("disk-image-size", `The disk image has ${disk.length} bytes`, next);
	}
}
