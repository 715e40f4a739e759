import type { FaultEntry, Finding, FindingId, SourcePoint } from "../protocol/kernelModel.ts";
import type { FaultLog, LogListener, Pending } from "./faultLog.ts";
import { pageBytes } from "./guestMemory.ts";
import type { Look, ProcessSpace, Sources } from "./look.ts";
import type { Process } from "./processes.ts";
import { familyKey, type Region } from "./regions.ts";
import { areaAt, regionLabel, trampolineVa, trapframeVa } from "./spaces.ts";
import {
	canonical,
	findLeaf,
	type Leaf,
	permissionText,
	pteR,
	pteU,
	pteW,
	pteX,
	virtualHex,
	walkTables,
} from "./sv39.ts";

interface Evidence {
	pids?: readonly number[];
	frames?: readonly number[];
	addresses?: readonly number[];
	sources?: readonly SourcePoint[];
	log?: readonly number[];
}

interface Sighting {
	readonly frame: number;
	readonly pid: number;
	readonly name: string;
	readonly log: readonly number[];
	readonly sources: readonly SourcePoint[];
}

/** Reports what looks wrong when it may: at once at a quiet moment, else when it is seen again. */
type Suspect = (key: string, report: () => void) => void;

/** kalloc fills a frame with this byte; nothing writes eight of them by chance. */
const junkWord = 0x05050505;
/** A handler that returns so often without mapping the page does nothing for it. */
const loopAfter = 3;
/** More findings than these help nobody. */
const maxFindings = 100;
const who = (process: { pid: number; name: string }) => `process ${process.pid} (${process.name})`;
const hex = (value: number) => `0x${value.toString(16)}`;

/**
 * What is wrong in how the kernel keeps memory. Some rules look at single events (a fault, a munmap), the others at whole moments, and
 * these only when no process is in the middle of changing an address space.
 */
export class Findings implements Omit<LogListener, "entered" | "settled"> {
	private readonly found = new Map<string, Finding>();
	private readonly killedPids = new Set<number>();
	/** Page address to what processes had there when they left. */
	private readonly leftFrames = new Map<number, { pid: number; frame: bigint }[]>();
	/** Family to page index to the frame first seen there. */
	private readonly families = new Map<string, Map<number, Sighting>>();
	private readonly repeats = new Map<string, number>();
	/** Things that look wrong, and how often they were seen in a row. */
	private suspects = new Map<string, number>();
	/** Roots of processes on their way out, for a panic in freewalk. */
	private leaver: { process: Process; root: number; regions: readonly Region[] } | undefined;
	private reportedPanic = false;
	/** `instret` of the last moment that was looked at. */
	private checkedAt = -1;

	/** `panicCalls`: the stack of the hart that panicked, innermost first. */
	constructor(
		private readonly sources: Sources,
		private readonly panicCalls: () => readonly PanicCall[],
		private readonly log: () => Pick<FaultLog, "atPanic">,
	) {}

	get list(): readonly Finding[] {
		return [...this.found.values()].sort((a, b) => rank(a) - rank(b) || a.instret - b.instret);
	}

	get killedProcesses(): readonly number[] {
		return [...this.killedPids];
	}

	framesAt(address: number): readonly { pid: number; frame: bigint }[] | undefined {
		return this.leftFrames.get(address);
	}

	clear(): void {
		this.found.clear();
		this.killedPids.clear();
		this.leftFrames.clear();
		this.families.clear();
		this.repeats.clear();
		this.suspects.clear();
		this.leaver = undefined;
		this.reportedPanic = false;
		this.checkedAt = -1;
	}

