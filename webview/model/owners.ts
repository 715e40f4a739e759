import type { SpaceModel } from "../../src/protocol/kernelModel.ts";
import { pageBytes } from "./format.ts";
import { type Memory, memoryAt } from "./memory.ts";
import type { Run } from "./run.ts";

/** Who has a frame, and where. */
export interface Owner {
	readonly pid: number;
	readonly as: "page" | "page-table" | "trapframe";
	readonly va: number;
	readonly level?: number;
}

const bySpace = new WeakMap<SpaceModel, ReadonlyMap<number, readonly Owner[]>>();

/** Every frame that a space has, with the trampoline left out, which all share. */
function framesOf(space: SpaceModel, memoryBase: number): ReadonlyMap<number, readonly Owner[]> {
	const known = bySpace.get(space);
	if (known) return known;
	const found = new Map<number, Owner[]>();
	const add = (frame: number, owner: Owner) => {
		const list = found.get(frame);
		if (list) list.push(owner);
		else found.set(frame, [owner]);
	};
	const { pid } = space;
	for (const table of space.tables) {
		const reach = pageBytes * 512 ** table.level;
		add(frameOf(Number(table.address)), { pid, as: "page-table", va: Number(table.start), level: table.level });
		for (const run of table.entries) {
			for (let i = 0; run.leaf && i < run.count; i++) {
				const va = Number(table.start) + (run.index + i) * reach;
				if (va === trampoline) continue;
				const first = frameOf(Number(run.address) + i * reach);
				const as = va === trapframe ? ("trapframe" as const) : ("page" as const);
				for (let k = 0; k < reach / pageBytes; k++) add(first + k, { pid, as, va: va + k * pageBytes });
			}
		}
	}
	bySpace.set(space, found);
	return found;

	function frameOf(address: number): number {
		return Math.floor((address - memoryBase) / pageBytes);
	}
}

/** Who has one frame at a moment. */
export function ownersOfFrame(run: Run, memory: Memory, frame: number): readonly Owner[] {
	const base = Number(run.model.memoryBase);
	const found: Owner[] = [];
	for (const space of memory.spaces.values()) found.push(...(framesOf(space, base).get(frame) ?? []));
	return found;
}

/** Memory layout of every xv6-riscv (kernel/memlayout.h). */
const trampoline = 2 ** 38 - pageBytes;
const trapframe = trampoline - pageBytes;

const byMemory = new WeakMap<object, ReadonlyMap<number, readonly Owner[]>>();

/** Owners of each frame that a process has. */
export function ownersOf(run: Run, memory: Memory): ReadonlyMap<number, readonly Owner[]> {
	const key = memory.step ?? run.model;
	const known = byMemory.get(key);
	if (known) return known;
	const base = Number(run.model.memoryBase);
	const owners = new Map<number, Owner[]>();
	for (const space of memory.spaces.values())
		for (const [frame, own] of framesOf(space, base)) {
			const list = owners.get(frame);
			if (list) list.push(...own);
			else owners.set(frame, [...own]);
		}
	byMemory.set(key, owners);
	return owners;
}

/** Who had a frame, event by event. */
export interface OwnerCell {
	/** Index in the run's events. */
	readonly event: number;
	readonly owners: readonly Owner[];
}

export function ownerStrip(run: Run, frame: number, from: number, to: number): OwnerCell[] {
	const cells: OwnerCell[] = [];
	for (let event = from; event < to; event++) {
		const memory = memoryAt(run, event);
		cells.push({ event, owners: memory ? ownersOfFrame(run, memory, frame) : [] });
	}
	return cells;
}
