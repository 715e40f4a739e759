import { frameWords } from "../../src/protocol/words.ts";
import { l10n } from "../l10n.ts";
import { count } from "./format.ts";
import type { Memory } from "./memory.ts";
import { type Owner, ownersOf } from "./owners.ts";
import type { Run } from "./run.ts";
import { ownerText } from "./story.ts";

/** A stretch of neighbouring frames with one use. */
export interface Segment {
	readonly first: number;
	readonly count: number;
	readonly kind: "free" | "kernel" | "page" | "shared" | "page-table" | "trapframe" | "bad";
	/** 0: the kernel. */
	readonly pids: readonly number[];
	/** In the box: `5`, `3T`, `KS × 63`. */
	readonly text: string;
	/** In words, with frame numbers. */
	readonly title: string;
	/** The page to go to. */
	readonly page?: { readonly pid: number; readonly va: number };
}

interface FrameMap {
	readonly segments: readonly Segment[];
	readonly summary: string;
	/** What the kernel itself holds is known for now only. */
	readonly kernelOfNow: boolean;
}

/** More used frames than this, and neighbours of one process become one box. */
const mostSingles = 300;

interface Use {
	readonly kind: Segment["kind"];
	readonly pids: readonly number[];
	readonly text: string;
	readonly words: string;
	readonly page?: { readonly pid: number; readonly va: number };
}

/** By model and, for the past, step. */
const cache = new WeakMap<object, WeakMap<object, FrameMap>>();

/** What each frame was used for at a moment; neighbours with one use are one box. */
export function frameMap(run: Run, memory: Memory): FrameMap {
	const maps = cache.get(run.model) ?? new WeakMap<object, FrameMap>();
	cache.set(run.model, maps);
	const known = maps.get(memory.step ?? run.model);
	if (known) return known;
	const { letters, uses } = run.model.frames;
	const owners = ownersOf(run, memory);
	const kernel = new Map<number, string>();
	for (const { frame, pid, as } of uses)
		if (as !== "page" && (pid === 0 || as === "kernel-stack")) kernel.set(frame, as);
	const totals = new Map<string, number>();
	const add = (name: string) => totals.set(name, (totals.get(name) ?? 0) + 1);
	const used = owners.size;
	const segments: Segment[] = [];
	let open: { use: Use; first: number; count: number } | undefined;
	const close = () => {
		if (open) segments.push(segment(open.use, open.first, open.count));
		open = undefined;
	};
	for (let frame = 0; frame < letters.length; frame++) {
		const use = useOf(letters[frame] as string, owners.get(frame), kernel.get(frame), memory.step === undefined);
		add(use.kind === "kernel" ? use.text : use.kind);
		const joins = use.kind === "free" || use.kind === "kernel" || use.kind === "page-table" || used > mostSingles;
		if (open && joins && open.use.kind === use.kind && open.use.text === use.text) open.count++;
		else {
			close();
			open = { use, first: frame, count: 1 };
		}
	}
	close();
	const map = { segments, summary: summary(totals, letters.length), kernelOfNow: memory.step !== undefined };
	maps.set(memory.step ?? run.model, map);
	return map;
}

function useOf(letter: string, owners: readonly Owner[] | undefined, kernel: string | undefined, isNow: boolean): Use {
	const of = (text: string, words: string): Use => ({ kind: "kernel", pids: [0], text, words });
	if (letter === "K") return of("K", l10n.word(frameWords.K));
	if (owners && owners.length > 0) return ownedUse(owners, isNow && letter === "X");
	if (kernel === "page-table") return of("KT", l10n.t("page table of the kernel"));
	if (kernel === "kernel-stack") return of("KS", l10n.t("kernel stack"));
	if (kernel === "trapframe") return of("KF", l10n.t("trapframe of a process that is being made"));
	if (kernel === "kernel-data") return of("KD", l10n.t("kernel data: buffers, pipes, queues"));
	if (isNow && letter === "L")
		return { kind: "bad", pids: [], text: "?", words: l10n.t("leaked: nobody has it, and it is not free") };
	if (isNow && letter === "X") return { kind: "bad", pids: [], text: "X", words: l10n.word(frameWords.X) };
	if (letter === "?") return of("K?", l10n.t("held by the kernel; nothing in its data says what for"));
	return { kind: "free", pids: [], text: "", words: l10n.word(frameWords["."]) };
}

function ownedUse(owners: readonly Owner[], twoHands: boolean): Use {
	const [first] = owners as readonly [Owner];
	const pids = [...new Set(owners.map(({ pid }) => pid))].sort((a, b) => a - b);
	const words = owners.map(ownerText).join("; ");
	if (twoHands)
		return { kind: "bad", pids, text: `${pids.join("=")} X`, words: l10n.t("on the free list, and {0}", words) };
	if (first.as === "page-table")
		return { kind: "page-table", pids, text: `${first.pid}T`, words: l10n.t("page table of {0}", first.pid) };
	const page = { pid: first.pid, va: first.va };
	if (first.as === "trapframe") return { kind: "trapframe", pids, text: `${first.pid}F`, words, page };
	return { kind: owners.length > 1 ? "shared" : "page", pids, text: pids.join("="), words, page };
}

function segment({ kind, pids, text, words, page }: Use, first: number, frames: number): Segment {
	const where =
		frames === 1
			? l10n.t("frame {0}: {1}", first, words)
			: l10n.t("{0} frames from {1}: {2}", count(frames), first, words);
	const shown =
		kind === "free" ? l10n.t("{0} free", count(frames)) : frames === 1 ? text : `${text} × ${count(frames)}`;
	return { first, count: frames, kind, pids, text: shown, title: where, ...(page ? { page } : {}) };
}

function summary(totals: ReadonlyMap<string, number>, all: number): string {
	const words: readonly (readonly [string, (n: string) => string])[] = [
		["page", (n) => l10n.t("{0} of processes", n)],
		["shared", (n) => l10n.t("{0} shared", n)],
		["page-table", (n) => l10n.t("{0} page tables", n)],
		["trapframe", (n) => l10n.t("{0} trapframes", n)],
		["K", (n) => l10n.t("{0} kernel image", n)],
		["KT", (n) => l10n.t("{0} kernel page tables", n)],
		["KS", (n) => l10n.t("{0} kernel stacks", n)],
		["KD", (n) => l10n.t("{0} kernel data", n)],
		["bad", (n) => l10n.t("{0} leaked or in two hands", n)],
	];
	const parts = words.flatMap(([name, text]) => {
		const n = totals.get(name);
		return n === undefined ? [] : [text(count(n))];
	});
	return l10n.t("{0} of {1} used: {2}", count(all - (totals.get("free") ?? 0)), count(all), parts.join(", "));
}
