import * as vscode from "vscode";
import { UserError } from "../common/errors.ts";
import { writeFile } from "./files.ts";
import type { Folders } from "./folders.ts";

const names = {
	commands: "compile_commands.json",
	clangd: ".clangd",
	cpptools: ".vscode/c_cpp_properties.json",
} as const;

/**
 * *Write compile_commands.json*: what cpptools and clangd need to read the tree as its compiler does. A file that is there and was not
 * made by this command stays as it is, unless the person says otherwise; git is told to leave both alone.
 */
export function registerCompileCommands(folders: Folders): vscode.Disposable {
	return vscode.commands.registerCommand("xv6Lab.compileCommands", async () => {
		try {
			await write(folders);
		} catch (error) {
			if (!(error instanceof UserError)) throw error;
			void vscode.window.showErrorMessage(error.format());
		}
	});
}

async function write(folders: Folders): Promise<void> {
	const folder = await folders.choose();
	if (!folder) return;
	await folder.sync();
	const { root } = folder;
	const directory = root.scheme === "file" ? root.fsPath : root.path;
	const files = await folder.engine().request("compileCommands", { directory });
	const { fs } = vscode.workspace;
	const clangd = vscode.Uri.joinPath(root, names.clangd);
	const before = await Promise.resolve(fs.readFile(clangd)).catch(() => undefined);
	const isOurs = before === undefined || new TextDecoder().decode(before).startsWith("# Made by xv6 Lab");
	await writeFile(vscode.Uri.joinPath(root, names.commands), new TextEncoder().encode(files.commands));
	if (isOurs) await writeFile(clangd, new TextEncoder().encode(files.clangd));
	await forCpptools(root, files.cppProperties);
	await leaveOutOfGit(root);
	const text = isOurs
		? vscode.l10n.t("xv6: wrote {0} and {1}. git leaves them alone.", names.commands, names.clangd)
		: vscode.l10n.t("xv6: wrote {0}. {1} is your own and was not changed.", names.commands, names.clangd);
	void vscode.window.showInformationMessage(text);
}

/** cpptools finds the commands itself; on Windows it reads them as another compiler would. A file of the person's own stays. */
async function forCpptools(root: vscode.Uri, text: string): Promise<void> {
	const onWindows = root.scheme === "file" && /^[a-z]:/i.test(root.fsPath);
	if (!onWindows || !vscode.extensions.getExtension("ms-vscode.cpptools")) return;
	const file = vscode.Uri.joinPath(root, names.cpptools);
	const isThere = await Promise.resolve(vscode.workspace.fs.stat(file)).then(
		() => true,
		() => false,
	);
	if (!isThere) await writeFile(file, new TextEncoder().encode(text));
}

/** By the clone's own list, which is no file of the tree. */
async function leaveOutOfGit(root: vscode.Uri): Promise<void> {
	const { fs } = vscode.workspace;
	const file = vscode.Uri.joinPath(root, ".git/info/exclude");
	const bytes = await Promise.resolve(fs.readFile(file)).catch(() => undefined);
	if (!bytes) return;
	const text = new TextDecoder().decode(bytes);
	const lines = text.split("\n");
	const missing = Object.values(names).filter((name) => !lines.includes(`/${name}`));
	if (missing.length === 0) return;
	const whole = `${text.replace(/\n?$/, "\n")}${missing.map((name) => `/${name}\n`).join("")}`;
	await writeFile(file, new TextEncoder().encode(whole));
}
