import { throwIfCancelled } from "../../common/cancellation.ts";
import { UserError } from "../../common/errors.ts";
import type { Snapshot } from "../../machine/snapshot.ts";
import type { Instructions } from "../../machine/types.ts";
import { describeEnd } from "../../session/commandEnd.ts";
import type { CommandResult, Shell } from "../../session/shell.ts";
import type { Fault, FaultObserver, FaultRun, Sweep } from "./fault.ts";
import { type Injection, type InjectionPlace, inject, type Met } from "./inject.ts";

interface SweepRequest extends InjectionPlace {
	readonly shell: Shell;
	readonly fault: Fault;
	readonly command: string;
	/** Of the plain run. */
	readonly budget: Instructions;
	/** Text of a file of the tree, for diagnoses. */
	readonly file: (path: string) => string | undefined;
	readonly signal?: AbortSignal;
	readonly onProgress?: (done: number, total: number) => void;
}

/** A faulty run may take so many times the plain one, and this much besides, before it is given up. */
const patience = 10;
const least: Instructions = 100_000_000;
const mostOutput = 200_000;
/** Looks at a kernel that is not yet as it was: each waits for a prompt that stays. */
const looks = 40;
const looksAtLocks = 4;
/** Kinds of diagnoses that show the kernel itself at fault when a command does not end; a program may wait for ever on its own account. */
const kernelHangs: ReadonlySet<string> = new Set(["lock-spin", "deadlock", "trap-loop", "kernel-fault", "lock-panic"]);

/** What has to be the same after a command as before it. */
interface Quiet {
	readonly free: number | undefined;
	readonly pids: string;
	readonly locks: readonly string[];
	readonly references: ReadonlyMap<string, number>;
}

/**
 * Runs a command on a machine whose shell waits at its prompt, once as it is, then from the same moment with each fault. For kalloc
 * the command runs once before: the shell's heap grows with the first command of a kind. A program may fail; the kernel may not panic, hang, or lose anything.
 */
export async function sweep(request: SweepRequest): Promise<Sweep> {
	const { fault, kalloc } = request;
	if (fault.kind === "kalloc" && kalloc === undefined) {
		throw new UserError("usage", "This kernel has no function kalloc", "Only disk requests can be made to fail in it.");
	}
	const injection = inject(request, fault.kind);
	try {
		return await sweepWith(request, injection);
	} finally {
		injection.dispose();
	}
}

async function sweepWith(request: SweepRequest, injection: Injection): Promise<Sweep> {
	const { machine, shell, view, fault, command, budget } = request;
	const nothing = { fault, command, total: 0, runs: [] };
	// What a run has read is in the buffer cache, and is not asked of the disk again.
	if (fault.kind === "kalloc") {
		const first = await shell.run(command, budget, { mostOutput });
		if (first.end.kind !== "prompt") return { ...nothing, plainFailed: first.end, notes: [] };
		await shell.waitForPrompt(budget);
	}
	const ready = machine.snapshot();
	view.begin();
	const before = quiet(request);
	injection.arm(0);
	const plain = await shell.run(command, budget, { mostOutput });
	const total = injection.count;
	if (plain.end.kind !== "prompt") return { ...nothing, plainFailed: plain.end, notes: [] };
	const after = await settled(request, before);
	const sweeping = new Sweeping(request, injection, ready, before, after, plain);
	const places = fault.at === "all" ? Array.from({ length: total }, (_, i) => i + 1) : [fault.at];
	if (fault.at !== "all" && fault.at > total) {
		const what = fault.kind === "kalloc" ? "calls kalloc" : "asks the disk";
		const note = `The command ${what} ${total} times: there is no number ${fault.at}`;
		return { ...nothing, total, notes: [note] };
	}
	const runs: FaultRun[] = [];
	for (const at of places) {
		throwIfCancelled(request.signal);
		request.onProgress?.(runs.length, places.length);
		runs.push(await sweeping.run(at));
	}
	machine.restore(ready);
	return { fault, command, total, runs, notes: sweeping.notes };
}

function quiet({ view }: SweepRequest): Quiet {
	const { locks, references } = view.inUse();
	return { free: view.freeFrames(), pids: pidsOf(view), locks, references };
}

function pidsOf(view: FaultObserver): string {
	const pids = view.processes().map(({ pid }) => pid);
	return pids.sort((a, b) => a - b).join(" ");
}

/** Waits until processes that a command left behind have gone, and locks that are only being used are free. */
async function settled(request: SweepRequest, before: Quiet): Promise<Quiet> {
	// Frames and locks take a hundred times as long to read: only once the processes are those that stay.
	for (let look = 0; look < looks && pidsOf(request.view) !== before.pids; look++)
		await request.shell.waitForPrompt(request.budget);
	let now = quiet(request);
	let { locks } = now;
	for (let look = 0; look < looksAtLocks && locks.some((lock) => !before.locks.includes(lock)); look++) {
		await request.shell.waitForPrompt(request.budget);
		now = quiet(request);
		locks = locks.filter((lock) => now.locks.includes(lock));
	}
	return { ...now, locks: locks.filter((lock) => !before.locks.includes(lock)) };
}

