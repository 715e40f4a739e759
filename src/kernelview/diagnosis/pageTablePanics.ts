import type { Diagnosis } from "../../protocol/diagnosis.ts";
import type { Leaver } from "../findings/panic.ts";
import { pageBytes } from "../guestMemory.ts";
import { areaAt, processAreas, regionLabel, trampolineVa, trapframeVa } from "../spaces.ts";
import {
	findLeaf,
	type Leaf,
	type PageTables,
	permissionText,
	pteR,
	pteW,
	pteX,
	virtualHex,
	walkTables,
} from "../sv39.ts";
import { type Evidence, named, who } from "./evidence.ts";
import type { KernelCall } from "./kernelCalls.ts";
import { loadPanic } from "./loadPanic.ts";
import { type Space, spaceOf } from "./spaceOfPanic.ts";

type Told = Pick<Diagnosis, "cause" | "evidence" | "notes" | "process">;

/** Panics of the functions that change page tables: which page of which process, and what left it there. */
export function pageTablePanic(
	evidence: Evidence,
	said: string,
	calls: readonly KernelCall[],
	leaver: Leaver | undefined,
	hart: number | undefined,
): Told | undefined {
	const names = calls.map(({ name }) => name);
	const found = spaceOf(evidence, calls, leaver, hart);
	if (names[1] === "freewalk") return found && (found.isNew ? leafInNew(evidence, found) : leafLeft(evidence, found));
	// Nothing is known of the size and the regions of a table that is still being built.
	const space = found?.isNew ? undefined : found;
	if (names.includes("uvmunmap") && names[1] === "uvmunmap" && space) return unmapped(evidence, said, calls, space);
	if (/remap/.test(said)) return remapped(evidence, calls, space);
	if (names[1] === "walk") return beyond(calls, space);
	if (names[1] === "uvmcopy" && space) return copied(evidence, said, calls, space);
	if (names[1] === "kfree") return badFree(evidence, calls);
	if (names[1] === "loadseg") return loadPanic(evidence, calls);
	return undefined;
}

function describe(evidence: Evidence, space: Space, va: number): string {
	const region = space.regions.find(({ start, end }) => va >= start && va < end);
	if (region) return regionLabel(region);
	const program = evidence.sources.program(space.name);
	const areas = processAreas(space.process, space.regions, [], program);
	return (
		areaAt(areas, va)?.label ?? (va >= space.size ? "above p->sz, where no memory of the process is" : "below p->sz")
	);
}

/** What is still mapped in a table that is being freed; pages of tables that are free already are full of kfree's bytes. */
function livingLeaves(evidence: Evidence, tables: PageTables): Leaf[] {
	const { memory } = evidence.sources;
	const freed = new Set(
		tables.tables
			.filter(({ address }) => evidence.look.census.free[memory.frameOf(address)])
			.map(({ address }) => address),
	);
	return tables.leaves.filter(
		(leaf) =>
			(leaf.flags & (pteR | pteW | pteX)) !== 0 &&
			memory.frameOf(leaf.pa) >= 0 &&
			!freed.has(tables.tables.findLast((table) => table.level === 0 && table.va <= leaf.va)?.address ?? -1),
	);
}

function leafLeft(evidence: Evidence, space: Space): Told | undefined {
	const { memory } = evidence.sources;
	const tables = walkTables(memory, space.root);
	const leaves = livingLeaves(evidence, tables);
	const leaf = leaves[0];
	if (!leaf) return undefined;
	const { va } = leaf;
	const frame = memory.frameOf(leaf.pa);
	const what =
		va === trampolineVa ? "the trampoline" : va === trapframeVa ? "the trapframe" : describe(evidence, space, va);
	const page = `page ${virtualHex(va)} (${what})`;
	const facts = [`page ${virtualHex(va)} is mapped ${permissionText(leaf.flags)} to frame ${frame}`];
	if (leaves.length > 1) facts.push(`${leaves.length} pages are still mapped, the first is ${virtualHex(va)}`);
	facts.push(`p->sz is ${virtualHex(space.size)}`);
	const why =
		va < space.size
			? `it is below p->sz (${virtualHex(space.size)}), and uvmunmap left it: it skipped the page or ended early`
			: va >= trapframeVa
				? "proc_freepagetable has to unmap it before uvmfree"
				: space.regions.some(({ start, end }) => va >= start && va < end)
					? "unmap every region before its page table is freed (freeproc, exec)"
					: `nothing unmapped it, since uvmfree looks only below p->sz (${virtualHex(space.size)})`;
	if (va < space.size) {
		const holes = holesBelow(evidence, space, va);
		if (holes !== undefined) facts.push(`page ${virtualHex(holes)} below it is not mapped`);
	}
	const shrink = lastShrink(evidence, space.pid);
	if (shrink && va >= space.size) facts.push(`${who(space)} called ${shrink} before`);
	return {
		cause: `freewalk frees the page table of ${who(space)}, and ${page} is still mapped in it: ${why}.`,
		evidence: facts,
		notes: [],
		process: { pid: space.pid, name: space.name },
	};
}

