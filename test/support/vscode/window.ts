/** The window over a workspace in memory. What the extension asks of it is kept in `host`, where a test reads it, or answers for the person. */

import { type Question, StandInInputBox, StandInQuickPick } from "./inputs.ts";
import { StandInController, type StandInRun } from "./testing.ts";
import {
	CancellationTokenSource,
	type Diagnostic,
	Disposable,
	EventEmitter,
	FileSystemError,
	FileType,
	type Listener,
	type Position,
	Range,
	type RelativePattern,
	type TreeItem,
	type Uri,
	type WorkspaceEdit,
} from "./values.ts";
import { StandInPanel } from "./webviews.ts";

export class TextDocument {
	version = 1;
	isDirty = false;
	readonly isUntitled = false;
	constructor(
		readonly uri: Uri,
		private text: string,
	) {}
	getText(range?: Range): string {
		if (!range) return this.text;
		const lines = this.text.split("\n").slice(range.start.line, range.end.line + 1);
		lines.push((lines.pop() ?? "").slice(0, range.end.character));
		lines[0] = (lines[0] ?? "").slice(range.start.character);
		return lines.join("\n");
	}
	get lineCount(): number {
		return this.text.split("\n").length;
	}
	lineAt(line: number) {
		const text = this.text.split("\n")[line] ?? "";
		return { text, range: new Range(line, 0, line, text.length) };
	}
	getWordRangeAtPosition({ line, character }: Position, pattern: RegExp): Range | undefined {
		for (const { 0: word, index } of this.lineAt(line).text.matchAll(new RegExp(pattern.source, "g")))
			if (index <= character && character <= index + word.length)
				return new Range(line, index, line, index + word.length);
		return undefined;
	}
	/** A person types. */
	edit(text: string): void {
		this.text = text;
		this.version++;
		this.isDirty = true;
		events.changedText.fire({ document: this, contentChanges: [{}] });
	}
	async save(): Promise<boolean> {
		host.files.set(this.uri.toString(), new TextEncoder().encode(this.text));
		host.touch(this.uri);
		this.isDirty = false;
		events.saved.fire(this);
		return true;
	}
}

const events = {
	changedText: new EventEmitter<{ document: TextDocument; contentChanges: readonly object[] }>(),
	saved: new EventEmitter<TextDocument>(),
	opened: new EventEmitter<TextDocument>(),
	configuration: new EventEmitter<{ affectsConfiguration(section: string): boolean }>(),
	folders: new EventEmitter<void>(),
	extensions: new EventEmitter<void>(),
	terminal: new EventEmitter<StandInTerminal>(),
	activeTerminal: new EventEmitter<StandInTerminal | undefined>(),
	debugEnded: new EventEmitter<object>(),
	debugActive: new EventEmitter<object | undefined>(),
	debugCustom: new EventEmitter<object>(),
	created: new EventEmitter<Uri>(),
	changed: new EventEmitter<Uri>(),
	deleted: new EventEmitter<Uri>(),
};

interface Pseudoterminal {
	readonly onDidWrite: (listener: Listener<string>) => Disposable;
	open(size: { columns: number; rows: number } | undefined): void;
	close(): void;
	handleInput?(data: string): void;
}

export class StandInTerminal {
	text = "";
	shown = 0;
	/** Whether it took the focus when it was shown last. */
	hasFocus = false;
	constructor(readonly creationOptions: { readonly name: string; readonly pty: Pseudoterminal }) {
		creationOptions.pty.onDidWrite((text) => {
			this.text += text;
		});
		// VS Code opens a terminal some time after it was made.
		setTimeout(() => {
			creationOptions.pty.open({ columns: 80, rows: 24 });
			host.terminals.push(this);
			events.terminal.fire(this);
		});
	}
	show(preserveFocus = false): void {
		this.shown++;
		this.hasFocus = !preserveFocus;
	}
	type(data: string): void {
		this.creationOptions.pty.handleInput?.(data);
	}
	dispose(): void {
		this.creationOptions.pty.close();
	}
}

interface Said {
	readonly kind: "information" | "warning" | "error";
	readonly text: string;
	readonly choices: readonly string[];
}

type Command = (...args: readonly never[]) => unknown;
type TreeProvider = {
	getChildren(row?: object): object[];
	getTreeItem(row: object): InstanceType<typeof TreeItem>;
};

interface InputOptions {
	readonly title?: string;
	readonly value?: string;
	readonly validateInput?: (text: string) => string | undefined;
}

