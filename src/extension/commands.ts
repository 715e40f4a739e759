import * as vscode from "vscode";
import { UserError } from "../common/errors.ts";
import type { Logger } from "../common/logger.ts";
import type { CommandResult } from "../protocol/engine.ts";
import type { Verdict } from "../protocol/verdict.ts";
import { BuildFailed } from "./buildFailure.ts";
import type { Folders } from "./folders.ts";
import { refusesOneMachine } from "./gradedTest.ts";
import type { BuildReport, LabFolder } from "./labFolder.ts";
import { addToDisk } from "./quickFixes.ts";
import { testInfo } from "./testItems.ts";

type Report = BuildReport;

/** What the commands need of the rest; each is a noun with a file of its own. */
interface CommandParts {
	readonly folders: Folders;
	readonly log: vscode.LogOutputChannel;
	/** Programs that have a command of their own. */
	readonly programs: readonly string[];
	/** `tookMs`: of the test alone. */
	showVerdict(folder: LabFolder, verdict: Verdict, tookMs: number): Promise<void>;
	/** How a program that no test judges ended. */
	showEnd(folder: LabFolder, program: string, result: CommandResult): void;
	/** What stood in the way of a build; `program` would have run then. */
	showBuildFailure(folder: LabFolder, failure: BuildFailed, program: string | undefined): void;
	runAllTests(folder: LabFolder): Promise<void>;
	runInExplorer(folder: LabFolder, test: string): Promise<void>;
	/** The tests of a program, each with many schedules. */
	runSchedules(folder: LabFolder, program: string): Promise<void>;
	/** The first test, in the lab's order, that has not passed. */
	nextTest(folder: LabFolder): TestRow["test"] | undefined;
	/** The run that a test's message is about: its tree, and the seed if it is not in the terminal's machine any more. */
	runOfMessage(hint: unknown): { folder: LabFolder; test: string; seed: number; isLive: boolean } | undefined;
	openInspector(folder: LabFolder, part?: "activity"): void;
	/** Of a report in a test's message. */
	debugSchedule(chosen: unknown): Promise<void>;
	newWorkspace(): Promise<void>;
	selectToolchain(folder: LabFolder | undefined): Promise<void>;
	showExpected(folder: LabFolder): Promise<void>;
}