	private report(id: FindingId, key: string, severity: Finding["severity"], sentence: string, e: Evidence): void {
		const known = this.found.get(`${id} ${key}`);
		if (!known && this.found.size >= maxFindings) return;
		const merge = <T>(before: readonly T[] | undefined, now: readonly T[] | undefined): T[] => {
			const all = [...(before ?? []), ...(now ?? [])];
			return all
				.filter((item, i) => all.findIndex((other) => JSON.stringify(other) === JSON.stringify(item)) === i)
				.slice(0, 64);
		};
		const old = known?.evidence;
		this.found.set(`${id} ${key}`, {
			id,
			key,
			severity,
			sentence: known?.sentence ?? sentence,
			instret: known?.instret ?? this.sources.machine.instret,
			evidence: {
				pids: merge(old?.pids, e.pids),
				frames: merge(old?.frames, e.frames),
				addresses: merge(old?.addresses, e.addresses?.map(virtualHex)),
				sources: merge(old?.sources, e.sources),
				log: merge(old?.log, e.log),
			},
		});
	}

	// ---- events ----------------------------------------------------------------------------------------------------

	mapped(entry: FaultEntry, process: Process, leaf: Leaf, region: Region | undefined): void {
		this.repeats.delete(`${entry.pid} ${entry.address}`);
		const { memory } = this.sources;
		const va = canonical(BigInt(entry.address)) ?? 0;
		const page = Math.floor(va / pageBytes) * pageBytes;
		const physical = leaf.pa + (page - leaf.va);
		const evidence = {
			log: [entry.id],
			sources: entry.source ? [entry.source] : [],
		};
		if (
			entry.access === "load" &&
			this.isJunk(physical) &&
			memory.u32(Math.floor((physical + (va % pageBytes)) / 4) * 4) === junkWord
		) {
			const where = region ? `${regionLabel(region)} at ${virtualHex(region.start)}` : (entry.range ?? "a page");
			this.report(
				"junk-read",
				`${entry.pid} ${region?.path ?? page}`,
				"warning",
				`${who(process)} reads 0x05050505 at ${virtualHex(va)} in ${where}: the fault gave it frame ${memory.frameOf(physical)} fresh from kalloc, whose fill is all there is on it. What another process wrote is on another frame, or nobody wrote anything.`,
				{ ...evidence, pids: [entry.pid], frames: [memory.frameOf(physical)], addresses: [page] },
			);
		}
		if (region) this.sight(region, process, page, memory.frameOf(physical), evidence.log, evidence.sources);
	}

	private isJunk(physical: number): boolean {
		for (let i = 0; i < pageBytes; i += 64) if (this.sources.memory.u32(physical + i) !== junkWord) return false;
		return true;
	}

	/** All who share a family must see one frame at one page, for as long as the family lives. */
	private sight(
		region: Region,
		process: Process,
		page: number,
		frame: number,
		log: readonly number[],
		sources: readonly SourcePoint[],
	): void {
		const key = familyKey(region);
		if (key === undefined || frame < 0) return;
		let pages = this.families.get(key);
		if (!pages) {
			pages = new Map();
			this.families.set(key, pages);
		}
		const index = (page - region.start) / pageBytes;
		const first = pages.get(index);
		if (!first) {
			pages.set(index, { frame, pid: process.pid, name: process.name, log, sources });
			return;
		}
		if (first.frame === frame) return;
		if (!this.hasOtherMember(key, process)) {
			// All others are gone: the family began anew, as a shared page does whose count came to 0.
			pages.set(index, { frame, pid: process.pid, name: process.name, log, sources });
			return;
		}
		this.report(
			"family-frames-differ",
			key,
			"error",
			`Processes ${first.pid} (${first.name}) and ${process.pid} (${process.name}) share ${regionLabel(region)}, but page ${virtualHex(page)} is frame ${first.frame} for one and frame ${frame} for the other: what one writes, the other never reads.`,
			{
				pids: [first.pid, process.pid],
				frames: [first.frame, frame],
				addresses: [page],
				log: [...first.log, ...log],
				sources: [...first.sources, ...sources],
			},
		);
	}