/** A debug session as VS Code shows it to an extension. */
export interface StandInSession {
	readonly id?: string;
	readonly name?: string;
	readonly type: string;
	readonly configuration?: Readonly<Record<string, unknown>>;
	customRequest?(request: string, args?: object): Promise<unknown>;
}

export interface StandInView {
	readonly provider: TreeProvider;
	message: string;
	description: string;
	visible: boolean;
	dispose(): void;
}

/** What a test sees of the window, and what it does for the person. */
export const host = {
	folders: [] as { readonly uri: Uri; readonly name: string; readonly index: number }[],
	/** By URI. */
	files: new Map<string, Uint8Array>(),
	times: new Map<string, number>(),
	clock: 1,
	/** Reads and looks at files. */
	looks: 0,
	settings: new Map<string, unknown>(),
	extensions: new Set<string>(),
	commands: new Map<string, Command>(),
	/** Commands of VS Code itself that were asked for. */
	asked: [] as { readonly id: string; readonly args: readonly unknown[] }[],
	contexts: new Map<string, unknown>(),
	said: [] as Said[],
	/** The person's answers to messages and picks, in their order; undefined: the message is closed. */
	answers: [] as (string | undefined)[],
	status: [] as string[],
	log: [] as string[],
	terminals: [] as StandInTerminal[],
	runs: [] as StandInRun[],
	controllers: [] as StandInController[],
	views: new Map<string, StandInView>(),
	diagnostics: new Map<string, readonly InstanceType<typeof Diagnostic>[]>(),
	statusBar: [] as { readonly id: string; text: string; tooltip: string; visible: boolean }[],
	providers: new Map<string, object>(),
	documents: [] as TextDocument[],
	shown: [] as { readonly document: TextDocument; readonly options: { readonly selection?: Range } | undefined }[],
	debugged: [] as object[],
	uriHandlers: [] as { handleUri(uri: Uri): void }[],
	/** Where Save and Open lead to. */
	dialogs: [] as (Uri | undefined)[],
	/** What they proposed. */
	shownDialogs: [] as object[],
	/** Picks and inputs that were shown. */
	questions: [] as Question[],
	/** What ran under a progress, and may be cancelled there. */
	works: [] as { readonly title: string; readonly reports: readonly object[]; cancel(): void }[],
	panels: [] as StandInPanel[],
	/** What other extensions export, by their ids. */
	exported: new Map<string, object>(),

	/** A window in which nothing has happened. Files of tests share this one. */
	reset(): void {
		for (const part of Object.values(host)) {
			if (Array.isArray(part)) part.length = 0;
			else if (part instanceof Map || part instanceof Set) part.clear();
		}
		host.looks = 0;
		window.activeTerminal = undefined;
		window.activeTextEditor = undefined;
		window.tabGroups.all = [];
		debug.activeDebugSession = undefined;
		debug.activeStackItem = undefined;
		workspace.isTrusted = true;
	},

	touch(uri: Uri): void {
		const key = uri.toString();
		host.times.set(key, host.clock++);
	},
	/** A file of the workspace changes, as another program would do it; its watchers are told. */
	write(uri: Uri, content: string | Uint8Array): void {
		const isNew = !host.files.has(uri.toString());
		host.files.set(uri.toString(), typeof content === "string" ? new TextEncoder().encode(content) : content);
		host.touch(uri);
		(isNew ? events.created : events.changed).fire(uri);
	},
	remove(uri: Uri): void {
		host.files.delete(uri.toString());
		events.deleted.fire(uri);
	},
	/** A watcher names a file or folder that has changed. */
	name(uri: Uri): void {
		events.changed.fire(uri);
	},
	text(uri: Uri): string | undefined {
		const bytes = host.files.get(uri.toString());
		return bytes && new TextDecoder().decode(bytes);
	},
	openFolder(uri: Uri): void {
		host.folders.push({ uri, name: uri.path.split("/").at(-1) ?? "", index: host.folders.length });
		events.folders.fire();
	},
	closeFolder(uri: Uri): void {
		host.folders = host.folders.filter((folder) => folder.uri.toString() !== uri.toString());
		events.folders.fire();
	},
	extensionsChanged(): void {
		events.extensions.fire();
	},
	/** A person changes a setting while the window is open. */
	changeSetting(key: string, value: unknown): void {
		host.settings.set(key, value);
		events.configuration.fire({ affectsConfiguration: (section) => `${key}.`.startsWith(`${section}.`) });
	},
	/** VS Code shows another debug session, or none. */
	showDebugging(session: StandInSession | undefined): void {
		debug.activeDebugSession = session;
		events.debugActive.fire(session);
	},
	activateTerminal(terminal: StandInTerminal | undefined): void {
		events.activeTerminal.fire(terminal);
	},
	endDebugging(session: object): void {
		events.debugEnded.fire(session);
	},
	debugEvent(event: object): void {
		events.debugCustom.fire(event);
	},
	/** Runs a command as the palette does. */
	async run(id: string, ...args: readonly unknown[]): Promise<unknown> {
		const command = host.commands.get(id);
		if (!command) throw new Error(`there is no command ${id}`);
		return command(...(args as never[]));
	},
	/** The rows of a view of the side bar, with what is below them. */
	rows(view: string, row?: object, depth = 0): string[] {
		const found = host.views.get(view);
		if (!found) throw new Error(`there is no view ${view}`);
		return found.provider.getChildren(row).flatMap((child) => {
			const item = found.provider.getTreeItem(child);
			const own = `${"  ".repeat(depth)}${item.label} | ${item.description ?? ""} | ${(item.iconPath as { id?: string } | undefined)?.id ?? ""}`;
			return [own, ...host.rows(view, child, depth + 1)];
		});
	},
};

