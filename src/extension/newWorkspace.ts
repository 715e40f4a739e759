import * as vscode from "vscode";
import { fromUtf8, utf8 } from "../common/bytes.ts";
import { UserError } from "../common/errors.ts";
import type { LabCatalog } from "../lab/catalog.ts";
import type { ContextKeys } from "./contextKeys.ts";
import type { LabFolder } from "./labFolder.ts";
import { progressView } from "./progressView.ts";

/**
 * Names the folder that `vscode.openFolder` is about to open for the first time; see {@link showFirstSteps}. A file, not a memento: the
 * window that writes it is closed before VS Code has saved its mementos.
 */
const openedNext = "opened-next";

/**
 * `xv6: New Lab Workspace…`: choose a lab, a name and the folder that it goes into, write the files, open it.
 * Never over an existing file.
 */
export async function newWorkspace(
	catalog: LabCatalog,
	keys: ContextKeys,
	storage: vscode.Uri,
	given?: { lab?: string; folder?: vscode.Uri },
): Promise<void> {
	const lab = given?.lab ?? (await pickLab(catalog));
	if (lab === undefined) return;
	const folder = given?.folder ?? (await askFolder(lab));
	if (!folder) return;
	const withGit = given?.folder ? false : await askGit();
	if (withGit === undefined) return;
	const files = await catalog.workspace(lab === plainKernel ? undefined : lab);
	keys.set("makingWorkspace", true);
	await writeAll(folder, files).finally(() => keys.set("makingWorkspace", false));
	if (given?.folder) return;
	if (withGit) await putUnderGit(folder);
	await vscode.workspace.fs.writeFile(vscode.Uri.joinPath(storage, openedNext), utf8(folder.toString()));
	// Nothing is lost in an empty window; in one with a folder, a person decides.
	const inPlace = (vscode.workspace.workspaceFolders ?? []).length === 0;
	const here = vscode.l10n.t("Open");
	const newWindow = vscode.l10n.t("Open in New Window");
	const text = vscode.l10n.t("xv6: created {0} ({1} files).", folder.path, files.size);
	const choice = inPlace ? here : await vscode.window.showInformationMessage(text, here, newWindow);
	if (choice)
		await vscode.commands.executeCommand("vscode.openFolder", folder, { forceNewWindow: choice === newWindow });
}

/** The first time that a new workspace is open: its handout beside the file where its first task begins. */
export async function showFirstSteps(folders: readonly LabFolder[], storage: vscode.Uri): Promise<void> {
	const marker = vscode.Uri.joinPath(storage, openedNext);
	const named = await vscode.workspace.fs.readFile(marker).then(fromUtf8, () => undefined);
	const folder = folders.find(({ root }) => root.toString() === named);
	if (!folder) return;
	await vscode.workspace.fs.delete(marker);
	const { handout, tasks } = folder.tree.lab ?? {};
	const first = tasks?.find(({ start }) => start)?.start ?? "kernel/main.c";
	await vscode.window.showTextDocument(vscode.Uri.joinPath(folder.root, first), { preview: false });
	if (handout) {
		await vscode.commands.executeCommand("markdown.showPreviewToSide", vscode.Uri.joinPath(folder.root, handout));
	}
	// The next file that is clicked opens beside the handout, not over it.
	await vscode.commands.executeCommand("workbench.action.focusFirstEditorGroup");
	await vscode.commands.executeCommand(`${progressView}.focus`);
}

/** The part of VS Code's git extension that is used here. */
interface Git {
	init(root: vscode.Uri): Promise<Repository | null>;
}

interface Repository {
	/** `all`: files that git does not know yet, too. */
	commit(message: string, options: { all: true }): Promise<void>;
}

/** The workspace as it was made is the first commit, so that git shows what the student changed and nothing else. */
async function putUnderGit(folder: vscode.Uri): Promise<void> {
	const repository = await (await gitApi())?.init(folder);
	try {
		await repository?.commit(vscode.l10n.t("The lab as it was handed out"), { all: true });
	} catch {
		// Git does not know its user's name yet. It asks for it at their own first commit.
	}
}

async function gitApi(): Promise<Git | undefined> {
	const extension = vscode.extensions.getExtension<{ getAPI(version: 1): Git }>("vscode.git");
	try {
		return (await extension?.activate())?.getAPI(1);
	} catch {
		// Git is switched off, or not installed.
		return undefined;
	}
}

/** Undefined: the person went away from the question. */
async function askGit(): Promise<boolean | undefined> {
	if (!vscode.workspace.isTrusted || !(await gitApi())) return false;
	const description = vscode.l10n.t("every change can be looked at and taken back");
	return pick(vscode.l10n.t("Put the workspace under git?"), [
		{ label: vscode.l10n.t("Yes"), description, value: true },
		{ label: vscode.l10n.t("No"), value: false },
	]);
}

