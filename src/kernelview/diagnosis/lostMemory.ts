import { findMember } from "../../debuginfo/types.ts";
import type { Diagnosis } from "../../protocol/diagnosis.ts";
import { decodePte } from "../../riscv/sv39.ts";
import { pageBytes } from "../guestMemory.ts";
import { kernelRoot } from "../look.ts";
import { callSites } from "./callSites.ts";
import { at, type Evidence } from "./evidence.ts";

const kinds = [
	"trapframe",
	"page-table page",
	"pipe",
	"kernel stack",
	"page that nobody wrote to",
	"page of zeros",
	"user page",
] as const;
type Kind = (typeof kinds)[number];

const plurals: Readonly<Record<Kind, string>> = {
	trapframe: "trapframes",
	"page-table page": "page-table pages",
	pipe: "pipes",
	"kernel stack": "kernel stacks",
	"page that nobody wrote to": "pages that nobody wrote to",
	"page of zeros": "pages of zeros",
	"user page": "user pages",
};

/** Functions of every xv6 that get such pages; those that a kernel has, and that call kalloc(), are named. */
const makers: Readonly<Record<Kind, readonly string[]>> = {
	trapframe: ["allocproc"],
	"page-table page": ["walk", "uvmcreate"],
	pipe: ["pipealloc"],
	"kernel stack": ["proc_mapstacks", "allocproc"],
	"page that nobody wrote to": [],
	"page of zeros": [],
	"user page": ["uvmalloc", "uvmcopy", "uvmfirst", "uvminit", "vmfault", "usertrap", "sys_mmap", "mmap"],
};

/** Frames that were lost since `before`: what they were, how many, and who gets such frames. */
export function lostMemory(evidence: Evidence, before: ReadonlySet<number>): Diagnosis | undefined {
	const { census } = evidence.look;
	const lost = census.leaked.filter((frame) => !before.has(frame));
	if (lost.length === 0 || census.damage !== undefined) return undefined;
	const counts = new Map<Kind, number[]>();
	for (const [frame, kind] of kindsOf(evidence, lost)) counts.set(kind, [...(counts.get(kind) ?? []), frame]);
	const parts = kinds.flatMap((kind) => {
		const frames = counts.get(kind);
		return frames ? [{ kind, frames }] : [];
	});
	const list = parts.map(({ kind, frames }) =>
		frames.length === 1 ? `a ${kind}` : `${frames.length} ${plurals[kind]}`,
	);
	const exits = evidence.log.entries.filter((entry) => entry.type === "mark" && entry.call === "exit").length;
	const each = parts.length === 1 && exits > 0 && lost.length === exits ? ", one for each process that ended" : "";
	const sites = parts.flatMap(({ kind }) => makerSites(evidence, kind).map((site) => ({ kind, site })));
	const only = parts.length === 1 && sites.length === 1 ? sites[0]?.site : undefined;
	const frees = parts.length === 1 && parts[0]?.kind === "trapframe" ? " and has to be freed in freeproc" : "";
	return {
		kind: "lost-memory",
		severity: "error",
		cause: `${lost.length === 1 ? "One frame was" : `${lost.length} frames were`} lost: ${list.join(", ")}${each}${only ? `; ${parts[0]?.kind === "trapframe" ? "it is" : "such a frame is"} allocated in ${only.function ?? "?"} (${at(only)})${frees}` : ""}.`,
		evidence: [
			`${lost.length === 1 ? "it is" : "they are"} not on the free list, in no page table, and no pointer to ${lost.length === 1 ? "it" : "them"} is left in the kernel (first: frame ${lost[0]})`,
			...(only ? [] : sites.map(({ kind, site }) => `a ${kind} is allocated in ${site.function ?? "?"} (${at(site)})`)),
			...(exits > 0 ? [`${exits} ${exits === 1 ? "process" : "processes"} ended meanwhile`] : []),
		],
		frames: [],
		...(only ? { look: only } : {}),
		effects: [],
		notes: [
			...(parts.some(({ kind }) => kind === "page of zeros")
				? ["A page of zeros was a page table that was emptied, or a user page"]
				: []),
			...(parts.some(({ kind }) => kind === "user page")
				? ["What is no trapframe, page table, pipe or stack by its content is taken for a user page"]
				: []),
		],
	};
}

