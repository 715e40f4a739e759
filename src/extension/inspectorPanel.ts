import * as vscode from "vscode";
import { DisposableStore } from "../common/disposable.ts";
import type { InspectorAnswer, MachineAction, ToInspector } from "../protocol/inspector.ts";
import { parseFromInspector } from "../protocol/inspectorMessages.ts";
import { askDebugger, treeName } from "./debug.ts";
import type { Folders } from "./folders.ts";
import { askEngine } from "./inspectorRequests.ts";
import type { LabFolder } from "./labFolder.ts";
import { openSource } from "./terminalLinks.ts";

const viewType = "xv6Lab.inspector";

/** The view in VS Code's panel. */
const viewId = "xv6Lab.memory";

/**
 * The memory inspector's page: in an editor tab, one for each folder, restored after a reload by its saved root; and as a view in the
 * panel, which shows the folder that was used last.
 */
export class Inspectors implements vscode.Disposable, vscode.WebviewPanelSerializer, vscode.WebviewViewProvider {
	private readonly panels = new Map<LabFolder, vscode.WebviewPanel>();
	private readonly inspectors = new Set<Inspector>();
	private readonly store = new DisposableStore();

	constructor(
		private readonly folders: Folders,
		private readonly extensionUri: vscode.Uri,
	) {
		this.store.add(vscode.window.registerWebviewPanelSerializer(viewType, this));
		this.store.add(vscode.window.registerWebviewViewProvider(viewId, this));
	}

	/** `part`: of the page, is opened and scrolled to. */
	open(folder: LabFolder, part?: "activity"): void {
		const existing = this.panels.get(folder);
		if (existing) existing.reveal();
		else {
			const title = vscode.l10n.t("Memory of {0}", folder.name);
			const panel = vscode.window.createWebviewPanel(viewType, title, besideActive(), { enableScripts: true });
			this.adopt(panel, folder);
		}
		if (!part) return;
		for (const inspector of this.inspectors) if (inspector.folder === folder) inspector.show(part);
	}

	async deserializeWebviewPanel(panel: vscode.WebviewPanel, state: unknown): Promise<void> {
		await this.folders.refresh();
		const root = (state as { root?: unknown } | undefined)?.root;
		const folder = this.folders.all.find((candidate) => candidate.root.toString() === root) ?? this.folders.all[0];
		if (folder && !this.panels.has(folder)) this.adopt(panel, folder);
		else panel.dispose();
	}

	/** The view in the panel: of the folder whose command ran last, while it is in sight. */
	async resolveWebviewView(view: vscode.WebviewView): Promise<void> {
		await this.folders.refresh();
		const store = new DisposableStore();
		let shown: { readonly folder: LabFolder; readonly inspector: Inspector } | undefined;
		const show = () => {
			const folder = view.visible ? this.folders.current : undefined;
			if (shown?.folder === folder) return;
			if (shown) this.close(shown.inspector);
			shown = folder && { folder, inspector: this.inspect(view.webview, folder) };
			view.description = this.folders.all.length > 1 ? (folder?.name ?? "") : "";
		};
		store.add(view.onDidChangeVisibility(show));
		store.add(this.folders.onDidChange(show));
		store.add(
			view.onDidDispose(() => {
				store.dispose();
				if (shown) this.close(shown.inspector);
			}),
		);
		show();
	}

	private adopt(panel: vscode.WebviewPanel, folder: LabFolder): void {
		const icon = (theme: string) => vscode.Uri.joinPath(this.extensionUri, "media", `inspector-${theme}.svg`);
		panel.iconPath = { light: icon("light"), dark: icon("dark") };
		this.panels.set(folder, panel);
		const inspector = this.inspect(panel.webview, folder);
		panel.onDidDispose(() => {
			this.panels.delete(folder);
			this.close(inspector);
		});
	}

	private inspect(webview: vscode.Webview, folder: LabFolder): Inspector {
		const inspector = new Inspector(webview, folder, this.extensionUri);
		this.inspectors.add(inspector);
		return inspector;
	}

	/** The engine sends no models that nobody looks at. */
	private close(inspector: Inspector): void {
		this.inspectors.delete(inspector);
		inspector.dispose();
		const { folder } = inspector;
		const isWatched = [...this.inspectors].some((other) => other.folder === folder);
		if (!isWatched && folder.machineAlive) void folder.ask("watchModel", { on: false });
	}

	dispose(): void {
		for (const panel of this.panels.values()) panel.dispose();
		this.store.dispose();
	}
}

class Inspector {
	private readonly store = new DisposableStore();
	/** The page has said that it listens. */
	private ready = false;
	/** Part of the page that somebody asked for before. */
	private wanted: "activity" | undefined;

	constructor(
		private readonly webview: vscode.Webview,
		readonly folder: LabFolder,
		extensionUri: vscode.Uri,
	) {
		const media = vscode.Uri.joinPath(extensionUri, "dist", "webview");
		webview.options = { enableScripts: true, localResourceRoots: [media] };
		this.store.add(webview.onDidReceiveMessage((message: unknown) => void this.receive(message)));
		this.store.add(folder.onDidChange(() => this.sendState()));
		this.store.add(vscode.debug.onDidChangeActiveDebugSession(() => this.sendState()));
		this.store.add(folder.onDidRun((run) => this.post({ type: "run", run })));
		this.store.add(folder.onModel((update) => this.post({ type: "model", update })));
		this.store.add(folder.onPast((model) => this.post({ type: "past", model })));
		// After a crash: the page continues with the next machine.
		this.store.add(folder.onDidStartEngine(() => void this.watch()));
		webview.html = page(webview, media, folder.root.toString());
	}

