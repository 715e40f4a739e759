import { hex } from "../common/bytes.ts";
import { type Disposable, DisposableStore } from "../common/disposable.ts";
import type { Event } from "../common/event.ts";
import { describePlace, type Place, ProgramSymbols, Symbolizer } from "../debuginfo/symbolizer.ts";
import type { MachineSurface } from "../machine/types.ts";
import { changing } from "../protocol/calls.ts";
import { type Diagnosis, type RunEnd, renderDiagnoses } from "../protocol/diagnosis.ts";
import type { MemoryStep } from "../protocol/history.ts";
import type {
	FaultEntry,
	Finding,
	HartModel,
	KernelModel,
	PanelName,
	ProcessModel,
	WalkModel,
} from "../protocol/kernelModel.ts";
import { expandUses } from "../protocol/modelDelta.ts";
import type { StackLine } from "../protocol/verdict.ts";
import { gotFrame, outcomeWords } from "../protocol/words.ts";
import { CSR } from "../riscv/csr.ts";
import { ActivityRecorder } from "./activity.ts";
import { Allowance } from "./allowance.ts";
import { Diagnoser } from "./diagnosis/diagnoser.ts";
import { LockReader } from "./diagnosis/locks.ts";
import { saysPanicked } from "./diagnosis/panics.ts";
import { FailureStacks } from "./failureStacks.ts";
import { FaultLog } from "./faultLog.ts";
import { Findings } from "./findings.ts";
import { frameLetters } from "./frames.ts";
import { readFreeFrames } from "./freeFrames.ts";
import { GuestMemory, pageBytes } from "./guestMemory.ts";
import { KernelNames } from "./kernelNames.ts";
import { LiveModel, type Outline } from "./liveModel.ts";
import { isIdle, kernelRoot, type Look, type Sources, takeLook } from "./look.ts";
import { Moments } from "./moments.ts";
import { type Process, ProcessReader } from "./processes.ts";
import { type InUse, inUse } from "./quiescence.ts";
import type { RegionDescription } from "./regionDescription.ts";
import { RegionReader } from "./regions.ts";
import { RootReader } from "./rootReader.ts";
import { kernelAreas, spaceModel, unusedStacks } from "./spaces.ts";
import { canonical, rootOf, WalkCache } from "./sv39.ts";
import { readWaits, sleepsOn, type Waits } from "./waits.ts";
import { walkAddress } from "./walk.ts";

export interface ViewOptions {
	/** The lab's regions (lab.json, `regions`); default: none. */
	readonly regions?: readonly RegionDescription[];
	/** False: memory after each call and fault is not kept (`steps`, `live`). Who only judges has no use for it, and it is most of the work. */
	readonly steps?: boolean;
}

/** Whole looks cost milliseconds. */
const instructionsPerLook = 400_000_000;
const modeNames = { 0: "user", 1: "supervisor", 3: "machine" } as const;

/**
 * A kernel seen from outside: from physical memory, traps, and the debug information of its ELF files. It never changes the machine, and
 * nothing in guest memory can make it fail: what is damaged is shown as such.
 */
export class KernelView implements Disposable {
	private readonly sources: Sources;
	private readonly symbolizer: Symbolizer;
	private readonly log: FaultLog;
	private readonly problems: Findings;
	private readonly attached = new DisposableStore();
	private readonly moments: Moments;
	private readonly diagnoser: Diagnoser;
	/** Frames that nobody had when the run began. */
	private leakedBefore: ReadonlySet<number> = new Set();
	private damageBefore: string | undefined;
	/** Of the last run; the text that the inspector shows. */
	private lastDiagnosis = "";
	private diagnosedAt = 0;
	/** Guest time of the last `begin`: the log has nothing of what came before. */
	private begunAt = 0;
	private isAttached = false;
	private sequence = 0;
	private readonly looks: Allowance;
	private locks: LockReader | undefined;
	private readonly stacks: FailureStacks;

