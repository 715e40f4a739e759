import type * as vscode from "vscode";

const prefix = "xv6Lab.run.";

/** Programs that have a palette entry of their own: the labs' (scripts/palette.mjs), and the kernel's own tests. */
export function labPrograms({ extension }: Pick<vscode.ExtensionContext, "extension">): readonly string[] {
	const commands: readonly { readonly command: string }[] = extension.packageJSON.contributes.commands;
	return commands.flatMap(({ command }) => (command.startsWith(prefix) ? command.slice(prefix.length) : []));
}
