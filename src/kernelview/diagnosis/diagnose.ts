import type { Diagnosis } from "../../protocol/diagnosis.ts";
import type { Leaver } from "../findings/panic.ts";
import type { Evidence } from "./evidence.ts";
import { hang } from "./hangs.ts";
import { lostMemory } from "./lostMemory.ts";
import { panicked } from "./panics.ts";
import { noPmp } from "./pmp.ts";
import { exitStatus, userKills } from "./programExits.ts";
import { orphan } from "./sleepers.ts";
import { unknownCalls } from "./syscalls.ts";

export interface Before {
	/** Process that was giving its address space back. */
	readonly leaver: Leaver | undefined;
	/** Frames that were lost when the run began. */
	readonly leaked: ReadonlySet<number>;
	/** What was wrong with the list of free frames when the run began. */
	readonly damage: string | undefined;
	/** Nothing is in motion: what looks lost is lost. */
	readonly calm: boolean;
}

/** All that can be said of why a run ended as it did, the cause first and notes last; what follows from it stands under it. */
export function diagnose(evidence: Evidence, before: Before): Diagnosis[] {
	const isNote = ({ severity }: Diagnosis) => Number(severity === "note");
	return all(evidence, before).sort((a, b) => isNote(a) - isNote(b));
}

function all(evidence: Evidence, before: Before): Diagnosis[] {
	const { end, look } = evidence;
	const found: Diagnosis[] = userKills(evidence);
	const isPanic = look.panicked || end.kind === "panic";
	const isHang = end.kind === "timeout" || end.kind === "stuck" || end.kind === "stall";
	if (isPanic) {
		const panic = panicked(evidence, before.leaver);
		// init that ends is a panic only in name: what killed it says why.
		const init =
			panic.kind === "panic" &&
			/init exiting/.test(panic.said ?? "") &&
			found.find(({ process }) => process?.pid === 1);
		if (init) found.splice(found.indexOf(init), 1, { ...init, effects: [...init.effects, panic.cause] });
		else found.push(panic);
	} else if (isHang) {
		const there = new Set(evidence.sources.processes.all().map(({ pid }) => pid));
		// Somebody waited for the others and continued, so what hangs now does not hang for them.
		const last = found.findLastIndex(({ process }) => process !== undefined && there.has(process.pid));
		found.splice(last + 1, 0, hang(evidence));
	} else {
		found.push(...exitStatus(evidence));
		const left = end.kind === "prompt" && before.calm ? orphan(evidence) : undefined;
		if (left) found.push(left);
	}
	found.push(...unknownCalls(evidence));
	const freed = freedInUse(evidence, found);
	const damaged = freeListDamaged(evidence, before);
	if (freed) found.splice(0, found.length, freed);
	else if (damaged) found.unshift(damaged);
	else if (end.kind === "prompt" && before.calm) {
		const lost = lostMemory(evidence, before.leaked);
		if (lost) found.push(lost);
	}
	const pmp = noPmp(evidence);
	return pmp ? [...found, pmp] : found;
}

/** The list of free frames was sound when the run began. */
function freeListDamaged({ look, end }: Evidence, before: Before): Diagnosis | undefined {
	const { damage } = look.census;
	if (damage === undefined || before.damage !== undefined || end.kind !== "prompt" || !before.calm) return undefined;
	const twice = /holds frame (\d+) twice/.exec(damage)?.[1];
	return {
		kind: "free-list",
		severity: "error",
		cause: twice
			? `Frame ${twice} was freed twice: the list of free frames has it twice, and kalloc will give it to two users.`
			: `The list of free frames is damaged: ${damage}. Something wrote to a frame after it was freed.`,
		evidence: [damage, "it was not when the command began"],
		frames: [],
		effects: [],
		notes: [],
	};
}

/** A frame on the free list that is still mapped: the next owner overwrites it, and anything may follow. */
function freedInUse(evidence: Evidence, others: readonly Diagnosis[]): Diagnosis | undefined {
	const findings = evidence.findings.filter(({ id }) => id === "freed-while-mapped");
	const [first] = findings;
	if (!first) return undefined;
	const frames = [...new Set(findings.flatMap((finding) => finding.evidence.frames))];
	return {
		kind: "freed-in-use",
		severity: "error",
		cause: `${first.sentence.replace(/ Its next owner overwrites it\.$/, "")} Another process that had it freed it: a frame that several map may be freed only by the last of them (count its users).`,
		evidence:
			frames.length > 1
				? [
						`the same holds for ${frames.length} frames: ${frames.slice(0, 8).join(", ")}${frames.length > 8 ? "…" : ""}`,
					]
				: [],
		frames: others[0]?.frames ?? [],
		effects: others.map(({ cause, said }) => (said === undefined ? cause : `${cause} (${said})`)),
		notes: [],
	};
}
