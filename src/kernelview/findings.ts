import { leaving } from "../protocol/calls.ts";
import type { FaultEntry, Finding } from "../protocol/kernelModel.ts";
import type { FaultLog, LogListener, Pending } from "./faultLog.ts";
import { checkCounts } from "./findings/counts.ts";
import { Families } from "./findings/families.ts";
import { FaultRules } from "./findings/faults.ts";
import { FindingList, type Suspect } from "./findings/findingList.ts";
import { checkFrames } from "./findings/frames.ts";
import { LeftPages } from "./findings/leftPages.ts";
import { checkMunmap } from "./findings/munmap.ts";
import { checkPages } from "./findings/pages.ts";
import { checkFreewalk, type Leaver, type PanicCall, reportPanic } from "./findings/panic.ts";
import { checkPlaces } from "./findings/places.ts";
import { checkSharing } from "./findings/sharing.ts";
import { pageBytes } from "./guestMemory.ts";
import type { Look, Sources } from "./look.ts";
import type { Process } from "./processes.ts";
import type { Region } from "./regions.ts";
import { canonical, type Leaf } from "./sv39.ts";

/**
 * What is wrong in how the kernel keeps memory. Some rules look at single events (a fault, a munmap), the others at whole moments, and
 * these only when no process is in the middle of changing an address space. Each rule is a file of findings/.
 */
export class Findings implements Omit<LogListener, "entered" | "settled"> {
	private readonly found: FindingList;
	private readonly families: Families;
	private readonly faults: FaultRules;
	private readonly left: LeftPages;
	/** By pid, when. */
	private readonly killedPids = new Map<number, number>();
	/** Things that look wrong, and how often they were seen in a row. */
	private suspects = new Map<string, number>();
	/** For a panic in freewalk. */
	leaver: Leaver | undefined;
	private reportedPanic = false;
	/** `instret` of the last moment that was looked at. */
	private checkedAt = -1;

	/** `panicCalls`: the stack of the hart that panicked, innermost first. */
	constructor(
		private readonly sources: Sources,
		private readonly panicCalls: () => readonly PanicCall[],
		private readonly log: () => Pick<FaultLog, "atPanic" | "pendingOf">,
	) {
		this.found = new FindingList(() => sources.machine.instret);
		const isLeaving = (process: Process) => process.killed || leaving.has(log().pendingOf(process)?.call ?? "");
		this.families = new Families(sources, this.found, isLeaving);
		this.faults = new FaultRules(sources, this.found);
		this.left = new LeftPages(sources);
	}

	get onFirst() {
		return this.found.onFirst;
	}

	get list(): readonly Finding[] {
		return this.found.sorted;
	}

	get killedProcesses(): readonly number[] {
		return [...this.killedPids.keys()];
	}

	framesAt(address: number): readonly { pid: number; frame: bigint }[] | undefined {
		return this.left.at(address);
	}

	clear(): void {
		for (const part of [this.found, this.families, this.faults, this.left]) part.clear();
		this.killedPids.clear();
		this.suspects.clear();
		this.leaver = undefined;
		this.reportedPanic = false;
		this.checkedAt = -1;
	}

	/** Those that were known at an earlier moment of this run. */
	at(instret: number): readonly Finding[] {
		return this.found.at(instret);
	}

	/** What came after this moment has not happened. */
	cut(instret: number): void {
		for (const part of [this.found, this.families, this.left]) part.cut(instret);
		this.faults.clear();
		for (const [pid, when] of this.killedPids) if (when > instret) this.killedPids.delete(pid);
		this.suspects.clear();
		this.leaver = undefined;
		this.reportedPanic = this.found.has("kernel-panic");
		this.checkedAt = -1;
	}

	// ---- events ----------------------------------------------------------------------------------------------------

	mapped(entry: FaultEntry, process: Process, leaf: Leaf, region: Region | undefined): void {
		const page = Math.floor((canonical(BigInt(entry.address)) ?? 0) / pageBytes) * pageBytes;
		const physical = leaf.pa + (page - leaf.va);
		this.faults.mapped(entry, process, region, page, physical);
		if (!region) return;
		const frame = this.sources.memory.frameOf(physical);
		this.families.sight(region, process, page, frame, [entry.id], entry.source ? [entry.source] : []);
	}

	again(entry: FaultEntry, process: Process): void {
		this.faults.again(entry, process);
	}

	leaving(call: string, process: Process, pending: Pending): void {
		if (call !== "munmap") this.leaver = { process, root: process.root, regions: pending.regions };
		this.left.leaving(call, process, pending);
	}

	returned(call: string, pending: Pending, result: bigint): void {
		const process = call === "munmap" && result === 0n ? this.sources.processes.read(pending.slot) : undefined;
		if (process && this.sources.regions.described) checkMunmap(this.sources, this.found, process, pending);
		if (call === "exec" || call === "exit") this.leaver = undefined;
		if (call !== "sbrk") this.families.forgetDead();
	}

	killed(pid: number, pending: Pending): void {
		this.killedPids.set(pid, this.sources.machine.instret);
		this.faults.killed(pid, pending);
	}

	// ---- moments ---------------------------------------------------------------------------------------------------

	/** Looks at a whole moment. `quiet`: nobody is inside the kernel; else a thing must be seen twice to count. */
	check(look: Look, quiet: boolean): void {
		if (look.panicked) {
			this.checkPanic(look);
			return;
		}
		const { instret } = this.sources.machine;
		// Looking twice at one instant is seeing it once.
		if (!quiet && instret === this.checkedAt) return;
		this.checkedAt = instret;
		const suspects = new Map<string, number>();
		const suspect: Suspect = (key, report) => {
			const times = (this.suspects.get(key) ?? 0) + 1;
			suspects.set(key, times);
			if (quiet || times >= 2) report();
		};
		this.families.forgetDead();
		for (const space of look.spaces) {
			const { process } = space;
			if (process.state === "ZOMBIE") continue;
			checkPlaces(this.found, space, suspect);
			checkPages(this.sources, this.found, look, space, suspect, (region, page, frame) =>
				this.families.sight(region, process, page, frame, [], []),
			);
		}
		checkSharing(this.sources, this.found, look, suspect);
		checkCounts(this.found, look, suspect);
		checkFrames(this.found, look, this.left, suspect);
		this.suspects = suspects;
	}

	private checkPanic(look: Look): void {
		if (this.reportedPanic) return;
		this.reportedPanic = true;
		for (const space of look.spaces) checkPlaces(this.found, space, (_, report) => report());
		const stack = this.panicCalls();
		reportPanic(this.found, look, stack, this.log());
		checkFreewalk(this.sources, this.found, look, stack, this.leaver);
	}
}
