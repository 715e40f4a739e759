import { type Disposable, toDisposable } from "../common/disposable.ts";
import { BugError, bug, UserError } from "../common/errors.ts";
import { Emitter } from "../common/event.ts";
import { AccessWatch, accessBytes } from "./accessWatch.ts";
import { Board } from "./board.ts";
import { checkOptions } from "./checkOptions.ts";
import { ConsoleLine } from "./consoleLine.ts";
import * as layout from "./core/layout.ts";
import { type CoreExports, type CoreImports, diskBase, hartBase, memoryPages } from "./coreAbi.ts";
import type { DiskListener } from "./devices/virtioBlock.ts";
import type { Piece } from "./devices/virtqueue.ts";
import type { Chosen } from "./deviceTree.ts";
import { type LoadedElf, loadElf } from "./elfLoader.ts";
import { ExecutedCode } from "./executed.ts";
import { GuestEvents } from "./guestEvents.ts";
import { History, type HistoryHost, type HistoryOptions, type Position } from "./history.ts";
import { HostInterface } from "./hostInterface.ts";
import { Input } from "./input.ts";
import type { InputLog, InputRecord } from "./inputLog.ts";
import {
	eagerOptions,
	normalOptions,
	Translator,
	type TranslatorOptions,
	type TranslatorStatistics,
} from "./jit/translator.ts";
import { returnMemory, takeMemory } from "./linearMemory.ts";
import { loadImages, type RawImage } from "./loader.ts";
import { MachineState } from "./machineState.ts";
import type { Datagram, NetworkPort } from "./network/types.ts";
import { WireLog } from "./network/wireLog.ts";
import { Points } from "./points.ts";
import { Runner } from "./runner.ts";
import { addDecision, applySchedule, checkSchedule, type Decision, type Schedule } from "./schedule.ts";
import type { Snapshot } from "./snapshot.ts";
import type {
	ConsolePort,
	Hart,
	Hook,
	Instructions,
	InterruptController,
	MachineOptions,
	MachineSurface,
	PageChanges,
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
	/** What the device tree tells the kernel. */
	readonly chosen?: Chosen;
}

