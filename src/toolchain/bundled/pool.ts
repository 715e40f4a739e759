import type { Diagnostic } from "../../common/diagnostic.ts";
import type { Disposable } from "../../common/disposable.ts";
import { cancelled, UserError } from "../../common/errors.ts";
import { limits } from "../../common/limits.ts";
import { type Port, RpcClient } from "../../protocol/rpc.ts";
import type { ObjectCache } from "../cache.ts";
import { compileCached, linkCached } from "../cached.ts";
import type {
	CompileJob,
	CompileResult,
	JobFiles,
	LinkJob,
	LinkResult,
	WasiRun,
	WasiRunResult,
	WasiToolchain,
} from "../types.ts";
import type { CompileOutcome } from "./compiler.ts";
import { warmLink, warmUp } from "./warmUp.ts";

/** What a toolchain worker answers. */
export interface CompilerRequests {
	compile: {
		params: { job: CompileJob; inputs: ReadonlyMap<string, Uint8Array> };
		result: CompileOutcome & { cpuMs: number };
	};
	link: { params: LinkJob; result: LinkResult };
	runWasi: { params: WasiRun; result: WasiRunResult };
}

/** A worker with a compiler in it; made on first use, ended to cancel. */
export interface CompilerWorker extends Disposable {
	readonly port: Port;
	/** Loads the compiler's programs; must come before the first `compile` or `link`. */
	prepare(): void;
	/** Called when it ends by itself. */
	onExit(listener: (why: string) => void): void;
}

interface Slot {
	worker: CompilerWorker;
	client: RpcClient<CompilerRequests, Record<string, never>>;
	busy: boolean;
}

/** In an editor: longer than a person reads a verdict before the next edit, and short enough that memory is free in a break. */
export const compilerIdleMs = 120_000;

interface PoolOptions {
	readonly description: string;
	readonly version: string;
	readonly size: number;
	readonly cache: ObjectCache;
	readonly startWorker: () => CompilerWorker;
	/** Workers that had nothing to do for this long are ended: the compiler in one takes some 300 MB. */
	readonly idleMs?: number;
	/** Told when they were. */
	readonly onRest?: () => void;
	/** Time that this process has worked, in ms; default: wall time. A job is not charged for what other programs take. */
	readonly processMs?: () => number;
	/** Told when the first job starts and when the last one has ended. */
	readonly onBusy?: (busy: boolean) => void;
}

/** How often a job's time is looked at. */
const lookMs = 250;

/** Calls `expire` when a job has worked for so long: no more than the wall says, and no more than the whole process has. */
function workClock(processMs: () => number, most: number, expire: () => void): Disposable {
	let wall = performance.now();
	let own = processMs();
	let used = 0;
	const timer = setInterval(() => {
		const [nextWall, nextOwn] = [performance.now(), processMs()];
		used += Math.min(nextWall - wall, nextOwn - own);
		[wall, own] = [nextWall, nextOwn];
		if (used > most) expire();
	}, lookMs);
	return { dispose: () => clearInterval(timer) };
}

function nameOf<K extends keyof CompilerRequests>(kind: K, params: CompilerRequests[K]["params"]): string {
	if (kind === "runWasi") return (params as WasiRun).args[0]?.split("/").at(-1) ?? "the program";
	return kind === "link" ? "the linker" : "the compiler";
}

function tookTooLong(name: string, most: number): UserError {
	const next = "Look for a loop that never ends, or a macro that is far bigger than you meant.";
	return new UserError("limit-reached", `${name} was not done after ${most / 1000} s of work and was stopped`, next);
}

/** What ended a job as a message at its place; cancelling is no failure of the job. */
function failureAt(error: unknown, file: string): Diagnostic {
	if (!(error instanceof UserError) || error.code === "cancelled") throw error;
	return { file, severity: "error", message: `${error.message}. ${error.nextStep}`, code: error.code };
}

/** The bundled toolchain: jobs go to idle workers, finished objects to the cache. Cancelling ends the worker that is at it. */
export class BundledToolchain implements WasiToolchain {
	readonly id = "bundled";
	readonly description: string;
	readonly version: string;
	readonly parallelism: number;
	private readonly slots: Slot[] = [];
	private readonly waiting: ((slot: Slot) => void)[] = [];
	private disposed = false;
	private running = 0;
	private idleTimer: ReturnType<typeof setTimeout> | undefined;

	constructor(private readonly options: PoolOptions) {
		this.description = options.description;
		this.version = options.version;
		this.parallelism = options.size;
	}