	/** As soon as the page is there. */
	show(part: "activity"): void {
		if (this.ready) this.post({ type: "show", part });
		else this.wanted = part;
	}

	dispose(): void {
		this.store.dispose();
	}

	private post(message: ToInspector): void {
		void this.webview.postMessage(message);
	}

	private sendState(): void {
		this.post({
			type: "state",
			state: {
				machine: this.folder.state,
				canDebug: debugSession() !== undefined,
				canAskWriter: this.folder.machineAlive,
			},
		});
	}

	private async watch(): Promise<void> {
		if (this.ready) await this.folder.ask("watchModel", { on: true });
	}

	private async receive(received: unknown): Promise<void> {
		const message = parseFromInspector(received);
		if (!message) return;
		switch (message.type) {
			case "ready":
				this.ready = true;
				this.sendState();
				this.post({ type: "run", run: this.folder.lastRun });
				if (this.wanted) this.post({ type: "show", part: this.wanted });
				this.wanted = undefined;
				return this.watch();
			case "drawn":
				return this.folder.ask("modelDrawn", undefined);
			case "walk":
			case "writer":
			case "activity":
			case "network":
				return this.answer(message.id, () => askEngine(this.folder.engine(), message));
			case "control":
				return this.answer(message.id, () => this.control(message.action));
			case "openSource":
				return openSource(this.folder.root, message.file, message.line || 1);
			case "debug":
				return askDebugger("xv6/goToInstruction", { instruction: message.instret });
		}
	}

	private async control(action: MachineAction): Promise<InspectorAnswer> {
		if (action === "boot") {
			await vscode.commands.executeCommand("xv6Lab.boot", this.folder.root);
			return undefined;
		}
		return action === "toPresent" ? this.toPresent() : askEngine(this.folder.engine(), { type: "control", action });
	}

	/** A debugger goes there itself: its views follow. */
	private async toPresent(): Promise<InspectorAnswer> {
		const session = debugSession();
		if (!session || !isOf(session, this.folder))
			return askEngine(this.folder.engine(), { type: "control", action: "toPresent" });
		await session.customRequest("xv6/toPresent");
		return undefined;
	}

	/** Every question of the page gets an answer; a failure is one too. */
	private async answer(id: number, work: () => Promise<InspectorAnswer>): Promise<void> {
		try {
			this.post({ type: "answer", id, value: await work() });
		} catch (error) {
			this.post({ type: "answer", id, error: (error as Error).message });
		}
	}
}

/** The session of a debugged kernel, which can go to a moment of its run. */
function debugSession(): vscode.DebugSession | undefined {
	const session = vscode.debug.activeDebugSession;
	return session?.type === "xv6" ? session : undefined;
}

function page(webview: vscode.Webview, media: vscode.Uri, root: string): string {
	const nonce = [...crypto.getRandomValues(new Uint8Array(16))]
		.map((byte) => byte.toString(16).padStart(2, "0"))
		.join("");
	const uri = (name: string) => webview.asWebviewUri(vscode.Uri.joinPath(media, name)).toString();
	const policy = [
		"default-src 'none'",
		`script-src 'nonce-${nonce}'`,
		`style-src ${webview.cspSource} 'nonce-${nonce}'`,
		`font-src ${webview.cspSource}`,
		`img-src ${webview.cspSource}`,
		// Lit makes its templates with a policy of this name; nothing else makes HTML or scripts from text.
		"require-trusted-types-for 'script'",
		"trusted-types lit-html",
	].join("; ");
	const escapedRoot = root.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;");
	// The page has no other way to the reader's language. `<` could end the element.
	const words = JSON.stringify(vscode.l10n.bundle ?? {}).replaceAll("<", "\\u003c");
	return `<!DOCTYPE html>
<html lang="${vscode.env.language}">
<head>
	<meta charset="utf-8">
	<meta http-equiv="Content-Security-Policy" content="${policy}">
	<meta name="viewport" content="width=device-width, initial-scale=1">
	<link rel="stylesheet" id="vscode-codicon-stylesheet" nonce="${nonce}" href="${uri("codicon.css")}">
	<link rel="stylesheet" href="${uri("inspector.css")}">
	<title>Memory inspector</title>
</head>
<body>
	<script type="application/json" nonce="${nonce}" id="l10n">${words}</script>
	<xv6-inspector data-root="${escapedRoot}"></xv6-inspector>
	<script type="module" nonce="${nonce}" src="${uri("main.js")}"></script>
</body>
</html>`;
}

/** A debug session names its tree. */
function isOf(session: vscode.DebugSession, folder: LabFolder): boolean {
	return session.configuration.tree === treeName(folder);
}

/** Beside the active editor, in a column that is there already: a third one would be too narrow for the page. */
function besideActive(): vscode.ViewColumn {
	const { all, activeTabGroup } = vscode.window.tabGroups;
	const others = all.filter(({ viewColumn }) => viewColumn !== activeTabGroup.viewColumn);
	return others.at(-1)?.viewColumn ?? vscode.ViewColumn.Beside;
}