interface Shape {
	readonly harts: number;
	readonly ramBytes: number;
	/** Bytes of the disks in linear memory, whole pages, and where their images are. */
	readonly diskBytes: number;
	readonly disks: readonly (Piece | undefined)[];
	readonly elf: LoadedElf;
}

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
		const memory = takeMemory(pages);
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
	private readonly state: MachineState;
	private readonly watchdog: Watchdog;
	private readonly events: GuestEvents;
	private readonly points: Points;
	private readonly runner: Runner;
	private readonly stalls = new Emitter<StallReport>();
	private readonly guestErrors = new Emitter<string>();
	private readonly wire = new WireLog();
	private readonly line = new ConsoleLine((bytes) => this.runner.type(bytes));
	private readonly input = new Input(
		(bytes) => this.queue(bytes),
		(schedule) => {
			checkSchedule(schedule, this.shape.harts);
			applySchedule(this.core, schedule);
		},
		(ports, payload) => this.board.network?.fromHost({ hostPort: ports.from, guestPort: ports.to, payload }),
	);
	/** Undefined: disposed of, and perhaps another machine's. */
	private linear: WebAssembly.Memory | undefined;
	private restartAsked = false;
	private past: History | undefined;
	/** Changes from outside that no input log has: a debugger's. */
	private pokes = 0;
	/** STATE as it was before the first instruction. */
	private readonly powerOn: Uint8Array;
	private readonly tohost: HostInterface | undefined;
	private readonly extraImages: readonly RawImage[];
	private readonly chosen: Chosen | undefined;

	private constructor(
		/** What it was created from. */
		readonly options: MachineOptions,
		parts: MachineParts,
		memory: WebAssembly.Memory,
		private readonly shape: Shape,
	) {
		this.linear = memory;
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
		this.runner = new Runner({
			view: this.view,
			line: this.line,
			input: this.input,
			points: this.points,
			core: () => this.core,
			watchdog: () => this.watchdog,
			translator: () => this.translator,
			history: () => this.past,
			tohost: () => this.tohost,
			stepsOf: (hart) => (this.harts[hart] as Hart).steps,
			halted: () => this.board.finisher.halted,
			restarted: () => {
				if (!this.restartAsked) return false;
				this.restart();
				return true;
			},
			stalled: (report) => this.stalls.fire(report),
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
		this.state = new MachineState(this.bytes, () => this.core, shape);
		this.extraImages = parts.extraImages ?? [];
		this.chosen = parts.chosen;
		this.load();
		this.input.replay(parts.replay);
		const tohost = elf.symbols.get("tohost");
		if (tohost !== undefined) {
			this.tohost = new HostInterface(tohost, {
				memory: () => this.memory,
				put: (address, bytes) => {
					this.runner.touched();
					this.board.put(address, bytes);
				},
				halt: (code) => this.board.finisher.halt(code, "tohost"),
				transmit: (byte) => this.line.transmit(byte),
			});
			this.core.addWatchpoint(tohost, this.tohost.end, layout.WATCH_PHYSICAL_WRITE, 0);
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
		this.powerOn = this.state.state();
	}

	// ---- running ---------------------------------------------------------------------------------------------------

	/** Steps of all harts together: retired instructions, and those that trapped. */
	get instret(): Instructions {
		return this.runner.instret;
	}

	get stamp(): number {
		return this.runner.stamp;
	}

	get now(): Instructions {
		return this.runner.instret;
	}

	/** Where the machine stands. Between runs only. */
	get position(): Position {
		const { at: steps, moment } = this.runner.standing;
		return { steps, moment, changes: this.input.admitted + this.pokes };
	}

	run(budget: Instructions, options: RunOptions = {}): StopReason {
		if (!this.linear) bug("a machine that was disposed of is to run");
		return this.runner.run(budget, options);
	}

	runHart(hart: number, steps: number, options: RunOptions = {}): StopReason {
		if (!this.linear) bug("a machine that was disposed of is to run");
		return this.runner.runHart(hart, steps, options);
	}

	requestStop(): void {
		this.runner.requestStop();
	}

	/** Between runs: from the next round on harts run by this schedule. In the past it is ignored, as keys are. */
	setSchedule(schedule: Schedule): void {
		checkSchedule(schedule, this.shape.harts);
		if (this.input.isReplaying) return;
		this.input.reschedule(schedule, this.runner.standing);
	}

	/**
	 * Between runs: one more decision of the directed schedule under way, about a step that the hart has not made. It is not in the
	 * input log: to repeat the run, give the whole list to `setSchedule`. False: the list is full.
	 */
	decide(decision: Decision): boolean {
		this.pokes++;
		return addDecision(this.core, decision);
	}

	/** Another seed from the next round on: what a snapshot's future varies by. 0: plain round robin. */
	reseed(seed: number): void {
		this.setSchedule({ kind: "seeded", seed });
	}

	/** The finisher's restart: power-on state and the images as loaded; disk, counters of steps and listeners stay. */
	private restart(): void {
		this.restartAsked = false;
		const kept = [layout.M_STEPS, layout.M_SLICES, layout.M_ROUNDS].map(
			(place) => [place, this.view.getBigUint64(place, true)] as const,
		);
		this.bytes.set(this.powerOn, layout.STATE_BASE);
		for (const [place, value] of kept) this.view.setBigUint64(place, value, true);
		this.load();
		this.core.stateRestored();
	}

	// ---- console input ----------------------------------------------------------------------------------------------

	private deliver({ hostPort, guestPort, payload }: Datagram): void {
		if (this.runner.isInside) throw new BugError("a datagram came while the machine ran");
		if (this.input.isReplaying) return;
		this.input.datagram({ from: hostPort, to: guestPort }, payload, this.runner.standing);
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

	/** Of a recorded run that has ended: it continues from here as any machine does. */
	takeOver(): void {
		this.input.takeOver();
	}

	/** The input log as a file, with this moment as the run's end. */
	recordInput(): string {
		return this.inputLog.serialize({ ...this.runner.standing, hash: this.stateHash() });
	}

	private queue(bytes: Uint8Array): void {
		this.line.queue(bytes);
		this.board.requestSliceEnd();
	}

	/** A debugger changed the machine. */
	private poked(): void {
		this.pokes++;
		this.runner.touched();
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
		const { lastStop, stamp } = this.runner;
		return this.state.snapshot({ waiting: this.line.waiting, inputs: this.input.admitted, lastStop, stamp });
	}

	/** Back to a moment of this machine, or of one of the same shape, with the input that waited for the guest then. */
	restore(snapshot: Snapshot): void {
		if (!this.linear) bug("a machine that was disposed of is to be another");
		this.state.restore(snapshot);
		this.line.restore(snapshot.waiting);
		this.runner.moved(snapshot.lastStop);
		this.runner.touched(snapshot.stamp);
		this.inputLog.rewind(snapshot.inputs);
		this.watchdog.reset();
		this.past?.restart();
	}

	readonly changes: PageChanges = {
		mark: () => this.state.mark(this.runner.stamp),
		isChanged: (page, since) => this.state.isChanged(page, since),
		changed: (since) => this.state.changed(since),
	};

	stateHash(): string {
		return this.state.hash(this.line.waiting);
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
		if (this.linear && !this.runner.isInside) returnMemory(this.linear);
		this.linear = undefined;
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
			get bulkSteps() {
				return machine.statistic(layout.S_BULK_STEPS);
			},
			get lastStop() {
				return machine.runner.lastStop;
			},
			set lastStop(stop) {
				machine.runner.lastStop = stop;
			},
			get pokes() {
				return machine.pokes;
			},
			set pokes(count) {
				machine.pokes = count;
			},
			enter: (steps, flags) => this.runner.enter(steps, flags),
			stopped: (stop) => this.runner.stopped(stop),
			silence: (silent) => {
				line.silent = silent;
				this.events.silent = silent;
			},
			activePoints: (which) => {
				this.points.active = which === "none" ? undefined : which;
			},
			sleep: () => this.translator?.sleep(),
			get points() {
				return machine.points.places;
			},
			addWatchpoint: (address, length, access, filter) =>
				this.points.addWatchpoint(address, length, access, filter, "own"),
			moved: () => {
				this.runner.touched();
				core.stateRestored();
				this.runner.moved(this.runner.lastStop);
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
				wake: (slot, offset) => this.translator?.wake(slot, offset),
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
		loadImages({ bytes, view, harts, ramBytes, put, clear }, elf, this.extraImages, this.chosen);
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