	private hasOtherMember(key: string, process: Process): boolean {
		const { processes, regions } = this.sources;
		return processes
			.all()
			.some(
				(other) =>
					other.pid !== process.pid &&
					other.root !== 0 &&
					regions.of(other).some((region) => familyKey(region) === key),
			);
	}

	/** Families without a living member are over; their number may serve again. */
	private forgetFamilies(spaces: readonly { regions: readonly Region[] }[]): void {
		if (this.families.size === 0) return;
		const alive = new Set(spaces.flatMap(({ regions }) => regions.flatMap((region) => familyKey(region) ?? [])));
		for (const key of this.families.keys()) if (!alive.has(key)) this.families.delete(key);
	}

	private forgetDeadFamilies(): void {
		if (this.families.size === 0) return;
		const { processes, regions } = this.sources;
		this.forgetFamilies(
			processes.all().flatMap((process) => (process.root === 0 ? [] : [{ regions: regions.of(process) }])),
		);
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
		this.report("fault-loop", key, "error", `${who(process)} faults again at ${entry.address}: ${what}.`, {
			pids: [entry.pid],
			...(va === undefined ? {} : { addresses: [va] }),
			...(leaf && this.sources.memory.frameOf(leaf.pa) >= 0 ? { frames: [this.sources.memory.frameOf(leaf.pa)] } : {}),
			log: [entry.id],
			sources: entry.source ? [entry.source] : [],
		});
	}

	leaving(call: string, process: Process, pending: Pending): void {
		const { memory } = this.sources;
		if (call !== "munmap") this.leaver = { process, root: process.root, regions: pending.regions };
		const start = canonical(pending.arguments[0] ?? 0n);
		for (const region of pending.regions) {
			if (call === "munmap" && (start === undefined || start < region.start || start >= region.end)) continue;
			for (let va = region.start; va < Math.min(region.end, region.start + 4096 * pageBytes); va += pageBytes) {
				const leaf = findLeaf(memory, process.root, va);
				if (leaf) this.leave(va, process.pid, memory.frameOf(leaf.pa));
			}
		}
		if (!this.sources.regions.described && call !== "munmap") {
			for (const leaf of walkTables(memory, process.root).leaves)
				if (leaf.va >= process.size && leaf.flags & pteU) this.leave(leaf.va, process.pid, memory.frameOf(leaf.pa));
		}
		if (!this.sources.regions.described && call === "munmap" && start !== undefined) {
			const leaf = findLeaf(memory, process.root, start);
			if (leaf) this.leave(start, process.pid, memory.frameOf(leaf.pa));
		}
	}

	private leave(va: number, pid: number, frame: number): void {
		if (frame < 0) return;
		const list = this.leftFrames.get(va) ?? [];
		if (list.length > 1000) return;
		const seen = { pid, frame: BigInt(this.sources.memory.addressOf(frame)) };
		if (!list.some((other) => other.pid === pid && other.frame === seen.frame)) list.push(seen);
		this.leftFrames.set(va, list);
	}

	returned(call: string, process: Process, pending: Pending, result: bigint): void {
		if (call === "munmap" && result === 0n) this.checkMunmap(process, pending);
		if (call === "exec" || call === "exit") this.leaver = undefined;
		if (call === "mmap" || call === "mmap4" || call === "munmap" || call === "fork") this.forgetDeadFamilies();
	}

