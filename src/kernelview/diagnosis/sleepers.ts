import { plain } from "../../debuginfo/types.ts";
import type { Diagnosis } from "../../protocol/diagnosis.ts";
import { CSR } from "../../riscv/csr.ts";
import type { Process } from "../processes.ts";
import { follow, readNumber } from "../typedMemory.ts";
import { at, capital, type Evidence, hexOf, named, who } from "./evidence.ts";
import { framesOf } from "./kernelCalls.ts";

/** Timer interrupts of supervisor and machine mode in mie; what machine mode passes on in sie. */
const timerEnables = 0xa0n;
const clockEnables = 0x22n;
/** Timer interrupts on each hart without a tick: more are no accident. */
const manyClocks = 5;

interface Told {
	readonly process: Process;
	readonly kind: "sleeper" | "zombie";
	readonly cause: string;
	readonly evidence: readonly string[];
	readonly notes?: readonly string[];
}

/** Processes that sleep although what they wait for has happened, or can never happen. */
export function sleepers(evidence: Evidence): Diagnosis | undefined {
	const asleep = evidence.look.processes.filter(({ state }) => state === "SLEEPING");
	const told =
		first(asleep, (process) => onDisk(evidence, process)) ??
		first(asleep, (process) => onSleepLock(evidence, process)) ??
		first(asleep, (process) => afterKill(evidence, process)) ??
		first(asleep, (process) => onChild(evidence, process)) ??
		first(asleep, (process) => onPipe(evidence, process)) ??
		first(evidence.look.processes, (process) => onTicks(evidence, process)) ??
		zombie(evidence);
	return told && diagnosisOf(evidence, told);
}

function diagnosisOf(evidence: Evidence, told: Told): Diagnosis {
	const calls = evidence.callsOf(told.process);
	const where = evidence.whereAsleep(told.process);
	return {
		kind: told.kind,
		severity: "error",
		cause: told.cause,
		process: { pid: told.process.pid, name: told.process.name },
		evidence: [...told.evidence, ...others(evidence, told.process)],
		frames: framesOf(calls),
		...(where?.file !== undefined && where.line !== undefined
			? { look: { file: where.file, line: where.line, function: where.name } }
			: {}),
		effects: [],
		notes: told.notes ?? [],
	};
}

function first<T, R>(items: readonly T[], ask: (item: T) => R | undefined): R | undefined {
	for (const item of items) {
		const answer = ask(item);
		if (answer !== undefined) return answer;
	}
	return undefined;
}

/** What the others do: the reader sees that nobody can come. */
export function others(evidence: Evidence, than: Process | undefined): string[] {
	return evidence.look.processes
		.filter((process) => process.pid !== than?.pid)
		.slice(0, 12)
		.map((process) => {
			const where = process.state === "SLEEPING" ? evidence.whereAsleep(process) : undefined;
			const channel = process.state === "SLEEPING" ? ` on ${channelOf(evidence, process)}` : "";
			return `${who(process)} is ${process.state}${channel}${where ? ` in ${named(where)}` : ""}`;
		});
}

const channelOf = (evidence: Evidence, process: Process) =>
	evidence.sources.names.describe(process.chan) ?? hexOf(process.chan);

const inFunction = (evidence: Evidence, process: Process) => {
	const where = evidence.whereAsleep(process);
	return where ? ` in ${named(where)}` : "";
};

