import type { GuestMemory } from "./guestMemory.ts";
import type { KernelNames } from "./kernelNames.ts";

/** One used slot of proc[]. */
export interface Process {
	readonly slot: number;
	/** Of the structure. */
	readonly address: number;
	readonly pid: number;
	readonly name: string;
	readonly state: string;
	readonly parent: number;
	readonly size: number;
	readonly chan: number;
	readonly killed: boolean;
	/** Physical address of the root table; 0: none. */
	readonly root: number;
	readonly trapframe: number;
	/** Virtual address of the kernel stack. */
	readonly kernelStack: number;
	/** Saved sp and s0 of the switched-out process. */
	readonly savedStack: number;
}

/** Who is there; from the kernel's `proc[]`, or from what hardware shows. */
export interface ProcessSource {
	/** Slots in use, in order. */
	all(): Process[];
	/** Undefined: the slot is UNUSED. */
	read(slot: number): Process | undefined;
	/** The process whose page table a root is; `hart`: which is most likely the one it runs on. */
	withRoot(root: number, hart?: number): Process | undefined;
	slotWithRoot(root: number, hart?: number): number | undefined;
	/** Slot that a hart runs, as the kernel has it. */
	slotOn(hart: number): number | undefined;
	/** Slot of a `struct proc *`; undefined: it does not point to the begin of a slot. */
	slotAt(address: number): number | undefined;
	pidOf(slot: number): number;
	nameOf(slot: number): string;
	stateOf(slot: number): string;
	/** pid that each hart runs, 0: none. */
	running(harts: number): number[];
}

/** xv6's names have 16 bytes. */
const nameWords = 4;

/** Reads proc[]; runs at every trap, so member offsets are looked up once and words are read only where they are asked for. */
export class ProcessReader implements ProcessSource {
	/** Of the members; -1: there is none. */
	private readonly at: ReturnType<ProcessReader["members"]>;
	private readonly procOfCpu: number | undefined;
	/** By slot: the words of the name that was last read there, and its text. */
	private readonly nameWords: Uint32Array;
	private readonly nameTexts: string[] = [];

	constructor(
		private readonly memory: GuestMemory,
		private readonly names: KernelNames,
	) {
		const { cpus } = names;
		this.procOfCpu = cpus && names.offsetIn(cpus.element, "proc");
		this.at = this.members();
		this.nameWords = new Uint32Array((names.proc?.count ?? 0) * nameWords);
	}

	private members() {
		const { proc } = this.names;
		const offset = (path: string) => (proc && this.names.offsetIn(proc.element, path)) ?? -1;
		return {
			state: offset("state"),
			parent: offset("parent"),
			pid: offset("pid"),
			name: offset("name"),
			size: offset("sz"),
			chan: offset("chan"),
			killed: offset("killed"),
			root: offset("pagetable"),
			// MIT called it `tf` until 2019.
			trapframe: Math.max(offset("trapframe"), offset("tf")),
			kernelStack: offset("kstack"),
			savedStack: offset("context.sp"),
		};
	}

	private word(address: number, offset: number): number {
		return offset < 0 ? 0 : (this.memory.u32(address + offset) ?? 0);
	}

	private long(address: number, offset: number): number {
		return offset < 0 ? 0 : (this.memory.u64(address + offset) ?? 0);
	}

	all(): Process[] {
		const { proc } = this.names;
		if (!proc) return [];
		const found: Process[] = [];
		for (let slot = 0; slot < proc.count; slot++) {
			const process = this.read(slot);
			if (process) found.push(process);
		}
		return found;
	}

	read(slot: number): Process | undefined {
		const { proc } = this.names;
		if (!proc) return undefined;
		const address = proc.address + slot * proc.stride;
		const state = this.names.stateName(this.word(address, this.at.state));
		if (state === "UNUSED") return undefined;
		const parent = this.long(address, this.at.parent);
		return {
			slot,
			address,
			pid: this.word(address, this.at.pid) | 0,
			name: this.nameOf(slot),
			state,
			parent: this.pidAt(parent),
			size: this.long(address, this.at.size),
			chan: this.long(address, this.at.chan),
			killed: this.word(address, this.at.killed) !== 0,
			root: this.long(address, this.at.root),
			trapframe: this.long(address, this.at.trapframe),
			kernelStack: this.long(address, this.at.kernelStack),
			savedStack: this.long(address, this.at.savedStack),
		};
	}

	/** pid of a `struct proc *`; 0 when it does not point into proc[]. */
	private pidAt(pointer: number): number {
		const slot = this.slotAt(pointer);
		return slot === undefined ? 0 : this.pidOf(slot);
	}

	withRoot(root: number, hart?: number): Process | undefined {
		const slot = this.slotWithRoot(root, hart);
		return slot === undefined ? undefined : this.read(slot);
	}

	slotWithRoot(root: number, hart?: number): number | undefined {
		const { proc } = this.names;
		const offset = this.at.root;
		if (!proc || offset < 0 || root === 0) return undefined;
		const has = (slot: number) =>
			this.memory.u64(proc.address + slot * proc.stride + offset) === root && this.stateOf(slot) !== "UNUSED";
		const likely = hart === undefined ? undefined : this.slotOn(hart);
		if (likely !== undefined && has(likely)) return likely;
		for (let slot = 0; slot < proc.count; slot++) if (has(slot)) return slot;
		return undefined;
	}

	slotOn(hart: number): number | undefined {
		const { cpus } = this.names;
		if (!cpus || this.procOfCpu === undefined || hart >= cpus.count) return undefined;
		return this.slotAt(this.memory.u64(cpus.address + hart * cpus.stride + this.procOfCpu) ?? 0);
	}

	slotAt(address: number): number | undefined {
		const { proc } = this.names;
		if (!proc) return undefined;
		const slot = (address - proc.address) / proc.stride;
		return Number.isInteger(slot) && slot >= 0 && slot < proc.count ? slot : undefined;
	}

	pidOf(slot: number): number {
		const { proc } = this.names;
		return proc ? this.word(proc.address + slot * proc.stride, this.at.pid) | 0 : 0;
	}

	nameOf(slot: number): string {
		const { proc } = this.names;
		if (!proc || this.at.name < 0) return "";
		const address = proc.address + slot * proc.stride + this.at.name;
		let same = this.nameTexts[slot] !== undefined;
		for (let i = 0; i < nameWords; i++) {
			const word = this.memory.u32(address + 4 * i) ?? 0;
			if (this.nameWords[slot * nameWords + i] !== word) same = false;
			this.nameWords[slot * nameWords + i] = word;
		}
		if (!same) this.nameTexts[slot] = this.memory.text(address, 4 * nameWords);
		return this.nameTexts[slot] as string;
	}

	stateOf(slot: number): string {
		const { proc } = this.names;
		return proc ? this.names.stateName(this.word(proc.address + slot * proc.stride, this.at.state)) : "UNUSED";
	}

	running(harts: number): number[] {
		return Array.from({ length: harts }, (_, hart) => {
			const slot = this.slotOn(hart);
			return slot === undefined ? 0 : this.pidOf(slot);
		});
	}
}
