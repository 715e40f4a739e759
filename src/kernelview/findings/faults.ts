import type { FaultEntry } from "../../protocol/kernelModel.ts";
import type { Pending } from "../faultLog.ts";
import { pageBytes } from "../guestMemory.ts";
import type { Sources } from "../look.ts";
import type { Process } from "../processes.ts";
import type { Region } from "../regions.ts";
import { regionLabel } from "../spaces.ts";
import { canonical, findLeaf, permissionText, pteR, pteW, pteX, virtualHex } from "../sv39.ts";
import { type FindingList, who } from "./findingList.ts";

/** kalloc fills a frame with this byte; nothing writes eight of them by chance. */
const junkWord = 0x05050505;
/** A handler that returns so often without mapping the page does nothing for it. */
const loopAfter = 3;
const accessBits = { fetch: pteX, load: pteR, store: pteW } as const;

/** `junk-read`, `fault-loop`, `fault-refused`: what a handler made of a page fault. */
export class FaultRules {
	private readonly repeats = new Map<string, number>();

	constructor(
		private readonly sources: Sources,
		private readonly list: FindingList,
	) {}

	clear(): void {
		this.repeats.clear();
	}

	/** The page is there now, at `physical`. */
	mapped(entry: FaultEntry, process: Process, region: Region | undefined, page: number, physical: number): void {
		this.repeats.delete(`${entry.pid} ${entry.address}`);
		const { memory } = this.sources;
		const va = canonical(BigInt(entry.address)) ?? 0;
		const word = memory.u32(Math.floor((physical + (va % pageBytes)) / 4) * 4);
		if (entry.access !== "load" || word !== junkWord || !this.isJunk(physical)) return;
		const where = region ? `${regionLabel(region)} at ${virtualHex(region.start)}` : (entry.range ?? "a page");
		this.list.report(
			"junk-read",
			`${entry.pid} ${region?.path ?? page}`,
			"warning",
			`${who(process)} reads 0x05050505 at ${virtualHex(va)} in ${where}: the fault gave it frame ${memory.frameOf(physical)} fresh from kalloc, whose fill is all there is on it. What another process wrote is on another frame, or nobody wrote anything.`,
			{
				log: [entry.id],
				sources: entry.source ? [entry.source] : [],
				pids: [entry.pid],
				frames: [memory.frameOf(physical)],
				addresses: [page],
			},
		);
	}

	private isJunk(physical: number): boolean {
		for (let i = 0; i < pageBytes; i += 64) if (this.sources.memory.u32(physical + i) !== junkWord) return false;
		return true;
	}

	again(entry: FaultEntry, process: Process): void {
		const key = `${entry.pid} ${entry.address}`;
		const count = (this.repeats.get(key) ?? 0) + 1;
		if (this.repeats.size > 1000) this.repeats.clear();
		this.repeats.set(key, count);
		const va = canonical(BigInt(entry.address));
		const leaf = va === undefined ? undefined : findLeaf(this.sources.memory, process.root, va);
		const has = leaf ? permissionText(leaf.flags) : "----";
		// A page that came with the wrong rights is wrong at once; one that did not come may have been unmapped by another.
		if (count !== loopAfter && !(count === 1 && leaf && has !== entry.present)) return;
		const what = leaf
			? `the handler mapped the page ${has}, but a ${entry.access} needs ${entry.required}`
			: `a ${entry.access} needs ${entry.required}, the handler returns, and nothing is mapped`;
		this.list.report("fault-loop", key, "error", `${who(process)} faults again at ${entry.address}: ${what}.`, {
			pids: [entry.pid],
			...(va === undefined ? {} : { addresses: [va] }),
			...(leaf && this.sources.memory.frameOf(leaf.pa) >= 0 ? { frames: [this.sources.memory.frameOf(leaf.pa)] } : {}),
			log: [entry.id],
			sources: entry.source ? [entry.source] : [],
		});
	}

	killed(pid: number, { entry, memoryLeft, root, regions }: Pending): void {
		if (entry?.type !== "fault" || !memoryLeft) return;
		const va = canonical(BigInt(entry.address));
		const region = regions.find((candidate) => va !== undefined && va >= candidate.start && va < candidate.end);
		const needed = accessBits[entry.access];
		if (va === undefined || !region || region.allowed === undefined || (region.allowed & needed) === 0) return;
		// A page that is there after all: somebody else killed the process meanwhile.
		if (findLeaf(this.sources.memory, root, va)) return;
		this.list.report(
			"fault-refused",
			`${pid} ${entry.address}`,
			"warning",
			`The kernel killed ${who({ pid, name: entry.process })} for a ${entry.access} at ${entry.address}, although ${regionLabel(region)} from ${virtualHex(region.start)} to ${virtualHex(region.end)} allows it and memory is left.`,
			{ pids: [pid], addresses: [va], log: [entry.id], sources: entry.source ? [entry.source] : [] },
		);
	}
}
