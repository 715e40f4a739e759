import type { WalkModel, WalkStep } from "../protocol/kernelModel.ts";
import { entriesPerTable } from "../riscv/sv39.ts";
import type { GuestMemory } from "./guestMemory.ts";
import { canonical, flagText, permissionText, reachOf, readEntry } from "./sv39.ts";

const levelNames = ["page table (level 0)", "middle table (level 1)", "root table (level 2)"];

/** The hardware's walk of one address, told level by level (privileged ISA 4.3.2). */
export function walkAddress(memory: GuestMemory, pid: number, root: number, address: bigint): WalkModel {
	const hex = `0x${BigInt.asUintN(64, address).toString(16)}`;
	const va = canonical(address);
	const steps: WalkStep[] = [];
	const end = (result: string, frame?: number): WalkModel => ({
		pid,
		address: hex,
		steps,
		result,
		faults: frame === undefined,
		...(frame !== undefined ? { frame } : {}),
	});
	if (va === undefined) return end("page fault: bits 63 to 39 must all equal bit 38 under Sv39");
	let table = root;
	for (let level = 2; level >= 0; level--) {
		const reach = reachOf(level);
		const index = Math.floor(va / reach) % entriesPerTable;
		const at = table + index * 8;
		const entry = readEntry(memory, at, level);
		if (!entry) return end(`access fault: the ${levelNames[level]} would be at 0x${table.toString(16)}, outside RAM`);
		const target = `0x${entry.pa.toString(16)}`;
		let meaning: string;
		if (!entry.valid) meaning = (memory.big(at) as bigint) === 0n ? "empty" : "V is clear: the rest means nothing";
		else if (entry.malformed) meaning = "reserved: bits that must not be set, or W without R";
		else if (entry.leaf) meaning = `leaf, ${permissionText(entry.flags)}: page at ${target}`;
		else meaning = `pointer to the ${levelNames[level - 1]} at ${target}`;
		steps.push({
			level,
			index,
			pteAddress: `0x${at.toString(16)}`,
			pte: `0x${(memory.big(at) as bigint).toString(16)}`,
			bits: flagText(entry.flags),
			meaning,
		});
		if (!entry.valid) return end(`page fault: V is clear in entry ${index} of the ${levelNames[level]}`);
		if (entry.malformed) return end(`page fault: entry ${index} of the ${levelNames[level]} is reserved`);
		if (entry.leaf) {
			const physical = entry.pa + (va % reach);
			const size = level === 0 ? "" : level === 1 ? " (a 2 MiB page)" : " (a 1 GiB page)";
			const frame = memory.frameOf(physical);
			const who = entry.flags & 16 ? "user mode may" : "only the kernel may";
			const place = frame >= 0 ? `, frame ${frame}` : ", a device";
			const result = `physical address 0x${physical.toString(16)}${place}${size}; ${who} use it: ${permissionText(entry.flags)}`;
			return { ...end(result, frame), faults: false };
		}
		table = entry.pa;
	}
	return end("page fault: three levels without a leaf");
}
