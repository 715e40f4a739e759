import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { utf8 } from "../../common/bytes.ts";
import { bug } from "../../common/errors.ts";
import { loadCore } from "../../env/node/core.ts";
import { Machine } from "../../machine/machine.ts";
import type { MachineOptions, ReadonlyBytes } from "../../machine/types.ts";
import { promptAtEnd } from "../../session/consoleText.ts";
import { RunController } from "../../session/runController.ts";
import { median, outputOf, type SessionResult, type Times, turnsOf, type Work } from "./works.ts";

interface SessionJob {
	readonly kernel: string;
	readonly disk: string;
	readonly harts: number;
	readonly jit: NonNullable<MachineOptions["jit"]>;
	readonly works: readonly Work[];
	/** Measure the restoring of snapshots too. */
	readonly snapshots: boolean;
}

/** Instructions between two looks at the console: a millisecond or two. */
const lookEvery = 2_000_000;
const restores = 15;

/** Runs a job in a process of its own, as QEMU has one: nothing of an earlier session is warm, and its memory is its own. */
export function ourSession(job: SessionJob): Promise<SessionResult> {
	return new Promise((resolve, reject) => {
		const start = performance.now();
		const self = process.argv[1] ?? bug("no script");
		const child = spawn(process.execPath, [...process.execArgv, self, "bench", "--session", JSON.stringify(job)], {
			stdio: ["ignore", "inherit", "inherit", "ipc"],
		});
		let bootProcess: Times = { seconds: Number.NaN, cpu: Number.NaN };
		let result: SessionResult | undefined;
		child.on("message", (message: { readonly promptCpu: number } | SessionResult) => {
			if ("promptCpu" in message) {
				bootProcess = { seconds: (performance.now() - start) / 1000, cpu: message.promptCpu };
			} else result = message;
		});
		child.on("error", reject);
		child.on("close", (code) => {
			if (result) resolve({ ...result, bootProcess });
			else reject(new Error(`a session of ours ended with code ${code} and no result`));
		});
	});
}

/** The other end: this process is the session. */
export async function serveSession(text: string): Promise<void> {
	const job = JSON.parse(text) as SessionJob;
	const [kernel, disk, core] = await Promise.all([readFile(job.kernel), readFile(job.disk), loadCore()]);
	const compiling = watchCompiler();
	let clock = startClock();
	const session = await Session.start({ kernel, disk, harts: job.harts, jit: job.jit }, core);
	session.toPrompt();
	const boot = clock();
	process.send?.({ promptCpu: cpuSeconds() });
	const result: SessionResult = { bootProcess: boot, boot, runs: [] };
	for (const { work, turn } of turnsOf(job.works)) {
		const before = session.machine.instret;
		clock = startClock();
		const text = session.type(work.command);
		const instructions = session.machine.instret - before;
		result.runs.push({ name: work.name, turn, ...clock(), instructions, text });
	}
	const { translation } = session.machine;
	if (translation) result.translation = { ...translation, compileMs: compiling.ms };
	result.resident = process.memoryUsage().rss;
	result.guestTouched = touched(session.machine.memory.bytes());
	if (job.snapshots) result.restore = session.measureRestore();
	session.machine.dispose();
	process.send?.(result);
}

function cpuSeconds(): number {
	const { user, system } = process.cpuUsage();
	return (user + system) / 1e6;
}

function startClock(): () => Times {
	const [start, cpu] = [performance.now(), cpuSeconds()];
	return () => ({ seconds: (performance.now() - start) / 1000, cpu: cpuSeconds() - cpu });
}

/** Milliseconds in which the machine waited for the host's compiler; what that does in the background is in the CPU seconds. */
function watchCompiler(): { readonly ms: number } {
	const spent = { ms: 0 };
	const timed = <T extends object>(what: T) =>
		new Proxy(what, {
			construct(target, args) {
				const start = performance.now();
				try {
					return Reflect.construct(target as unknown as new () => object, args);
				} finally {
					spent.ms += performance.now() - start;
				}
			},
		});
	WebAssembly.Module = timed(WebAssembly.Module);
	WebAssembly.Instance = timed(WebAssembly.Instance);
	return spent;
}

class Session {
	private text = "";
	private readonly decoder = new TextDecoder("latin1");

	static async start(options: MachineOptions, core: WebAssembly.Module): Promise<Session> {
		return new Session(await Machine.create(options, { core }));
	}

	private readonly controller: RunController;

	constructor(readonly machine: Machine) {
		this.controller = new RunController(machine, { breathe: async () => undefined });
		machine.console.onData((bytes) => {
			this.text += this.decoder.decode(bytes);
		});
	}

	/** Runs until the shell waits for a line; what came until then. */
	toPrompt(): string {
		for (;;) {
			const stop = this.controller.advance(lookEvery, { stopWhenWaiting: true });
			if (promptAtEnd.test(this.text.slice(-3)) && this.machine.console.pending === 0) return this.text;
			if (stop.kind === "idle" || stop.kind === "halt") bug(`the benchmark's kernel stopped:\n${this.text}`);
		}
	}

	type(command: string): string {
		this.text = "";
		this.machine.console.write(utf8(`${command}\n`));
		return outputOf(this.toPrompt(), command);
	}

	/** A program dirties about one page in a hundred, then the machine is put back. */
	measureRestore(): NonNullable<SessionResult["restore"]> {
		const before = this.machine.snapshot();
		const allPages = before.pages.length;
		const times: number[] = [];
		let restoredPages = 0;
		for (let i = 0; i < restores; i++) {
			this.type(`storm dirty ${Math.floor(allPages / 100)}`);
			if (i === 0) {
				const after = this.machine.snapshot();
				restoredPages = after.pages.filter((page, n) => page !== before.pages[n]).length;
			}
			const start = performance.now();
			this.machine.restore(before);
			times.push(performance.now() - start);
		}
		return { ms: median(times), restoredPages, allPages };
	}
}

/** Bytes of the pages that are not all zero. */
function touched(ram: ReadonlyBytes): number {
	const page = 4096;
	const bits = new BigUint64Array(ram.buffer, ram.byteOffset, ram.byteLength >> 3);
	let bytes = 0;
	for (let at = 0; at < bits.length; at += page / 8) {
		for (let i = 0; i < page / 8; i++) {
			if (bits[at + i] !== 0n) {
				bytes += page;
				break;
			}
		}
	}
	return bytes;
}
