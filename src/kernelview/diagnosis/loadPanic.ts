import { hex } from "../../common/bytes.ts";
import type { Diagnosis } from "../../protocol/diagnosis.ts";
import { pageBytes } from "../guestMemory.ts";
import { trampolineVa, trapframeVa } from "../spaces.ts";
import { type Leaf, permissionText, pteU, virtualHex, walkTables } from "../sv39.ts";
import { type Evidence, named } from "./evidence.ts";
import type { KernelCall } from "./kernelCalls.ts";

type Told = Pick<Diagnosis, "cause" | "evidence" | "notes" | "process">;

/**
 * exec's panic that a page which it has just allocated for the program is not there: walkaddr() knows only pages with PTE_V and PTE_U. The table is
 * in no process yet.
 */
export function loadPanic(evidence: Evidence, calls: readonly KernelCall[]): Told | undefined {
	const at = calls.findIndex(({ name }) => name === "loadseg");
	const call = calls[at];
	const space = call && newSpace(evidence, calls.slice(at));
	if (!space) return undefined;
	const { root, leaves } = space;
	const without = leaves.filter(({ flags }) => (flags & pteU) === 0);
	const facts = [
		`${without.length} of the ${leaves.length} pages that are mapped have no PTE_U`,
		`exec's new page table is at ${hex(root)}`,
	];
	// The loop passed all that walkaddr() accepts. Where the start of the segment is not known, all pages have to lack what it wants.
	let va = evidence.local(call, "va") ?? (without.length === leaves.length ? leaves[0]?.va : undefined);
	if (va !== undefined && va % pageBytes !== 0) return undefined;
	const mapped = new Map(leaves.map((one) => [one.va, one]));
	while (va !== undefined && ((mapped.get(va)?.flags ?? 0) & pteU) !== 0) va += pageBytes;
	if (va === undefined && leaves.length > 0) return undefined;
	const leaf = va === undefined ? undefined : mapped.get(va);
	const page = va === undefined ? "a page of the new program" : `page ${virtualHex(va)} of the new program`;
	const missing = va === undefined ? "of which no page is mapped" : "which is not mapped";
	return {
		cause: leaf
			? `${named(call)} finds ${page} mapped ${permissionText(leaf.flags)}, without PTE_U, so walkaddr() refuses it: uvmalloc has to map pages with PTE_U.`
			: `${named(call)} has to fill ${page}, ${missing}: uvmalloc has to allocate all pages up to the segment's end, ph.vaddr + ph.memsz.`,
		evidence: facts,
		notes: [],
	};
}

/** The table that a variable of these calls, or a register that it was in, names: one with the trampoline, which exec maps before anything else. */
function newSpace(
	evidence: Evidence,
	calls: readonly KernelCall[],
): { root: number; leaves: readonly Leaf[] } | undefined {
	for (const call of calls) {
		const local = evidence.local(call, "pagetable");
		for (const root of [...(local === undefined ? [] : [local]), ...evidence.kept(call, "pagetable")]) {
			if (evidence.sources.memory.frameOf(root) < 0) continue;
			const { leaves } = walkTables(evidence.sources.memory, root);
			if (!leaves.some(({ va }) => va === trampolineVa)) continue;
			return { root, leaves: leaves.filter(({ va }) => va < trapframeVa) };
		}
	}
	return undefined;
}
