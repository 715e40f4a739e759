import { hex } from "../common/bytes.ts";
import type { Trap } from "../machine/types.ts";
import type { FaultEntry, SourcePoint } from "../protocol/kernelModel.ts";
import { kernelRoot, type Sources } from "./look.ts";
import type { Process } from "./processes.ts";
import type { Region } from "./regions.ts";
import { areaAt, processAreas } from "./spaces.ts";
import { canonical, findLeaf, permissionText, pteR, pteW, pteX } from "./sv39.ts";

export type Mutable<T> = { -readonly [K in keyof T]: T[K] };

interface Access {
	readonly access: FaultEntry["access"];
	/** Of the page-table entry that would have allowed it. */
	readonly bit: number;
	readonly required: string;
}

/** Page faults by cause (privileged ISA, table 4.2). */
export const accesses: Readonly<Record<number, Access>> = {
	12: { access: "fetch", bit: pteX, required: "--xu" },
	13: { access: "load", bit: pteR, required: "r--u" },
	15: { access: "store", bit: pteW, required: "-w-u" },
};

/** A page fault of a process in user mode; `regions` are those of the process. Its outcome is open. */
export function userFault(
	sources: Sources,
	trap: Trap,
	process: Process,
	regions: readonly Region[],
	id: number,
): FaultEntry {
	const { memory } = sources;
	const va = canonical(trap.tval);
	const program = sources.program(process.name);
	const leaf = va === undefined ? undefined : findLeaf(memory, process.root, va);
	const leaves = program ? [] : sources.walks.tables(memory, process.root).leaves;
	const areas = processAreas(process, regions, leaves, program);
	const area = va === undefined ? undefined : areaAt(areas, va);
	const region = area?.region === undefined ? undefined : regions[area.region];
	const { path, allowed } = region ?? {};
	const permissions = allowed === undefined ? {} : { permissions: permissionText(allowed).slice(0, 3) };
	return {
		...common(trap, id, pointOf(program?.place(Number(trap.pc)))),
		pid: process.pid,
		process: process.name,
		mode: "user",
		...(area ? { range: area.label } : {}),
		...(path === undefined ? {} : { region: { path, ...permissions } }),
		present: leaf ? permissionText(leaf.flags) : "----",
		required: accessOf(trap).required,
	};
}

/** A page fault of the kernel itself, while the hart's process ran. */
export function kernelFault(sources: Sources, trap: Trap, id: number): Mutable<FaultEntry> {
	const { memory, names, processes, machine } = sources;
	const pid = processes.running(machine.harts.length)[trap.hart] ?? 0;
	const va = canonical(trap.tval);
	const root = kernelRoot(sources);
	const leaf = va === undefined || root === undefined ? undefined : findLeaf(memory, root, va);
	return {
		...common(trap, id, pointOf(names.symbols.place(Number(trap.pc)))),
		pid,
		process: processes.all().find((candidate) => candidate.pid === pid)?.name ?? "kernel",
		mode: "supervisor",
		present: leaf ? permissionText(leaf.flags) : "----",
		required: accessOf(trap).required.replace("u", "-"),
	};
}

const accessOf = ({ cause }: Trap): Access => accesses[cause] as Access;

function common(trap: Trap, id: number, source: SourcePoint | undefined) {
	const { instret, hart, cause, tval, pc } = trap;
	return {
		type: "fault" as const,
		id,
		instret,
		hart,
		access: accessOf(trap).access,
		cause,
		address: hex(tval),
		pc: hex(pc),
		outcome: "open" as const,
		...(source ? { source } : {}),
	};
}

function pointOf(place: { file?: string; line?: number; function?: string } | undefined): SourcePoint | undefined {
	const { file, line } = place ?? {};
	if (file === undefined || line === undefined) return undefined;
	return { file, line, ...(place?.function === undefined ? {} : { function: place.function }) };
}