	/** `programs`: the user programs' ELF files by name, for their lines and for telling text from data. */
	constructor(
		private readonly machine: MachineSurface,
		kernel: Uint8Array,
		programs: ReadonlyMap<string, Uint8Array>,
		options: ViewOptions = {},
	) {
		const memory = GuestMemory.of(machine);
		const symbols = new ProgramSymbols("kernel", kernel);
		const names = new KernelNames(symbols);
		this.symbolizer = new Symbolizer(symbols, (name) => programs.get(name), memory.base);
		this.sources = {
			machine,
			memory,
			names,
			processes: names.proc ? new ProcessReader(memory, names) : new RootReader(memory, machine),
			regions: new RegionReader(memory, names, options.regions ?? []),
			walks: new WalkCache(),
			program: (name) => this.symbolizer.program(name),
		};
		this.stacks = new FailureStacks(this.sources, this.symbolizer);
		this.looks = new Allowance(() => machine.instret, instructionsPerLook);
		this.problems = new Findings(
			this.sources,
			() => this.stacks.findPanic(),
			() => this.log,
		);
		this.diagnoser = new Diagnoser(this.sources);
		this.moments = new Moments(
			this.sources,
			(process, running) => this.processModel(process, running),
			options.steps !== false,
		);
		const { problems } = this;
		this.log = new FaultLog(this.sources, {
			mapped: (entry, process, leaf, region) => {
				problems.mapped(entry, process, leaf, region);
				this.checkpoint();
			},
			entered: (entry, slot) => this.moments.before(entry, slot),
			settled: (entry) => this.moments.after(entry),
			again: (entry, process) => problems.again(entry, process),
			leaving: (call, process, pending) => {
				problems.leaving(call, process, pending);
				this.checkpoint();
			},
			returned: (call, pending, result) => {
				problems.returned(call, pending, result);
				this.checkpoint();
			},
			killed: (pid, pending) => problems.killed(pid, pending),
		});
	}

	/** Starts the fault log: from now on traps are seen. */
	attach(): Disposable {
		if (!this.isAttached) {
			this.isAttached = true;
			this.attached.add(
				this.machine.onTrap((trap) => {
					this.log.trap(trap);
					this.diagnoser.recorder.trap(trap);
					if (trap.fromMode === 0 && trap.cause !== 8 && !trap.interrupt)
						this.stacks.keepUser(trap, (process) => this.mayKill(process));
				}),
			);
			this.attached.add(
				this.machine.onTrapReturn((event) => {
					this.diagnoser.recorder.returned(event);
					if (event.toMode !== 0) return;
					this.log.returned(event.hart);
					this.moments.reaped();
				}),
			);
		}
		return { dispose: () => this.dispose() };
	}

	dispose(): void {
		this.attached.dispose();
	}

	/** For a part of the run that is done once more; see activity.ts. */
	activity(): ActivityRecorder {
		return new ActivityRecorder(this.sources, this.lockReader());
	}

	/** Spinlocks in variables of the kernel that a hart holds now. */
	locksHeld(hart: number): string[] {
		const locks = this.lockReader();
		return locks.heldBy(hart).map((lock) => locks.label(lock));
	}

	private lockReader(): LockReader {
		this.locks ??= new LockReader(this.sources.memory, this.sources.names);
		return this.locks;
	}

	/** Forgets log and findings, for example when a test begins or the machine was put back. */
	begin(): void {
		this.log.clear();
		this.problems.clear();
		this.moments.begin();
		this.looks.pace();
		this.stacks.clear();
		this.diagnoser.recorder.clear();
		this.lastDiagnosis = "";
		this.begunAt = this.machine.instret;
		const census = this.isCalm() ? takeLook(this.sources).census : undefined;
		this.leakedBefore = new Set(census?.leaked);
		this.damageBefore = census?.damage;
	}

	// ---- the past --------------------------------------------------------------------------------------------------

	/** The machine stands at an earlier moment of its run: nothing is to be learnt from what is known. */
	private get isPast(): boolean {
		return this.machine.history?.isPast === true;
	}

	/**
	 * This moment of the past, as it was seen then: memory, findings and diagnosis. `log` has only those entries that were otherwise than
	 * they are in the present; all that are later are to be left out. Undefined: it is the present.
	 */
	past(): KernelModel | undefined {
		if (!this.isPast) return undefined;
		const { model, uses } = this.see(false);
		const log = this.log.changedAt(model.instret);
		return { ...model, frames: { ...model.frames, uses: expandUses(uses) }, log };
	}

	/** What came after this moment has not happened: log, findings and what else was seen of it are forgotten. */
	cut(): void {
		const { instret } = this.machine;
		if (instret < this.begunAt) {
			this.begin();
			return;
		}
		const pending = this.log.cut(instret);
		this.problems.cut(instret);
		this.moments.cut(instret, pending);
		this.diagnoser.recorder.cut(instret);
		this.stacks.cut(instret);
		if (this.diagnosedAt > instret) this.lastDiagnosis = "";
	}

	/**
	 * Where a person watches: from now on the looks that come by themselves take a share of the time that this clock (milliseconds) tells.
	 * What they find then depends on the host; `begin` goes back to guest time, which it does not.
	 */
	paceBy(clock: () => number): void {
		this.looks.pace(clock);
		this.moments.paceBy(clock);
	}

