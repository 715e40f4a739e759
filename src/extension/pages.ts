import * as vscode from "vscode";

/** Read-only pages of text that we make, shown as Markdown previews. */
export class Pages implements vscode.TextDocumentContentProvider, vscode.Disposable {
	private static readonly scheme = "xv6-lab";
	private readonly texts = new Map<string, string>();
	private readonly changed = new vscode.EventEmitter<vscode.Uri>();
	private readonly registration = vscode.workspace.registerTextDocumentContentProvider(Pages.scheme, this);
	readonly onDidChange = this.changed.event;

	provideTextDocumentContent(uri: vscode.Uri): string {
		return this.texts.get(uri.path) ?? "";
	}

	/** Shows a page; one of the same name becomes the new one. */
	async show(name: string, markdown: string): Promise<void> {
		const uri = vscode.Uri.from({ scheme: Pages.scheme, path: `/${name.replaceAll("/", " ")}.md` });
		this.texts.set(uri.path, markdown);
		this.changed.fire(uri);
		await vscode.commands.executeCommand("markdown.showPreview", uri);
	}

	dispose(): void {
		this.registration.dispose();
		this.changed.dispose();
	}
}
