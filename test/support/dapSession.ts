import type { DebugProtocol } from "@vscode/debugprotocol";
import type { BuildOutput } from "../../src/build/types.ts";
import { dapHost } from "../../src/cli/dap.ts";
import { DebugSession } from "../../src/debugger/session.ts";
import type { DebugTarget } from "../../src/debugger/target.ts";

/** A debug session in this process, for what is measured, and for machines that a test has changed. */
export class DapSession {
	readonly responses = new Map<number, DebugProtocol.Response>();
	output = "";
	/** Every event, in its order. */
	readonly told: DebugProtocol.Event[] = [];
	private readonly session: DebugSession;
	private readonly events: DebugProtocol.Event[] = [];
	private sequence = 1;
	private wake = () => {};

	constructor(
		tree: string,
		change: (target: DebugTarget) => DebugTarget = (target) => target,
		/** Instead of building the tree. */
		build?: () => Promise<BuildOutput>,
		/** What `attach` finds. */
		running?: DebugTarget,
	) {
		const settings = { tree, toolchain: "bundled", translator: true, paced: false };
		const host = dapHost(build ? { ...settings, build } : settings);
		const changed = {
			...host,
			launch: async (...args: Parameters<typeof host.launch>) => change(await host.launch(...args)),
			...(running ? { attach: async () => running } : {}),
		};
		this.session = new DebugSession(changed, (message) => {
			if (message.type === "event") {
				const event = message as DebugProtocol.Event;
				if (event.event === "output") this.output += event.body.output;
				this.events.push(event);
				this.told.push(event);
			} else this.responses.set((message as DebugProtocol.Response).request_seq, message as DebugProtocol.Response);
			this.wake();
		});
	}

	async request(command: string, args?: object): Promise<DebugProtocol.Response> {
		const seq = this.sequence++;
		await this.session.receive({ seq, type: "request", command, arguments: args });
		const response = this.responses.get(seq);
		if (!response) throw new Error(`${command} was not answered`);
		return response;
	}

	async ask(command: string, args?: object) {
		return (await this.request(command, args)).body;
	}

	/** The thread of the next stop. */
	async stopped(): Promise<number> {
		return (await this.stop()).threadId as number;
	}

	/** The next stop, in the protocol's words. */
	async stop(): Promise<DebugProtocol.StoppedEvent["body"]> {
		return (await this.next("stopped")).body;
	}

	/** The next event of a name; those before it are passed. */
	async next(name: string): Promise<DebugProtocol.Event> {
		for (;;) {
			const at = this.events.findIndex(({ event }) => event === name);
			if (at >= 0) return this.events.splice(0, at + 1).at(-1) as DebugProtocol.Event;
			if (name === "stopped" && this.events.some(({ event }) => event === "terminated"))
				throw new Error(`the machine ended instead of a stop: ${this.output.slice(-500)}`);
			await new Promise<void>((resolve) => {
				this.wake = resolve;
			});
		}
	}

	dispose(): void {
		this.session.dispose();
	}
}
