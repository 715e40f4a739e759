import type { Diagnosis } from "../../protocol/diagnosis.ts";
import { causeName } from "../../riscv/causes.ts";
import type { Process } from "../processes.ts";
import { capital, type Evidence, hexOf, named, trapframeName, who } from "./evidence.ts";
import { interrupts } from "./interrupts.ts";
import { framesOf } from "./kernelCalls.ts";
import { kernelFault } from "./kernelFaults.ts";
import { pmpDenied } from "./pmp.ts";
import { others, sleepers } from "./sleepers.ts";
import { spinning } from "./spinning.ts";

/** A trap that returns to its own instruction so often is a loop. */
const loopAfter = 200;
const ecallFromUser = 8;

/** Why a machine that was stopped made no progress. */
export function hang(evidence: Evidence): Diagnosis {
	return (
		pmpDenied(evidence) ??
		kernelTrapLoop(evidence) ??
		trapLoop(evidence) ??
		spinning(evidence) ??
		(evidence.isStill ? undefined : atWork(evidence)) ??
		interrupts(evidence) ??
		// Who sleeps may wait for it: a parent at its pipe, for example.
		(evidence.isStill ? kernelLoop(evidence, isAtWork) : undefined) ??
		sleepers(evidence) ??
		userLoop(evidence) ??
		kernelLoop(evidence, isRunnable) ??
		noProgress(evidence)
	);
}

/** The kernel faults inside of its own fault handler: of a stack that overflowed, for example. */
function kernelTrapLoop(evidence: Evidence): Diagnosis | undefined {
	const { kernelTraps } = evidence.recorder;
	const [first] = kernelTraps;
	return first && kernelTraps.length >= 4 ? kernelFault(evidence, first, undefined) : undefined;
}

function trapLoop(evidence: Evidence): Diagnosis | undefined {
	for (const { id } of evidence.sources.machine.harts) {
		const repeats = evidence.recorder.repeatsOf(id);
		if (!repeats?.user || repeats.times < loopAfter) continue;
		const process = evidence.processOn(id);
		const place = process && evidence.sources.program(process.name)?.place(repeats.pc);
		const where =
			place?.file !== undefined && place.line !== undefined
				? `${place.function ?? "?"} (${place.file}:${place.line})`
				: `${place?.function === undefined ? "" : `${place.function}, `}pc ${hexOf(repeats.pc)}`;
		const whose = process ? capital(who(process)) : `Hart ${id}`;
		const cause =
			repeats.cause === ecallFromUser
				? `${whose} makes the same system call for ever at ${where}: the kernel returns to the ecall itself. usertrap has to add 4 to p->${trapframeName(evidence)}->epc.`
				: `${whose} takes the same trap for ever at ${where} (${causeName(repeats.cause, false).toLowerCase()}): the handler returns and the instruction traps again.`;
		const usertrap = evidence.symbols.symbol("usertrap");
		const point = usertrap === undefined ? undefined : evidence.point(usertrap);
		return {
			kind: "trap-loop",
			severity: "error",
			cause,
			hart: id,
			...(process ? { process: { pid: process.pid, name: process.name } } : {}),
			evidence: [
				`scause ${repeats.cause} at ${hexOf(repeats.pc)} came ${repeats.times.toLocaleString("en")} times in a row, and each time the kernel returned to that pc`,
			],
			frames: [],
			...(point ? { look: point } : {}),
			effects: [],
			notes: [],
		};
	}
	return undefined;
}

/** The time was up, and the machine had not come to rest: in such a moment a process may sleep whom another is about to wake. */
function atWork(evidence: Evidence): Diagnosis {
	const { recorder, sources, look } = evidence;
	const { instret, harts } = sources.machine;
	const last = [...harts].sort((a, b) => (recorder.lastWork[b.id] ?? 0) - (recorder.lastWork[a.id] ?? 0))[0];
	const busy = look.processes.filter(({ state }) => state === "RUNNING" || state === "RUNNABLE");
	const process = (last && evidence.processOn(last.id)) ?? busy[0];
	const during = evidence.during(process);
	const runs = process ? `${who(process)} runs` : "no process runs at this moment";
	const since = last ? instret - (recorder.lastWork[last.id] ?? 0) : 0;
	return {
		kind: "no-progress",
		severity: "note",
		cause: `The guest was still at work when the time was up, and no cause for a hang was seen: ${runs}${during === undefined ? "" : ` in ${during}`}.`,
		...(process ? { process: { pid: process.pid, name: process.name } } : {}),
		...(during === undefined ? {} : { during }),
		evidence: [
			`the last system call, fault or device interrupt was ${since.toLocaleString("en")} instructions before the end`,
			...others(evidence, process),
		],
		frames: [],
		effects: [],
		notes: [],
	};
}

