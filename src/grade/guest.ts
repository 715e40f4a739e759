import { utf8 } from "../common/bytes.ts";
import type { Disposable } from "../common/disposable.ts";
import type { ProgramSymbols } from "../debuginfo/symbolizer.ts";
import type { Machine } from "../machine/machine.ts";
import type { Snapshot } from "../machine/snapshot.ts";
import { CSR } from "../riscv/csr.ts";
import { RunController } from "../session/runController.ts";
import { gradeLimits } from "./limits.ts";
import type { GradeRun } from "./types.ts";

/** Instructions between two looks at the console, and of one step at most: the script looks at what came, and may type. */
const look = 200_000;
const mostLooks = 200;
/** A kernel that panicked has said all that it will say after so many instructions. */
const afterPanic = 20_000_000;
const ticksPerSecond = 10_000_000;

interface GuestOptions {
	readonly machine: Machine;
	readonly symbols: ProgramSymbols;
	/** Milliseconds of wall time. */
	readonly now: () => number;
	/** A run begins, after the machine was put back to power-on. */
	readonly onPowerOn: () => void;
}

/**
 * The machine that a script's `run_qemu` stands for: power-on at each run, the disk as the run before left it, breakpoints, a limit of
 * guest time. The script waits for it within a call, so it runs synchronously.
 */
export class GradeGuest implements Disposable {
	private readonly controller: RunController;
	private readonly machine: Machine;
	private readonly powerOn: Snapshot;
	private readonly image: Uint8Array;
	private disk: Uint8Array;
	private points: Disposable[] = [];
	private text = "";
	private length = 0;
	private decoder = new TextDecoder();
	private begun = { time: 0, instret: 0, wall: 0 };
	private limit = { seconds: 0, wall: 0 };
	private typed: string[] = [];
	private ended: GradeRun["end"] | undefined;
	private panicAt: number | undefined;
	private stalled: string | undefined;

	constructor(private readonly options: GuestOptions) {
		this.machine = options.machine;
		this.controller = new RunController(options.machine, { breathe: async () => undefined });
		this.controller.onStall(({ message }) => {
			this.stalled ??= message;
		});
		this.machine.console.onData((bytes) => this.heard(bytes));
		this.powerOn = this.machine.snapshot();
		this.image = this.machine.disk();
		this.disk = this.image;
	}

	/** Undefined: it stands at power-on. Otherwise the name of a breakpoint that the kernel has no symbol for. */
	start(breakpoints: readonly string[], seconds: number): string | undefined {
		const { machine, options } = this;
		const addresses: bigint[] = [];
		for (const name of breakpoints) {
			const address = /^0x[0-9a-f]+$/i.test(name) ? Number(name) : options.symbols.symbol(name);
			if (address === undefined) return name;
			addresses.push(BigInt(address));
		}
		machine.restore(this.powerOn);
		machine.setDisk(this.disk);
		this.points = addresses.map((address) => machine.addBreakpoint(address));
		this.controller.forget();
		options.onPowerOn();
		this.text = "";
		this.length = 0;
		this.decoder = new TextDecoder();
		this.typed = [];
		this.ended = this.panicAt = this.stalled = undefined;
		this.begun = { time: this.time, instret: machine.instret, wall: options.now() };
		this.limit = {
			seconds: seconds * gradeLimits.guestSeconds,
			wall: seconds * gradeLimits.wallPerSecond + gradeLimits.wallMore,
		};
		return undefined;
	}

	/** Runs until the guest printed something, or can do no more, or for some milliseconds. */
	step(): { readonly text: string; readonly end: GradeRun["end"] | "wall" | undefined } {
		for (let i = 0; i < mostLooks && this.text === "" && !this.ended; i++) this.ended = this.runOn();
		const late = this.options.now() - this.begun.wall > this.limit.wall;
		return { text: this.taken(), end: this.ended ?? (late ? "wall" : undefined) };
	}

	write(text: string): void {
		this.typed.push(text.replace(/\n$/, ""));
		this.machine.console.write(utf8(text));
	}

	/** What still came, and how the run was. */
	stop(): { readonly text: string; readonly run: GradeRun } {
		for (const point of this.points) point.dispose();
		this.points = [];
		this.disk = this.machine.disk();
		return {
			text: this.taken(),
			run: {
				end: this.ended ?? "prompt",
				seconds: this.time - this.begun.time,
				instructions: this.machine.instret - this.begun.instret,
				typed: this.typed,
			},
		};
	}

	resetDisk(): void {
		this.disk = this.image;
	}

	dispose(): void {
		this.controller.dispose();
		this.machine.dispose();
	}

	private runOn(): GradeRun["end"] | undefined {
		const { machine } = this;
		const stop = this.controller.advance(look);
		if (stop.kind === "breakpoint") return "breakpoint";
		if (stop.kind === "halt") return "halt";
		if (this.hasPanicked()) {
			this.panicAt ??= machine.instret;
			if (machine.instret - this.panicAt > afterPanic || stop.kind === "idle") return "panic";
		}
		// Nothing but input could wake it, and the script types only when something was printed.
		if (stop.kind === "idle" && machine.console.pending === 0 && this.text === "") return "stuck";
		if (this.stalled !== undefined && this.text === "") return "stall";
		return this.time - this.begun.time > this.limit.seconds ? "timeout" : undefined;
	}

	/** A program may print the same words: the kernel's own variable counts. */
	private hasPanicked(): boolean {
		if (this.controller.console.panic === undefined) return false;
		const address = this.options.symbols.symbol("panicked");
		return address !== undefined && this.machine.memory.readU32(BigInt(address)) !== 0;
	}

	private heard(bytes: Uint8Array): void {
		if (this.length > gradeLimits.output) return;
		const text = this.decoder.decode(bytes, { stream: true });
		this.length += text.length;
		this.text += text;
	}

	private taken(): string {
		const { text } = this;
		this.text = "";
		return text;
	}

	/** Seconds of guest time since power-on. */
	private get time(): number {
		return Number(this.machine.harts[0]?.csr(CSR.time) ?? 0n) / ticksPerSecond;
	}
}