	// ---- moments ---------------------------------------------------------------------------------------------------

	/** Looks for findings at a moment that offers itself, unless too many such moments came lately. */
	private checkpoint(): void {
		if (this.looks.ready && this.isCalm()) this.looks.spend(() => this.check(takeLook(this.sources)));
	}

	private check(look: Look): void {
		// Without the kernel's word for who a process is, memory looks wrong that is not.
		if (look.processes.length === 0 || (!this.sources.names.proc && !look.panicked)) return;
		if (look.panicked || this.isCalm()) this.problems.check(look, this.isQuiet(look));
	}

	/** No process is in the middle of a call that changes address spaces, and none is half made. */
	private isCalm(): boolean {
		for (const process of this.sources.processes.all()) {
			const { state } = process;
			if (state === "USED") return false;
			if (state !== "RUNNING" && state !== "RUNNABLE") continue;
			const call = this.log.pendingOf(process)?.call;
			if (call !== undefined && changing.has(call)) return false;
		}
		return true;
	}

	/** Every hart is in user mode or idle, and every process waits or is in user mode: memory is as the kernel wants it to be. */
	private isQuiet(look: Look): boolean {
		const idle = this.areHartsIdle(look);
		const settled = (process: Process) =>
			process.state === "SLEEPING" || process.state === "ZOMBIE" || !this.log.pendingOf(process);
		return idle && look.processes.every(settled);
	}

	/** As `isCalm`, by memory and registers alone, so that it may say no where that says yes: nobody is inside the kernel. */
	private isIdle(look: Look): boolean {
		const running = new Set(look.running);
		const settled = ({ state, pid }: Process) =>
			state === "SLEEPING" || state === "ZOMBIE" || (state === "RUNNING" && running.has(pid));
		return this.areHartsIdle(look) && look.processes.every(settled);
	}

	private areHartsIdle(look: Look): boolean {
		return this.machine.harts.every(
			(hart) => hart.mode === 0 || hart.waiting || isIdle(this.sources.names, look.running[hart.id]),
		);
	}

	/** Everything that can be seen now. */
	model(): KernelModel {
		const { model, uses } = this.see(true);
		const log = this.isPast ? this.log.at(model.instret) : this.log.entries.slice();
		return { ...model, frames: { ...model.frames, uses: expandUses(uses) }, log };
	}

	/** For a reader that asks again and again. One at a time: a second one takes the place of the first. */
	live(entriesPerUpdate?: number): LiveModel {
		return new LiveModel(
			{ outline: () => this.see(false), past: () => this.past() },
			this.log,
			this.moments,
			entriesPerUpdate,
		);
	}

	/** `kernelTables`: with the page tables of the kernel, which maps all of RAM. */
	private see(kernelTables: boolean): Outline {
		const { memory, names } = this.sources;
		const look = takeLook(this.sources);
		const { isPast } = this;
		if (!isPast) {
			this.log.settleGone();
			this.check(look);
		}
		const calm = isPast ? this.isIdle(look) : this.isCalm();
		const kernel = look.kernel
			? [
					spaceModel(
						memory,
						{ pid: 0, name: "kernel" },
						look.kernel,
						kernelAreas(memory, names, look.processes),
						[],
						kernelTables,
						unusedStacks,
					),
				]
			: [];
		const spaces = look.spaces.map((space) =>
			spaceModel(memory, space.process, space.tables, space.areas, space.regions, true),
		);
		const model: KernelModel = {
			format: 1,
			sequence: ++this.sequence,
			instret: look.instret,
			memoryBase: hex(memory.base),
			memoryBytes: memory.size,
			panicked: look.panicked,
			harts: this.harts(look),
			processes: look.processes.map((process) => this.processModel(process, look.running)),
			spaces: [...kernel, ...spaces],
			frames: { ...frameLetters(look.census, names.proc !== undefined && calm), uses: [] },
			log: [],
			logDropped: this.log.dropped,
			findings: isPast ? this.problems.at(look.instret) : this.problems.list,
			...(this.diagnosisNow(look) === "" ? {} : { diagnosis: this.lastDiagnosis }),
			notes: this.notes(look),
		};
		return { model, uses: look.census.uses };
	}

