import type { FaultLog } from "../faultLog.ts";
import { pageBytes } from "../guestMemory.ts";
import type { Look, Sources } from "../look.ts";
import type { Process } from "../processes.ts";
import type { Region } from "../regions.ts";
import { regionLabel, trapframeVa } from "../spaces.ts";
import { canonical, pteR, pteW, pteX, virtualHex, walkTables } from "../sv39.ts";
import { type FindingList, who } from "./findingList.ts";

/** A call on the stack at a panic. */
export interface PanicCall {
	readonly name: string;
	readonly file?: string;
	readonly line?: number;
}

/** A process on its way out of its address space. */
export interface Leaver {
	readonly process: Process;
	readonly root: number;
	readonly regions: readonly Region[];
}

/** `kernel-panic`: where the kernel gave up, and what it was doing for whom. */
export function reportPanic(
	list: FindingList,
	look: Look,
	stack: readonly PanicCall[],
	log: Pick<FaultLog, "atPanic">,
): void {
	const caller = stack[1];
	if (!caller) return;
	const place = (call: PanicCall) => (call.file === undefined ? call.name : `${call.name} (${call.file}:${call.line})`);
	const path = stack.slice(1, 6).map(({ name }) => name);
	const working = look.processes.find(({ state, pid }) => state === "RUNNING" && look.running.includes(pid));
	const { entry, fault } = log.atPanic(working?.pid ?? 0);
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
	list.report(
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

/** `leaf-left-behind`: freewalk panics over a leaf; which page, of which region. */
export function checkFreewalk(
	{ memory, regions }: Sources,
	list: FindingList,
	look: Look,
	stack: readonly PanicCall[],
	leaver: Leaver | undefined,
): void {
	const calls = stack.map(({ name }) => name);
	// Without debug information there is no stack: the leaf speaks for itself.
	if (calls.length > 0 && !calls.some((name) => /^(freewalk|uvmfree|proc_freepagetable)$/.test(name))) return;
	// Until exec has given the process its new table, that is the one which it frees, since it failed.
	const isNew = calls.some((name) => /^k?exec$/.test(name)) && look.processes.some(({ root }) => root === leaver?.root);
	const old = isNew ? undefined : leaver;
	const candidates = look.processes
		.filter((process) => process.state === "ZOMBIE" || process.root === old?.root)
		.map((process) => ({ process, root: process.root, regions: regions.of(process) as readonly Region[] }));
	if (old) candidates.push(old);
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
			leaver?.regions.find((candidate) => leaf.va >= candidate.start && leaf.va < candidate.end);
		list.report(
			"leaf-left-behind",
			`free ${process.pid}`,
			"error",
			`The kernel panicked while it freed the page table of ${who(process)}: page ${virtualHex(leaf.va)}${region ? ` of ${regionLabel(region)}` : ""} is still mapped to frame ${memory.frameOf(leaf.pa)}. Unmap every region before the table is freed (freeproc, exec).`,
			{ pids: [process.pid], frames: [memory.frameOf(leaf.pa)], addresses: [leaf.va] },
		);
		return;
	}
}
