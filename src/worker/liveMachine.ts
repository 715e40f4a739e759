import { UserError } from "../common/errors.ts";
import type { RunnableMachine } from "../session/runnableMachine.ts";
import { Shell } from "../session/shell.ts";
import type { EngineParts, KernelObserver } from "./engine.ts";

/** A slice of the machine between two looks at the mailbox. */
const sliceMs = 8;
/** Guest time runs at 10 MHz. */
const ticksPerMs = 10_000;
const firstSlice = 500_000;
/** The console stops the machine (in wall time) above the high mark and lets it go on below the low one; bytes on their way. */
const highMark = 512 * 1024;
const lowMark = 128 * 1024;
const modelEveryMs = 100;
/** An update may take this part of the guest's time; but one in two seconds comes at any rate. */
const modelShare = 1 / 40;
const modelAtLeastMs = 2000;
/** Most characters given at once, well below the 128 of xv6's console buffer. */
const mostTyped = 100;
/** Instructions that a busy guest is given to read a piece of input. */
const readingTime = 5_000_000;

/** The machine behind the terminal: runs by itself, or is driven by a command; one of the two at a time. */
export class LiveMachine {
	private state: "running" | "paused" | "over" = "running";
	private driven = false;
	private slice = firstSlice;
	private unshown = 0;
	/** When the next update may come, and whether the inspector has drawn the last. */
	private nextModel = 0;
	private models: ReturnType<KernelObserver["live"]> | undefined;
	private isDrawn = true;
	private isStale = false;
	private wake: (() => void) | undefined;
	private wakeNap: (() => void) | undefined;
	private readonly shell: Shell;
	private signal: AbortSignal | undefined;
	/** Keys that the guest has not been given yet. */
	private readonly typed: number[] = [];
	private fedAt = 0;
	/** Nothing but input can wake the guest. */
	private sleepUntilInput = false;

	constructor(
		private readonly machine: RunnableMachine,
		readonly observer: KernelObserver | undefined,
		private readonly parts: EngineParts,
		readonly shape: { readonly harts: number; readonly seed: number },
	) {
		machine.console.onData((bytes) => {
			this.unshown += bytes.length;
			// A copy: the machine reuses its buffer, and the message is sent later.
			parts.emit("console", { bytes: bytes.slice() });
		});
		machine.onStall((report) => parts.emit("stall", { message: report.message }));
		machine.onGuestError((text) =>
			parts.emit("log", { level: "warn", message: `The guest's driver is wrong: ${text}` }),
		);
		this.shell = new Shell(machine, { breathe: () => this.breathe() });
		observer?.paceBy?.(parts.now);
	}

	start(): void {
		this.parts.emit("state", { state: "running" });
		void this.pump();
	}

	/** Runs the machine by itself until it is over; steps aside while a command drives it. */
	private async pump(): Promise<void> {
		while (this.state !== "over") {
			const waitMs = this.driven ? 0 : this.runSlice();
			const guestWaits = waitMs > 0 || this.sleepUntilInput;
			if (this.feed(guestWaits)) this.sleepUntilInput = false;
			else if (waitMs > 0) await this.nap(waitMs);
			await this.breathe();
		}
	}

	/** Milliseconds until the guest's next timer; 0: it has something to do. */
	private runSlice(): number {
		if (this.state !== "running") return 0;
		const start = this.parts.now();
		const stop = this.machine.run(this.slice, { stopWhenWaiting: true });
		const took = Math.max(this.parts.now() - start, 0.05);
		if (stop.kind === "budget") {
			this.slice = Math.max(10_000, Math.min(50_000_000, Math.round((this.slice * sliceMs) / took)));
		}
		if (this.shell.panic !== undefined && this.observer)
			this.parts.emit("diagnosis", {
				diagnoses: this.observer.diagnose({ kind: "panic", message: this.shell.panic }, () => undefined),
			});
		if (stop.kind === "halt") this.end(`The machine was switched off with code ${stop.code}.`, "dead");
		else if (this.shell.panic !== undefined) this.end(`The kernel panicked: ${this.shell.panic}.`, "dead");
		else if (stop.kind === "idle") this.sleepUntilInput = true;
		else if (stop.kind === "waiting") return stop.ticks / ticksPerMs;
		return 0;
	}

	/** An idle guest costs the host nothing: until its timer, a key or any other message about this machine. */
	private nap(ms: number): Promise<void> {
		return new Promise((resolve) => {
			const done = () => {
				clearTimeout(timer);
				this.wakeNap = undefined;
				resolve();
			};
			const timer = setTimeout(done, ms);
			this.wakeNap = done;
		});
	}

