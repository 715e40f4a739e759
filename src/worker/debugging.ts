import { type Disposable, toDisposable } from "../common/disposable.ts";
import type { DebuggedMachine } from "../debugger/halt.ts";
import { DebugSession } from "../debugger/session.ts";
import type { DebugHost, DebugTarget, LaunchArguments } from "../debugger/target.ts";
import { testSchedule } from "../lab/schedules.ts";
import type { DebugMessage } from "../protocol/engine.ts";
import { type LiveMachine, machineOff } from "./liveMachine.ts";
import type { BootedBuild, EngineParts, KernelObserver } from "./parts.ts";

/** What debug sessions need of the engine. */
interface Owner {
	boot(args: LaunchArguments): Promise<LiveMachine>;
	running(): LiveMachine | undefined;
	keepHistory(live: LiveMachine): void;
	hasFile(path: string): boolean;
	/** The hart that the opened run is about. */
	hart(): number | undefined;
	/** What the machine was booted from. */
	built(): BootedBuild;
}

/** What an observer of the kernel adds to a debug session. */
export function explaining(
	observer: KernelObserver | undefined,
	machine: DebuggedMachine,
): Pick<DebugTarget, "diagnose" | "onFinding"> {
	if (!observer) return {};
	const { onFinding } = observer;
	return {
		// In the past its log knows more than memory does.
		diagnose: (end) =>
			machine.history?.isPast ? [] : observer.diagnose(end, () => undefined).map(({ cause }) => cause),
		...(onFinding ? { onFinding } : {}),
	};
}

/** The debug sessions of one engine, by the client's names for them. */
export class Debugging implements Disposable {
	private readonly sessions = new Map<string, { readonly session: DebugSession; last: Promise<void> }>();

	constructor(
		private readonly parts: EngineParts,
		private readonly owner: Owner,
	) {}

	receive({ session: name, message }: DebugMessage): undefined {
		let found = this.sessions.get(name);
		if (!found) {
			const session = new DebugSession(
				this.host(),
				(answer) => this.parts.emit("debug", { session: name, message: answer }),
				() => this.sessions.delete(name),
			);
			found = { session, last: Promise.resolve() };
			this.sessions.set(name, found);
		}
		const { session } = found;
		// One after the other: a launch takes a while, and what follows is about its machine.
		found.last = found.last.then(() => session.receive(message));
	}

	dispose(): void {
		for (const { session } of this.sessions.values()) session.dispose();
		this.sessions.clear();
	}

	private host(): DebugHost {
		const { parts, owner } = this;
		return {
			breathe: () => parts.breathe(),
			launch: async (args) => this.target(await owner.boot(args), args, false),
			attach: async (args) => {
				const live = owner.running();
				if (!live || live.controller.isOver) throw machineOff("No machine runs");
				owner.keepHistory(live);
				return this.target(live, args, true);
			},
		};
	}

	private target(live: LiveMachine, args: LaunchArguments, attached: boolean): DebugTarget {
		const { kernel, programs } = this.owner.built();
		const wasPaused = live.controller.state === "paused";
		const leave = toDisposable(() => {
			// A debugger that attached to a machine leaves it as it was.
			if (attached && !wasPaused) live.controller.resume();
		});
		return {
			machine: live.machine,
			controller: live.controller,
			kernel,
			programs: new Map(programs.map(({ name, elf }) => [name, elf])),
			root: args.tree ?? "",
			hasFile: (path) => this.owner.hasFile(path),
			hart: attached ? this.owner.hart() : undefined,
			prepare: () => {
				const schedule = args.asTest ? testSchedule(args.seed ?? 0) : undefined;
				if (schedule) live.machine.setSchedule(schedule);
			},
			...explaining(live.observer, live.machine),
			dispose: () => leave.dispose(),
		};
	}
}
