import type { DebugProtocol } from "@vscode/debugprotocol";
import { until } from "./extensionWindow.ts";
import { host, type StandInSession } from "./vscode.ts";

type Message = DebugProtocol.ProtocolMessage;
interface Adapter {
	handleMessage(message: Message): void;
	onDidSendMessage(listener: (message: Message) => void): unknown;
	dispose(): void;
}
interface DebugProviders {
	readonly configuration: {
		resolveDebugConfiguration(folder: object | undefined, given: object): Promise<Record<string, unknown> | undefined>;
	};
	readonly offered: { provideDebugConfigurations(): Promise<Record<string, unknown>[]> };
	readonly adapter: {
		createDebugAdapterDescriptor(session: StandInSession): Promise<{ readonly implementation: Adapter }>;
	};
}

/** What the extension answers when VS Code begins a debug session. */
export const debugProviders = (): DebugProviders => ({
	configuration: host.providers.get("debugConfiguration 1") as DebugProviders["configuration"],
	offered: host.providers.get("debugConfiguration 2") as DebugProviders["offered"],
	adapter: host.providers.get("debugAdapter") as DebugProviders["adapter"],
});

/** VS Code's side of one debug session, over the adapter that the extension gives it. */
export class DebugSide {
	readonly events: DebugProtocol.Event[] = [];
	readonly responses: DebugProtocol.Response[] = [];
	/** What commands of the extension asked the debugger for. */
	readonly asked: { readonly request: string; readonly args: object | undefined }[] = [];
	readonly session: StandInSession;
	private sequence = 1;
	private adapter: Adapter | undefined;

	constructor(id: string, configuration: Record<string, unknown>) {
		const customRequest = async (request: string, args?: object) => {
			this.asked.push({ request, args });
			const { success, body, message } = await this.request(request, args);
			if (!success) throw new Error(message);
			return body as object;
		};
		this.session = { id, name: String(configuration.name), type: "xv6", configuration, customRequest };
	}

	async connect(): Promise<void> {
		const { implementation } = await debugProviders().adapter.createDebugAdapterDescriptor(this.session);
		this.adapter = implementation;
		implementation.onDidSendMessage((message) => {
			if (message.type === "response") this.responses.push(message as DebugProtocol.Response);
			else {
				const event = message as DebugProtocol.Event;
				this.events.push(event);
				if (event.event.startsWith("xv6/"))
					host.debugEvent({ session: this.session, event: event.event, body: event.body });
			}
		});
		host.showDebugging(this.session);
	}

	async request(command: string, args?: object): Promise<DebugProtocol.Response> {
		const seq = this.sequence++;
		this.adapter?.handleMessage({ seq, type: "request", command, arguments: args } as DebugProtocol.Request);
		const answer = () => this.responses.find((response) => response.request_seq === seq);
		await until(`the answer to ${command}`, () => answer() !== undefined);
		return answer() as DebugProtocol.Response;
	}

	/** The next event of a name after those that were waited for. */
	async next(name: string): Promise<DebugProtocol.Event> {
		const at = () => this.events.findIndex(({ event }) => event === name);
		await until(name, () => at() >= 0);
		return this.events.splice(0, at() + 1).at(-1) as DebugProtocol.Event;
	}

	end(): void {
		this.adapter?.dispose();
		host.showDebugging(undefined);
		host.endDebugging(this.session);
	}
}