	private checkMunmap(process: Process, pending: Pending): void {
		const { memory } = this.sources;
		const start = canonical(pending.arguments[0] ?? 0n);
		const region = pending.regions.find(
			(candidate) => start !== undefined && start >= candidate.start && start < candidate.end,
		);
		const still = this.sources.regions.of(process);
		if (start === undefined) return;
		const end = region?.end ?? start + pageBytes;
		const kept = region && still.find((other) => other.element === region.element && other.start === region.start);
		if (kept) {
			this.report(
				"region-left-behind",
				`${process.pid} ${kept.path}`,
				"error",
				`munmap returned 0 to ${who(process)}, but the kernel still keeps ${regionLabel(kept)} at ${virtualHex(kept.start)} in ${kept.path}.`,
				{ pids: [process.pid], addresses: [kept.start], log: pending.entry ? [pending.entry.id] : [] },
			);
		}
		for (let va = Math.floor(start / pageBytes) * pageBytes; va < end; va += pageBytes) {
			const leaf = findLeaf(memory, process.root, va);
			if (!leaf || still.some((other) => other.start <= va && va < other.end && other.element !== region?.element))
				continue;
			this.report(
				"leaf-left-behind",
				`munmap ${process.pid} ${start}`,
				"error",
				`munmap returned 0 to ${who(process)}, but page ${virtualHex(va)} of ${region ? regionLabel(region) : "the region"} is still mapped to frame ${memory.frameOf(leaf.pa)}.`,
				{
					pids: [process.pid],
					frames: [memory.frameOf(leaf.pa)],
					addresses: [va],
					log: pending.entry ? [pending.entry.id] : [],
				},
			);
		}
	}

	killed(pid: number, { entry, memoryLeft, root, regions }: Pending): void {
		this.killedPids.add(pid);
		if (entry?.type !== "fault" || !memoryLeft) return;
		const va = canonical(BigInt(entry.address));
		const region = regions.find((candidate) => va !== undefined && va >= candidate.start && va < candidate.end);
		const needed = accessBits[entry.access];
		if (va === undefined || !region || region.allowed === undefined || (region.allowed & needed) === 0) return;
		// A page that is there after all: somebody else killed the process meanwhile.
		if (findLeaf(this.sources.memory, root, va)) return;
		this.report(
			"fault-refused",
			`${pid} ${entry.address}`,
			"warning",
			`The kernel killed ${who({ pid, name: entry.process })} for a ${entry.access} at ${entry.address}, although ${regionLabel(region)} from ${virtualHex(region.start)} to ${virtualHex(region.end)} allows it and memory is left.`,
			{ pids: [pid], addresses: [va], log: [entry.id], sources: entry.source ? [entry.source] : [] },
		);
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
		const suspect = (key: string, report: () => void) => {
			const times = (this.suspects.get(key) ?? 0) + 1;
			suspects.set(key, times);
			if (quiet || times >= 2) report();
		};
		this.forgetFamilies(look.spaces);
		for (const space of look.spaces) this.checkSpace(look, space, suspect);
		this.checkSharing(look, suspect);
		this.checkCounts(look, suspect);
		this.checkFree(look, suspect);
		this.suspects = suspects;
	}

	private checkSpace(look: Look, space: ProcessSpace, suspect: Suspect): void {
		const { memory } = this.sources;
		const { process } = space;
		if (process.state === "ZOMBIE") return;
		this.checkPlaces(space, suspect);
		for (const leaf of space.tables.leaves) {
			const frame = memory.frameOf(leaf.pa);
			const evidence = { pids: [process.pid], frames: frame < 0 ? [] : [frame], addresses: [leaf.va] };
			const area = areaAt(space.areas, leaf.va);
			const region = area?.region === undefined ? undefined : space.regions[area.region];
			const isKernels =
				leaf.va === trampolineVa ||
				leaf.va === trapframeVa ||
				(frame >= 0 && (look.census.letters[frame] === "K" || look.census.letters[frame] === "T"));
			if (leaf.flags & pteU && isKernels) {
				suspect(`kernel ${process.pid} ${leaf.va}`, () =>
					this.report(
						"kernel-page-user",
						`${process.pid} ${leaf.va}`,
						"error",
						`${who(process)} can reach a page of the kernel from user mode: ${virtualHex(leaf.va)} (${area?.label ?? "no known range"}) is mapped ${permissionText(leaf.flags)} to ${hex(leaf.pa)}.`,
						evidence,
					),
				);
				continue;
			}
			if (region?.allowed !== undefined && leaf.flags & pteW && !(region.allowed & pteW)) {
				suspect(`writable ${process.pid} ${region.path}`, () =>
					this.report(
						"writable-read-only-region",
						`${process.pid} ${region.path}`,
						"error",
						`${who(process)} may write page ${virtualHex(leaf.va)} of ${regionLabel(region)}, which was mapped read-only (prot ${region.fields.prot ?? "without write"}).`,
						evidence,
					),
				);
			}
			if (region) this.sight(region, process, leaf.va, frame, [], []);
			else if (this.sources.regions.described && !area && leaf.flags & pteU) {
				suspect(`left ${process.pid} ${leaf.va}`, () =>
					this.report(
						"leaf-left-behind",
						`${process.pid} ${leaf.va}`,
						"error",
						`${who(process)} still has page ${virtualHex(leaf.va)} mapped to frame ${frame}, although no region and no part of its memory is there.`,
						evidence,
					),
				);
			}
		}
	}

