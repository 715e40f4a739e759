import * as vscode from "vscode";
import type { LabCatalog } from "../lab/catalog.ts";
import type { CommandResult } from "../protocol/engine.ts";
import type { Verdict } from "../protocol/verdict.ts";
import { BackgroundBuild } from "./backgroundBuild.ts";
import type { BuildFailed } from "./buildFailure.ts";
import { registerBuildTask } from "./buildTask.ts";
import { buildCard, type Card, diagnosisCard, terminalCard, verdictCard } from "./card.ts";
import { actionWords, cardWords } from "./cardWords.ts";
import { CLanguage } from "./cLanguage.ts";
import { ProgramLenses } from "./codeLens.ts";
import { registerCommands } from "./commands.ts";
import { registerCompileCommands } from "./compileCommands.ts";
import { ContextKeys } from "./contextKeys.ts";
import { Debugging } from "./debug.ts";
import { BuildDiagnostics } from "./diagnostics.ts";
import type { Platform } from "./engineClient.ts";
import { showExpected } from "./expectedResults.ts";
import { Folders } from "./folders.ts";
import { registerInlineValues } from "./inlineValues.ts";
import { Inspectors } from "./inspectorPanel.ts";
import type { LabFolder } from "./labFolder.ts";
import { labPrograms } from "./labPrograms.ts";
import { MachineView } from "./machineView.ts";
import { newWorkspace, showFirstSteps } from "./newWorkspace.ts";
import { Pages } from "./pages.ts";
import { labProgress } from "./progress.ts";
import { ProgressView } from "./progressView.ts";
import { QuickFixes } from "./quickFixes.ts";
import { SavedRuns } from "./savedRuns.ts";
import { MachineStatus } from "./status.ts";
import { TerminalLinks } from "./terminalLinks.ts";
import { LabTests } from "./tests.ts";
import { selectToolchain } from "./toolchainPick.ts";

/** What `activate` gives to tests and to other extensions. */
export interface Xv6LabApi {
	/** Makes a lab workspace without asking. */
	newWorkspace(lab: string, folder: vscode.Uri): Promise<void>;
	/** The kernel trees of this window by root. */
	folders(): readonly LabFolder[];
	/** Looks for kernel trees and waits until all are known. */
	refresh(): Promise<void>;
	/** What the Test Explorer holds, and its run profiles. */
	readonly tests: LabTests;
}

/** Wires everything once. Registers only: engines and workers start when something first needs them. */
export function start(context: vscode.ExtensionContext, platform: Platform, catalog: LabCatalog): Xv6LabApi {
	const own = <T extends vscode.Disposable>(item: T): T => {
		context.subscriptions.push(item);
		return item;
	};
	const log = own(vscode.window.createOutputChannel("xv6 Lab", { log: true }));
	log.info(`xv6 Lab ${context.extension.packageJSON.version}, VS Code ${vscode.version}`);
	const keys = new ContextKeys();
	const programs = labPrograms(context);
	const diagnostics = own(new BuildDiagnostics());
	const folders = own(new Folders(platform, diagnostics, keys, log, programs));
	const tests = own(new LabTests(folders));
	const inspectors = own(new Inspectors(folders, context.extensionUri));
	const pages = own(new Pages());
	own(new MachineStatus(folders));
	own(
		folders.onFailure(({ folder, diagnoses }) => {
			const card = diagnosisCard(vscode.l10n.t("the kernel panicked"), diagnoses);
			if (card) showCard(folder, card, undefined);
		}),
	);
	own(new BackgroundBuild(folders, log));
	own(new QuickFixes(folders));
	const progress = own(new ProgressView(folders, tests));
	own(new MachineView(folders));
	own(tests.onDidChangeResults(() => tests.somePassed && keys.set("hasPassed", true)));
	own(new ProgramLenses(folders));
	own(new TerminalLinks(folders));
	own(new Debugging(folders, log));
	own(new SavedRuns(folders, tests));
	own(registerInlineValues());
	own(new CLanguage(folders));
	own(registerCompileCommands(folders));
	own(registerBuildTask(folders));
	own(
		vscode.window.registerTerminalProfileProvider("xv6Lab.shell", {
			provideTerminalProfile: async () => {
				const folder = await folders.choose();
				if (!folder) return undefined;
				// Boots in the background of the new tab; the command shows the terminal only when VS Code has made it.
				const profile = folder.terminal.profile();
				setTimeout(() => void vscode.commands.executeCommand("xv6Lab.boot", folder.root), 0);
				return profile;
			},
		}),
	);
	own(
		registerCommands({
			programs,
			folders,
			log,
			showVerdict: (folder, verdict, tookMs) => showVerdict(folder, verdict, tookMs, tests),
			showEnd,
			showBuildFailure,
			runAllTests: (folder) => tests.runAll(folder, () => progress.isVisible),
			runInExplorer: (folder, test) => tests.runOne(folder, test),
			runSchedules: (folder, program) => tests.runSchedules(folder, program),
			nextTest: (folder) => folder.tree.lab && labProgress(folder.tree.lab, tests.results(folder)).next?.test,
			runOfMessage: (hint) => tests.runOfMessage(hint),
			openInspector: (folder, part) => inspectors.open(folder, part),
			debugSchedule: (chosen) => tests.debugSchedule(chosen as Parameters<LabTests["debugSchedule"]>[0]),
			newWorkspace: () => newWorkspace(catalog, keys, context.globalStorageUri),
			selectToolchain: (folder) => selectToolchain(folder, platform.hasProcesses),
			showExpected: (folder) => showExpected(folder, pages),
		}),
	);
	// Keys that VS Code would take for itself (Ctrl-P) belong to the guest while its terminal is the active one.
	const markShell = (terminal: vscode.Terminal | undefined) =>
		keys.set("shellActive", terminal !== undefined && folders.all.some((folder) => folder.terminal.owns(terminal)));
	own(vscode.window.onDidChangeActiveTerminal(markShell));
	own(
		vscode.window.onDidOpenTerminal((terminal) => {
			for (const folder of folders.all) folder.terminal.opening(terminal);
			markShell(vscode.window.activeTerminal);
		}),
	);
	void folders
		.refresh()
		.then(() => showFirstSteps(folders.all, context.globalStorageUri))
		.catch((error: Error) => log.error(error.stack ?? error.message));
	return {
		newWorkspace: (lab, folder) => newWorkspace(catalog, keys, context.globalStorageUri, { lab, folder }),
		folders: () => folders.all,
		tests,
		refresh: async () => {
			await folders.refresh();
			await folders.resyncAll();
		},
	};
}

