/** Pages: what the extension posts to them, and what they say to it. */

import { EventEmitter, type Uri } from "./values.ts";

export class StandInWebview {
	html = "";
	options: object = {};
	readonly cspSource = "https://page.example";
	/** Messages to the page, in their order. */
	readonly posted: { readonly type: string; readonly [more: string]: unknown }[] = [];
	private readonly received = new EventEmitter<unknown>();
	readonly onDidReceiveMessage = this.received.event;
	asWebviewUri(uri: Uri): Uri {
		return uri.with({ scheme: "https", authority: "page.example" });
	}
	async postMessage(message: { readonly type: string }): Promise<boolean> {
		this.posted.push(structuredClone(message));
		return true;
	}
	/** The page says something. */
	say(message: unknown): void {
		this.received.fire(structuredClone(message));
	}
	of(type: string) {
		return this.posted.filter((message) => message.type === type);
	}
}

export class StandInPanel {
	readonly webview = new StandInWebview();
	iconPath: object | undefined;
	revealed = 0;
	private readonly closed = new EventEmitter<void>();
	readonly onDidDispose = this.closed.event;
	constructor(
		readonly title: string,
		readonly column: number,
	) {}
	reveal(): void {
		this.revealed++;
	}
	dispose(): void {
		this.closed.fire();
	}
}

/** A page in VS Code's panel. */
export class StandInWebviewView {
	readonly webview = new StandInWebview();
	visible = true;
	description = "";
	private readonly shown = new EventEmitter<void>();
	private readonly closed = new EventEmitter<void>();
	readonly onDidChangeVisibility = this.shown.event;
	readonly onDidDispose = this.closed.event;
	setVisible(visible: boolean): void {
		this.visible = visible;
		this.shown.fire();
	}
	dispose(): void {
		this.closed.fire();
	}
}
