import { UserError } from "../common/errors.ts";
import type { JudgeContext } from "../lab/runner.ts";
import { RunController, type StateChange, type Stop, type TimeLine } from "../session/runController.ts";
import type { RunnableMachine } from "../session/runnableMachine.ts";
import { Shell } from "../session/shell.ts";
import { watchProgress } from "../session/waiting.ts";
import { ModelSender } from "./modelSender.ts";
import type { EngineParts, KernelObserver } from "./parts.ts";

/** The console stops the machine (in wall time) above the high mark and lets it continue below the low one; bytes on their way. */
const highMark = 512 * 1024;
const lowMark = 128 * 1024;
/** Of the past, some screens. */
const pastConsoleBytes = 16 * 1024;

/** The machine of the terminal and the inspector: a run controller, and what it tells the host. */
export class LiveMachine {
	readonly controller: RunController;
	private readonly shell: Shell;
	private readonly sender: ModelSender;
	private unshown = 0;
	private isWatched = false;
	private showedPast = false;
	/** The console is behind. */
	private letGo: (() => void) | undefined;

	constructor(
		readonly machine: RunnableMachine,
		readonly observer: KernelObserver | undefined,
		private readonly parts: EngineParts,
		readonly shape: Pick<JudgeContext, "harts" | "seed" | "programs">,
	) {
		this.controller = new RunController(
			machine,
			parts,
			watchProgress(machine, () => observer),
		);
		this.sender = new ModelSender(parts);
		this.shell = new Shell(this.controller, machine, { onOutput: (bytes) => this.printed(bytes) });
		this.controller.onStall((report) => parts.emit("stall", { message: report.message }));
		this.controller.attachHistory(new HistoryTimeLine(machine));
		this.controller.onTypedInPast((bytes) => parts.emit("typedInPast", { bytes: bytes.slice() }));
		this.controller.onSlice(() => this.isPast || this.sender.tick());
		this.controller.onState((change) => this.changed(change));
		machine.onGuestError((text) =>
			parts.emit("log", { level: "warn", message: `The guest's driver is wrong: ${text}` }),
		);
		observer?.paceBy?.(parts.now);
	}

	start(): void {
		this.controller.start();
	}

	/** Gives the machine to a command. */
	async drive<T>(signal: AbortSignal, work: (shell: Shell) => Promise<T>): Promise<T> {
		if (this.controller.isOver) throw machineOff("The machine is off");
		return this.controller.own(async () => {
			this.shell.signal = signal;
			try {
				return await work(this.shell);
			} finally {
				this.shell.signal = undefined;
				// A judged run was looked at by guest time.
				this.observer?.paceBy?.(this.parts.now);
				this.sender.send();
			}
		});
	}

	/** So many console bytes have been shown. */
	shown(bytes: number): void {
		this.unshown = Math.max(0, this.unshown - bytes);
		if (this.unshown > lowMark) return;
		this.letGo?.();
		this.letGo = undefined;
	}

	/** The machine stands at the next page fault, before its handler's first instruction. False: another stop came first. */
	async stepToFault(): Promise<boolean> {
		const { observer, controller, machine } = this;
		if (!observer) return false;
		let seen = observer.faultCount;
		// The observer listens for longer than this does, so it has counted the fault that is told here.
		const arm = (found: (stop: Stop) => void) =>
			machine.onTrap(() => {
				if (observer.faultCount > seen) found({ kind: "fault" });
				seen = observer.faultCount;
			});
		return (await controller.runTo(arm))?.kind === "fault";
	}

	/** From now on, so many bytes of its past are kept. */
	keepHistory(capBytes: number): void {
		const { machine } = this;
		if (machine.history) return;
		machine.keepHistory({ capBytes }).onMoved(({ cut }) => cut && this.futureCut());
	}

	private get isPast(): boolean {
		return this.machine.history?.isPast === true;
	}

	/** What was seen, printed or judged after the moment that the future now begins at has not happened. */
	private futureCut(): void {
		const { controller, observer, parts } = this;
		observer?.cut();
		parts.emit("futureCut", { bytes: controller.consoleAt(pastConsoleBytes) });
		// The page's log is that of another future: it begins with a whole model.
		if (this.isWatched) this.watch(true);
		controller.futureCut();
	}

	watch(on: boolean): void {
		this.isWatched = on;
		this.sender.watch(on ? this.observer?.live() : undefined);
	}

	drawn(): void {
		this.sender.drawn(this.controller.state !== "running");
	}

	/** Switched off; its memory stays readable for the inspector until the next boot. */
	powerOff(why: string): void {
		this.controller.powerOff(why);
	}

	dispose(): void {
		this.controller.dispose();
		this.shell.dispose();
		this.observer?.dispose();
		this.machine.dispose();
	}

	private printed(bytes: Uint8Array): void {
		this.unshown += bytes.length;
		// A copy: the machine reuses its buffer, and the message is sent later.
		this.parts.emit("console", { bytes: bytes.slice() });
		if (this.unshown > highMark) this.letGo ??= this.controller.hold();
	}

	/** In the past the console shows what it showed then; back in the present, what it shows now. */
	private showConsole(isPast: boolean): void {
		if (isPast) this.parts.emit("pastConsole", { bytes: this.controller.consoleAt(pastConsoleBytes) });
		else if (this.showedPast) this.parts.emit("pastConsole", {});
		this.showedPast = isPast;
	}

	private changed({ state, stop }: StateChange): void {
		// The model first: who hears of the stop asks about memory as it is now.
		if (state !== "running") this.sender.send();
		this.showConsole(state === "past");
		if (state === "dead" && stop?.kind === "panic" && this.observer) {
			const diagnoses = this.observer.diagnose({ kind: "panic", message: stop.message }, () => undefined);
			this.parts.emit("diagnosis", { diagnoses });
		}
		const why = stop && ended(stop);
		this.parts.emit("state", {
			state: state === "off" ? "none" : state,
			...(stop ? { stop: stop.kind } : {}),
			...(why ? { why } : {}),
		});
	}
}

/** The history that the machine keeps, or will. */
class HistoryTimeLine implements TimeLine {
	constructor(private readonly machine: RunnableMachine) {}

	get oldest(): number {
		return this.machine.history?.oldest.steps ?? this.machine.instret;
	}

	get present(): number {
		return this.machine.history?.present.steps ?? this.machine.instret;
	}

	get position(): number {
		return this.machine.instret;
	}

	get consoleBytes(): number {
		return this.machine.history?.consoleBytes ?? Number.POSITIVE_INFINITY;
	}

	seek(position: number): void {
		const { history } = this.machine;
		if (position >= this.present) history?.toPresent();
		else history?.seek(position);
	}

	cut(): void {
		this.machine.history?.cutFuture();
	}

	/** The machine lays its checkpoints itself. */
	afterRun(): void {}
}

export function machineOff(message: string): UserError {
	return new UserError("machine-off", message, 'Run "xv6: Restart Machine".');
}

/** Of a machine that is over, why. */
function ended(stop: Stop): string | undefined {
	switch (stop.kind) {
		case "halt":
			return `The guest powered off (exit code ${stop.code}).`;
		case "panic":
			return `The kernel panicked: ${stop.message}.`;
		case "off":
			return stop.why;
		default:
			return undefined;
	}
}
