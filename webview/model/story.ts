import { isFork } from "../../src/protocol/calls.ts";
import type { SourcePoint } from "../../src/protocol/kernelModel.ts";
import { l10n } from "../l10n.ts";
import { hex } from "./format.ts";
import { type Memory, memoryAt, pageAt } from "./memory.ts";
import { type Owner, ownersOfFrame } from "./owners.ts";
import type { Run, TimeEvent } from "./run.ts";

/** One line of what became of a page. */
export interface StoryLine {
	/** Index in the run's events. */
	readonly event: number;
	readonly text: string;
	readonly source?: SourcePoint;
}

/** Changes of one page that are told; of a longer story the last ones. */
const mostLines = 40;

type State =
	| { readonly text: "none" | "unmapped" | "lazy" }
	| { readonly text: "frame"; readonly frame: number; readonly permissions: string };

function stateAt(run: Run, memory: Memory, pid: number, va: number): State {
	const space = memory.spaces.get(pid);
	if (!space) return { text: "none" };
	const page = pageAt(space, va, Number(run.model.memoryBase));
	if (!page) return { text: "unmapped" };
	if (page.frame === undefined || page.permissions === undefined)
		return page.state === "lazy" ? { text: "lazy" } : { text: "unmapped" };
	return { text: "frame", frame: page.frame, permissions: page.permissions };
}

function same(a: State, b: State): boolean {
	if (a.text !== b.text) return false;
	return a.text !== "frame" || b.text !== "frame" || (a.frame === b.frame && a.permissions === b.permissions);
}

/** What became of one virtual page of a process, and of its frame before and after: a line a change, oldest first. */
export function pageStory(run: Run, pid: number, va: number): StoryLine[] {
	const lines: StoryLine[] = [];
	let before: State = { text: "none" };
	let last: { readonly frame: number; readonly from: number; to: number } | undefined;
	let held: { readonly frame: number; readonly from: number; to: number } | undefined;
	const kept = run.events.flatMap((event, index) => (event.step || !event.entry ? [{ event, index }] : []));
	for (const { event, index } of kept) {
		const memory = memoryAt(run, index);
		if (!memory) continue;
		const now = stateAt(run, memory, pid, va);
		if (held && now.text === "frame") held.to = index;
		if (same(before, now)) continue;
		const text = changeText(event, pid, before, now);
		if (text !== undefined) {
			const { entry } = event;
			const own = entry?.type === "fault" && entry.pid === pid ? entry.source : undefined;
			lines.push({ event: index, text, ...(own ? { source: own } : {}) });
		}
		if (now.text === "frame") held = { frame: now.frame, from: index, to: index };
		else if (held) {
			last = held;
			held = undefined;
		}
		before = now;
	}
	const of = held ?? last;
	if (of) lines.push(...frameStory(run, of, pid, va));
	lines.sort((a, b) => a.event - b.event);
	return lines.slice(-mostLines);
}

function changeText({ entry }: TimeEvent, pid: number, before: State, now: State): string | undefined {
	const by = !entry ? "" : entry.type === "fault" ? l10n.t("{0} fault", entry.access) : entry.text;
	const who = entry && entry.pid !== pid ? l10n.t("{0} of {1}", by, entry.pid) : by || l10n.t("found");
	if (now.text === "none") return before.text === "unmapped" ? undefined : l10n.t("{0}: gone with the process", who);
	if (now.text === "unmapped") return before.text === "none" ? undefined : l10n.t("{0}: unmapped", who);
	if (now.text !== "frame") return l10n.t("{0}: promised, no frame yet", who);
	if (before.text === "frame" && before.frame === now.frame)
		return l10n.t("{0}: permissions {1}, were {2}", who, now.permissions, before.permissions);
	const inherited = entry?.type === "mark" && isFork(entry.call) && before.text === "none";
	const text = inherited
		? l10n.t("{0}: came with frame {1}, {2}", who, now.frame, now.permissions)
		: l10n.t("{0}: got frame {1}, {2}", who, now.frame, now.permissions);
	return before.text === "frame" ? l10n.t("{0} instead of {1}", text, before.frame) : text;
}

/** Who had the frame just before, and who got it just after. */
function frameStory(
	run: Run,
	{ frame, from, to }: { frame: number; from: number; to: number },
	pid: number,
	va: number,
): StoryLine[] {
	const owners = (index: number): readonly Owner[] => {
		const memory = memoryAt(run, index);
		return memory ? ownersOfFrame(run, memory, frame) : [];
	};
	const other = (index: number) => owners(index).find((owner) => owner.pid !== pid || owner.va !== va);
	const lines: StoryLine[] = [];
	for (let i = from - 1; i >= 0; i--) {
		const was = other(i);
		if (!was) continue;
		let first = i;
		while (first > 0 && owners(first - 1).some((owner) => owner.pid === was.pid && owner.va === was.va)) first--;
		lines.push({ event: first, text: l10n.t("before that, frame {0} was {1}", frame, ownerText(was)) });
		break;
	}
	for (let i = to + 1; i < run.events.length; i++) {
		const next = other(i);
		if (!next || owners(to).some((owner) => owner.pid === next.pid && owner.va === next.va)) continue;
		lines.push({ event: i, text: l10n.t("after that, frame {0} is {1}", frame, ownerText(next)) });
		break;
	}
	return lines;
}

export function ownerText({ pid, as, va, level }: Owner): string {
	if (as === "page-table") return l10n.t("a level {0} page table of {1}", level ?? 0, pid);
	if (as === "trapframe") return l10n.t("the trapframe of {0}", pid);
	return l10n.t("{0}'s, at {1}", pid, hex(va));
}