	private harts(look: Look): HartModel[] {
		return this.machine.harts.map((hart) => {
			const process = look.processes.find(({ pid }) => pid === look.running[hart.id]);
			const place = this.symbolizer.place(hart.pc, hart.mode === 0 ? process?.name : undefined);
			const source =
				place?.file !== undefined && place.line !== undefined
					? {
							file: place.file,
							line: place.line,
							...(place.function !== undefined ? { function: place.function } : {}),
						}
					: undefined;
			return {
				id: hart.id,
				pc: hex(hart.pc),
				mode: modeNames[hart.mode],
				waiting: hart.waiting,
				pid: process?.pid ?? 0,
				...(source ? { source } : {}),
			};
		});
	}

	private processModel(process: Process, running: readonly number[]): ProcessModel {
		const { slot, pid, name, state, parent, size, killed, root } = process;
		const hart = running.indexOf(pid);
		return {
			slot,
			pid,
			name,
			state,
			parent,
			size,
			killed,
			root: hex(root),
			...sleepsOn(this.sources, process),
			...(hart >= 0 ? { hart } : {}),
		};
	}

	private notes(look: Look): KernelModel["notes"] {
		const { names, regions } = this.sources;
		const notes: Partial<Record<PanelName, string[]>> = Object.fromEntries(
			[...names.notes].map(([panel, list]) => [panel, [...list]]),
		);
		const add = (panel: PanelName, text: string) => {
			notes[panel] = [...(notes[panel] ?? []), text];
		};
		if (names.symbols.problem !== undefined) add("processes", names.symbols.problem);
		if (!regions.described)
			add("address-space", "No lab describes this kernel's mapped regions: pages above p->sz have no label");
		if (look.census.freeCount === undefined)
			add("frames", "No list of free frames was found in this kernel: free frames cannot be told from others");
		if (look.census.damage !== undefined) add("frames", look.census.damage);
		for (const space of look.spaces)
			if (space.tables.damage !== undefined) add("address-space", `pid ${space.pid}: ${space.tables.damage}`);
		if (!this.isAttached) add("faults", "The log was not running");
		else if (look.instret < this.begunAt) add("faults", "The log begins later than this moment");
		return notes;
	}

	// ---- questions -------------------------------------------------------------------------------------------------

	/** Frames on kalloc's free list; undefined when there is no such list. */
	freeFrames(): number | undefined {
		this.sources.memory.refresh();
		return readFreeFrames(this.sources.memory, this.sources.names).count;
	}

	/** Locks and references; for who compares two moments at which nothing runs. */
	inUse(): InUse {
		return inUse(this.sources, this.diagnoser.locks);
	}

	/** Every process that is there, in the order of the kernel's table. */
	processes(): readonly { readonly pid: number; readonly name: string; readonly state: string }[] {
		this.sources.memory.refresh();
		return this.sources.processes.all().map(({ pid, name, state }) => ({ pid, name, state }));
	}

	/** What each process waits for, and the kernel's count of clock interrupts. */
	waits(): Waits {
		return readWaits(this.sources, this.diagnoser.recorder);
	}

	/** Undefined: this kernel does not tell. */
	panicked(): boolean | undefined {
		return saysPanicked(this.sources);
	}

	get faultCount(): number {
		return this.log.faultCount;
	}

	/** Page faults so far as one line each. */
	faults(): { text: string; file?: string; line?: number }[] {
		if (!this.isPast) this.log.settleGone();
		const entries = this.isPast ? this.log.at(this.machine.instret) : this.log.entries;
		return entries.flatMap((entry) =>
			entry.type === "fault"
				? [{ text: faultText(entry), ...(entry.source ? { file: entry.source.file, line: entry.source.line } : {}) }]
				: [],
		);
	}

	/** A finding is new; told at the moment in the guest that showed it. */
	get onFinding(): Event<Finding> {
		return this.problems.onFirst;
	}

	findings(): readonly Finding[] {
		if (this.isPast) return this.problems.at(this.machine.instret);
		this.log.settleGone();
		this.check(takeLook(this.sources));
		return this.problems.list;
	}

	/**
	 * Why the run ended as it did: the cause first, empty where nothing is wrong or nothing is known. `file`: text of a file of the tree
	 * by its path, for what only the sources say.
	 */
	diagnose(end: RunEnd, file: (path: string) => string | undefined = () => undefined): readonly Diagnosis[] {
		const findings = this.findings();
		const look = takeLook(this.sources);
		const killed = new Map(this.problems.killedProcesses.map((pid) => [pid, this.stacks.ofUser(pid)]));
		const before = {
			leaver: this.problems.leaver,
			leaked: this.leakedBefore,
			damage: this.damageBefore,
			calm: this.isCalm(),
		};
		const diagnoses = this.diagnoser.diagnose(look, end, { log: this.log, findings, killed, before }, file);
		this.lastDiagnosis = renderDiagnoses(diagnoses);
		this.diagnosedAt = this.machine.instret;
		return diagnoses;
	}