class Sweeping {
	readonly notes: string[] = [];

	constructor(
		private readonly request: SweepRequest,
		private readonly injection: Injection,
		private readonly ready: Snapshot,
		private readonly before: Quiet,
		/** After the plain run: what it loses is not the fault's. */
		private readonly after: Quiet,
		private readonly plain: CommandResult,
	) {
		if (before.free === undefined)
			this.notes.push("Lost frames were not counted: this kernel keeps its free frames in a way that is not known");
		const lost = (before.free ?? 0) - (after.free ?? 0);
		if (lost > 0 && before.pids === after.pids)
			this.notes.push(`The command loses ${frames(lost)} without a fault, too`);
	}

	async run(at: number): Promise<FaultRun> {
		const { request, plain } = this;
		request.machine.restore(this.ready);
		request.view.begin();
		this.injection.arm(at);
		const budget = Math.min(request.budget, patience * plain.instructions + least);
		const result = await request.shell.run(request.command, budget, { mostOutput });
		// What the checks wait for is no place of the command.
		const { met } = this.injection;
		this.injection.arm(0);
		return this.judge(at, met, result);
	}

	private async judge(at: number, met: Met | undefined, result: CommandResult): Promise<FaultRun> {
		const { view, fault, file } = this.request;
		const place = { at, calls: met?.calls ?? [], ...(met?.target ? { target: met.target } : {}) };
		const { end, output } = result;
		const because = () => view.diagnose({ ...end, output }, file);
		if (!met) return { ...place, outcome: "unclear", what: "this run did not get there", diagnoses: [], facts: [] };
		if (end.kind === "panic") {
			const diagnoses = because();
			const stopped =
				fault.kind === "disk" &&
				diagnoses.some(({ frames: calls }) => calls.some(({ name }) => /virtio|disk/.test(name)));
			if (stopped)
				return { ...place, outcome: "handled", what: `the driver panicked: ${end.message}`, diagnoses: [], facts: [] };
			return { ...place, outcome: "failed", what: `the kernel panicked: ${end.message}`, diagnoses, facts: [] };
		}
		if (end.kind !== "prompt") {
			const diagnoses = because();
			const proved = diagnoses.some(({ kind }) => kernelHangs.has(kind));
			const what = describeEnd(end, result.instructions).replace(/\.$/, "");
			return {
				...place,
				outcome: proved ? "failed" : "unclear",
				what,
				diagnoses,
				facts: proved ? [] : [this.whoIsThere()],
			};
		}
		if (fault.kind === "disk" && met.retried !== true) {
			const same = output === this.plain.output;
			const what = same
				? "nobody noticed: the command printed what it prints without the fault"
				: "the command ended, and printed something else than without the fault";
			return { ...place, outcome: same ? "failed" : "unclear", what, diagnoses: [], facts: [] };
		}
		return { ...place, ...(await this.atPrompt(because)) };
	}

	/** The program is over: is the kernel as it was? */
	private async atPrompt(
		because: () => FaultRun["diagnoses"],
	): Promise<Pick<FaultRun, "outcome" | "what" | "diagnoses" | "facts">> {
		const { request, before, after } = this;
		const now = await settled(request, before);
		const failed = (what: string, facts: readonly string[] = []) =>
			({ outcome: "failed", what, diagnoses: because(), facts }) as const;
		const [lock] = now.locks.filter((one) => !after.locks.includes(one));
		if (lock !== undefined) return failed(`${lock} stays locked`);
		if (now.pids !== before.pids) {
			// The count of frames says nothing then; frames that nobody has are still seen.
			const lost = because().filter(({ kind, severity }) => severity === "error" && kind !== "user-fault");
			if (lost.length > 0)
				return { outcome: "failed", what: "frames were lost or freed in use", diagnoses: lost, facts: [] };
			return { outcome: "handled", what: "handled", diagnoses: [], facts: [this.whoIsThere()] };
		}
		if (before.free !== undefined && now.free !== undefined) {
			const lost = before.free - now.free - Math.max(0, before.free - (after.free ?? before.free));
			if (lost > 0) return failed(`${frames(lost)} lost`, [`${before.free} free before, ${now.free} after`]);
		}
		for (const [table, count] of now.references) {
			const expected = Math.max(before.references.get(table) ?? 0, after.references.get(table) ?? 0);
			if (count > expected) return failed(`${count - expected} references in ${table} stay`);
		}
		return { outcome: "handled", what: "handled", diagnoses: [], facts: [] };
	}

	private whoIsThere(): string {
		const known = this.before.pids.split(" ");
		const more = this.request.view.processes().filter(({ pid }) => !known.includes(String(pid)));
		if (more.length === 0) return "no process is there that was not there before";
		return `still there: ${more.map(({ pid, name, state }) => `${pid} ${name} (${state})`).join(", ")}`;
	}
}

const frames = (count: number) => (count === 1 ? "one frame" : `${count} frames`);