const registered = (kind: string, provider: object): Disposable => {
	host.providers.set(kind, provider);
	return new Disposable(() => host.providers.get(kind) === provider && host.providers.delete(kind));
};

async function say(kind: Said["kind"], text: string, rest: readonly unknown[]): Promise<string | undefined> {
	const choices = rest.filter((one): one is string => typeof one === "string");
	host.said.push({ kind, text, choices });
	const answer = host.answers.shift();
	if (answer !== undefined && !choices.includes(answer))
		throw new Error(`${answer} cannot be chosen: ${choices.join()}`);
	return answer;
}

export const window = {
	createOutputChannel: () => {
		const line =
			(level: string) =>
			(text: string): void =>
				void host.log.push(`${level}: ${text}`);
		return {
			...{ debug: line("debug"), info: line("info"), warn: line("warn"), error: line("error") },
			...{ show: () => undefined, dispose: () => undefined },
		};
	},
	showInformationMessage: (text: string, ...rest: readonly unknown[]) => say("information", text, rest),
	showWarningMessage: (text: string, ...rest: readonly unknown[]) => say("warning", text, rest),
	showErrorMessage: (text: string, ...rest: readonly unknown[]) => say("error", text, rest),
	showQuickPick: async (items: readonly { readonly label: string }[], options?: { readonly placeHolder?: string }) => {
		const choices = items.map(({ label }) => label);
		host.questions.push({ title: options?.placeHolder ?? "", choices, refused: [] });
		const answer = host.answers.shift();
		return answer === undefined ? undefined : items.find(({ label }) => label === answer);
	},
	showInputBox: async (options: InputOptions = {}): Promise<string | undefined> => {
		const refused: string[] = [];
		host.questions.push({ title: options.title ?? "", choices: [options.value ?? ""], refused });
		for (;;) {
			const answer = host.answers.shift();
			const why = answer === undefined ? undefined : options.validateInput?.(answer);
			if (!why) return answer;
			refused.push(why);
		}
	},
	createInputBox: () => new StandInInputBox(host.answers, host.questions),
	createQuickPick: () => new StandInQuickPick(host.answers, host.questions),
	createWebviewPanel: (_type: string, title: string, column: number) => {
		const panel = new StandInPanel(title, column);
		host.panels.push(panel);
		return panel;
	},
	showSaveDialog: async (options: object) => {
		host.shownDialogs.push(options);
		return host.dialogs.shift();
	},
	showOpenDialog: async (options: object) => {
		host.shownDialogs.push(options);
		const uri = host.dialogs.shift();
		return uri && [uri];
	},
	setStatusBarMessage: (text: string) => {
		host.status.push(text);
		return new Disposable(() => undefined);
	},
	withProgress: async <T>(
		{ title }: { readonly title: string },
		work: (report: { report(value: object): void }, token: CancellationTokenSource["token"]) => Promise<T>,
	): Promise<T> => {
		const source = new CancellationTokenSource();
		const reports: object[] = [];
		host.works.push({ title, reports, cancel: () => source.cancel() });
		return work({ report: (value) => void reports.push(value) }, source.token);
	},
	createStatusBarItem: (id: string) => {
		const item = { id, text: "", tooltip: "", visible: false };
		host.statusBar.push(item);
		return Object.assign(item, {
			show: () => {
				item.visible = true;
			},
			hide: () => {
				item.visible = false;
			},
			dispose: () => undefined,
		});
	},
	createTreeView: (id: string, { treeDataProvider }: { treeDataProvider: TreeProvider }) => {
		const view: StandInView = {
			...{ provider: treeDataProvider, message: "", description: "", visible: true, dispose: () => undefined },
		};
		host.views.set(id, view);
		return view;
	},
	createTerminal: (options: StandInTerminal["creationOptions"]) => new StandInTerminal(options),
	get terminals() {
		return host.terminals;
	},
	activeTerminal: undefined as StandInTerminal | undefined,
	activeTextEditor: undefined as { readonly document: TextDocument; readonly selection?: Range } | undefined,
	visibleTextEditors: [] as { readonly document: TextDocument; readonly viewColumn: number }[],
	tabGroups: { all: [] as { readonly viewColumn: number }[], activeTabGroup: { viewColumn: 1 } },
	onDidOpenTerminal: events.terminal.event,
	onDidChangeActiveTerminal: events.activeTerminal.event,
	showTextDocument: async (shown: TextDocument | Uri, options?: { readonly selection?: Range }) => {
		const document = shown instanceof TextDocument ? shown : await workspace.openTextDocument(shown);
		host.shown.push({ document, options });
		return { document };
	},
	registerTerminalLinkProvider: (provider: object) => registered("terminalLinks", provider),
	registerTerminalProfileProvider: (_id: string, provider: object) => registered("terminalProfile", provider),
	registerUriHandler: (handler: { handleUri(uri: Uri): void }) => {
		host.uriHandlers.push(handler);
		return new Disposable(() => undefined);
	},
	registerWebviewPanelSerializer: (_id: string, provider: object) => registered("webviewSerializer", provider),
	registerWebviewViewProvider: (_id: string, provider: object) => registered("webviewView", provider),
};

