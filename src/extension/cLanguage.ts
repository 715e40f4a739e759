import * as vscode from "vscode";
import { DisposableStore } from "../common/disposable.ts";
import type { Declared } from "../protocol/declared.ts";
import { bestOf, type CSymbol, chainBefore, type SymbolKind, symbolsOf } from "./cSymbols.ts";
import type { Folders } from "./folders.ts";
import type { LabFolder } from "./labFolder.ts";

type Placed = CSymbol & { readonly path: string; readonly uri: vscode.Uri };

/** Extensions that know C better. */
const others = ["ms-vscode.cpptools", "llvm-vs-code-extensions.vscode-clangd", "anysphere.cpptools"];

const kinds: Readonly<Record<SymbolKind, vscode.SymbolKind>> = {
	function: vscode.SymbolKind.Function,
	prototype: vscode.SymbolKind.Function,
	variable: vscode.SymbolKind.Variable,
	struct: vscode.SymbolKind.Struct,
	enum: vscode.SymbolKind.Enum,
	enumerator: vscode.SymbolKind.EnumMember,
	typedef: vscode.SymbolKind.Interface,
	macro: vscode.SymbolKind.Constant,
	label: vscode.SymbolKind.Function,
};

/**
 * Go to definition, hover, outline and symbols for a kernel tree, where no C extension does it: nothing to install, and in the browser, too.
 */
export class CLanguage implements vscode.Disposable {
	private readonly store = new DisposableStore();
	private registered: vscode.Disposable | undefined;
	private turns: Promise<void> = Promise.resolve();
	/** By URI: the symbols of a file as it was. */
	private readonly known = new Map<string, { readonly stamp: string; readonly symbols: readonly Placed[] }>();

	constructor(private readonly folders: Folders) {
		this.store.add(vscode.extensions.onDidChange(() => this.update()));
		this.update();
	}

	dispose(): void {
		this.registered?.dispose();
		this.store.dispose();
	}

	private update(): void {
		const isNeeded = !others.some((id) => vscode.extensions.getExtension(id));
		if (isNeeded === (this.registered !== undefined)) return;
		this.registered?.dispose();
		this.registered = isNeeded ? this.register() : undefined;
	}

	private register(): vscode.Disposable {
		const selector: vscode.DocumentSelector = [{ pattern: "**/*.{c,h,S}" }];
		const { languages } = vscode;
		return vscode.Disposable.from(
			languages.registerDefinitionProvider(selector, {
				provideDefinition: (document, at) => this.definition(document, at),
			}),
			languages.registerHoverProvider(selector, { provideHover: (document, at) => this.hover(document, at) }),
			languages.registerDocumentSymbolProvider(selector, {
				provideDocumentSymbols: (document) => (this.folders.of(document.uri) ? outline(document) : []),
			}),
			languages.registerWorkspaceSymbolProvider({ provideWorkspaceSymbols: (query) => this.named(query) }),
		);
	}

	// ---- answers ---------------------------------------------------------------------------------------------------

	private async definition(document: vscode.TextDocument, at: vscode.Position): Promise<vscode.Location[]> {
		return (await this.meant(document, at)).map(
			({ uri, nameLine, column }) => new vscode.Location(uri, new vscode.Position(nameLine, column)),
		);
	}

	private async hover(document: vscode.TextDocument, at: vscode.Position): Promise<vscode.Hover | undefined> {
		const declared = await this.declared(document, at);
		if (declared && declared.kind !== "global") {
			const { text, within } = declared;
			const place = within
				? vscode.l10n.t("in {0}, at offset {1}, {2} bytes", within.type, within.offset, within.size)
				: "";
			return new vscode.Hover(new vscode.MarkdownString().appendCodeblock(text, "c").appendText(place));
		}
		const [found] = await this.meant(document, at);
		if (!found) return undefined;
		const text = new vscode.MarkdownString().appendCodeblock(found.text, "c");
		const link = found.uri.with({ fragment: `L${found.nameLine + 1}` });
		return new vscode.Hover(text.appendMarkdown(`[${found.path}:${found.nameLine + 1}](${link.toString()})`));
	}