	/** Lets messages in, sends the model when it is due, and holds the machine while it is paused or the console is behind. */
	private async breathe(): Promise<void> {
		await this.parts.breathe();
		if (this.driven) this.feed(false);
		this.sendModel();
		while (this.held) {
			await new Promise<void>((resolve) => {
				this.wake = resolve;
			});
			this.wake = undefined;
		}
		if (this.driven && this.signal?.aborted) this.machine.requestStop();
	}

	private get held(): boolean {
		if (this.state === "over" || (this.driven && this.signal?.aborted)) return false;
		return this.state === "paused" || this.unshown > highMark || (this.sleepUntilInput && !this.driven);
	}

	private release(): void {
		this.wakeNap?.();
		this.wake?.();
	}

	/** Gives the machine to a command. */
	async drive<T>(signal: AbortSignal, work: (shell: Shell) => Promise<T>): Promise<T> {
		if (this.state === "over")
			throw new UserError("file-not-found", "The machine is off", 'Run "xv6: Restart Machine".');
		this.driven = true;
		this.signal = signal;
		const release = () => this.release();
		signal.addEventListener("abort", release);
		this.release();
		this.shell.signal = signal;
		try {
			return await work(this.shell);
		} finally {
			signal.removeEventListener("abort", release);
			this.shell.signal = undefined;
			this.driven = false;
			// A judged run was looked at by guest time.
			this.observer?.paceBy?.(this.parts.now);
			this.sendModel(true);
			if (this.shell.panic !== undefined) this.end(`The kernel panicked: ${this.shell.panic}.`, "dead");
		}
	}

	input(bytes: Uint8Array): undefined {
		const first = this.typed.length === 0;
		for (const byte of bytes) this.typed.push(byte);
		if (first) this.feed(true);
		this.sleepUntilInput = false;
		this.release();
	}

	/**
	 * Gives the guest a line at a time: xv6's console drops what does not fit its buffer of 128 characters, and a paste is
	 * longer. The next piece goes when the guest waits, or has had long enough to read the one before.
	 */
	private feed(guestWaits: boolean): boolean {
		if (this.typed.length === 0 || this.machine.console.pending > 0) return false;
		if (!guestWaits && this.machine.instret - this.fedAt < readingTime) return false;
		const end = this.typed.findIndex((byte) => byte === 0x0a || byte === 0x0d);
		const length = Math.min(end < 0 ? this.typed.length : end + 1, mostTyped);
		this.machine.console.write(Uint8Array.from(this.typed.splice(0, length)));
		this.fedAt = this.machine.instret;
		return true;
	}

	shown(bytes: number): undefined {
		this.unshown = Math.max(0, this.unshown - bytes);
		if (this.unshown <= lowMark) this.release();
	}

	pause(): undefined {
		if (this.state !== "running") return;
		this.state = "paused";
		this.parts.emit("state", { state: "paused" });
		this.sendModel(true);
	}

	resume(): undefined {
		if (this.state !== "paused") return;
		this.state = "running";
		this.parts.emit("state", { state: "running" });
		this.release();
	}

	async stepToFault(): Promise<boolean> {
		const { observer } = this;
		if (!observer || this.state === "over" || this.driven) return false;
		const before = observer.faultCount;
		this.resume();
		while (this.state === "running" && observer.faultCount === before) await this.parts.breathe();
		this.pause();
		return observer.faultCount > before;
	}

	/** The inspector opened, or was loaded again: it begins with a whole model. */
	watch(on: boolean): undefined {
		this.models?.dispose();
		this.models = on ? this.observer?.live() : undefined;
		this.isDrawn = true;
		if (on) this.sendModel(true);
	}

	drawn(): undefined {
		this.isDrawn = true;
		if (this.isStale || (this.state !== "running" && this.models?.more)) this.sendModel(true);
	}

	/** `now`: something happened that the inspector must not miss; else when it is time. */
	private sendModel(now = false): void {
		if (!this.models) return;
		if (!this.isDrawn) {
			this.isStale ||= now;
			return;
		}
		const start = this.parts.now();
		if (!now && (start < this.nextModel || this.state !== "running")) return;
		this.isStale = false;
		this.isDrawn = false;
		this.parts.emit("model", { model: this.models.next() });
		const end = this.parts.now();
		this.nextModel = end + Math.min(Math.max(modelEveryMs, (end - start) / modelShare), modelAtLeastMs);
	}

	/** The machine runs no more; its memory stays readable for the inspector until the next boot. */
	end(why: string, state: "none" | "dead"): void {
		if (this.state === "over") return;
		this.state = "over";
		this.release();
		this.sendModel(true);
		this.parts.emit("state", { state, why });
	}

	dispose(): void {
		this.state = "over";
		this.release();
		this.shell.dispose();
		this.observer?.dispose();
		this.machine.dispose();
	}
}