	/** Regions lie at pages, in user memory, and beside each other. */
	private checkPlaces({ process, regions, flaws }: ProcessSpace, suspect: Suspect): void {
		const misplaced = (path: string, sentence: string, addresses: readonly number[]) =>
			suspect(`place ${process.pid} ${path}`, () =>
				this.report("region-misplaced", `${process.pid} ${path}`, "error", sentence, {
					pids: [process.pid],
					addresses,
				}),
			);
		for (const { path, name, start, flaw } of flaws)
			misplaced(path, `${who(process)} has a ${name} at ${hex(start)} (${path}), but ${flaw}.`, [start]);
		for (const [i, region] of regions.entries()) {
			const before = regions[i - 1];
			const over =
				before && region.start < before.end
					? `${before.path}, which ends at ${virtualHex(before.end)}`
					: region.end > trapframeVa
						? `the trapframe at ${virtualHex(trapframeVa)}`
						: undefined;
			if (over !== undefined) {
				const text = `${who(process)} has ${regionLabel(region)} at ${virtualHex(region.start)} (${region.path}) over ${over}.`;
				misplaced(region.path, text, [region.start]);
			}
		}
	}

	/** Private memory of two processes must not be one frame that both may write. */
	private checkSharing(look: Look, suspect: Suspect): void {
		const { memory } = this.sources;
		const owners = new Map<number, { space: ProcessSpace; va: number; label: string }>();
		for (const space of look.spaces) {
			if (space.process.state === "ZOMBIE") continue;
			for (const leaf of space.tables.leaves) {
				if ((leaf.flags & (pteU | pteW)) !== (pteU | pteW)) continue;
				const area = areaAt(space.areas, leaf.va);
				const region = area?.region === undefined ? undefined : space.regions[area.region];
				if (!area || (region && region.shared !== false)) continue;
				const frame = memory.frameOf(leaf.pa);
				const first = owners.get(frame);
				if (!first) owners.set(frame, { space, va: leaf.va, label: area.label });
				else if (frame >= 0 && first.space.tables.root !== space.tables.root) {
					const key = `${first.space.pid} ${space.pid} ${area.label}`;
					suspect(`private ${key}`, () =>
						this.report(
							"private-frame-shared",
							key,
							"error",
							`${who(first.space.process)} and ${who(space.process)} both write frame ${frame}: it is private memory of each, at ${virtualHex(first.va)} (${first.label}) and ${virtualHex(leaf.va)} (${area.label}).`,
							{ pids: [first.space.pid, space.pid], frames: [frame], addresses: [first.va, leaf.va] },
						),
					);
				}
			}
		}
	}

