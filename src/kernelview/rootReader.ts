import type { MachineSurface } from "../machine/types.ts";
import { CSR } from "../riscv/csr.ts";
import { type GuestMemory, pageBytes } from "./guestMemory.ts";
import type { Process, ProcessSource } from "./processes.ts";
import { trampolineVa, trapframeVa } from "./spaces.ts";
import { rootOf, translate } from "./sv39.ts";

/** As many as xv6 has processes. */
const maxRoots = 64;

/**
 * What hardware alone shows of processes, for a kernel without a `proc[]` that is understood: the page tables with which harts have been in
 * user mode. Each stands for a process; its number is no pid.
 */
export class RootReader implements ProcessSource {
	/** By slot; a freed table's place serves again. */
	private readonly roots: number[] = [];

	constructor(
		private readonly memory: GuestMemory,
		private readonly machine: Pick<MachineSurface, "harts">,
	) {}

	/** A table of a process maps the trampoline; one that was freed is full of something else, or belongs to somebody else by now. */
	private isAlive(root: number): boolean {
		return translate(this.memory, root, trampolineVa) !== undefined;
	}

	private hartOf(slot: number): number {
		return this.machine.harts.findIndex(
			(hart) => hart.mode === 0 && rootOf(hart.csr(CSR.satp) ?? 0n) === this.roots[slot],
		);
	}

	all(): Process[] {
		return this.roots.flatMap((_, slot) => this.read(slot) ?? []);
	}

	read(slot: number): Process | undefined {
		const root = this.roots[slot];
		if (root === undefined || !this.isAlive(root)) return undefined;
		const trapframe = translate(this.memory, root, trapframeVa) ?? 0;
		return {
			slot,
			address: 0,
			pid: slot + 1,
			name: this.nameOf(),
			state: this.stateOf(slot),
			parent: 0,
			size: 0,
			chan: 0,
			killed: false,
			root,
			trapframe: Math.floor(trapframe / pageBytes) * pageBytes,
			kernelStack: 0,
			savedStack: 0,
		};
	}

	withRoot(root: number, hart?: number): Process | undefined {
		const slot = this.slotWithRoot(root, hart);
		return slot === undefined ? undefined : this.read(slot);
	}

	/** With `hart`, it was in user mode with this root just now. */
	slotWithRoot(root: number, hart?: number): number | undefined {
		const slot = this.roots.indexOf(root);
		if (slot >= 0) return slot;
		if (hart === undefined || root === 0) return undefined;
		const free = this.roots.findIndex((other) => !this.isAlive(other));
		const place = free >= 0 ? free : this.roots.length;
		if (place >= maxRoots) return undefined;
		this.roots[place] = root;
		return place;
	}

	/** Only a kernel's `cpus[]` says it. */
	/** There is no `struct proc`. */
	slotAt(): undefined {
		return undefined;
	}

	slotOn(): undefined {
		return undefined;
	}

	pidOf(slot: number): number {
		return slot + 1;
	}

	nameOf(): string {
		return "?";
	}

	stateOf(slot: number): string {
		const root = this.roots[slot];
		if (root === undefined || !this.isAlive(root)) return "UNUSED";
		return this.hartOf(slot) >= 0 ? "in user mode" : "not in user mode";
	}

	running(harts: number): number[] {
		const running = new Array<number>(harts).fill(0);
		for (const slot of this.roots.keys()) {
			const hart = this.hartOf(slot);
			if (hart >= 0) running[hart] = slot + 1;
		}
		return running;
	}
}