	compile(job: CompileJob, files: JobFiles, signal?: AbortSignal): Promise<CompileResult> {
		return compileCached(this.options.cache, this.version, job, files, async (inputs) => {
			try {
				return await this.send("compile", { job, inputs }, signal);
			} catch (error) {
				return { diagnostics: [failureAt(error, job.source)], text: "", includes: [], cpuMs: 0 };
			}
		});
	}

	link(job: LinkJob, signal?: AbortSignal): Promise<LinkResult> {
		return linkCached(this.options.cache, this.version, job, async () => {
			try {
				return await this.send("link", job, signal);
			} catch (error) {
				return { diagnostics: [failureAt(error, "")], text: "" };
			}
		});
	}

	runWasi(run: WasiRun, signal?: AbortSignal): Promise<WasiRunResult> {
		return this.send("runWasi", run, signal);
	}

	warm(): void {
		if (this.disposed || this.running > 0) return;
		void this.compileForNothing().catch(() => undefined);
	}

	private async compileForNothing(): Promise<void> {
		const { object } = await this.send("compile", warmUp, undefined);
		if (object) await this.send("link", warmLink(object), undefined);
	}

	dispose(): void {
		this.disposed = true;
		clearTimeout(this.idleTimer);
		this.endAll();
	}

	private endAll(): void {
		for (const slot of this.slots) this.end(slot);
		this.slots.length = 0;
	}

	/** Ends the workers when nothing comes for a while; the next job starts new ones. */
	private restWhenIdle(): void {
		clearTimeout(this.idleTimer);
		if (this.options.idleMs === undefined) return;
		this.idleTimer = setTimeout(() => {
			if (this.running > 0) return;
			this.endAll();
			this.options.onRest?.();
		}, this.options.idleMs);
		// A command that is done ends; it does not wait for this.
		(this.idleTimer as { unref?: () => void }).unref?.();
	}

	private async send<K extends keyof CompilerRequests>(
		kind: K,
		params: CompilerRequests[K]["params"],
		signal: AbortSignal | undefined,
	): Promise<CompilerRequests[K]["result"]> {
		if (signal?.aborted) throw cancelled();
		if (this.running++ === 0) this.options.onBusy?.(true);
		try {
			return await this.sendToIdle(kind, params, signal);
		} finally {
			if (--this.running === 0) {
				this.options.onBusy?.(false);
				this.restWhenIdle();
			}
		}
	}

	private async sendToIdle<K extends keyof CompilerRequests>(
		kind: K,
		params: CompilerRequests[K]["params"],
		signal: AbortSignal | undefined,
	): Promise<CompilerRequests[K]["result"]> {
		const slot = await this.idleSlot();
		// A job cannot be interrupted inside the compiler: its worker goes, and the next job gets a new one.
		const end = (why: UserError) => {
			this.remove(slot);
			slot.client.close(why);
			slot.worker.dispose();
		};
		const abort = () => end(cancelled());
		const most = kind === "runWasi" ? limits.mkfsMs : limits.compileMs;
		const clock = workClock(this.options.processMs ?? (() => performance.now()), most, () =>
			end(tookTooLong(nameOf(kind, params), most)),
		);
		signal?.addEventListener("abort", abort, { once: true });
		try {
			if (signal?.aborted) abort();
			if (kind !== "runWasi") slot.worker.prepare();
			return await slot.client.request(kind, params);
		} finally {
			clock.dispose();
			signal?.removeEventListener("abort", abort);
			this.release(slot);
		}
	}

	private idleSlot(): Promise<Slot> {
		const idle = this.slots.find((slot) => !slot.busy);
		if (idle) {
			idle.busy = true;
			return Promise.resolve(idle);
		}
		if (this.slots.length < this.options.size) return Promise.resolve(this.start());
		return new Promise((resolve) => this.waiting.push(resolve));
	}

	private start(): Slot {
		const worker = this.options.startWorker();
		const slot: Slot = { worker, client: new RpcClient(worker.port), busy: true };
		worker.onExit((why) => {
			this.remove(slot);
			slot.client.close(new UserError("worker-crashed", `The compiler's worker ended: ${why}`, "Build again."));
		});
		this.slots.push(slot);
		return slot;
	}

	private release(slot: Slot): void {
		if (this.disposed) return;
		const next = this.waiting.shift();
		if (!this.slots.includes(slot)) {
			if (next) next(this.start());
			return;
		}
		if (next) next(slot);
		else slot.busy = false;
	}

	private remove(slot: Slot): void {
		const at = this.slots.indexOf(slot);
		if (at >= 0) this.slots.splice(at, 1);
	}

	private end(slot: Slot): void {
		slot.client.dispose();
		slot.worker.dispose();
	}
}