function makerSites(evidence: Evidence, kind: Kind) {
	return makers[kind].flatMap((name) => {
		const start = evidence.symbols.symbol(name);
		if (start === undefined) return [];
		const site = callSites(evidence.symbols, evidence.sources.memory, start).find(({ callee }) =>
			/^k?alloc/.test(callee),
		);
		const point = site && evidence.point(site.at);
		return point ? [point] : [];
	});
}

/** A table that was emptied is known by the lost table that leads to it. */
function kindsOf(evidence: Evidence, lost: readonly number[]): ReadonlyMap<number, Kind> {
	const { memory } = evidence.sources;
	const found = new Map(lost.map((frame) => [frame, kindOf(evidence, frame)]));
	const tables = lost.filter((frame) => found.get(frame) === "page-table page");
	for (let table = tables.pop(); table !== undefined; table = tables.pop())
		for (let entry = 0; entry < pageBytes; entry += 8) {
			const pte = memory.big(memory.addressOf(table) + entry) ?? 0n;
			const { valid, leaf, address } = decodePte(pte);
			const below = valid && !leaf ? memory.frameOf(Number(address)) : -1;
			const kind = found.get(below);
			if (kind === undefined || kind === "page-table page") continue;
			found.set(below, "page-table page");
			tables.push(below);
		}
	return found;
}

/** By what is on it: freed frames would be full of kfree's bytes, lost ones are as they were left. */
function kindOf(evidence: Evidence, frame: number): Kind {
	const { memory, names } = evidence.sources;
	const start = memory.addressOf(frame);
	const words = memory.page(start);
	if (!words) return "user page";
	if (words.every((word) => word === 0x05050505)) return "page that nobody wrote to";
	if (words.every((word) => word === 0)) return "page of zeros";
	const struct = (name: string) => names.symbols.attempt(() => names.symbols.info?.struct(name));
	const usertrap = names.symbols.symbol("usertrap");
	const handler = struct("trapframe");
	const trap = handler && findMember(handler, "kernel_trap");
	if (trap && usertrap !== undefined && memory.u64(start + trap.offset) === usertrap) return "trapframe";
	const pipe = struct("pipe");
	const name = pipe && findMember(pipe, "lock");
	if (name?.type?.kind === "struct") {
		const member = findMember(name.type, "name");
		const text = member ? memory.u64(start + name.offset + member.offset) : undefined;
		if (text !== undefined && memory.text(text, 8) === "pipe") return "pipe";
	}
	if (isTable(words, memory.base, memory.size)) return "page-table page";
	if (isStack(evidence, start)) return "kernel stack";
	return "user page";
}

/** Entries that are 0 or lead into RAM with V and sensible bits; a table that was never written to cannot be told from zeros. */
function isTable(words: Uint32Array, base: number, size: number): boolean {
	let valid = 0;
	for (let i = 0; i + 1 < words.length; i += 2) {
		const low = words[i] as number;
		const high = words[i + 1] as number;
		if (low === 0 && high === 0) continue;
		const target = ((low >>> 10) + high * 2 ** 22) * pageBytes;
		if ((low & 1) === 0 || high >>> 22 !== 0 || target < base || target >= base + size) return false;
		valid++;
	}
	return valid > 0;
}

/** Return addresses and saved frame pointers near its top. */
function isStack(evidence: Evidence, start: number): boolean {
	const { memory, names } = evidence.sources;
	const etext = names.etext ?? 0;
	if (kernelRoot(evidence.sources) === undefined) return false;
	let codes = 0;
	for (let offset = pageBytes - 512; offset < pageBytes; offset += 8) {
		const value = memory.u64(start + offset) ?? 0;
		if (value >= memory.base && value < etext && names.symbols.symbolAt(value)?.offset !== 0) codes++;
	}
	return codes >= 3;
}
