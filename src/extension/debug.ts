import * as vscode from "vscode";
import { DisposableStore } from "../common/disposable.ts";
import type { Logger } from "../common/logger.ts";
import { PipedAdapter } from "./debugAdapter.ts";
import { DebugTime, type Moved } from "./debugTime.ts";
import type { Folders } from "./folders.ts";
import type { LabFolder } from "./labFolder.ts";

const type = "xv6";

/** A program's row in the side bar. */
interface ProgramRow {
	readonly folder: LabFolder;
	readonly name: string;
}

/** What VS Code's Variables view gives to a command of its context menu. */
interface VariableContext {
	readonly container?: { readonly variablesReference?: number };
	readonly variable?: { readonly name?: string; readonly evaluateName?: string; readonly memoryReference?: string };
	readonly sessionId?: string;
}

/** F5 and everything that begins or steers a debug session; the debugger itself is in the engine's worker. */
export class Debugging implements vscode.Disposable {
	private readonly store = new DisposableStore();
	private readonly status: vscode.StatusBarItem;
	private readonly time: DebugTime;
	/** Sessions that have stopped once. */
	private readonly shown = new WeakSet<vscode.DebugSession>();

	constructor(
		private readonly folders: Folders,
		private readonly log: Logger,
	) {
		const { store } = this;
		this.time = store.add(new DebugTime());
		this.status = store.add(vscode.window.createStatusBarItem("xv6Lab.time", vscode.StatusBarAlignment.Left, 90));
		this.status.name = vscode.l10n.t("xv6: time of the debugged machine");
		this.status.command = "xv6Lab.debug.toPresent";
		store.add(
			vscode.debug.registerDebugConfigurationProvider(type, {
				resolveDebugConfiguration: (folder, given) => this.resolve(folder, given),
			}),
		);
		store.add(
			vscode.debug.registerDebugConfigurationProvider(
				type,
				{ provideDebugConfigurations: () => this.offered() },
				vscode.DebugConfigurationProviderTriggerKind.Dynamic,
			),
		);
		store.add(
			vscode.debug.registerDebugAdapterDescriptorFactory(type, {
				createDebugAdapterDescriptor: (session) => this.adapter(session),
			}),
		);
		store.add(
			vscode.debug.onDidReceiveDebugSessionCustomEvent(({ session, event, body }) => {
				if (session.type !== type || event !== "xv6/moved") return;
				if (!this.shown.has(session)) void showDebugView();
				this.shown.add(session);
				this.moved(body as Moved);
				this.time.moved(body as Moved);
			}),
		);
		store.add(
			vscode.debug.onDidTerminateDebugSession((session) => {
				if (session.type !== type) return;
				this.status.hide();
				this.time.clear();
			}),
		);
		const commands: Record<string, (...args: never[]) => unknown> = {
			"xv6Lab.debug.kernel": (hint?: vscode.Uri) => this.start(hint, undefined),
			"xv6Lab.debug.program": () => this.pickProgram(),
			"xv6Lab.debugProgramAt": (at: vscode.Uri | ProgramRow, program?: string) =>
				at instanceof vscode.Uri ? this.start(at, program) : this.start(at.folder.root, at.name),
			"xv6Lab.debug.whoWrote": (context?: VariableContext) => this.whoWrote(context),
			"xv6Lab.debug.reverseStepOut": () => this.onThread("xv6/reverseStepOut"),
			"xv6Lab.debug.goToInstruction": () => this.goToInstruction(),
			"xv6Lab.debug.runToFailure": () => askDebugger("xv6/runToFailure"),
			"xv6Lab.debug.seek": (instruction: number) => askDebugger("xv6/goToInstruction", { instruction }),
			"xv6Lab.debug.toPresent": () => askDebugger("xv6/toPresent"),
			"xv6Lab.debug.newFuture": () => this.newFuture(),
		};
		for (const [id, run] of Object.entries(commands))
			store.add(vscode.commands.registerCommand(id, run as (...args: unknown[]) => unknown));
	}

	dispose(): void {
		this.store.dispose();
	}

	// ---- beginning -------------------------------------------------------------------------------------------------

