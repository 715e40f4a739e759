import { hex } from "../../common/bytes.ts";
import { findMember, plain, type StructType, type Type } from "../../debuginfo/types.ts";
import type { GuestMemory } from "../guestMemory.ts";
import type { KernelNames } from "../kernelNames.ts";

/** A lock of the kernel: where it is, and what holds it. */
export interface Lock {
	/** `tickslock`, `proc[2].lock`, `bcache.buf[0].lock.lk`. */
	readonly path: string;
	readonly address: number;
}

interface SpinState {
	readonly locked: boolean;
	/** What initlock() was given; empty: none. */
	readonly name: string;
	/** Hart that holds it, as the lock itself says; undefined: nobody, or it does not say. */
	readonly hart: number | undefined;
}

interface SleepState {
	readonly locked: boolean;
	readonly name: string;
	/** Process that holds it, 0: none. */
	readonly pid: number;
}

const mostLocks = 4000;

/** Finds the kernel's spinlocks and sleep-locks by their types, once; reads them when asked. */
export class LockReader {
	readonly spinlocks: readonly Lock[];
	readonly sleeplocks: readonly Lock[];
	private readonly spin: StructType | undefined;
	private readonly sleep: StructType | undefined;

	constructor(
		private readonly memory: GuestMemory,
		private readonly names: KernelNames,
	) {
		const { symbols } = names;
		this.spin = symbols.attempt(() => symbols.info?.struct("spinlock"));
		this.sleep = symbols.attempt(() => symbols.info?.struct("sleeplock"));
		const spinlocks: Lock[] = [];
		const sleeplocks: Lock[] = [];
		for (const name of symbols.attempt(() => symbols.info?.variableNames) ?? []) {
			const variable = names.variable(name);
			if (variable && memory.contains(variable.address, 1))
				this.collect(variable.type, variable.address, name, spinlocks, sleeplocks, 0);
		}
		this.spinlocks = spinlocks;
		this.sleeplocks = sleeplocks;
	}

	private collect(type: Type | undefined, address: number, path: string, spin: Lock[], sleep: Lock[], depth: number) {
		const known = plain(type);
		if (!known || depth > 6 || spin.length > mostLocks) return;
		if (known.kind === "array") {
			if (known.count > 1024 || !this.holdsLocks(known.element, 0)) return;
			for (let i = 0; i < known.count; i++)
				this.collect(known.element, address + i * known.element.size, `${path}[${i}]`, spin, sleep, depth + 1);
			return;
		}
		if (known.kind !== "struct") return;
		if (known.name === "spinlock") {
			spin.push({ path, address });
			return;
		}
		if (known.name === "sleeplock") sleep.push({ path, address });
		for (const member of known.members)
			this.collect(
				member.type,
				address + member.offset,
				member.name === "" ? path : `${path}.${member.name}`,
				spin,
				sleep,
				depth + 1,
			);
	}

	private holdsLocks(type: Type | undefined, depth: number): boolean {
		const known = plain(type);
		if (depth > 6 || !known) return false;
		if (known.kind === "array") return this.holdsLocks(known.element, depth + 1);
		if (known.kind !== "struct") return false;
		return known.name === "spinlock" || known.members.some((member) => this.holdsLocks(member.type, depth + 1));
	}

	/** The lock at an address; one that is in no variable (of a pipe) goes by its address. */
	at(address: number): Lock {
		return this.spinlocks.find((lock) => lock.address === address) ?? { path: hex(address), address };
	}

	private member(type: StructType | undefined, name: string, address: number): number | undefined {
		const member = type && findMember(type, name);
		return member && this.memory.unsigned(address + member.offset, member.type?.size ?? 8);
	}

	state({ address }: Lock): SpinState {
		const cpu = this.member(this.spin, "cpu", address) ?? 0;
		return {
			locked: (this.member(this.spin, "locked", address) ?? 0) !== 0,
			name: this.text(this.member(this.spin, "name", address)),
			hart: this.hartOf(cpu),
		};
	}

	sleepState({ address }: Lock): SleepState {
		return {
			locked: (this.member(this.sleep, "locked", address) ?? 0) !== 0,
			name: this.text(this.member(this.sleep, "name", address)),
			pid: this.member(this.sleep, "pid", address) ?? 0,
		};
	}

	private text(address: number | undefined): string {
		return address ? this.memory.text(address, 24) : "";
	}

	private hartOf(cpu: number): number | undefined {
		const { cpus } = this.names;
		if (!cpus || cpu === 0) return undefined;
		const index = (cpu - cpus.address) / cpus.stride;
		return Number.isInteger(index) && index >= 0 && index < cpus.count ? index : undefined;
	}

	/** Spinlocks that a hart holds now. */
	heldBy(hart: number): Lock[] {
		return this.spinlocks.filter((lock) => {
			const state = this.state(lock);
			return state.locked && state.hart === hart;
		});
	}

	/** `tickslock ("time")`. */
	label(lock: Lock): string {
		const { name } = this.state(lock);
		return name === "" || name === lock.path ? lock.path : `${lock.path} ("${name}")`;
	}

	/** How many push_off() of a hart are open; undefined: the kernel does not say. */
	depthOf(hart: number): number | undefined {
		return this.ofCpu(hart, "noff");
	}

	/** Whether interrupts were on before the first of them. */
	wereOn(hart: number): boolean | undefined {
		const intena = this.ofCpu(hart, "intena");
		return intena === undefined ? undefined : intena !== 0;
	}

	private ofCpu(hart: number, member: string): number | undefined {
		const { cpus } = this.names;
		const offset = cpus && this.names.offsetIn(cpus.element, member);
		return cpus && offset !== undefined && hart < cpus.count
			? this.memory.u32(cpus.address + hart * cpus.stride + offset)
			: undefined;
	}
}