/** Registers every command of the palette. A failure that a person caused becomes a message with its next step. */
export function registerCommands(parts: CommandParts): vscode.Disposable {
	const { folders, log } = parts;
	type Work = (folder: LabFolder, report: Report, token: vscode.CancellationToken) => Promise<void>;
	/** `program`: what a build is for, where it is for one. The command's result says whether its work was done. */
	const withFolder =
		(title: string, work: Work, program?: string) =>
		async (hint?: unknown): Promise<boolean> => {
			const folder = await folders.choose(rootHint(hint));
			if (!folder) {
				void noTree();
				return false;
			}
			const location = vscode.ProgressLocation.Notification;
			const options = { location, title: `xv6: ${title}`, cancellable: true };
			try {
				await vscode.window.withProgress(options, (report, token) => work(folder, report, token));
				return true;
			} catch (error) {
				if (error instanceof UserError && error.code === "cancelled") sayCancelled(folder, title);
				if (!(error instanceof BuildFailed)) throw error;
				log.error(error.format());
				parts.showBuildFailure(folder, error, program);
				return false;
			}
		};
	const runs = (program: string) =>
		withFolder(program, (folder, report, token) => runProgram(parts, folder, program, report, token), program);
	const runsTest = ({ id, command }: TestRow["test"], seed?: number) => {
		const name = command || id;
		return withFolder(name, (folder, report, token) => runTest(parts, folder, id, report, token, seed), name);
	};

	const handlers: Record<string, (...args: never[]) => unknown> = {
		build: withFolder(vscode.l10n.t("building the kernel"), async (folder, report, token) => {
			try {
				const summary = await folder.build(report, token);
				void vscode.window.setStatusBarMessage(`$(check) ${summary.summary}`, 5000);
			} catch (error) {
				if (!(error instanceof BuildFailed)) throw error;
				// Nothing was to run: the errors are what was asked for, and they have a panel of their own.
				log.error(error.format());
				await vscode.commands.executeCommand("workbench.actions.view.problems");
			}
		}),
		boot: withFolder(vscode.l10n.t("booting"), (folder, report, token) => folder.ensureBooted(report, token)),
		openShell: withFolder(vscode.l10n.t("opening the shell"), async (folder, report, token) => {
			folder.terminal.show(false);
			if (!folder.machineAlive) await folder.ensureBooted(report, token);
		}),
		restart: withFolder(vscode.l10n.t("restarting"), (folder, report, token) =>
			folder.ensureBooted(report, token, { restart: true }),
		),
		stop: async () => {
			const running = folders.all.filter((folder) => folder.machineAlive);
			for (const folder of running) await folder.stop();
		},
		runProgram: async (hint?: unknown) => {
			const folder = await folders.choose(rootHint(hint));
			if (!folder) return void noTree();
			const programs = (await folder.sync()).programs.filter((program) => program.name !== "init");
			const items = programs.map((program) => ({ label: program.name, description: program.source ?? "" }));
			const placeHolder = vscode.l10n.t("Which program?");
			const choice = await vscode.window.showQuickPick(items, { placeHolder, matchOnDescription: true });
			if (choice) await runs(choice.label)(folder.root);
		},
		runTest: ({ folder, test }: TestRow) => runsTest(test)(folder.root),
		runNext: async (hint?: unknown) => {
			const folder = await folders.choose(rootHint(hint));
			if (!folder) return void noTree();
			const next = parts.nextTest(folder);
			if (!next)
				return void vscode.window.setStatusBarMessage(vscode.l10n.t("$(check) xv6: all tests have passed"), 5000);
			await runsTest(next)(folder.root);
		},
		inspectRun: async (hint?: unknown) => {
			const run = parts.runOfMessage(hint);
			if (!run) return void vscode.window.showInformationMessage(vscode.l10n.t("xv6: no test has failed yet."));
			const { folder, test, seed, isLive } = run;
			if (refusesOneMachine(testInfo(folder, test))) return;
			if (isLive || (await runsTest({ id: test, command: test }, seed)(folder.root))) parts.openInspector(folder);
		},
		runProgramAt: async (at: vscode.Uri | ProgramRow, program?: string) => {
			const name = at instanceof vscode.Uri ? (program ?? "") : at.name;
			const hint = at instanceof vscode.Uri ? at : at.folder.root;
			await runs(name)(hint);
		},
		runSchedules: async (uri: vscode.Uri, program: string) => {
			const folder = folders.of(uri);
			if (folder) await parts.runSchedules(folder, program);
		},
		addProgram: async (uri: vscode.Uri, program: string) => {
			const folder = folders.of(uri);
			if (folder) await addToDisk(folder, program);
		},
		runAllTests: async (hint?: unknown) => {
			const folder = await folders.choose(rootHint(hint));
			if (!folder) return void noTree();
			await parts.runAllTests(folder);
		},
		openInspector: async (hint?: unknown) => {
			const folder = await folders.choose(rootHint(hint));
			if (!folder) return void noTree();
			parts.openInspector(folder);
		},
		showActivity: async (hint?: unknown) => {
			const folder = await folders.choose(rootHint(hint));
			if (!folder) return void noTree();
			parts.openInspector(folder, "activity");
		},
		debugSchedule: async (chosen?: unknown) => parts.debugSchedule(chosen),
		showExpected: async () => {
			const folder = await folders.choose();
			if (!folder) return void noTree();
			await parts.showExpected(folder);
		},
		newWorkspace: () => parts.newWorkspace(),
		selectToolchain: async () => parts.selectToolchain(folders.all.length > 0 ? await folders.choose() : undefined),
		openWalkthrough: () => {
			const hasOwnTree = folders.all.length > 0 && folders.all.every(({ tree }) => !tree.lab);
			const id = `xv6-lab.xv6-lab#xv6Lab.${hasOwnTree ? "ownTree" : "start"}`;
			return vscode.commands.executeCommand("workbench.action.openWalkthrough", id, false);
		},
		showLog: () => log.show(),
	};
	for (const name of parts.programs) handlers[`run.${name}`] = runs(name);
	return vscode.Disposable.from(
		...Object.entries(handlers).map(([id, handler]) =>
			vscode.commands.registerCommand(`xv6Lab.${id}`, guarded(handler, log)),
		),
	);
}