/** The names that are right below a folder. */
function entriesOf(folder: Uri): Map<string, number> {
	const prefix = `${folder.toString().replace(/\/$/, "")}/`;
	const found = new Map<string, number>();
	for (const key of host.files.keys()) {
		if (!key.startsWith(prefix)) continue;
		const [name = "", ...rest] = key.slice(prefix.length).split("/");
		found.set(decodeURI(name), rest.length > 0 ? FileType.Directory : FileType.File);
	}
	return found;
}

const fs = {
	readFile: async (uri: Uri): Promise<Uint8Array> => {
		host.looks++;
		const bytes = host.files.get(uri.toString());
		if (!bytes) throw FileSystemError.FileNotFound(uri);
		return bytes;
	},
	stat: async (uri: Uri) => {
		host.looks++;
		const bytes = host.files.get(uri.toString());
		if (bytes) return { type: FileType.File, ctime: 0, mtime: host.times.get(uri.toString()) ?? 0, size: bytes.length };
		if (entriesOf(uri).size === 0) throw FileSystemError.FileNotFound(uri);
		return { type: FileType.Directory, ctime: 0, mtime: 0, size: 0 };
	},
	readDirectory: async (uri: Uri): Promise<[string, number][]> => {
		const entries = entriesOf(uri);
		if (entries.size === 0) throw FileSystemError.FileNotFound(uri);
		return [...entries];
	},
	writeFile: async (uri: Uri, bytes: Uint8Array): Promise<void> => host.write(uri, bytes),
	createDirectory: async (): Promise<void> => undefined,
	delete: async (uri: Uri): Promise<void> => {
		if (!host.files.has(uri.toString())) throw FileSystemError.FileNotFound(uri);
		host.remove(uri);
	},
};

