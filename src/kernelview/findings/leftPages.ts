import type { Pending } from "../faultLog.ts";
import { pageBytes } from "../guestMemory.ts";
import type { Sources } from "../look.ts";
import type { Process } from "../processes.ts";
import { canonical, findLeaf, pteU } from "../sv39.ts";

interface Left {
	readonly pid: number;
	readonly frame: bigint;
	/** When it was seen there. */
	readonly instret: number;
}

/** Frames that processes had at their addresses when they ended, replaced their program, or unmapped them. */
export class LeftPages {
	/** Page address to who had which frame there. */
	private readonly leftFrames = new Map<number, Left[]>();

	constructor(private readonly sources: Sources) {}

	clear(): void {
		this.leftFrames.clear();
	}

	at(address: number): readonly { pid: number; frame: bigint }[] | undefined {
		return this.leftFrames.get(address)?.map(({ pid, frame }) => ({ pid, frame }));
	}

	/** What came after this moment has not happened. */
	cut(instret: number): void {
		for (const [va, list] of this.leftFrames)
			this.leftFrames.set(
				va,
				list.filter((left) => left.instret <= instret),
			);
		for (const [va, list] of this.leftFrames) if (list.length === 0) this.leftFrames.delete(va);
	}

	/** Who last had one of these frames, and where. */
	ownerOf(frames: readonly number[]): { pid: number; va: number } | undefined {
		const wanted = new Set(frames.map((frame) => BigInt(this.sources.memory.addressOf(frame))));
		for (const [va, list] of this.leftFrames) {
			const owner = list.find(({ frame }) => wanted.has(frame));
			if (owner) return { pid: owner.pid, va };
		}
		return undefined;
	}

	leaving(call: string, process: Process, pending: Pending): void {
		const { memory } = this.sources;
		const start = canonical(pending.arguments[0] ?? 0n);
		for (const region of pending.regions) {
			if (call === "munmap" && (start === undefined || start < region.start || start >= region.end)) continue;
			for (let va = region.start; va < Math.min(region.end, region.start + 4096 * pageBytes); va += pageBytes) {
				const leaf = findLeaf(memory, process.root, va);
				if (leaf) this.leave(va, process.pid, memory.frameOf(leaf.pa));
			}
		}
		// Above its size also what no region is known for.
		if (call !== "munmap") {
			for (const leaf of this.sources.walks.tables(memory, process.root).leaves)
				if (leaf.va >= process.size && leaf.flags & pteU) this.leave(leaf.va, process.pid, memory.frameOf(leaf.pa));
		}
		if (call === "munmap" && start !== undefined) {
			const leaf = findLeaf(memory, process.root, start);
			if (leaf) this.leave(start, process.pid, memory.frameOf(leaf.pa));
		}
	}

	private leave(va: number, pid: number, frame: number): void {
		if (frame < 0) return;
		const list = this.leftFrames.get(va) ?? [];
		if (list.length > 1000) return;
		const seen = { pid, frame: BigInt(this.sources.memory.addressOf(frame)), instret: this.sources.machine.instret };
		if (!list.some((other) => other.pid === pid && other.frame === seen.frame)) list.push(seen);
		this.leftFrames.set(va, list);
	}
}