	/** A panic is explained to a reader, although no run has ended. */
	private diagnosisNow(look: Look): string {
		if (this.isPast) return this.diagnosedAt <= look.instret ? this.lastDiagnosis : "";
		if (look.panicked && this.lastDiagnosis === "") this.diagnose({ kind: "panic" });
		return this.lastDiagnosis;
	}

	/** pids that a trap ended; undefined: in this kernel that is not seen. */
	killed(): readonly number[] | undefined {
		this.log.settleGone();
		const { killedProcesses } = this.problems;
		return this.sources.names.proc || killedProcesses.length > 0 ? killedProcesses : undefined;
	}

	/** For a page address, the frames that processes had there when they ended, replaced their program, or unmapped it. */
	framesAt(address: bigint): readonly { pid: number; frame: bigint }[] | undefined {
		const va = canonical(address);
		return va === undefined ? undefined : this.problems.framesAt(Math.floor(va / pageBytes) * pageBytes);
	}

	/** Where an address lies in the sources; `satp` says in whose program, default: what runs on the first hart in user mode. */
	place(pc: bigint, satp?: bigint): Place | undefined {
		return this.symbolizer.place(pc, this.programOf(satp));
	}

	private programOf(satp: bigint | undefined): string | undefined {
		const root = satp ?? this.machine.harts.find((hart) => hart.mode === 0)?.csr(CSR.satp);
		this.sources.memory.refresh();
		return root === undefined ? undefined : this.sources.processes.withRoot(rootOf(root))?.name;
	}

	/** For links in a terminal: an address as text. */
	symbolize(address: string | bigint, satp?: bigint): { name: string; file?: string; line?: number } | undefined {
		if (typeof address === "string" && !/^0x[0-9a-fA-F]{1,16}$/.test(address)) return undefined;
		const place = this.place(BigInt(address), satp);
		if (!place) return undefined;
		return {
			name: describePlace({
				address: place.address,
				...(place.symbol ? { symbol: place.symbol, offset: place.offset ?? 0 } : {}),
			}),
			...(place.file !== undefined && place.line !== undefined ? { file: place.file, line: place.line } : {}),
		};
	}

	/** Sv39 walk of one address in the table of a process, pid 0: the kernel's. Undefined: there is no such process. */
	walk(pid: number, address: string | bigint): WalkModel | undefined {
		if (typeof address === "string" && !/^0x[0-9a-fA-F]{1,16}$/.test(address)) return undefined;
		this.sources.memory.refresh();
		const root =
			pid === 0 ? kernelRoot(this.sources) : this.sources.processes.all().find((process) => process.pid === pid)?.root;
		return root ? walkAddress(this.sources.memory, pid, root, BigInt(address)) : undefined;
	}

	/** Memory after each logged call and fault of late, oldest first. */
	get steps(): readonly MemoryStep[] {
		return this.moments.all;
	}

	/** Calls on the stack of the hart that panicked, else of the process that a trap killed last; innermost first. */
	stack(): readonly StackLine[] {
		this.sources.memory.refresh();
		this.log.settleGone();
		const panic = this.stacks.ofPanic();
		if (panic) return panic;
		const pid = this.problems.killedProcesses.at(-1);
		return pid === undefined ? [] : this.stacks.ofUser(pid);
	}

	/** Of a process that is in a trap: a fault in a known region is most likely served. */
	private mayKill(process: Process): boolean {
		const pending = this.log.pendingOf(process);
		return pending !== undefined && !(pending.entry?.type === "fault" && pending.entry.region);
	}

	/** Calls of the kernel that led a hart to `pc`, innermost first. */
	kernelCalls(hart: number, pc: bigint): readonly StackLine[] {
		this.sources.memory.refresh();
		return this.stacks.ofKernel(hart, pc);
	}
}

/** `4 prodcons3: store 0x3fffffd028 in mapped region (shared, family 0), got frame 32606`. */
function faultText(entry: FaultEntry): string {
	const where = entry.range ? ` in ${entry.range}` : ", nothing is there";
	const { outcome, frame } = entry;
	const became = frame === undefined ? outcomeWords[outcome] : gotFrame.replace("{0}", String(frame));
	const mode = entry.mode === "user" ? "" : " (kernel mode)";
	return `${entry.pid} ${entry.process}: ${entry.access} ${entry.address}${mode}${where}: ${became}`;
}