/** exec gave up, and frees what it has built: the program's name and size are not those of the process yet. */
function leafInNew(evidence: Evidence, space: Space): Told | undefined {
	const leaves = livingLeaves(evidence, walkTables(evidence.sources.memory, space.root));
	const [leaf] = leaves;
	if (!leaf) return undefined;
	const why =
		leaf.va < trapframeVa / 2
			? "uvmfree unmaps only what is below the size it is given. Look at the size that exec passes when it fails"
			: "proc_freepagetable has to unmap it before uvmfree";
	return {
		cause: `exec of ${who(space)} failed, and freewalk frees the page table that was built for the new program, with page ${virtualHex(leaf.va)} still mapped in it: ${why}.`,
		evidence: [leaves.length === 1 ? "no other page is mapped in it" : `${leaves.length} pages are still mapped in it`],
		notes: [],
		process: { pid: space.pid, name: space.name },
	};
}

function holesBelow(evidence: Evidence, space: Space, va: number): number | undefined {
	for (let page = 0; page < va; page += pageBytes)
		if (!findLeaf(evidence.sources.memory, space.root, page)) return page;
	return undefined;
}

function lastShrink(evidence: Evidence, pid: number): string | undefined {
	const mark = evidence.log.entries.findLast(
		(entry) => entry.type === "mark" && entry.pid === pid && entry.call === "sbrk" && /\(-/.test(entry.text),
	);
	return mark?.type === "mark" ? mark.text : undefined;
}

/**
 * The page that a loop of a function was at: its own variable, as far as the compiler kept it. Where the loop counts in another one, `va` is
 * where it began, and is the page only if there is one.
 */
function addressIn(evidence: Evidence, call: KernelCall | undefined): number | undefined {
	if (!call) return undefined;
	const sound = (value: number | undefined) =>
		value !== undefined && value >= 0 && value < 2 ** 38 ? value : undefined;
	const value = (name: string) => sound(evidence.local(call, name));
	if (call.name === "uvmcopy") return value("i") ?? value("va");
	const [inLoop, start, index] = [value("a"), value("va"), value("i")];
	if (inLoop !== undefined) return inLoop;
	if (start !== undefined && index !== undefined) return start + index * pageBytes;
	const pages = evidence.local(call, "npages");
	const bytes = evidence.local(call, "size");
	return pages === 1 || (bytes !== undefined && bytes <= pageBytes) ? start : undefined;
}

/** The same where the compiler forgot the loop's variable, upstream's `a`: the one page that a register of it names and that fits the panic. */
function addressKept(
	evidence: Evidence,
	call: KernelCall | undefined,
	fits: (va: number) => boolean,
): number | undefined {
	if (!call) return undefined;
	const fitting = new Set(
		evidence.kept(call, "a").filter((va) => va >= 0 && va < 2 ** 38 && va % pageBytes === 0 && fits(va)),
	);
	return fitting.size === 1 ? [...fitting][0] : undefined;
}

function unmapped(evidence: Evidence, said: string, calls: readonly KernelCall[], space: Space): Told | undefined {
	const caller = calls[2];
	const by = caller ? ` (called by ${named(caller)})` : "";
	if (/align/.test(said)) {
		const va = addressIn(evidence, calls[1]);
		return {
			cause: `uvmunmap was given ${va === undefined || va % pageBytes === 0 ? "an address" : virtualHex(va)} of ${who(space)} that is no multiple of the page size${by}: round it down with PGROUNDDOWN.`,
			evidence: [],
			notes: [],
			process: { pid: space.pid, name: space.name },
		};
	}
	if (!/not mapped|walk/.test(said)) return undefined;
	const isHole = (va: number) => va % pageBytes === 0 && !findLeaf(evidence.sources.memory, space.root, va);
	const kept = addressIn(evidence, calls[1]) ?? addressKept(evidence, calls[1], isHole);
	// uvmfree begins at 0: the first page that is missing is the one.
	const whole = calls.some(({ name }) => name === "uvmfree");
	const exact = kept !== undefined && isHole(kept);
	const va = exact ? kept : whole ? faultedHole(evidence, space) : undefined;
	if (va === undefined)
		return {
			cause: `uvmunmap met a page of ${who(space)} that is not mapped${by}: skip pages that are not there, and unmap none twice.`,
			evidence: [`p->sz is ${virtualHex(space.size)}`],
			notes: ["Which page it is was not recognised: the loop's variable is not in the debug information at this place"],
			process: { pid: space.pid, name: space.name },
		};
	const page = exact ? `page ${virtualHex(va)}` : `a page, such as ${virtualHex(va)},`;
	const trap = evidence.recorder.userTraps.get(space.pid);
	const touched = trap && Number(trap.tval) >= va && Number(trap.tval) < space.size;
	const below = va < space.size;
	return {
		cause: below
			? `uvmunmap met ${page} (${describe(evidence, space, va)}) of ${who(space)}, which is below p->sz but was never allocated${by}: where pages come lazily, skip those that are not there.`
			: `uvmunmap was to unmap page ${virtualHex(va)} (${describe(evidence, space, va)}) of ${who(space)}, which is not mapped${by}: skip pages that were never touched, and unmap none twice.`,
		evidence: [
			`page ${virtualHex(va)} has no valid leaf, and p->sz is ${virtualHex(space.size)}`,
			...(touched
				? [
						`${who(space)} was killed before for its access to ${virtualHex(Number(trap.tval))}, on a page that is missing too`,
					]
				: []),
		],
		notes: [],
		process: { pid: space.pid, name: space.name },
	};
}

/** uvmunmap clears what it has passed, so that holes say nothing; but what the process itself faulted at was never there. */
function faultedHole(evidence: Evidence, space: Space): number | undefined {
	const trap = evidence.recorder.userTraps.get(space.pid);
	const page = trap && Math.floor(Number(trap.tval) / pageBytes) * pageBytes;
	return page !== undefined && page < space.size && !findLeaf(evidence.sources.memory, space.root, page)
		? page
		: undefined;
}

function remapped(evidence: Evidence, calls: readonly KernelCall[], space: Space | undefined): Told | undefined {
	const caller = calls.find(({ name }, i) => i > 1 && name !== "mappages" && name !== "mapvpages");
	const isMapped = (at: number) =>
		space !== undefined && findLeaf(evidence.sources.memory, space.root, at) !== undefined;
	const va = addressIn(evidence, calls[1]) ?? addressKept(evidence, calls[1], isMapped);
	const by = caller ? named(caller) : "mappages";
	const page = va === undefined ? undefined : Math.floor(va / pageBytes) * pageBytes;
	const leaf = page === undefined || !space ? undefined : findLeaf(evidence.sources.memory, space.root, page);
	if (page === undefined || !space || !leaf)
		return {
			cause: `${by} maps a page${space ? ` of ${who(space)}` : ""} that is mapped already.`,
			evidence: [],
			notes: ["Which page it is was not recognised: its address is not in the debug information at this place"],
			...(space ? { process: { pid: space.pid, name: space.name } } : {}),
		};
	const process = space;
	return {
		cause: `${by} maps page ${virtualHex(page)} (${describe(evidence, process, page)}) of ${who(process)} a second time: it is mapped ${permissionText(leaf.flags)} to frame ${evidence.sources.memory.frameOf(leaf.pa)} already.`,
		evidence: [`the leaf of ${virtualHex(page)} is valid`],
		notes: [],
		process: { pid: process.pid, name: process.name },
	};
}

function beyond(calls: readonly KernelCall[], space: Space | undefined): Told {
	const caller = calls.find(({ name }, i) => i > 1 && name !== "walk" && name !== "walkaddr");
	return {
		cause: `${caller ? named(caller) : "walk"} looks up an address${space ? ` of ${who(space)}` : ""}, which is not below MAXVA: check an address of the user before it is walked.`,
		evidence: [],
		// Compilers give the register of `va` to others before panic() is called.
		notes: ["The address itself is not in the debug information at this place"],
		...(space ? { process: { pid: space.pid, name: space.name } } : {}),
	};
}

function copied(evidence: Evidence, said: string, calls: readonly KernelCall[], space: Space): Told | undefined {
	if (!/not present|exist/.test(said)) return undefined;
	const kept = addressIn(evidence, calls[1]);
	const hole =
		kept !== undefined && kept < space.size && !findLeaf(evidence.sources.memory, space.root, kept)
			? kept
			: holesBelow(evidence, space, space.size);
	if (hole === undefined) return undefined;
	return {
		cause: `uvmcopy met page ${virtualHex(hole)} (${describe(evidence, space, hole)}) of ${who(space)}, which is below p->sz but was never allocated: where pages come lazily, skip those that are not there.`,
		evidence: [`page ${virtualHex(hole)} has no valid leaf, and p->sz is ${virtualHex(space.size)}`],
		notes: [],
		process: { pid: space.pid, name: space.name },
	};
}

function badFree(evidence: Evidence, calls: readonly KernelCall[]): Told | undefined {
	const caller = calls.slice(2).find(({ pc }) => pc !== calls[1]?.pc);
	const pa = evidence.local(calls[1] as KernelCall, "pa");
	const { memory, names } = evidence.sources;
	if (!caller) return undefined;
	if (pa === undefined)
		return {
			cause: `${named(caller)} frees an address that is no page of kalloc's.`,
			evidence: [],
			notes: ["The address itself is not in the debug information at this place"],
		};
	const end = names.end ?? memory.base;
	const why =
		pa % pageBytes !== 0
			? "which is no multiple of the page size"
			: pa < end && pa >= memory.base
				? "which belongs to the kernel itself"
				: memory.frameOf(pa) < 0
					? "which is no memory"
					: "which kfree refuses";
	return { cause: `${named(caller)} frees ${virtualHex(pa)}, ${why}.`, evidence: [], notes: [] };
}
