import type { Diagnosis } from "../../protocol/diagnosis.ts";
import type { SourcePoint } from "../../protocol/kernelModel.ts";
import type { Evidence } from "./evidence.ts";

/** System calls whose number the kernel's table has no handler for: which call it is, and what is missing where. */
export function unknownCalls(evidence: Evidence): Diagnosis[] {
	const numbers = new Set<number>();
	return [...evidence.recorder.unknownCalls.values()].flatMap((call) => {
		if (numbers.has(call.number)) return [];
		numbers.add(call.number);
		const { syscalls } = evidence.sources.names;
		const header = headerLine(evidence, call.number);
		const name = header?.name;
		const handler = name === undefined ? undefined : evidence.symbols.symbol(`sys_${name}`);
		const table = tableLine(evidence);
		const what = header
			? `number ${call.number} is SYS_${name} in ${header.point.file}:${header.point.line}`
			: `number ${call.number} is no SYS_ constant of kernel/syscall.h`;
		const missing = !header
			? evidence.file("kernel/syscall.h") === undefined
				? ""
				: ": check what the program's stub puts into a7"
			: handler === undefined
				? `, but kernel/syscall.c has no entry for it, and no function sys_${name} is in the kernel: write it, declare it extern, and add [SYS_${name}] sys_${name} to the table`
				: `, but the table in kernel/syscall.c has no entry for it: add [SYS_${name}] sys_${name}`;
		const known = evidence.file("kernel/syscall.h") !== undefined;
		const diagnosis: Diagnosis = {
			kind: "unknown-syscall",
			severity: "error",
			cause: `Process ${call.pid} (${call.name}) made system call ${call.number}, which this kernel does not know${known ? `: ${what}${missing}` : ""}.`,
			process: { pid: call.pid, name: call.name },
			evidence: [
				syscalls && call.number > 0 && call.number < syscalls.count
					? `syscalls[${call.number}] is 0`
					: `the table syscalls has ${syscalls?.count ?? 0} entries`,
				...(call.times > 1 ? [`it was made ${call.times} times`] : []),
			],
			frames: [],
			...(table ? { look: table } : header ? { look: header.point } : {}),
			effects: [],
			notes: known ? [] : ["kernel/syscall.h is not at hand: which SYS_ constant it is was not looked up"],
		};
		return [diagnosis];
	});
}

function headerLine(evidence: Evidence, number: number): { name: string; point: SourcePoint } | undefined {
	const file = "kernel/syscall.h";
	for (const [index, line] of (evidence.file(file) ?? "").split("\n").entries()) {
		const match = /^\s*#\s*define\s+SYS_(\w+)\s+(\d+)\b/.exec(line);
		if (match && Number(match[2]) === number) return { name: match[1] as string, point: { file, line: index + 1 } };
	}
	return undefined;
}

function tableLine(evidence: Evidence): SourcePoint | undefined {
	const file = "kernel/syscall.c";
	const index = (evidence.file(file) ?? "").split("\n").findIndex((line) => /\(\*\s*syscalls\s*\[/.test(line));
	return index < 0 ? undefined : { file, line: index + 1 };
}