/** In the place where the result would stand, else a reader takes the one before for it. */
function sayCancelled(folder: LabFolder, title: string): void {
	const text = vscode.l10n.t("{0}: cancelled", title);
	if (folder.terminal.isOpen) folder.terminal.note(text);
	void vscode.window.setStatusBarMessage(`$(circle-slash) xv6: ${text}`, 5000);
}

/** A test's row in the side bar. */
interface TestRow {
	readonly folder: LabFolder;
	readonly test: { readonly id: string; readonly command: string };
}

/** A program's row in the side bar. */
interface ProgramRow {
	readonly folder: LabFolder;
	readonly name: string;
}

/** The main job: build, boot, type, show; judged where the lab has a test for it. */
async function runProgram(
	parts: CommandParts,
	folder: LabFolder,
	program: string,
	report: Report,
	token: vscode.CancellationToken,
): Promise<void> {
	const test = folder.tree.lab?.tests.find(({ command }) => command === program);
	if (test) return runTest(parts, folder, test.id, report, token);
	// A machine that an earlier run drove into a panic or out of memory must not judge this one.
	await folder.ensureBooted(report, token, { restart: true });
	report.report({ message: program });
	const result = await folder.runCommand(program, token);
	if (result.verdict) await parts.showVerdict(folder, result.verdict, result.tookMs);
	else parts.showEnd(folder, program, result);
}

/** A test of the lab, in the terminal. */
async function runTest(
	parts: CommandParts,
	folder: LabFolder,
	test: string,
	report: Report,
	token: vscode.CancellationToken,
	seed = folder.settings.machine.seed ?? 0,
): Promise<void> {
	// A grade script's run is several machines after each other, none of them the terminal's.
	if (folder.tree.lab?.tests.find(({ id }) => id === test)?.grade) return parts.runInExplorer(folder, test);
	const result = await folder.runTest(test, seed, report, token);
	if (result.verdict) await parts.showVerdict(folder, result.verdict, result.tookMs);
	else parts.showEnd(folder, test, result);
}

/** A tree's root, or a file in it, as a command's argument: a Uri from code, a test from the buttons on its messages. */
function rootHint(hint: unknown): vscode.Uri | undefined {
	if (hint instanceof vscode.Uri) return hint;
	const uri = (hint as { test?: vscode.TestItem } | undefined)?.test?.uri;
	return uri instanceof vscode.Uri ? uri : undefined;
}

function noTree(): Thenable<void> {
	const make = vscode.l10n.t("New Lab Workspace…");
	const text = vscode.l10n.t("xv6: no folder of this window holds an xv6 kernel (kernel/proc.c and a Makefile).");
	return vscode.window.showInformationMessage(text, make).then((choice) => {
		if (choice === make) return vscode.commands.executeCommand("xv6Lab.newWorkspace").then(() => undefined);
		return undefined;
	});
}

function guarded(handler: (...args: never[]) => unknown, log: Logger): (...args: never[]) => Promise<void> {
	return async (...args) => {
		try {
			await handler(...args);
		} catch (error) {
			report(error, log);
		}
	};
}

function report(error: unknown, log: Logger): void {
	if (!(error instanceof UserError)) {
		log.error((error as Error).stack ?? String(error));
		throw error;
	}
	if (error.code === "cancelled" || error.code === "worker-crashed") return;
	log.error(error.format());
	void vscode.window.showErrorMessage(`xv6: ${error.message}. ${error.nextStep}`);
}