	/** Of a local variable or a member only the compiler knows the type: what it said in the last build. */
	private async declared(document: vscode.TextDocument, at: vscode.Position): Promise<Declared | undefined> {
		const folder = this.folders.of(document.uri);
		const word = document.getWordRangeAtPosition(at, /[A-Za-z_]\w*/);
		if (!folder || !word || document.isDirty) return undefined;
		const chain = chainBefore(document.lineAt(word.end.line).text.slice(0, word.end.character));
		if (!chain) return undefined;
		return folder.declared({ path: pathIn(folder, document.uri), line: word.end.line + 1, chain });
	}

	private async named(query: string): Promise<vscode.SymbolInformation[]> {
		const wanted = query.toLowerCase();
		const found: vscode.SymbolInformation[] = [];
		for (const folder of this.folders.all)
			for (const symbol of await this.symbols(folder)) {
				if (symbol.kind === "prototype" || !symbol.name.toLowerCase().includes(wanted)) continue;
				const place = new vscode.Location(symbol.uri, new vscode.Position(symbol.nameLine, symbol.column));
				found.push(new vscode.SymbolInformation(symbol.name, kinds[symbol.kind], symbol.path, place));
			}
		return found;
	}

	/** Definitions of the name at a place. */
	private async meant(document: vscode.TextDocument, at: vscode.Position): Promise<readonly Placed[]> {
		const folder = this.folders.of(document.uri);
		const range = document.getWordRangeAtPosition(at, /[A-Za-z_]\w*/);
		if (!folder || !range) return [];
		const name = document.getText(range);
		const all = (await this.symbols(folder)).filter((symbol) => symbol.name === name);
		return bestOf(all, pathIn(folder, document.uri));
	}

	// ---- the index -------------------------------------------------------------------------------------------------

	/** Resolves in a later turn of the event loop, one caller a turn. */
	private get turn(): Promise<void> {
		this.turns = this.turns.then(() => new Promise((next) => setTimeout(next)));
		return this.turns;
	}

	private async symbols(folder: LabFolder): Promise<readonly Placed[]> {
		const lists = await Promise.all(
			["kernel", "user"].map(async (name) => {
				const uri = vscode.Uri.joinPath(folder.root, name);
				const entries = await Promise.resolve(vscode.workspace.fs.readDirectory(uri)).catch(() => []);
				const files = entries.filter(([file]) => /\.[chS]$/.test(file));
				return Promise.all(files.map(([file]) => this.symbolsIn(folder, vscode.Uri.joinPath(uri, file))));
			}),
		);
		return lists.flat(2);
	}

	private async symbolsIn(folder: LabFolder, uri: vscode.Uri): Promise<readonly Placed[]> {
		const key = uri.toString();
		const document = vscode.workspace.textDocuments.find((one) => one.uri.toString() === key);
		const stat = document ? undefined : await Promise.resolve(vscode.workspace.fs.stat(uri)).catch(() => undefined);
		if (!document && !stat) return [];
		const stamp = document ? `v${document.version}` : `${stat?.mtime} ${stat?.size}`;
		const known = this.known.get(key);
		if (known?.stamp === stamp) return known.symbols;
		const text = document?.getText() ?? new TextDecoder().decode(await vscode.workspace.fs.readFile(uri));
		const path = pathIn(folder, uri);
		// A turn of the event loop for each file: the first look at a tree reads all of them.
		await this.turn;
		const symbols = symbolsOf(text, path.endsWith(".S")).map((symbol) => ({ ...symbol, path, uri }));
		this.known.set(key, { stamp, symbols });
		return symbols;
	}
}

function pathIn(folder: LabFolder, uri: vscode.Uri): string {
	return uri.path.slice(folder.root.path.length + 1);
}

function outline(document: vscode.TextDocument): vscode.DocumentSymbol[] {
	return symbolsOf(document.getText(), document.uri.path.endsWith(".S"))
		.filter(({ kind }) => kind !== "prototype")
		.map(({ name, kind, line, end, nameLine, column }) => {
			const whole = new vscode.Range(line, 0, end, document.lineAt(Math.min(end, document.lineCount - 1)).text.length);
			const own = new vscode.Range(nameLine, column, nameLine, column + name.length);
			return new vscode.DocumentSymbol(name, "", kinds[kind], whole, whole.contains(own) ? own : whole);
		});
}