/** What ended a run, for a reader. */
const endWords: Readonly<Record<string, () => string>> = {
	panic: () => vscode.l10n.t("the kernel panicked"),
	timeout: () => vscode.l10n.t("it did not come back to the prompt"),
	stuck: () => vscode.l10n.t("nothing is left that could wake it"),
	stall: () => vscode.l10n.t("the machine makes no progress"),
	halt: () => vscode.l10n.t("it switched the machine off"),
	flood: () => vscode.l10n.t("it prints without end"),
};

/** A program that no test judges: what is known of its end goes to the terminal, below its output. */
function showEnd(folder: LabFolder, program: string, { end, diagnoses, known }: CommandResult): void {
	const how = endWords[end]?.();
	// It came back to its prompt and nothing is known to be wrong: its own output is what there is to say.
	if (!how && !known && diagnoses.every(({ severity }) => severity !== "error"))
		return void vscode.window.setStatusBarMessage(`$(check) ${program}`, 5000);
	const title = how ? `${program}: ${how}` : program;
	const card = diagnosisCard(title, diagnoses);
	if (known) showCard(folder, { ...(card ?? knownCard), ...knownHead(program, known) }, program);
	else showCard(folder, card ?? { ...unexplained, title }, program);
}

/** A program that says by itself whether it passed. */
function knownHead(
	title: string,
	{ state, says }: NonNullable<CommandResult["known"]>,
): Pick<Card, "mark" | "title" | "cause"> {
	return { mark: state === "unknown" ? "other" : state, title, cause: says };
}

const knownCard: Card = { mark: "other", title: "", more: [], calls: [], evidence: [], inspect: false };

const unexplained: Card = { mark: "failed", title: "", more: [], calls: [], evidence: [], inspect: true };

function showCard(folder: LabFolder, card: Card, program: string | undefined): void {
	const words = actionWords();
	const actions: string[] = [];
	if (program !== undefined) actions.push(words.runAgain);
	if (card.mark !== "passed" && folder.tree.lab?.handout) actions.push(words.openHandout);
	if (card.inspect) actions.push(words.openInspector);
	folder.terminal.card(terminalCard(card, cardWords(), actions), program);
}

/** Where the output of what was to run would stand. */
function showBuildFailure(folder: LabFolder, { errors }: BuildFailed, program: string | undefined): void {
	const what = vscode.l10n.t("the kernel was not built");
	const card = buildCard(program === undefined ? what : `${program}: ${what}`, errors);
	const words = actionWords();
	const actions = [...(program === undefined ? [] : [words.runAgain]), words.openProblems];
	folder.terminal.show(true);
	folder.terminal.card(terminalCard(card, cardWords(), actions), program);
}

const terminalBackMs = 400;

/** A verdict goes to the terminal, where the program ran, and to the Test Explorer: the same text in both, and nowhere else. */
async function showVerdict(folder: LabFolder, verdict: Verdict, tookMs: number, tests: LabTests): Promise<void> {
	tests.publish(folder, verdict, tookMs);
	// VS Code opens its Test Results over the terminal when a run starts; a person who ran a program wants to see its output.
	setTimeout(() => folder.terminal.show(true), terminalBackMs);
	showCard(folder, verdictCard(verdict), verdict.command);
}
