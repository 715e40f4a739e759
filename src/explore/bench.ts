import { throwIfCancelled } from "../common/cancellation.ts";
import { type Disposable, DisposableStore } from "../common/disposable.ts";
import type { ProgramSymbols } from "../debuginfo/symbolizer.ts";
import { KernelView } from "../kernelview/kernelView.ts";
import type { Machine } from "../machine/machine.ts";
import type { Schedule } from "../machine/schedule.ts";
import type { Snapshot } from "../machine/snapshot.ts";
import type { Instructions } from "../machine/types.ts";
import { budgets } from "../session/budgets.ts";
import type { CommandEnd } from "../session/commandEnd.ts";
import { commandOutput } from "../session/consoleText.ts";
import { RunController } from "../session/runController.ts";
import { Shell } from "../session/shell.ts";
import { CountReader, type Counts, type Drift, driftsOf } from "./counts.ts";
import { fromPowerOn } from "./scheduleText.ts";
import { StuckWatch } from "./stuck.ts";

interface BenchParts {
	/** At power-on; its state is lost. */
	readonly machine: Machine;
	readonly kernel: ProgramSymbols;
	readonly breathe: () => Promise<void>;
	readonly signal?: AbortSignal;
	/** For a kernel that may hang: a watched boot that never reaches the prompt runs to this three times. */
	readonly bootBudget?: Instructions;
}

export interface BenchRun {
	readonly end: CommandEnd;
	readonly output: string;
	readonly instructions: Instructions;
	/** What the command did not give back; only at the prompt. */
	readonly drifts: readonly Drift[];
}

/** Runs a machine up to its next look; returns how its command ended, or undefined. */
type Step = (budget: Instructions) => ReturnType<RunController["advance"]>;

/** A machine that has booted once, and runs commands from that moment, by one schedule after another. */
export class Bench implements Disposable {
	readonly machine: Machine;
	/** Undefined: the kernel did not come to its prompt. */
	private booted: Snapshot | undefined;
	private atBoot: Snapshot | undefined;
	private before: Counts | undefined;
	private base: readonly number[] = [];
	private readonly store = new DisposableStore();
	private readonly shell: Shell;
	private readonly counts: CountReader;
	private readonly stuck: StuckWatch;

	private constructor(
		private readonly parts: BenchParts,
		private readonly powerOn: Snapshot,
		private readonly controller: RunController,
	) {
		const { machine, kernel, signal } = parts;
		this.machine = machine;
		this.store.add(controller);
		this.shell = this.store.add(new Shell(controller, machine, signal ? { signal } : {}));
		this.counts = new CountReader(kernel);
		this.stuck = new StuckWatch(machine, new KernelView(machine, machine.options.kernel, new Map()));
	}

	/** At power-on: commands run once it has booted. */
	static atPowerOn(parts: BenchParts): Bench {
		const { machine, breathe } = parts;
		return new Bench(parts, machine.snapshot(), new RunController(machine, { breathe }));
	}

	/** Boots; `end` says how. The schedule is the machine's own. */
	static async boot(parts: BenchParts): Promise<{ readonly bench: Bench; readonly end: CommandEnd }> {
		const bench = Bench.atPowerOn(parts);
		try {
			const { end } = await bench.boot();
			return { bench, end };
		} catch (error) {
			bench.dispose();
			throw error;
		}
	}

	/** At the prompt that another machine of the same build has come to; this one is at power-on. */
	static beside(parts: BenchParts, booted: Bench): Bench {
		const bench = Bench.atPowerOn(parts);
		if (!booted.atBoot) throw new Error("the kernel has not booted");
		bench.machine.restore(booted.atBoot);
		bench.stand();
		bench.atBoot = bench.booted;
		return bench;
	}

	private async boot(): Promise<BenchRun> {
		const start = this.machine.instret;
		const { machine, bootBudget = budgets.judgedBoot(machine.harts.length) } = this.parts;
		const end = await this.shell.waitForPrompt(bootBudget);
		if (end.kind === "prompt") {
			this.stand();
			this.atBoot = this.booted;
		}
		return { end, output: this.shell.console, instructions: this.machine.instret - start, drifts: [] };
	}