/** A program that computes, or loops: nothing is wrong in the kernel. */
function userLoop(evidence: Evidence): Diagnosis | undefined {
	const { harts, instret } = evidence.sources.machine;
	for (const { id, mode, pc } of harts) {
		const process = evidence.processOn(id);
		if (mode !== 0 || !process || !isRunnable(process)) continue;
		const place = evidence.sources.program(process.name)?.place(Number(pc));
		const at =
			place?.file !== undefined && place.line !== undefined
				? { file: place.file, line: place.line, ...(place.function !== undefined ? { function: place.function } : {}) }
				: undefined;
		const since = instret - (evidence.recorder.lastWork[id] ?? 0);
		return {
			kind: "no-progress",
			severity: "error",
			cause: `${capital(who(process))} still runs, at ${at ? `${at.function ?? "?"} (${at.file}:${at.line})` : `pc ${hexOf(pc)}`}: it has not ended.`,
			hart: id,
			process: { pid: process.pid, name: process.name },
			evidence: [`hart ${id} took nothing but timer ticks for the last ${since.toLocaleString("en")} instructions`],
			frames: [],
			...(at ? { look: at } : {}),
			effects: [],
			notes: [],
		};
	}
	return undefined;
}

type Calls = ReturnType<Evidence["callsOf"]>;

const isRunnable = ({ state }: Process): boolean => state === "RUNNING" || state === "RUNNABLE";
/** On a hart, and not just woken, as those are who sleep for some ticks. */
const isAtWork = ({ state }: Process, calls: Calls): boolean =>
	state === "RUNNING" && calls.every(({ name }) => name !== "sleep" && name !== "sched");

/** A system call that computes, or loops, in the kernel. */
function kernelLoop(evidence: Evidence, isMeant: (process: Process, calls: Calls) => boolean): Diagnosis | undefined {
	for (const process of evidence.look.processes) {
		const { pid, name } = process;
		const during = evidence.during(process);
		const hart = evidence.sources.machine.harts.find(({ id }) => evidence.processOn(id)?.pid === pid)?.id;
		const calls = hart === undefined ? evidence.callsOf(process) : evidence.callsOn(hart);
		if (!isMeant(process, calls)) continue;
		// What the timer interrupt put on top of it, and the way in from the trap.
		const top = calls.findLastIndex(({ name: of }) => of === "kerneltrap" || of === "kernelvec");
		const own = calls.slice(top + 1).find(({ file, line }) => file !== undefined && line !== undefined);
		// The first process runs code of the kernel's own before its program.
		const early = during === undefined && calls.some(({ name: of }) => of === "forkret");
		if (!own || (during === undefined && !early)) continue;
		return {
			kind: "no-progress",
			severity: "error",
			cause: `${capital(who(process))} is still in ${early ? "the kernel" : during}, at ${named(own)}: it has not ${early ? "come to its program" : "returned"}.`,
			...(hart === undefined ? {} : { hart }),
			process: { pid, name },
			...(during === undefined ? {} : { during }),
			evidence: others(evidence, process),
			frames: framesOf(calls.slice(top + 1)),
			...(own.file !== undefined && own.line !== undefined
				? { look: { file: own.file, line: own.line, function: own.name } }
				: {}),
			effects: [],
			notes: [],
		};
	}
	return undefined;
}

function noProgress(evidence: Evidence): Diagnosis {
	const { harts } = evidence.sources.machine;
	const states = harts.map(({ id, pc, mode, waiting }) => {
		const calls = evidence.callsOn(id);
		const where = calls[0] ? named(calls[0]) : hexOf(pc);
		return waiting
			? `hart ${id} waits for an interrupt in ${where}`
			: `hart ${id} is in ${mode === 0 ? "user mode" : mode === 3 ? "machine mode" : "the kernel"} at ${where}`;
	});
	const asleep = evidence.look.processes.filter(({ state }) => state === "SLEEPING");
	const all = asleep.length > 0 && asleep.length === evidence.look.processes.length;
	const sleepersText = all
		? `every process sleeps (${asleep.map((process) => `${process.pid} ${process.name}`).join(", ")}), and nobody is left to wake one`
		: "the run did not come to its end";
	const [busy] = harts.filter(({ waiting }) => !waiting);
	return {
		kind: "no-progress",
		severity: "error",
		cause: `${capital(sleepersText)}.`,
		evidence: [...states, ...others(evidence, undefined)],
		frames: busy ? framesOf(evidence.callsOn(busy.id)) : [],
		effects: [],
		notes: ["No single cause was recognised in the state of the processes, locks and interrupts"],
	};
}
