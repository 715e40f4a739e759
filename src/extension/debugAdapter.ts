import type { DebugProtocol } from "@vscode/debugprotocol";
import * as vscode from "vscode";
import { DisposableStore } from "../common/disposable.ts";
import { UserError } from "../common/errors.ts";
import type { LabFolder } from "./labFolder.ts";

type Message = DebugProtocol.ProtocolMessage;

/**
 * The pipe between VS Code and the debugger in the engine's worker: the same on the desktop and in the web. It builds before a launch goes
 * through, and changes nothing else.
 */
export class PipedAdapter implements vscode.DebugAdapter {
	private readonly sent = new vscode.EventEmitter<vscode.DebugProtocolMessage>();
	readonly onDidSendMessage = this.sent.event;
	private readonly store = new DisposableStore();
	private connected = false;

	constructor(
		private readonly session: vscode.DebugSession,
		private readonly folder: LabFolder,
	) {}

	handleMessage(message: vscode.DebugProtocolMessage): void {
		const request = message as DebugProtocol.Request;
		if (request.type === "request" && request.command === "launch") void this.launch(request);
		else this.forward(request);
	}

	private async launch(request: DebugProtocol.Request): Promise<void> {
		const { configuration } = this.session;
		try {
			await vscode.window.withProgress(
				{
					location: vscode.ProgressLocation.Notification,
					title: vscode.l10n.t("xv6: building to debug"),
					cancellable: true,
				},
				(report, token) => this.folder.buildToDebug(report, token, configuration.build === "debug"),
			);
			this.forward(request);
		} catch (error) {
			const format = error instanceof UserError ? error.format() : (error as Error).message;
			this.sent.fire({
				seq: 0,
				type: "response",
				request_seq: request.seq,
				command: "launch",
				success: false,
				message: format,
				body: { error: { id: 1, format: format.replaceAll("{", "(").replaceAll("}", ")"), showUser: true } },
			} as vscode.DebugProtocolMessage);
		}
	}

	private forward(message: Message): void {
		const engine = this.folder.engine();
		if (!this.connected) {
			this.connected = true;
			this.store.add(
				engine.on("debug", ({ session, message: answer }) => {
					if (session === this.session.id) this.sent.fire(answer as vscode.DebugProtocolMessage);
				}),
			);
			this.store.add(
				engine.onCrash(() =>
					this.sent.fire({ seq: 0, type: "event", event: "terminated" } as vscode.DebugProtocolMessage),
				),
			);
		}
		engine.request("debug", { session: this.session.id, message }).catch(() => undefined);
	}

	dispose(): void {
		this.store.dispose();
		this.sent.dispose();
	}
}