	private checkCounts(look: Look, suspect: Suspect): void {
		const members = new Map<string, { region: Region; pids: Set<number> }>();
		for (const space of look.spaces) {
			if (space.process.state === "ZOMBIE") continue;
			for (const region of space.regions) {
				if (region.refcount === undefined) continue;
				const key = familyKey(region) ?? `${region.element}`;
				const known = members.get(key) ?? { region, pids: new Set<number>() };
				known.pids.add(space.pid);
				members.set(key, known);
			}
		}
		for (const [key, { region, pids }] of members) {
			if (region.refcount === pids.size) continue;
			suspect(`count ${key} ${region.refcount} ${pids.size}`, () =>
				this.report(
					"refcount-mismatch",
					key,
					"error",
					`${region.path} counts ${region.refcount} ${region.refcount === 1 ? "user" : "users"} of ${region.name}, but the page tables of ${pids.size} ${pids.size === 1 ? "process" : "processes"} (${[...pids].join(", ")}) have it.`,
					{ pids: [...pids], addresses: [region.start] },
				),
			);
		}
	}

	private checkFree(look: Look, suspect: Suspect): void {
		const { census } = look;
		for (const frame of census.twoHands.slice(0, 16)) {
			const users = census.uses.filter((use) => use.frame === frame);
			const text = users
				.map((use) =>
					use.as === "page" ? `process ${use.pid} at ${use.address}` : `the ${use.as} of process ${use.pid}`,
				)
				.join(", ");
			suspect(`two ${frame}`, () =>
				this.report(
					"freed-while-mapped",
					users[0] ? `${users[0].pid} ${users[0].address ?? ""}` : String(frame),
					"error",
					`Frame ${frame} is on kalloc's free list and still in use: ${text}. Whoever gets it next overwrites it.`,
					{
						pids: users.map((use) => use.pid),
						frames: [frame],
						addresses: users.flatMap((use) => (use.address ? [Number(use.address)] : [])),
					},
				),
			);
		}
		// Behind the break of a broken free list there are frames that are not lost.
		const broken =
			census.damage !== undefined || [...this.found.values()].some(({ id }) => id === "freed-while-mapped");
		if (census.leaked.length === 0 || broken) return;
		const frames = census.leaked;
		const count = frames.length === 1 ? "One frame belongs" : `${frames.length} frames belong`;
		suspect(`leak ${frames.join(" ")}`, () => {
			// The number grows with every run of the program: the last one counts.
			this.found.delete("frame-leaked ");
			this.report(
				"frame-leaked",
				"",
				"warning",
				`${count} to nobody: not free, in no page table, and the kernel has no pointer to ${frames.length === 1 ? "it" : "them"} (first: frame ${frames[0]}).${this.leakOrigin(frames)}`,
				{ frames: frames.slice(0, 64) },
			);
		});
	}

	/** What the frames were before: pages that processes had when they left. */
	private leakOrigin(frames: readonly number[]): string {
		const wanted = new Set(frames.map((frame) => BigInt(this.sources.memory.addressOf(frame))));
		for (const [va, list] of this.leftFrames) {
			const owner = list.find(({ frame }) => wanted.has(frame));
			if (owner) return ` Process ${owner.pid} had it at ${virtualHex(va)} when it ended or unmapped it.`;
		}
		return "";
	}