	/** From now on commands run from the prompt after these, which were typed after the boot. False: one did not come back to it. */
	async prepare(commands: readonly string[]): Promise<boolean> {
		this.booted = this.atBoot;
		this.rewind();
		for (const command of commands) {
			const { end } = await this.shell.run(command, budgets.command);
			if (end.kind !== "prompt") return false;
		}
		this.stand();
		return true;
	}

	private stand(): void {
		this.booted = this.machine.snapshot();
		this.before = this.counts.read(this.machine);
		this.base = this.machine.harts.map(({ steps }) => Number(steps));
	}

	/** A hart's step as the machine counts it, from the prompt on. */
	fromPrompt(hart: number, step: number): number {
		return step - (this.base[hart] ?? 0);
	}

	/** Back to the prompt after the boot. */
	rewind(): void {
		if (!this.booted) throw new Error("the kernel has not booted");
		this.machine.restore(this.booted);
	}

	/** The boot once more; by default by the machine's own schedule. */
	async bootAgain(schedule?: Schedule): Promise<BenchRun> {
		this.toPowerOn(schedule);
		return this.boot();
	}

	/** Before the first instruction, with the schedule. */
	toPowerOn(schedule?: Schedule): void {
		this.machine.restore(this.powerOn);
		this.controller.forget();
		if (schedule) this.machine.setSchedule(schedule);
	}

	/**
	 * Back to the prompt, the schedule, whose steps count from there, and the command typed: the machine has not run yet.
	 */
	begin(command: string, schedule: Schedule): void {
		this.rewind();
		this.machine.setSchedule(fromPowerOn(schedule, this.base));
		this.shell.type(command);
	}

	/**
	 * The command from the prompt after the boot on. `step` runs the machine instead: for a caller that stops at breakpoints and changes the
	 * schedule under way.
	 */
	async run(
		command: string,
		schedule: Schedule,
		budget: Instructions = budgets.command,
		step?: Step,
	): Promise<BenchRun> {
		this.begin(command, schedule);
		return this.follow(command, budget, this.before, step);
	}

	/** The command once more, right after it came back to its prompt. */
	async again(command: string, budget: Instructions = budgets.command): Promise<BenchRun> {
		const before = this.counts.read(this.machine);
		this.shell.type(command);
		return this.follow(command, budget, before);
	}

	private async follow(
		command: string,
		budget: Instructions,
		before: Counts | undefined,
		step?: Step,
	): Promise<BenchRun> {
		const { machine, controller, stuck } = this;
		const start = machine.instret;
		const lookout = this.shell.lookout(budget);
		const advance = step ?? ((most: Instructions) => controller.advance(most));
		stuck.reset();
		let breath = 0;
		for (;;) {
			const stop = advance(lookout.step());
			if (stop.kind === "breakpoint") continue;
			const end = lookout.look(stop) ?? stuck.look(controller.console.printed);
			if (end) return this.ended(end, command, machine.instret - start, before);
			if (++breath % 16 === 0) await this.parts.breathe();
			throwIfCancelled(this.parts.signal);
		}
	}

	private ended(end: CommandEnd, command: string, instructions: Instructions, before: Counts | undefined): BenchRun {
		const after = end.kind === "prompt" ? this.counts.read(this.machine) : undefined;
		const drifts = before && after ? driftsOf(before, after) : [];
		return { end, output: commandOutput(this.shell.console, command), instructions, drifts };
	}

	/** For those who run it themselves. */
	advance(most: Instructions): ReturnType<RunController["advance"]> {
		return this.controller.advance(most);
	}

	advanceHart(hart: number, steps: number): ReturnType<RunController["advanceHart"]> {
		return this.controller.advanceHart(hart, steps);
	}

	dispose(): void {
		this.store.dispose();
	}
}
