import { type Disposable, toDisposable } from "../common/disposable.ts";
import { BugError, UserError } from "../common/errors.ts";
import { Emitter } from "../common/event.ts";
import { AccessWatch, accessBytes } from "./accessWatch.ts";
import { Board } from "./board.ts";
import { checkOptions } from "./checkOptions.ts";
import { ConsoleLine } from "./consoleLine.ts";
import * as layout from "./core/layout.ts";
import { type CoreExports, type CoreImports, diskBase, hartBase, memoryPages } from "./coreAbi.ts";
import type { DiskListener } from "./devices/virtioBlock.ts";
import type { Piece } from "./devices/virtqueue.ts";
import { type LoadedElf, loadElf } from "./elfLoader.ts";
import { ExecutedCode } from "./executed.ts";
import { GuestEvents, stepsNow } from "./guestEvents.ts";
import { History, type HistoryHost, type HistoryOptions, type Position } from "./history.ts";
import { Input, momentOf, otherRun } from "./input.ts";
import type { InputLog, InputRecord } from "./inputLog.ts";
import {
	eagerOptions,
	normalOptions,
	Translator,
	type TranslatorOptions,
	type TranslatorStatistics,
} from "./jit/translator.ts";
import { loadImages, type RawImage } from "./loader.ts";
import type { Datagram, NetworkPort } from "./network/types.ts";
import { WireLog } from "./network/wireLog.ts";
import { Points } from "./points.ts";
import { addDecision, applySchedule, checkSchedule, type Decision, type Schedule } from "./schedule.ts";
import { PageStore, type Snapshot } from "./snapshot.ts";
import { Mixer, PageHasher } from "./stateHash.ts";
import type {
	ConsolePort,
	Hart,
	Hook,
	Instructions,
	InterruptController,
	MachineOptions,
	MachineSurface,
	PhysicalMemory,
	PointFilter,
	RunOptions,
	StallReport,
	StopReason,
	WatchFilter,
} from "./types.ts";
import { hartView, physicalMemory, plicView } from "./views.ts";
import { board } from "./virtBoard.ts";
import { Watchdog } from "./watchdog.ts";

/** Instructions between two looks of the watchdog, and the most that one call of the core runs: i32 steps. */
const stretch = 5_000_000;
/** Of all machines: a snapshot may be restored on another. */
let nextStamp = 1;
const allOnes = 0xffff_ffff_ffff_ffffn;

/** What a machine is created from beside {@link MachineOptions}. */
export interface MachineParts {
	/** The compiled core (dist/machine/core.wasm); one module serves any number of machines. */
	readonly core: WebAssembly.Module;
	/**
	 * The core is core-watch.wasm: `Machine.accesses` tells what the kernel reads and writes, `Machine.executed` which instructions
	 * ran. The translator has to be off.
	 */
	readonly watch?: boolean;
	/** Names an address for the watchdog's reports; undefined: unknown. */
	readonly symbolize?: (pc: bigint) => string | undefined;
	/** Input of an earlier run, given at the same moments; `console.write` is ignored then. */
	readonly replay?: readonly InputRecord[];
	/** Other thresholds and limits for the translator, for tests of it. */
	readonly translator?: Partial<TranslatorOptions>;
	/** More images put into RAM before the start (firmware payloads). */
	readonly extraImages?: readonly RawImage[];
}