	/** Where the kernel gave up, and what it was doing for whom. */
	private reportPanic(look: Look, stack: readonly PanicCall[]): void {
		const caller = stack[1];
		if (!caller) return;
		const place = (call: PanicCall) =>
			call.file === undefined ? call.name : `${call.name} (${call.file}:${call.line})`;
		const path = stack.slice(1, 6).map(({ name }) => name);
		const working = look.processes.find(({ state, pid }) => state === "RUNNING" && look.running.includes(pid));
		const { entry, fault } = this.log().atPanic(working?.pid ?? 0);
		const at = fault?.source ? ` (${fault.source.file}:${fault.source.line})` : "";
		const own = fault ? ` after its own ${fault.access} of ${fault.address}${at} faulted` : "";
		const doing =
			working && entry?.type === "fault"
				? `, serving the ${entry.access} of ${who(working)} at ${entry.address}${entry.range ? ` in ${entry.range}` : ""}`
				: working && entry?.type === "mark"
					? `, in ${entry.text} of ${who(working)}`
					: working
						? `, on behalf of ${who(working)}`
						: "";
		this.report(
			"kernel-panic",
			"",
			"error",
			`The kernel panicked in ${place(caller)}${own}${doing}. Calls, the last first: ${path.join(", ")}.`,
			{
				pids: working ? [working.pid] : [],
				sources: [
					...(fault?.source ? [fault.source] : []),
					...stack
						.slice(1)
						.flatMap(({ name, file, line }) =>
							file === undefined || line === undefined ? [] : [{ file, line, function: name }],
						),
				],
				log: [entry, fault].flatMap((known) => (known ? [known.id] : [])),
				addresses: entry?.type === "fault" ? [canonical(BigInt(entry.address)) ?? 0] : [],
			},
		);
	}

	/** freewalk panics over a leaf: which page, of which region. */
	private checkPanic(look: Look): void {
		if (this.reportedPanic) return;
		this.reportedPanic = true;
		for (const space of look.spaces) this.checkPlaces(space, (_, report) => report());
		const { memory, regions } = this.sources;
		const stack = this.panicCalls();
		this.reportPanic(look, stack);
		const calls = stack.map(({ name }) => name);
		// Without debug information there is no stack: the leaf speaks for itself.
		if (calls.length > 0 && !calls.some((name) => /^(freewalk|uvmfree|proc_freepagetable)$/.test(name))) return;
		const candidates = look.processes
			.filter((process) => process.state === "ZOMBIE" || process.root === this.leaver?.root)
			.map((process) => ({ process, root: process.root, regions: regions.of(process) as readonly Region[] }));
		if (this.leaver) candidates.push(this.leaver);
		for (const { process, root, regions: known } of candidates) {
			const tables = walkTables(memory, root);
			const first = memory.frameOf(root);
			if (first < 0) continue;
			// Tables that freewalk has freed already are full of 0x01: what seems to be mapped there is not.
			const freed = new Set(
				tables.tables.filter((table) => look.census.free[memory.frameOf(table.address)]).map((t) => t.address),
			);
			const leaf = tables.leaves.find(
				(candidate) =>
					(candidate.flags & (pteR | pteW | pteX)) !== 0 &&
					candidate.va >= Math.ceil(process.size / pageBytes) * pageBytes &&
					candidate.va < trapframeVa &&
					memory.frameOf(candidate.pa) >= 0 &&
					!freed.has(tables.tables.findLast((table) => table.level === 0 && table.va <= candidate.va)?.address ?? -1),
			);
			if (!leaf) continue;
			const region =
				known.find((candidate) => leaf.va >= candidate.start && leaf.va < candidate.end) ??
				this.leaver?.regions.find((candidate) => leaf.va >= candidate.start && leaf.va < candidate.end);
			this.report(
				"leaf-left-behind",
				`free ${process.pid}`,
				"error",
				`The kernel panicked while it freed the page table of ${who(process)}: page ${virtualHex(leaf.va)}${region ? ` of ${regionLabel(region)}` : ""} is still mapped to frame ${memory.frameOf(leaf.pa)}. Unmap every region before the table is freed (freeproc, exec).`,
				{ pids: [process.pid], frames: [memory.frameOf(leaf.pa)], addresses: [leaf.va] },
			);
			return;
		}
	}
}

/** A call on the stack at a panic. */
interface PanicCall {
	readonly name: string;
	readonly file?: string;
	readonly line?: number;
}

const accessBits = { fetch: pteX, load: pteR, store: pteW } as const;
const severities = ["error", "warning", "info"];
const rank = (finding: Finding) => severities.indexOf(finding.severity);
