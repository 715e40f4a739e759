import { throwIfCancelled } from "../../common/cancellation.ts";
import { UserError } from "../../common/errors.ts";
import { checkFileSystem, type FileSystemLayout, inLog, layoutOf, superBlock } from "../../kernelview/fileSystem.ts";
import type { Snapshot } from "../../machine/snapshot.ts";
import { budgets } from "../../session/budgets.ts";
import { describeEnd } from "../../session/commandEnd.ts";
import { RunController, type RunHost } from "../../session/runController.ts";
import type { RunnableMachine } from "../../session/runnableMachine.ts";
import { Shell } from "../../session/shell.ts";
import type { Fault, FaultRun, Sweep } from "./fault.ts";

interface CrashRequest extends RunHost {
	/** At the prompt. */
	readonly machine: RunnableMachine;
	readonly shell: Shell;
	readonly fault: Fault;
	readonly command: string;
	readonly budget: number;
	/** A machine of the same shape, which has not run; it is disposed here. */
	readonly another: () => Promise<RunnableMachine>;
	readonly signal?: AbortSignal;
	readonly onProgress?: (done: number, total: number) => void;
}

interface Write {
	readonly at: number;
	readonly content: Uint8Array;
}

/** Instructions before the first request of a boot that the snapshot is taken at, at least. */
const margin = 200_000;
const piece = 5_000_000;
/** Problems of one image that are told. */
const mostTold = 5;

/**
 * Runs a command once and notes each write to the disk. Then, for each: the disk as it was right after that write, a new boot with it, and
 * a check of the file system once the shell asks for a command.
 */
export async function crashSweep(request: CrashRequest): Promise<Sweep> {
	const { machine, shell, fault, command } = request;
	const before = machine.disk();
	const layout = layoutOf(before);
	const sb = superBlock(before);
	if (!layout || !sb) {
		throw new UserError(
			"usage",
			"The disk of this tree has no xv6 file system that can be checked",
			"--crash needs xv6's format on the disk.",
		);
	}
	const writes: Write[] = [];
	const watching = machine.watchDisk({
		served: ({ kind, sector }, content) => {
			if (kind === "write") writes.push({ at: 512 * sector, content: content.slice() });
		},
	});
	const { end } = await shell.run(command, request.budget).finally(() => watching.dispose());
	const nothing = { fault, command, total: writes.length, runs: [] };
	if (end.kind !== "prompt") return { ...nothing, plainFailed: end, notes: [] };
	if (fault.at !== "all" && fault.at > writes.length) {
		const note = `The command writes to the disk ${writes.length} times: there is no number ${fault.at}`;
		return { ...nothing, notes: [note] };
	}
	const places = fault.at === "all" ? writes.length : 1;
	if (places === 0) return { ...nothing, notes: [] };
	const other = await request.another();
	try {
		const booting = await beforeFirstRequest(other, request);
		const disk = new CrashedDisk(booting, before);
		const runs: FaultRun[] = [];
		for (const [index, { at, content }] of writes.entries()) {
			disk.write(at, content);
			if (fault.at !== "all" && fault.at !== index + 1) continue;
			throwIfCancelled(request.signal);
			request.onProgress?.(runs.length, places);
			other.restore(disk.snapshot());
			const block = at / sb.blockSize;
			const what = block === sb.logStart ? " (the log's header)" : inLog(sb, block) ? " (of the log)" : "";
			runs.push({
				at: index + 1,
				target: `after the write of block ${block}${what}`,
				calls: [],
				...(await recover(other, layout, request)),
			});
		}
		return { ...nothing, runs, notes: [] };
	} finally {
		other.dispose();
	}
}

/** A moment of the boot at which nothing has been read of the disk. */
async function beforeFirstRequest(machine: RunnableMachine, host: CrashRequest): Promise<Snapshot> {
	const controller = new RunController(machine, host);
	const powerOn = machine.snapshot();
	let asked: number | undefined;
	const watching = machine.watchDisk({
		fails: () => {
			asked ??= machine.instret;
			return false;
		},
	});
	const run = async (to: () => number) => {
		while (machine.instret < to()) {
			throwIfCancelled(host.signal);
			const stop = controller.advance(Math.min(piece, to() - machine.instret));
			if (stop.kind === "halt" || stop.kind === "idle") break;
			await host.breathe();
		}
	};
	try {
		await run(() => (asked === undefined ? budgets.boot : 0));
		machine.restore(powerOn);
		const first = asked ?? 0;
		// `asked` is as of the begin of the core's turn: a slice is shorter than the margin.
		await run(() => Math.max(0, first - margin));
		return machine.snapshot();
	} finally {
		watching.dispose();
		controller.dispose();
	}
}

/** A moment of a machine, with another disk. */
class CrashedDisk {
	private readonly pages: Uint8Array[];
	private readonly pageSize: number;
	private readonly first: number;

	constructor(
		private readonly moment: Snapshot,
		private readonly disk: Uint8Array,
	) {
		this.pages = [...moment.pages];
		this.pageSize = (moment.ramBytes + moment.diskBytes) / moment.pages.length;
		this.first = moment.ramBytes / this.pageSize;
		for (let at = 0; at < disk.length; at += this.pageSize) this.take(at);
	}

	write(at: number, content: Uint8Array): void {
		this.disk.set(content, at);
		for (let page = at - (at % this.pageSize); page < at + content.length; page += this.pageSize) this.take(page);
	}

	/** The page at this place of the disk, as it is now; a page that did not change stays the same object, which restores skip. */
	private take(at: number): void {
		const index = this.first + at / this.pageSize;
		const content = this.disk.subarray(at, at + this.pageSize);
		const page = this.pages[index];
		if (page && content.every((byte, i) => page[i] === byte)) return;
		const copy = new Uint8Array(this.pageSize);
		copy.set(content);
		this.pages[index] = copy;
	}

	snapshot(): Snapshot {
		return { ...this.moment, pages: [...this.pages] };
	}
}

async function recover(
	machine: RunnableMachine,
	layout: FileSystemLayout,
	request: CrashRequest,
): Promise<Pick<FaultRun, "outcome" | "what" | "diagnoses" | "facts">> {
	const shell = Shell.on(machine, request);
	try {
		const end = await shell.waitForPrompt(budgets.judgedBoot(machine.harts.length));
		if (end.kind !== "prompt") {
			const said = shell.console.trimEnd().split("\n").slice(-2).join(" / ");
			const what = `the next boot did not reach the shell: ${describeEnd(end, machine.instret).replace(/\.$/, "")}`;
			return { outcome: "failed", what, diagnoses: [], facts: said === "" ? [] : [`it said: ${said}`] };
		}
		const problems = checkFileSystem(machine.disk(), layout);
		if (problems.length === 0) return { outcome: "handled", what: "handled", diagnoses: [], facts: [] };
		const more = problems.length - mostTold;
		return {
			outcome: "failed",
			what: `the file system is damaged after the next boot: ${(problems[0] as string).replace(/:.*/, "")}`,
			diagnoses: [],
			facts: [...problems.slice(0, mostTold), ...(more > 0 ? [`and ${more} more`] : [])],
		};
	} finally {
		shell.dispose();
	}
}