/** A buffer that the disk is done with: `disk` is what the driver waits on. */
function onDisk(evidence: Evidence, process: Process): Told | undefined {
	const { names, memory } = evidence.sources;
	const channel = channelOf(evidence, process);
	const buffer = names.symbols.attempt(() => names.symbols.info?.struct("buf"));
	const calls = evidence.callsOf(process);
	if (!buffer || !calls.some(({ name }) => name === "virtio_disk_rw")) return undefined;
	const place = follow(memory, { address: process.chan, type: buffer }, "disk");
	const owned = place && readNumber(memory, place);
	if (owned === undefined) return undefined;
	const taken = evidence.recorder.externals.reduce((sum, count) => sum + (count ?? 0), 0);
	if (owned !== 0) return undefined;
	const sleep = calls.find(({ name }) => name === "sleep");
	return {
		process,
		kind: "sleeper",
		cause: `Lost wakeup: ${who(process)} sleeps on the disk buffer ${channel}${inFunction(evidence, process)}, but the disk is done with it already. Either the disk's interrupt handler does not call wakeup() on it, or the call came before it slept: in sleep()${sleep ? ` (${at(sleep)})` : ""}, lk must be held until p->lock is.`,
		evidence: [
			`${channel}.disk is 0: what it waits for has happened`,
			`${taken} interrupts of devices were taken, and none is pending`,
		],
	};
}

function onSleepLock(evidence: Evidence, process: Process): Told | undefined {
	const { locks, look } = evidence;
	const lock = locks.sleeplocks.find(({ address }) => address === process.chan);
	if (!lock) return undefined;
	const { locked, name, pid } = locks.sleepState(lock);
	const label = name === "" ? lock.path : `${lock.path} ("${name}")`;
	const sleeping = `${who(process)} waits for the sleep-lock ${label}${inFunction(evidence, process)}`;
	if (!locked)
		return {
			process,
			kind: "sleeper",
			cause: `Lost wakeup: ${sleeping}, which is not locked: releasesleep() did not wake it.`,
			evidence: [`${lock.path}.locked is 0`],
		};
	const holder = look.processes.find((other) => other.pid === pid);
	if (!holder || holder.state === "ZOMBIE")
		return {
			process,
			kind: "sleeper",
			cause: `${capital(sleeping)}, which process ${pid} took and never released: it has ended.`,
			evidence: [`${lock.path} is locked by process ${pid}`],
		};
	if (holder.pid === process.pid)
		return {
			process,
			kind: "sleeper",
			cause: `${capital(sleeping)}, which it holds itself: acquiresleep() is called twice on this path.`,
			evidence: [`${lock.path} is locked by process ${pid}`],
		};
	const wanted = locks.sleeplocks.find(({ address }) => holder.state === "SLEEPING" && address === holder.chan);
	const circle = wanted && locks.sleepState(wanted).pid === process.pid;
	if (wanted && circle)
		return {
			process,
			kind: "sleeper",
			cause: `Deadlock: ${sleeping}, which ${who(holder)} holds, and that one waits for ${wanted.path}${inFunction(evidence, holder)}, which ${who(process)} holds. Take the two locks in the same order everywhere.`,
			evidence: [`${lock.path} is locked by process ${pid}`, `${wanted.path} is locked by process ${process.pid}`],
		};
	// A holder that can still run, or waits for another lock, is the one to ask about.
	if (holder.state !== "SLEEPING" || wanted) return undefined;
	return {
		process,
		kind: "sleeper",
		cause: `${capital(sleeping)}, which ${who(holder)} holds while it sleeps${inFunction(evidence, holder)}: what took it did not release it (releasesleep: iunlock for an inode, brelse for a buffer).`,
		evidence: [`${lock.path} is locked by process ${pid}`],
	};
}

/** Sleeps that end when the process is killed. */
const killable: ReadonlySet<string> = new Set([
	...["piperead", "pipewrite", "consoleread", "wait", "kwait", "sys_sleep", "sys_pause"],
]);

/** kill() sets p->killed, and makes a sleeper runnable so that it sees it. */
function afterKill(evidence: Evidence, process: Process): Told | undefined {
	const where = evidence.whereAsleep(process);
	if (!process.killed || !where || !killable.has(where.name)) return undefined;
	return {
		process,
		kind: "sleeper",
		cause: `${capital(who(process))} was killed, and sleeps${inFunction(evidence, process)}: kill() has to make a process that sleeps RUNNABLE, and ${where.name} to return when p->killed is set.`,
		evidence: [`p->killed is set, and its state is SLEEPING on ${channelOf(evidence, process)}`],
	};
}

