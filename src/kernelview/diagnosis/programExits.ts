import type { Diagnosis } from "../../protocol/diagnosis.ts";
import type { Evidence } from "./evidence.ts";
import type { UserTrap } from "./recorder.ts";
import { userFault } from "./userFaults.ts";

/** Places of expected kills that are told one by one; a program that tests the kernel has dozens. */
const mostPlaces = 8;
/** Places of kills that nobody expected, each with its cause. */
const mostTold = 32;

/**
 * Why traps killed user processes, the first that died first, and those that died at one place as one. Those that died as their program meant them to are one note: the program
 * that was run exited with 0, or was still there at the end, and its parent asked wait() for its status and got it; or all went
 * well by the program's own words.
 */
export function userKills(evidence: Evidence): Diagnosis[] {
	const { recorder, killed, end } = evidence;
	const kills = [...killed.keys()].flatMap((pid) => recorder.userTraps.get(pid) ?? []);
	const isOver = end.kind === "prompt";
	// A program that continued after them, and whose run ended in another way, may have expected them too.
	const maySucceed = !isOver || recorder.ends.haveSucceeded(killed.keys());
	const isExpected = ({ process }: UserTrap) =>
		maySucceed && ((isOver && end.passed === true) || recorder.ends.isTaken(process.pid));
	const why = (trap: UserTrap) => userFault(evidence, trap, killed.get(trap.process.pid) ?? []);
	// init's end is the kernel's.
	const others = byPlace(
		kills.filter((trap) => !isExpected(trap)),
		({ process }) => String(process.pid === 1),
	);
	const there = new Set(evidence.sources.processes.all().map(({ pid }) => pid));
	const told = others.slice(0, mostTold).map((same) => {
		// One that nobody waited for is what others may hang for.
		const trap = same.find(({ process }) => there.has(process.pid)) ?? (same[0] as UserTrap);
		const one = why(trap);
		return same.length === 1 ? one : { ...one, evidence: [...one.evidence, more(same.length - 1, "killed there")] };
	});
	const left = others.slice(mostTold).reduce((sum, same) => sum + same.length, 0);
	const last = told.at(-1);
	if (last && left > 0) told.splice(-1, 1, { ...last, effects: [...last.effects, more(left, "killed")] });
	const expected = expectedKills(evidence, kills.filter(isExpected), why);
	return expected ? [...told, expected] : told;
}

const more = (count: number, what: string) => `${count} more ${count === 1 ? "process was" : "processes were"} ${what}`;

/** Traps by the instruction of a program, and by what else tells them apart. */
function byPlace(traps: readonly UserTrap[], apart: (trap: UserTrap) => string = () => ""): UserTrap[][] {
	const places = new Map<string, UserTrap[]>();
	for (const trap of traps) {
		const place = `${trap.cause} ${trap.pc} ${trap.process.name} ${apart(trap)}`;
		const same = places.get(place);
		if (same) same.push(trap);
		else places.set(place, [trap]);
	}
	return [...places.values()];
}

function expectedKills(
	{ recorder, end }: Evidence,
	traps: readonly UserTrap[],
	why: (trap: UserTrap) => Diagnosis,
): Diagnosis | undefined {
	const told = byPlace(traps)
		.slice(0, mostPlaces)
		.flatMap((same) => same.slice(0, 1).map((trap) => ({ diagnosis: why(trap), times: same.length })));
	const [first] = told;
	if (!first) return undefined;
	const left = traps.length - told.reduce((sum, { times }) => sum + times, 0);
	const program = recorder.ends.exits[0]?.name ?? "";
	const one = traps.length === 1;
	const who = one ? "a process" : `${traps.length} processes`;
	const taken = traps.every(({ process }) => recorder.ends.isTaken(process.pid));
	const how = taken ? `, whose exit status ${one ? "its parent" : "their parents"} took with wait()` : "";
	const success =
		end.kind === "prompt"
			? `${program} exited with status 0${end.passed ? " and says that it passed" : ""}`
			: `${one ? "that one was" : "those were"} not stopped by it`;
	return {
		kind: "user-fault",
		severity: "note",
		cause: `The kernel killed ${who}${how}, and ${success}: the program seems to have expected it.`,
		evidence: [
			...told.map(({ diagnosis, times }) =>
				times === 1 ? diagnosis.cause : `${diagnosis.cause} ${more(times - 1, "killed there")}.`,
			),
			...(left > 0 ? [`${more(left, "killed elsewhere")}.`] : []),
		],
		frames: [],
		...(first.diagnosis.look ? { look: first.diagnosis.look } : {}),
		effects: [],
		notes: [],
	};
}

/** A program that says itself that it failed. Why is for it to say: it is the author's word, not a fault that was seen. */
export function exitStatus({ recorder, end }: Evidence): Diagnosis[] {
	if (end.kind !== "prompt" || end.judged) return [];
	return recorder.ends.exits
		.filter(({ status }) => status !== 0)
		.map(({ pid, name, status }) => ({
			kind: "exit-status",
			severity: "note",
			cause: `${name} exited with status ${status}.`,
			process: { pid, name },
			evidence: [],
			frames: [],
			effects: [],
			notes: [],
		}));
}