	/** F5: with a launch.json what it says, else the program in front, else the kernel. */
	private async resolve(
		workspace: vscode.WorkspaceFolder | undefined,
		given: vscode.DebugConfiguration,
	): Promise<vscode.DebugConfiguration | undefined> {
		const document = vscode.window.activeTextEditor?.document.uri;
		const folder = (document && this.folders.of(document)) ?? (await this.folders.choose(workspace?.uri));
		if (!folder) {
			void vscode.window.showErrorMessage(vscode.l10n.t("xv6: this folder has no xv6 kernel to debug."));
			return undefined;
		}
		const isOpen =
			given.request !== "attach" && given.kernel !== true && !given.program && !isWritten(workspace, given.name);
		// F5 may come before the folder has been read for the first time.
		const program = isOpen && document ? await programAt(folder, document) : given.program;
		const build = given.build ?? vscode.workspace.getConfiguration("xv6Lab", folder.root).get<string>("debug.build");
		return {
			...settingsOf(folder),
			...given,
			type,
			request: given.request ?? "launch",
			name:
				(isOpen ? undefined : given.name) ??
				(program ? vscode.l10n.t("Debug {0}", program) : vscode.l10n.t("Debug xv6")),
			...(program ? { program } : {}),
			build: build ?? "debug",
			tree: treeName(folder),
		};
	}

	/** What stands in the list of configurations without a launch.json. */
	private async offered(): Promise<vscode.DebugConfiguration[]> {
		const kernel = { type, request: "launch", name: vscode.l10n.t("Debug xv6"), kernel: true };
		const attach = { type, request: "attach", name: vscode.l10n.t("Attach to the running xv6") };
		const programs = this.folders.all.flatMap((folder) =>
			(folder.tree.lab?.tests ?? []).flatMap(({ program }) => program || []),
		);
		return [
			kernel,
			...[...new Set(programs)].map((program) => ({
				type,
				request: "launch",
				name: vscode.l10n.t("Debug {0}", program),
				program,
			})),
			attach,
		];
	}

	private async start(hint: vscode.Uri | undefined, program: string | undefined): Promise<void> {
		const folder = await this.folders.choose(
			hint instanceof vscode.Uri ? (this.folders.of(hint)?.root ?? hint) : undefined,
		);
		if (!folder) return;
		const name = program ? vscode.l10n.t("Debug {0}", program) : vscode.l10n.t("Debug xv6");
		const workspace = vscode.workspace.getWorkspaceFolder(folder.root);
		await vscode.debug.startDebugging(workspace, {
			type,
			request: "launch",
			name,
			...(program ? { program } : { kernel: true }),
		});
	}

	private async pickProgram(): Promise<void> {
		const folder = await this.folders.choose();
		if (!folder) return;
		const programs = (await folder.sync()).programs.filter((program) => program.name !== "init");
		const items = programs.map((program) => ({ label: program.name, description: program.source ?? "" }));
		const choice = await vscode.window.showQuickPick(items, {
			placeHolder: vscode.l10n.t("Which program?"),
			matchOnDescription: true,
		});
		if (choice) await this.start(folder.root, choice.label);
	}

	private async adapter(session: vscode.DebugSession): Promise<vscode.DebugAdapterDescriptor> {
		const tree = String(session.configuration.tree ?? "");
		const folder = this.folders.all.find((one) => treeName(one) === tree) ?? (await this.folders.choose());
		if (!folder) throw new Error(vscode.l10n.t("xv6: this folder has no xv6 kernel to debug."));
		this.log.info(`${folder.name}: debug session ${session.name}`);
		return new vscode.DebugAdapterInlineImplementation(new PipedAdapter(session, folder));
	}

	// ---- time ------------------------------------------------------------------------------------------------------

	/** VS Code has no sign of its own that a session shows the past. */
	private moved({ position, present, isPast }: Moved): void {
		if (!isPast) {
			this.status.hide();
			return;
		}
		this.status.text = vscode.l10n.t(
			"$(history) xv6: {0} instructions back",
			(present - position).toLocaleString("en"),
		);
		this.status.tooltip = vscode.l10n.t(
			"The machine shows its past, instruction {0}. Click to go to the present.",
			position.toLocaleString("en"),
		);
		this.status.backgroundColor = new vscode.ThemeColor("statusBarItem.warningBackground");
		this.status.show();
	}

	private async onThread(request: string): Promise<void> {
		const item = vscode.debug.activeStackItem;
		if (item) await askDebugger(request, { threadId: item.threadId });
	}

	private frameId(): number | undefined {
		const item = vscode.debug.activeStackItem;
		return item && "frameId" in item ? item.frameId : undefined;
	}