interface Shape {
	readonly harts: number;
	readonly ramBytes: number;
	/** Bytes of the disks in linear memory, whole pages, and where their images are. */
	readonly diskBytes: number;
	readonly disks: readonly (Piece | undefined)[];
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
		const firstBytes = wholePages(options.disk);
		const diskBytes = firstBytes + wholePages(options.secondDisk);
		const plain = memoryPages(ramBytes, diskBytes);
		const pages = plain + (parts.watch ? accessBytes / 65536 : 0);
		const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
		const place = (disk: Uint8Array | undefined, before: number) =>
			disk && { offset: diskBase(ramBytes) + before, length: disk.length };
		const disks = [place(options.disk, 0), place(options.secondDisk, firstBytes)];
		return new Machine(options, parts, memory, { harts, ramBytes, diskBytes, disks, elf });
	}

	readonly console: ConsolePort;
	readonly memory: PhysicalMemory;
	readonly harts: readonly Hart[];
	readonly plic: InterruptController;
	/** Undefined: the machine has no network card. */
	readonly network: NetworkPort | undefined;
	/** Undefined: the core does not watch. */
	readonly accesses: AccessWatch | undefined;
	readonly executed: ExecutedCode | undefined;
	private readonly core: CoreExports;
	private readonly translator: Translator | undefined;
	private readonly bytes: Uint8Array;
	private readonly view: DataView;
	private readonly board: Board;
	private readonly pages: PageStore;
	private readonly hasher: PageHasher;
	private readonly watchdog: Watchdog;
	private readonly events: GuestEvents;
	private readonly points: Points;
	private readonly stalls = new Emitter<StallReport>();
	private readonly guestErrors = new Emitter<string>();
	private readonly wire = new WireLog();
	private readonly line = new ConsoleLine((bytes) => this.typed(bytes));
	private readonly input = new Input(
		(bytes) => this.queue(bytes),
		(schedule) => {
			checkSchedule(schedule, this.shape.harts);
			applySchedule(this.core, schedule);
		},
		(ports, payload) => this.board.network?.fromHost({ hostPort: ports.from, guestPort: ports.to, payload }),
	);
	/** Written while the core ran: joins the queue when it comes back, at a moment that a replay finds again. */
	private late: Uint8Array[] = [];
	private inside = false;
	private lastStamp = nextStamp++;
	/** How the core's last run ended: where between two steps the machine stands (STOP_BUDGET: right after one). */
	private lastStop: number = layout.STOP_BUDGET;
	private restartAsked = false;
	private stopAsked = false;
	private past: History | undefined;
	/** Changes from outside that no input log has: a debugger's. */
	private pokes = 0;
	/** STATE as it was before the first instruction. */
	private readonly powerOn: Uint8Array;
	private readonly tohost: bigint | undefined;
	private readonly extraImages: readonly RawImage[];

	private constructor(
		/** What it was created from. */
		readonly options: MachineOptions,
		parts: MachineParts,
		memory: WebAssembly.Memory,
		private readonly shape: Shape,
	) {
		const { harts, ramBytes, diskBytes, elf } = shape;
		this.bytes = new Uint8Array(memory.buffer);
		this.view = new DataView(memory.buffer);
		this.accesses = parts.watch ? new AccessWatch(this.view, 65536 * memoryPages(ramBytes, diskBytes)) : undefined;
		this.executed = parts.watch ? new ExecutedCode(memory.buffer, () => this.core?.dropVolatile()) : undefined;
		this.events = new GuestEvents(this.view, () => this.core);
		this.points = new Points({
			view: this.view,
			core: () => this.core,
			hart: (id) => this.harts[id] as Hart,
			spaceOf: (hart) => this.spaceOf(hart),
		});
		this.board = new Board({
			memory,
			ramBytes,
			disks: shape.disks,
			virtio: options.virtio ?? "modern",
			rtc: options.rtc,
			network: options.network,
			onPacket: (fromGuest, frame) => {
				if (!this.line.silent) this.wire.packet({ fromGuest, time: this.board.time, frame });
			},
			onPeerOutput: (line) => {
				if (!this.line.silent) this.wire.peerSays(line);
			},
			onDatagram: (datagram) => {
				if (!this.line.silent) this.wire.datagram(datagram);
			},
			transmit: (byte) => this.line.transmit(byte),
			nextByte: () => this.line.next(),
			onRestart: () => {
				this.restartAsked = true;
			},
			onGuestError: (text) => {
				if (this.line.silent) return;
				if (text.startsWith("network")) this.wire.mistake(text);
				this.guestErrors.fire(text);
			},
			core: () => this.core,
		});
		const instance = new WebAssembly.Instance(parts.core, this.imports(memory) as unknown as WebAssembly.Imports);
		this.core = instance.exports as unknown as CoreExports;
		this.core.initialize(harts, ramBytes, diskBytes, BigInt(options.seed ?? 0), options.pmp === false ? 0 : 1);
		this.view.setUint32(layout.T_HOT, 0, true);
		if (options.jit === "on" || options.jit === "eager") {
			const base = options.jit === "eager" ? eagerOptions : normalOptions;
			this.translator = new Translator(this.core, memory, { ...base, ...parts.translator });
		}
		this.network =
			options.network &&
			this.wire.port(
				() => this.wire.model(this.board.card, this.board.time),
				(datagram) => this.deliver(datagram),
			);
		this.onTrap = this.events.onTrap;
		this.onEveryTrap = this.events.onEveryTrap;
		this.onTrapReturn = this.events.onTrapReturn;
		this.onEveryTrapReturn = this.events.onEveryTrapReturn;
		this.onRootChange = this.events.onRootChange;
		for (const [slot, image] of [options.disk, options.secondDisk].entries()) {
			const at = shape.disks[slot]?.offset;
			if (!image || at === undefined) continue;
			this.bytes.set(image, at);
			this.board.written(at, image.length);
		}
		this.board.wire();
		this.pages = new PageStore(this.bytes, layout.RAM_BASE, (ramBytes + diskBytes) / layout.PAGE_SIZE);
		this.hasher = new PageHasher(memory.buffer, layout.RAM_BASE, (ramBytes + diskBytes) / layout.PAGE_SIZE);
		this.extraImages = parts.extraImages ?? [];
		this.load();
		this.input.replay(parts.replay);
		this.tohost = elf.symbols.get("tohost");
		if (this.tohost !== undefined) {
			this.core.addWatchpoint(this.tohost, this.tohost + 8n, layout.WATCH_PHYSICAL_WRITE, 0);
		}
		this.console = this.line;
		this.memory = physicalMemory(memory.buffer, ramBytes, (address, bytes) => {
			this.board.put(address, bytes);
			this.core.ramPoked();
			this.poked();
		});
		this.harts = Array.from({ length: harts }, (_, id) => hartView(this.view, this.core, id, () => this.poked()));
		this.plic = plicView(this.view);
		this.watchdog = new Watchdog(this.view, harts, parts.symbolize);
		this.powerOn = this.bytes.slice(layout.STATE_BASE, layout.STATE_BASE + layout.STATE_SIZE);
	}

	// ---- running ---------------------------------------------------------------------------------------------------

	/** Steps of all harts together: retired instructions, and those that trapped. */
	get instret(): Instructions {
		return Number(this.view.getBigUint64(layout.M_STEPS, true));
	}

	get stamp(): number {
		return this.inside ? 0 : this.lastStamp;
	}

	get now(): Instructions {
		return stepsNow(this.view);
	}

	/** Where the machine stands. Between runs only. */
	get position(): Position {
		return { steps: this.instret, moment: momentOf(this.lastStop), changes: this.input.admitted + this.pokes };
	}

	run(budget: Instructions, options: RunOptions = {}): StopReason {
		for (const hart of options.pass ?? []) this.core.passBreakpoint(hart);
		const limit = this.instret + budget;
		while (this.instret < limit) {
			if (this.stopAsked) {
				this.stopAsked = false;
				return { kind: "requested" };
			}
			const { halted } = this.board.finisher;
			if (halted) break;
			const room = this.past?.room() ?? Number.POSITIVE_INFINITY;
			if (room === 0) {
				if (this.past?.arrive() === "present") return { kind: "present" };
				continue;
			}
			const reason = this.stretch(Math.min(limit - this.instret, room), options.stopWhenWaiting === true);
			if (reason) return reason;
		}
		if (this.past?.room() === 0 && this.past.arrive() === "present") return { kind: "present" };
		const { halted } = this.board.finisher;
		return halted ? { kind: "halt", ...halted } : { kind: "budget" };
	}

	runHart(hart: number, steps: number, options: RunOptions = {}): StopReason {
		const target = (this.harts[hart] as Hart).steps + BigInt(steps);
		this.view.setUint32(layout.T_RUN_HART, hart + 1, true);
		this.view.setBigUint64(layout.T_RUN_STEPS, target, true);
		try {
			// A hart that waits makes no step: the end is then another stop, or it never comes.
			return this.run(Number.MAX_SAFE_INTEGER - this.instret, options);
		} finally {
			this.view.setUint32(layout.T_RUN_HART, 0, true);
		}
	}

	/** Between runs: from the next round on harts run by this schedule. In the past it is ignored, as keys are. */
	setSchedule(schedule: Schedule): void {
		checkSchedule(schedule, this.shape.harts);
		if (this.input.isReplaying) return;
		this.input.reschedule(schedule, { at: this.instret, moment: momentOf(this.lastStop) });
	}

	/**
	 * Between runs: one more decision of the directed schedule under way, about a step that the hart has not made. It is not in the
	 * input log: whoever wants the run again gives the whole list to `setSchedule`. False: the list is full.
	 */
	decide(decision: Decision): boolean {
		this.pokes++;
		return addDecision(this.core, decision);
	}

	/** Another seed from the next round on: what a snapshot's future varies by. 0: plain round robin. */
	reseed(seed: number): void {
		this.setSchedule({ kind: "seeded", seed });
	}

	requestStop(): void {
		if (this.inside) this.core.requestStop();
		else this.stopAsked = true;
	}

	/** At most so many steps, up to the next thing that is the host's; undefined: the run goes on. */
	private stretch(most: number, asked: boolean): StopReason | undefined {
		// Called again after `waiting` and nothing was typed: the wait is over, time goes on to the timer.
		const pass = this.lastStop === layout.STOP_WAITING && this.line.pending === 0;
		const { steps, until } = this.input.admit({ at: this.instret, moment: momentOf(this.lastStop) });
		if (steps === 0) return { kind: "requested" };
		const skips = until !== "waiting" && (!asked || pass);
		const flags = (skips ? 0 : layout.RUN_STOP_BEFORE_SKIP) | (until === "ready" ? layout.RUN_STOP_READY : 0);
		const stop = this.enter(Math.min(most, steps, asked && pass ? 1 : stretch), flags);
		const silent = this.line.silent;
		const report = silent ? undefined : this.watchdog.look(stop === layout.STOP_IDLE);
		if (report) this.stalls.fire(report);
		const due = this.input.due;
		if (due && (isWait(stop) || stop === layout.STOP_READY)) {
			if (due.at === this.instret) return undefined;
			// Nothing but this input could get the machine there.
			if (stop === layout.STOP_IDLE) throw otherRun();
		}
		return this.stopped(stop);
	}

	private enter(steps: number, flags: number): number {
		let stop: number = layout.STOP_BUDGET;
		this.inside = true;
		this.lastStamp = nextStamp++;
		try {
			for (let left = steps; left > 0; ) {
				const before = this.instret;
				stop = this.core.run(Math.min(left, this.translator?.dueAfter ?? left), flags);
				this.translator?.tick();
				left -= this.instret - before;
				if (stop !== layout.STOP_BUDGET) break;
			}
		} finally {
			this.inside = false;
		}
		this.lastStop = this.view.getUint32(layout.T_STANDING, true);
		this.line.flush();
		for (const bytes of this.late.splice(0)) this.typed(bytes);
		if (!this.restartAsked) return stop;
		this.restart();
		return layout.STOP_BUDGET;
	}

	/** Undefined: the run goes on. */
	private stopped(stop: number): StopReason | undefined {
		const { halted } = this.board.finisher;
		if (halted) return { kind: "halt", ...halted };
		switch (stop) {
			case layout.STOP_IDLE:
				return { kind: "idle" };
			case layout.STOP_WAITING: {
				const at = BigInt.asUintN(64, this.core.nextEventTime());
				return { kind: "waiting", ticks: Number(at - this.view.getBigUint64(layout.M_TIME, true)) };
			}
			case layout.STOP_BREAKPOINT: {
				const hart = this.view.getUint32(layout.T_STOP_HART, true);
				if (this.points.act(hart)) {
					this.core.passBreakpoint(hart);
					return undefined;
				}
				return { kind: "breakpoint", hart, pc: this.view.getBigUint64(layout.T_STOP_PC, true) };
			}
			case layout.STOP_WATCHPOINT: {
				const { hart, pc, address, access } = this.points.access();
				if (this.tohost !== undefined && address >= this.tohost && address < this.tohost + 8n) return this.readToHost();
				return { kind: "watchpoint", hart: hart?.id, pc, address, access };
			}
			case layout.STOP_REQUESTED:
				return { kind: "requested" };
			case layout.STOP_HART:
				return { kind: "stepped" };
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
		this.lastStamp = nextStamp++;
		const device = value >> 56n;
		if (device === 0n && (value & 1n) === 1n) {
			const code = Number((value >> 1n) & 0xffffn);
			this.board.finisher.halt(code, "tohost");
			return { kind: "halt", code, by: "tohost" };
		}
		if (device === 1n && ((value >> 48n) & 0xffn) === 1n) this.line.transmit(Number(value & 0xffn));
		this.board.put(place, new Uint8Array(8));
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
		this.load();
		this.core.stateRestored();
	}

	// ---- console input ----------------------------------------------------------------------------------------------

	private typed(bytes: Uint8Array): void {
		if (this.input.isReplaying) return;
		if (this.inside) this.late.push(bytes.slice());
		else this.input.type(bytes, { at: this.instret, moment: momentOf(this.lastStop) });
	}

	private deliver({ hostPort, guestPort, payload }: Datagram): void {
		if (this.inside) throw new BugError("a datagram came while the machine ran");
		if (this.input.isReplaying) return;
		this.input.datagram({ from: hostPort, to: guestPort }, payload, {
			at: this.instret,
			moment: momentOf(this.lastStop),
		});
	}

	/** What was typed so far, for a replay. */
	get inputLog(): InputLog {
		return this.input.log;
	}

	/** A debugger wrote memory or registers: the input log alone does not make this run. */
	get changedByHand(): boolean {
		return this.pokes > 0;
	}

	/** Input comes from a log: of a recorded run, or of this run's own past. */
	get isReplaying(): boolean {
		return this.input.isReplaying;
	}

	/** Of a recorded run that has ended: it goes on from here as any machine does. */
	takeOver(): void {
		this.input.takeOver();
	}

	/** The input log as a file, with this moment as the run's end. */
	recordInput(): string {
		return this.inputLog.serialize({ at: this.instret, moment: momentOf(this.lastStop), hash: this.stateHash() });
	}

	private queue(bytes: Uint8Array): void {
		this.line.queue(bytes);
		this.board.requestSliceEnd();
	}

	/** A debugger changed the machine. */
	private poked(): void {
		this.pokes++;
		this.lastStamp = nextStamp++;
		this.past?.changed();
	}

	// ---- events ----------------------------------------------------------------------------------------------------

	readonly onTrap: MachineSurface["onTrap"];
	readonly onEveryTrap: MachineSurface["onEveryTrap"];
	readonly onTrapReturn: MachineSurface["onTrapReturn"];
	readonly onEveryTrapReturn: MachineSurface["onTrapReturn"];
	readonly onRootChange: MachineSurface["onRootChange"];
	readonly onStall = this.stalls.event;
	readonly onGuestError = this.guestErrors.event;

	addBreakpoint(pc: bigint, filter?: PointFilter): Disposable {
		return this.points.addBreakpoint(pc, filter);
	}

	addWatchpoint(address: bigint, length: number, access: "read" | "write" | "any", filter?: WatchFilter): Disposable {
		return this.points.addWatchpoint(address, length, access, filter);
	}

	addHook(pc: bigint, hook: Hook): Disposable {
		return this.points.addHook(pc, hook);
	}

	watchDisk(listener: DiskListener): Disposable {
		this.board.diskListeners.add(listener);
		return toDisposable(() => this.board.diskListeners.delete(listener));
	}

	// ---- snapshots and hashes ----------------------------------------------------------------------------------------

	snapshot(): Snapshot {
		this.noteDirty();
		const state = this.bytes.slice(layout.STATE_BASE, layout.STATE_BASE + layout.STATE_SIZE);
		const { harts, ramBytes, diskBytes } = this.shape;
		const inputs = this.input.admitted;
		return {
			harts,
			ramBytes,
			diskBytes,
			state,
			waiting: this.line.waiting,
			inputs,
			lastStop: this.lastStop,
			pages: this.pages.save(),
			stamp: this.lastStamp,
		};
	}

	/** Back to a moment of this machine, or of one of the same shape, with the input that waited for the guest then. */
	restore(snapshot: Snapshot): void {
		const { harts, ramBytes, diskBytes } = this.shape;
		const devices = new DataView(snapshot.state.buffer, snapshot.state.byteOffset).getUint32(
			layout.DEVICE_TABLE_COUNT - layout.STATE_BASE,
			true,
		);
		const sameShape =
			snapshot.harts === harts &&
			snapshot.ramBytes === ramBytes &&
			snapshot.diskBytes === diskBytes &&
			devices === this.view.getUint32(layout.DEVICE_TABLE_COUNT, true);
		if (!sameShape) {
			const next = "Restore it on a machine with the same harts, memory, disk and network card.";
			throw new UserError("snapshot-damaged", "The snapshot is of a machine of another shape", next);
		}
		this.noteDirty();
		this.lastStamp = snapshot.stamp ?? nextStamp++;
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
		this.past?.restart();
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

	/** A disk as the guest left it, as long as the image that it was made from. */
	disk(slot: 0 | 1 = 0): Uint8Array {
		const { offset, length } = this.shape.disks[slot] ?? { offset: 0, length: 0 };
		return this.bytes.slice(offset, offset + length);
	}

	/** Between two runs of a machine that is at power-on: another image of the same length is in its drive. No input log has this. */
	setDisk(image: Uint8Array): void {
		const { offset, length } = this.shape.disks[0] ?? { offset: 0, length: 0 };
		if (image.length !== length) {
			const next = "Give an image of the same length.";
			throw new UserError("disk-image-size", `The disk has ${length} bytes, not ${image.length}`, next);
		}
		this.bytes.set(image, offset);
		this.board.written(offset, image.length);
		this.pokes++;
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
		this.past?.dispose();
		for (const one of [this.events, this.stalls, this.guestErrors, this.wire]) one.dispose();
		this.line.dispose();
	}

	// ---- history ---------------------------------------------------------------------------------------------------

	/** From this moment on the machine can go back; see history.ts. Once: later calls give the same history. */
	keepHistory(options: HistoryOptions = {}): History {
		this.past ??= new History(this.historyHost(), options);
		return this.past;
	}

	get history(): History | undefined {
		return this.past;
	}

	private historyHost(): HistoryHost {
		const machine = this;
		const { core, bytes, view, line, input, harts } = this;
		const { ramBytes, diskBytes } = this.shape;
		return {
			...{ core, bytes, view, line, input, harts, ramBytes, diskBytes },
			get position() {
				return machine.position;
			},
			get lastStop() {
				return machine.lastStop;
			},
			set lastStop(stop) {
				machine.lastStop = stop;
			},
			get pokes() {
				return machine.pokes;
			},
			set pokes(count) {
				machine.pokes = count;
			},
			enter: (steps, flags) => this.enter(steps, flags),
			stopped: (stop) => this.stopped(stop),
			silence: (silent) => {
				line.silent = silent;
				this.events.silent = silent;
			},
			activePoints: (which) => {
				this.points.active = which === "none" ? undefined : which;
			},
			addWatchpoint: (address, length, access, filter) =>
				this.points.addWatchpoint(address, length, access, filter, "own"),
			moved: () => {
				this.lastStamp = nextStamp++;
				core.stateRestored();
				this.late = [];
				this.watchdog.reset();
			},
		};
	}

	// ---- building --------------------------------------------------------------------------------------------------

	private imports(memory: WebAssembly.Memory): CoreImports {
		return {
			env: {
				memory,
				abort: () => {
					throw new Error("the core gave up: a defect of ours");
				},
				...this.board.callbacks,
				...this.events.callbacks,
				...this.points.callbacks,
				translate: (slot, offset) => this.translator?.offer(slot, offset),
				slotChanged: (slot) => this.translator?.slotChanged(slot),
				undoFull: (entries) => this.past?.areaFull(entries),
				accessesFull: () => this.accesses?.flush(),
				slotsDropped: () => this.executed?.dropping(),
			},
		};
	}

	private load(): void {
		const { harts, ramBytes, elf } = this.shape;
		const { bytes, view } = this;
		const put = (physical: bigint, content: Uint8Array) => this.board.put(physical, content);
		const clear = (physical: bigint, length: number) => {
			// What was never touched stays untouched on the host too.
			if (this.instret > 0) put(physical, new Uint8Array(length));
		};
		loadImages({ bytes, view, harts, ramBytes, put, clear }, elf, this.extraImages);
	}

	translate(space: bigint, address: bigint): bigint | undefined {
		const physical = BigInt.asUintN(64, this.core.peekTranslateIn(space, BigInt.asIntN(64, address)));
		return physical === allOnes ? undefined : physical;
	}

	spaceOf(hart: number): bigint | undefined {
		const at = hartBase(hart);
		const satp = this.view.getBigUint64(at + layout.H_SATP, true);
		const machineMode = this.view.getUint32(at + layout.H_MODE, true) === 3;
		return machineMode || satp >> 60n === 0n ? undefined : (satp & 0xfff_ffff_ffffn) << 12n;
	}
}

function wholePages(image: Uint8Array | undefined): number {
	return Math.ceil((image?.length ?? 0) / layout.PAGE_SIZE) * layout.PAGE_SIZE;
}

function isWait(stop: number): boolean {
	return stop === layout.STOP_IDLE || stop === layout.STOP_WAITING;
}
