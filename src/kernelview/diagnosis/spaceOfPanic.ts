import type { Leaver } from "../findings/panic.ts";
import type { Process } from "../processes.ts";
import type { Region } from "../regions.ts";
import { walkTables } from "../sv39.ts";
import type { Evidence } from "./evidence.ts";
import type { KernelCall } from "./kernelCalls.ts";

export interface Space {
	readonly pid: number;
	readonly name: string;
	readonly size: number;
	readonly root: number;
	readonly regions: readonly Region[];
	readonly process: Process;
	/** Built by exec, and in no process yet: name and size are those of the process that calls it, and regions are not known. */
	readonly isNew: boolean;
}

const isExec = ({ name }: KernelCall) => /^k?exec$/.test(name);
const frees = ({ name }: KernelCall) => /^(freewalk|uvmunmap|uvmfree|proc_freepagetable)$/.test(name);

/** Of the space that the panic is about: by the page table that a function on the stack was given, else the one on its way out. */
export function spaceOf(
	evidence: Evidence,
	calls: readonly KernelCall[],
	leaver: Leaver | undefined,
	hart: number | undefined,
): Space | undefined {
	const { regions } = evidence.sources;
	const known: Space[] = evidence.look.processes.map((process) => ({
		...{ pid: process.pid, name: process.name, size: process.size, root: process.root, process, isNew: false },
		regions: regions.of(process),
	}));
	if (leaver) {
		const { pid, name, size } = leaver.process;
		known.push({ pid, name, size, ...leaver, isNew: false });
	}
	const own = hart === undefined ? undefined : evidence.processOn(hart);
	const current = known.find(({ pid }) => pid === own?.pid);
	const exec = calls.findIndex(isExec);
	if (exec >= 0 && current && calls.slice(0, exec).some(frees))
		return freedByExec(evidence, calls.slice(0, exec), known, current, leaver);
	for (const call of calls.toReversed())
		for (const variable of ["pagetable", "oldpagetable", "old", "pt"]) {
			const root = evidence.local(call, variable);
			const space = root === undefined ? undefined : known.findLast((candidate) => candidate.root === root);
			if (space) return space;
		}
	const reaps = calls.some(({ name }) => /^(k?wait|reap|freeproc|proc_freepagetable|k?exec)$/.test(name));
	if (current && !reaps) return current;
	if (leaver) return known.at(-1);
	const dying = known.filter(({ process }) => process.state === "ZOMBIE" && process.root !== 0);
	return dying.length === 1 ? dying[0] : undefined;
}

/**
 * exec frees the old table once the process has the new one, and the new one when it fails before that. The parameters of the calls below it tell
 * which table it is, and without them whether the process has another table already.
 */
function freedByExec(
	evidence: Evidence,
	calls: readonly KernelCall[],
	known: readonly Space[],
	current: Space,
	leaver: Leaver | undefined,
): Space | undefined {
	const { memory } = evidence.sources;
	// freewalk calls itself for the tables below the root.
	const given = calls
		.toReversed()
		.filter((call, i, all) => frees(call) && !(call.name === "freewalk" && all[i - 1]?.name === "freewalk"));
	const root = given
		.flatMap((call) => {
			const local = evidence.local(call, "pagetable");
			return local === undefined ? evidence.kept(call, "pagetable") : [local];
		})
		.find((value) => memory.frameOf(value) >= 0 && walkTables(memory, value).leaves.length > 0);
	const old = leaver?.process.pid === current.pid ? leaver : undefined;
	const hasOldTable = old?.root === current.root;
	if (root !== undefined) {
		const built = hasOldTable ? { ...current, root, regions: [], isNew: true } : undefined;
		return known.findLast((space) => space.root === root) ?? built;
	}
	return old && !hasOldTable ? known.at(-1) : undefined;
}
