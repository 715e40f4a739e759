import type { Disposable } from "../../common/disposable.ts";
import { cancelled, UserError } from "../../common/errors.ts";
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

export interface PoolOptions {
	readonly description: string;
	readonly version: string;
	readonly size: number;
	readonly cache: ObjectCache;
	readonly startWorker: () => CompilerWorker;
	/** Workers that had nothing to do for this long are ended: the compiler in one takes some 300 MB. */
	readonly idleMs?: number;
	/** Told when they were. */
	readonly onRest?: () => void;
	/** Told when the first job starts and when the last one has ended. */
	readonly onBusy?: (busy: boolean) => void;
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
		return compileCached(this.options.cache, this.version, job, files, (inputs) =>
			this.send("compile", { job, inputs }, signal),
		);
	}

	link(job: LinkJob, signal?: AbortSignal): Promise<LinkResult> {
		return linkCached(this.options.cache, this.version, job, () => this.send("link", job, signal));
	}

	runWasi(run: WasiRun, signal?: AbortSignal): Promise<WasiRunResult> {
		return this.send("runWasi", run, signal);
	}

	warm(): void {
		if (this.disposed || this.running > 0) return;
		const slot = this.slots[0] ?? this.start();
		slot.worker.prepare();
		slot.busy = false;
		this.restWhenIdle();
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
		const abort = () => {
			this.remove(slot);
			slot.client.close(cancelled());
			slot.worker.dispose();
		};
		signal?.addEventListener("abort", abort, { once: true });
		try {
			if (signal?.aborted) abort();
			if (kind !== "runWasi") slot.worker.prepare();
			return await slot.client.request(kind, params);
		} finally {
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