/** wait() with a child that has ended already. */
function onChild(evidence: Evidence, process: Process): Told | undefined {
	if (process.chan !== process.address) return undefined;
	const children = evidence.look.processes.filter(({ parent }) => parent === process.pid);
	const dead = children.find(({ state }) => state === "ZOMBIE");
	if (dead)
		return {
			process,
			kind: "zombie",
			cause: `${capital(who(process))} sleeps in wait(), although its child ${who(dead)} has ended: exit() did not wake it, or woke it before it slept. Call wakeup(p->parent) in exit()${evidence.symbols.symbol("wait_lock") === undefined ? "" : " with wait_lock held"}.`,
			evidence: [`${who(dead)} is ZOMBIE, and its parent sleeps on ${channelOf(evidence, process)}`],
		};
	if (children.length === 0)
		return {
			process,
			kind: "sleeper",
			cause: `${capital(who(process))} sleeps in wait(), and it has no child left that could end: wait() must return -1 there.`,
			evidence: [`no process has ${process.pid} as its parent`],
		};
	return undefined;
}

function onPipe(evidence: Evidence, process: Process): Told | undefined {
	const calls = evidence.callsOf(process);
	const call = calls.find(({ name }) => name === "piperead" || name === "pipewrite");
	if (!call) return undefined;
	const { names, memory } = evidence.sources;
	const pipe = names.symbols.attempt(() => names.symbols.info?.struct("pipe"));
	const read = call.name === "piperead";
	const member = pipe?.members.find(({ name }) => name === (read ? "nread" : "nwrite"));
	if (!pipe || !member) return undefined;
	const address = process.chan - member.offset;
	const value = (name: string) => {
		const place = follow(memory, { address, type: pipe }, name);
		return place && readNumber(memory, place);
	};
	const [nread, nwrite, readers, writers] = ["nread", "nwrite", "readopen", "writeopen"].map(value);
	if (nread === undefined || nwrite === undefined || readers === undefined || writers === undefined) return undefined;
	const facts = [`nread ${nread}, nwrite ${nwrite}, readopen ${readers}, writeopen ${writers}`];
	const sleeping = `${capital(who(process))} sleeps in ${named(call)}`;
	if (read && nread !== nwrite)
		return {
			process,
			kind: "sleeper",
			cause: `Lost wakeup: ${sleeping}, although the pipe has data: pipewrite() did not wake the reader.`,
			evidence: facts,
		};
	if (read && writers === 0)
		return {
			process,
			kind: "sleeper",
			cause: `Lost wakeup: ${sleeping}, although nobody has the pipe open for writing: pipeclose() did not wake the reader.`,
			evidence: facts,
		};
	if (!read && readers === 0)
		return {
			process,
			kind: "sleeper",
			cause: `Lost wakeup: ${sleeping}, although nobody has the pipe open for reading: pipeclose() did not wake the writer.`,
			evidence: facts,
		};
	const room = call.name === "pipewrite" && pipe.members.find(({ name }) => name === "data")?.type;
	const size = room ? plain(room)?.size : undefined;
	if (size !== undefined && (nwrite - nread) >>> 0 < size)
		return {
			process,
			kind: "sleeper",
			cause: `Lost wakeup: ${sleeping}, although the pipe has room: piperead() did not wake the writer.`,
			evidence: facts,
		};
	if (read && nread === nwrite)
		return {
			process,
			kind: "sleeper",
			cause: `${capital(sleeping)}: the pipe is empty, and a process still has it open for writing, so that the read never ends. Close the write end in every process that does not write.`,
			evidence: facts,
		};
	return undefined;
}