	/** From a variable's context menu, from the selection of an editor, or asked for. */
	private async whoWrote(context: VariableContext | undefined): Promise<void> {
		const frameId = this.frameId();
		const more = frameId === undefined ? {} : { frameId };
		const { variable, container } = context ?? {};
		if (variable?.name !== undefined && container?.variablesReference) {
			return askDebugger("xv6/whoWrote", {
				variablesReference: container.variablesReference,
				name: variable.name,
				...more,
			});
		}
		const editor = vscode.window.activeTextEditor;
		const selected = editor && !editor.selection.isEmpty ? editor.document.getText(editor.selection) : undefined;
		const expression = await vscode.window.showInputBox({
			title: vscode.l10n.t("Who wrote this last?"),
			prompt: vscode.l10n.t(
				"A C expression of something in memory, or an address: p:0x… (physical), k:0x… (kernel), u5:0x… (pid 5)",
			),
			value: selected ?? "",
		});
		if (!expression) return;
		const isAddress = /^(?:[pk]|u\d+):0x[0-9a-fA-F]+$/.test(expression.trim());
		await askDebugger("xv6/whoWrote", isAddress ? { memoryReference: expression.trim() } : { expression, ...more });
	}

	private async goToInstruction(): Promise<void> {
		const text = await vscode.window.showInputBox({
			title: vscode.l10n.t("Go to instruction"),
			prompt: vscode.l10n.t(
				"Instructions that all harts together had retired, as the status bar and the inspector count them",
			),
			validateInput: (value) => (/^[\d,_ ]+$/.test(value.trim()) ? undefined : vscode.l10n.t("A number")),
		});
		if (text) await askDebugger("xv6/goToInstruction", { instruction: Number(text.replace(/[,_ ]/g, "")) });
	}

	private async newFuture(): Promise<void> {
		const go = vscode.l10n.t("New Future From Here");
		const question = vscode.l10n.t(
			"Everything after this moment is discarded. The machine can then be changed, and continues from here.",
		);
		const choice = await vscode.window.showWarningMessage(question, { modal: true }, go);
		if (choice === go) await askDebugger("xv6/newFuture");
	}
}

/** Of the session that VS Code shows; what it cannot do is said. */
export async function askDebugger(request: string, args?: object): Promise<void> {
	const session = vscode.debug.activeDebugSession;
	if (session?.type !== type) {
		void vscode.window.showInformationMessage(vscode.l10n.t("xv6: no debug session runs. Press F5 to start one."));
		return;
	}
	try {
		await session.customRequest(request, args);
	} catch (error) {
		void vscode.window.showWarningMessage(`xv6: ${(error as Error).message}`);
	}
}

/** Debugs one of a lab's tests; `failed`: up to what fails in it. Resolves when the session has ended. */
export async function debugTest(
	folder: LabFolder,
	test: { readonly program: string; readonly command: string },
	failed: boolean,
	run: vscode.TestRun,
): Promise<void> {
	const workspace = vscode.workspace.getWorkspaceFolder(folder.root);
	const mark = `${test.command} ${Date.now()}`;
	const ended = new Promise<void>((resolve) => {
		const listening = vscode.debug.onDidTerminateDebugSession((session) => {
			if (session.configuration.mark !== mark) return;
			listening.dispose();
			resolve();
		});
		run.token.onCancellationRequested(() => {
			listening.dispose();
			resolve();
		});
	});
	const configuration = {
		type,
		request: "launch",
		name: vscode.l10n.t("Debug {0}", test.command),
		program: test.program,
		command: test.command,
		asTest: true,
		mark,
		...(failed ? { until: "failure" } : {}),
	};
	if (await vscode.debug.startDebugging(workspace, configuration, { testRun: run })) await ended;
}

/** VS Code opens its view at a breakpoint, but not for a program that stands in main. */
async function showDebugView(): Promise<void> {
	if (vscode.workspace.getConfiguration("debug").get("openDebug") === "neverOpen") return;
	await vscode.commands.executeCommand("workbench.view.debug");
	await vscode.commands.executeCommand("workbench.action.focusActiveEditorGroup");
}

/** The program that a file is the source of. */
async function programAt(folder: LabFolder, uri: vscode.Uri): Promise<string | undefined> {
	const path = uri.path.slice(folder.root.path.length + 1);
	return (await folder.sync()).programs.find(({ source }) => source === path)?.name;
}

/** A configuration of launch.json means what it says; without one F5 is about what is in front. */
function isWritten(workspace: vscode.WorkspaceFolder | undefined, name: string | undefined): boolean {
	const written = vscode.workspace
		.getConfiguration("launch", workspace?.uri)
		.get<{ name?: string }[]>("configurations");
	return name !== undefined && (written ?? []).some((one) => one.name === name);
}

/** How the debugger names the tree's files: as paths of this disk, or as URIs. */
export function treeName({ root }: LabFolder): string {
	return root.scheme === "file" ? root.fsPath : root.toString();
}

function settingsOf(folder: LabFolder): { harts?: number; seed?: number } {
	const { harts, seed } = folder.settings.machine;
	return { ...(harts === undefined ? {} : { harts }), ...(seed === undefined ? {} : { seed }) };
}