/** A name that needs no quotes in any shell. */
const plainName = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;

async function askFolder(lab: string): Promise<vscode.Uri | undefined> {
	const name = await askName(lab === plainKernel ? "xv6" : (lab.split("-")[0] ?? lab));
	if (name === undefined) return undefined;
	const options = {
		canSelectFiles: false,
		canSelectFolders: true,
		canSelectMany: false,
		openLabel: vscode.l10n.t("Create {0} Here", name),
		title: vscode.l10n.t("Where should {0} be created?", name),
	};
	const parent = (await vscode.window.showOpenDialog(options))?.[0];
	return parent && vscode.Uri.joinPath(parent, name);
}

/** An input box with a button that does what Enter does: not everybody has a hand for the keyboard. */
function askName(value: string): Promise<string | undefined> {
	const input = vscode.window.createInputBox();
	input.title = vscode.l10n.t("Name of the new workspace");
	input.prompt = vscode.l10n.t("A folder of this name is created in the folder that you choose next.");
	input.value = value;
	input.ignoreFocusOut = true;
	input.buttons = [{ iconPath: new vscode.ThemeIcon("check"), tooltip: vscode.l10n.t("Use this name") }];
	const check = () => {
		const isPlain = plainName.test(input.value);
		input.validationMessage = isPlain ? undefined : vscode.l10n.t("Use letters, digits, '.', '_' and '-'.");
		return isPlain;
	};
	input.onDidChangeValue(check);
	return answer(input, () => (check() ? input.value : undefined));
}

/**
 * What a person answers; `valid` gives undefined for what is not accepted yet. When a question closes, VS Code gives the keyboard back to
 * the editor, which may take it only after the next question has opened: so this one stays until the next is there.
 */
function answer<T>(
	input: vscode.InputBox | vscode.QuickPick<vscode.QuickPickItem & { readonly value: T }>,
	valid: () => T | undefined,
): Promise<T | undefined> {
	return new Promise<T | undefined>((resolve) => {
		const accept = () => {
			const value = valid();
			if (value === undefined) return;
			input.busy = true;
			resolve(value);
		};
		input.onDidAccept(accept);
		input.onDidTriggerButton(accept);
		input.onDidHide(() => resolve(undefined));
		input.show();
	}).finally(() => setTimeout(() => input.dispose(), nextQuestionMs));
}

const nextQuestionMs = 500;

function pick<T>(placeholder: string, items: readonly (vscode.QuickPickItem & { readonly value: T })[]) {
	const input = vscode.window.createQuickPick<vscode.QuickPickItem & { readonly value: T }>();
	input.placeholder = placeholder;
	input.items = items;
	return answer<T>(input, () => input.selectedItems[0]?.value);
}

const plainKernel = "";

async function pickLab(catalog: LabCatalog): Promise<string | undefined> {
	const labs = await Promise.all((await catalog.ids()).map((id) => catalog.about(id)));
	const items = labs.map(({ title, course, id }) => ({ label: title, description: course, value: id }));
	items.push({ label: vscode.l10n.t("Only the kernel"), description: vscode.l10n.t("no lab"), value: plainKernel });
	return pick(vscode.l10n.t("Which lab?"), items);
}

async function writeAll(folder: vscode.Uri, files: ReadonlyMap<string, Uint8Array>): Promise<void> {
	for (const path of files.keys()) {
		const uri = vscode.Uri.joinPath(folder, path);
		if (!(await exists(uri))) continue;
		throw new UserError(
			"already-exists",
			vscode.l10n.t("{0} already exists", uri.path),
			vscode.l10n.t("Nothing was written; choose an empty folder."),
		);
	}
	const title = vscode.l10n.t("xv6: making the workspace");
	const location = vscode.ProgressLocation.Notification;
	await vscode.window.withProgress({ location, title, cancellable: true }, async (progress, token) => {
		const written: vscode.Uri[] = [];
		try {
			for (const [path, bytes] of files) {
				if (token.isCancellationRequested)
					throw new UserError("cancelled", vscode.l10n.t("Cancelled"), vscode.l10n.t("Nothing was left behind."));
				const uri = vscode.Uri.joinPath(folder, path);
				await vscode.workspace.fs.writeFile(uri, bytes);
				written.push(uri);
				progress.report({ increment: 100 / files.size });
			}
		} catch (error) {
			for (const uri of written) await vscode.workspace.fs.delete(uri).then(undefined, () => undefined);
			if (error instanceof UserError) throw error;
			const next = vscode.l10n.t("Nothing was left behind. Choose a folder that you may write to.");
			const what = vscode.l10n.t("Cannot write to {0}: {1}", folder.path, (error as Error).message);
			throw new UserError("file-unwritable", what, next);
		}
	});
}

async function exists(uri: vscode.Uri): Promise<boolean> {
	return vscode.workspace.fs.stat(uri).then(
		() => true,
		() => false,
	);
}