/** sleep() on ticks, and the clock stands, or wakes nobody. */
function onTicks(evidence: Evidence, process: Process): Told | undefined {
	const { names, memory, machine } = evidence.sources;
	const ticks = names.variable("ticks");
	const nap = evidence.recorder.napOf(process);
	// A tick wakes it to look, and to sleep again.
	const awake = nap !== undefined && (process.state === "RUNNABLE" || process.state === "RUNNING");
	const asleep = process.state === "SLEEPING" && process.chan === ticks?.address;
	if (!ticks || !(asleep || awake)) return undefined;
	const count = memory.u32(ticks.address) ?? 0;
	const told = (why: string, ...facts: readonly string[]): Told => ({
		process,
		kind: "sleeper",
		cause: `${capital(who(process))} sleeps on ticks${inFunction(evidence, process)}, and ${why}.`,
		evidence: [`ticks is ${count}${nap ? `, and was ${nap.since} when it made the system call` : ""}`, ...facts],
	});
	const off = machine.harts.filter(
		(hart) =>
			((hart.csr(CSR.mie) ?? timerEnables) & timerEnables) === 0n &&
			((hart.csr(CSR.sie) ?? clockEnables) & clockEnables) === 0n,
	);
	if (off.length === machine.harts.length) return told("no hart has the timer interrupt on");
	const counts =
		off.length > 0
			? `hart ${off.map(({ id }) => id).join(", ")} has the timer interrupt off: it has to be on at the hart that counts ticks`
			: "clockintr() has to add 1 to ticks at each timer interrupt, on one of the harts";
	const clocks = nap && evidence.recorder.clocksSince(nap);
	if (clocks === 0 && evidence.isStill) return told("no timer interrupt has come since");
	if (count === 0) return told(`the kernel has not counted a single tick: ${counts}`);
	if (!nap || clocks === undefined) return undefined;
	const slept = (count - nap.since) >>> 0;
	const taken = `${clocks} timer interrupts were taken since`;
	if (slept === 0 && clocks > manyClocks * machine.harts.length)
		return told(`ticks stays what it is, although timer interrupts come: ${counts}`, taken);
	// A tick that is just being counted wakes it in a moment.
	if (asleep && slept >= nap.wanted + 2) return overslept(evidence, process, nap.wanted, slept, count);
	if (evidence.end.kind === "stuck")
		return told(
			"no hart has a further timer interrupt to come: clockintr() has to set the time of the next one at each",
			taken,
		);
	return undefined;
}

/** The tick that it asked for has been. */
function overslept(evidence: Evidence, process: Process, wanted: number, slept: number, count: number): Told {
	return {
		process,
		kind: "sleeper",
		cause: `Lost wakeup: ${who(process)} sleeps on ticks${inFunction(evidence, process)} for ${wanted} ${wanted === 1 ? "tick" : "ticks"}, and ${slept} have passed: clockintr() does not wake it. It has to call wakeup(&ticks) after ticks++.`,
		evidence: [`ticks is ${count}, and was ${count - slept} when it made the system call`],
	};
}

/** A process that ended, whose parent is gone. */
export function orphan(evidence: Evidence): Diagnosis | undefined {
	const told = zombie(evidence);
	return told && diagnosisOf(evidence, told);
}

function zombie(evidence: Evidence): Told | undefined {
	const { processes } = evidence.look;
	const dead = processes.find(
		({ state, parent }) =>
			state === "ZOMBIE" && !processes.some(({ pid, state: s }) => pid === parent && s !== "ZOMBIE"),
	);
	if (!dead) return undefined;
	return {
		process: dead,
		kind: "zombie",
		cause: `${capital(who(dead))} has ended, and nobody waits for it: its parent${dead.parent > 0 ? ` (process ${dead.parent})` : ""} is gone. exit() has to give its children to init (reparent).`,
		evidence: [
			`${who(dead)} is ZOMBIE, and ${dead.parent > 0 ? `process ${dead.parent} is not there` : "its p->parent is no process any more"}`,
		],
	};
}