export const workspace = {
	fs,
	isTrusted: true,
	get workspaceFolders() {
		return host.folders;
	},
	get textDocuments() {
		return host.documents;
	},
	getWorkspaceFolder: (uri: Uri) => host.folders.find((folder) => uri.path.startsWith(folder.uri.path)),
	getConfiguration: (section = "") => ({
		get: (key: string) => host.settings.get(section === "" ? key : `${section}.${key}`),
		update: async (key: string, value: unknown) => void host.settings.set(`${section}.${key}`, value),
		inspect: () => undefined,
	}),
	openTextDocument: async (uri: Uri): Promise<TextDocument> => {
		const open = host.documents.find((one) => one.uri.toString() === uri.toString());
		if (open) return open;
		const document = new TextDocument(uri, new TextDecoder().decode(await fs.readFile(uri)));
		host.documents.push(document);
		events.opened.fire(document);
		return document;
	},
	applyEdit: async ({ edits }: WorkspaceEdit): Promise<boolean> => {
		for (const { uri, range, text } of edits) {
			const document = await workspace.openTextDocument(uri);
			const lines = document.getText().split("\n");
			const at = ({ line, character }: Position) =>
				lines.slice(0, line).join("\n").length + (line > 0 ? 1 : 0) + character;
			const whole = document.getText();
			document.edit(whole.slice(0, at(range.start)) + text + whole.slice(at(range.end)));
		}
		return true;
	},
	createFileSystemWatcher: (pattern: string | InstanceType<typeof RelativePattern>) => {
		const { base, glob } =
			typeof pattern === "string"
				? { base: "", glob: pattern }
				: { base: `${(pattern.base as Uri).path}/`, glob: pattern.pattern as string };
		const braces = glob.replace(/\{([^}]*)\}/g, (_, list: string) => `(?:${list.replaceAll(",", "|")})`);
		const body = braces.replaceAll(".", "\\.").replaceAll("**/", "§").replaceAll("**", "¤").replaceAll("*", "[^/]*");
		const matcher = new RegExp(`^${body.replaceAll("§", "(?:.*/)?").replaceAll("¤", ".*")}$`);
		const of = (emitter: EventEmitter<Uri>) => (listener: Listener<Uri>) =>
			emitter.event((uri) => {
				if (uri.path.startsWith(base) && matcher.test(uri.path.slice(base.length || 1))) listener(uri);
			});
		return {
			...{ onDidCreate: of(events.created), onDidChange: of(events.changed), onDidDelete: of(events.deleted) },
			dispose: () => undefined,
		};
	},
	onDidChangeConfiguration: events.configuration.event,
	onDidChangeWorkspaceFolders: events.folders.event,
	onDidOpenTextDocument: events.opened.event,
	onDidChangeTextDocument: events.changedText.event,
	onDidSaveTextDocument: events.saved.event,
	registerTextDocumentContentProvider: (_scheme: string, provider: object) => registered("pages", provider),
};

export const commands = {
	registerCommand: (id: string, command: Command) => {
		if (host.commands.has(id)) throw new Error(`command ${id} is registered twice`);
		host.commands.set(id, command);
		return new Disposable(() => host.commands.delete(id));
	},
	executeCommand: async (id: string, ...args: readonly unknown[]): Promise<unknown> => {
		if (id === "setContext") return void host.contexts.set(args[0] as string, args[1]);
		if (host.commands.has(id)) return host.run(id, ...args);
		host.asked.push({ id, args });
		return undefined;
	},
};

export const languages = {
	createDiagnosticCollection: () => ({
		set: (uri: Uri, list: readonly InstanceType<typeof Diagnostic>[]) => host.diagnostics.set(uri.toString(), list),
		delete: (uri: Uri) => host.diagnostics.delete(uri.toString()),
		dispose: () => host.diagnostics.clear(),
	}),
	registerCodeLensProvider: (_selector: object, provider: object) => registered("codeLens", provider),
	registerCodeActionsProvider: (_selector: object, provider: object) => registered("codeActions", provider),
	registerInlineValuesProvider: (_selector: object, provider: object) => registered("inlineValues", provider),
	registerDefinitionProvider: (_selector: object, provider: object) => registered("definition", provider),
	registerHoverProvider: (_selector: object, provider: object) => registered("hover", provider),
	registerDocumentSymbolProvider: (_selector: object, provider: object) => registered("symbols", provider),
	registerWorkspaceSymbolProvider: (provider: object) => registered("workspaceSymbols", provider),
};

export const tests = {
	createTestController: () => {
		const controller = new StandInController(host.runs);
		host.controllers.push(controller);
		return controller;
	},
};

export const tasks = { registerTaskProvider: (_type: string, provider: object) => registered("tasks", provider) };

export const debug = {
	activeDebugSession: undefined as StandInSession | undefined,
	activeStackItem: undefined as { readonly threadId: number; readonly frameId?: number } | undefined,
	onDidTerminateDebugSession: events.debugEnded.event,
	onDidChangeActiveDebugSession: events.debugActive.event,
	onDidReceiveDebugSessionCustomEvent: events.debugCustom.event,
	registerDebugConfigurationProvider: (_type: string, provider: object, kind = 1) =>
		registered(`debugConfiguration ${kind}`, provider),
	registerDebugAdapterDescriptorFactory: (_type: string, provider: object) => registered("debugAdapter", provider),
	startDebugging: async (_folder: object | undefined, configuration: object): Promise<boolean> => {
		host.debugged.push(configuration);
		return true;
	},
};

export const extensions = {
	getExtension: (id: string) => {
		const exported = host.exported.get(id);
		if (exported) return { id, activate: async () => exported };
		return host.extensions.has(id) ? { id } : undefined;
	},
	onDidChange: events.extensions.event,
};
