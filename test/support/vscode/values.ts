/** VS Code's values, as far as the extension makes or reads them. They behave as theirs do. */

export interface Disposed {
	dispose(): unknown;
}
export type Listener<T> = (event: T) => unknown;

export class Disposable {
	constructor(private readonly end: () => unknown) {}
	static from(...items: readonly Disposed[]): Disposable {
		return new Disposable(() => {
			for (const item of items) item.dispose();
		});
	}
	dispose(): void {
		this.end();
	}
}

export class EventEmitter<T> {
	private readonly listeners = new Set<Listener<T>>();
	readonly event = (listener: Listener<T>): Disposable => {
		const own: Listener<T> = (event) => listener(event);
		this.listeners.add(own);
		return new Disposable(() => this.listeners.delete(own));
	};
	fire(event: T): void {
		for (const listener of [...this.listeners]) listener(event);
	}
	dispose(): void {
		this.listeners.clear();
	}
}

interface UriParts {
	readonly scheme: string;
	readonly authority?: string;
	readonly path?: string;
	readonly query?: string;
	readonly fragment?: string;
}

export class Uri {
	private constructor(
		readonly scheme: string,
		readonly authority: string,
		readonly path: string,
		readonly query: string,
		readonly fragment: string,
	) {}
	static from({ scheme, authority = "", path = "", query = "", fragment = "" }: UriParts): Uri {
		return new Uri(scheme, authority, path, query, fragment);
	}
	static file(path: string): Uri {
		return Uri.from({ scheme: "file", path: path.startsWith("/") ? path : `/${path}` });
	}
	static joinPath(base: Uri, ...parts: readonly string[]): Uri {
		const names: string[] = [];
		for (const name of [base.path, ...parts].join("/").split("/")) {
			if (name === "..") names.pop();
			else if (name !== "" && name !== ".") names.push(name);
		}
		return base.with({ path: `/${names.join("/")}` });
	}
	with(change: Partial<UriParts>): Uri {
		return Uri.from({ ...this.parts, ...change });
	}
	private get parts(): UriParts {
		const { scheme, authority, path, query, fragment } = this;
		return { scheme, authority, path, query, fragment };
	}
	get fsPath(): string {
		return this.path;
	}
	toString(): string {
		const { scheme, authority, path, query, fragment } = this;
		return `${scheme}://${authority}${encodeURI(path)}${query && `?${query}`}${fragment && `#${fragment}`}`;
	}
}

export class Position {
	constructor(
		readonly line: number,
		readonly character: number,
	) {
		if (line < 0 || character < 0) throw new Error("a position is not negative");
	}
	isBefore(other: Position): boolean {
		return this.line < other.line || (this.line === other.line && this.character < other.character);
	}
}

export class Range {
	readonly start: Position;
	readonly end: Position;
	constructor(a: number | Position, b: number | Position, c?: number, d?: number) {
		const [from, to] =
			typeof a === "number" ? [new Position(a, b as number), new Position(c ?? 0, d ?? 0)] : [a, b as Position];
		[this.start, this.end] = to.isBefore(from) ? [to, from] : [from, to];
	}
	get isEmpty(): boolean {
		return !this.start.isBefore(this.end);
	}
	intersection(other: Range): Range | undefined {
		const start = this.start.isBefore(other.start) ? other.start : this.start;
		const end = this.end.isBefore(other.end) ? this.end : other.end;
		return end.isBefore(start) ? undefined : new Range(start, end);
	}
	contains(other: Range): boolean {
		return !other.start.isBefore(this.start) && !this.end.isBefore(other.end);
	}
}

export class Location {
	readonly range: Range;
	constructor(
		readonly uri: Uri,
		at: Range | Position,
	) {
		this.range = at instanceof Range ? at : new Range(at, at);
	}
}

/** Classes that hold what they are given. */
const record = <K extends string>(...names: readonly K[]) =>
	class {
		constructor(...values: readonly unknown[]) {
			names.forEach((name, i) => {
				(this as Record<string, unknown>)[name] = values[i];
			});
		}
	} as new (
		...values: readonly unknown[]
	) => { [name in K]: unknown } & Record<string, unknown>;

export const ThemeIcon = record("id", "color");
export const ThemeColor = record("id");
export const TreeItem = record("label", "collapsibleState");
export const Diagnostic = record("range", "message", "severity");
export const DiagnosticRelatedInformation = record("location", "message");
export const CodeLens = record("range", "command");
export const CodeAction = record("title", "kind");
export const SymbolInformation = record("name", "kind", "containerName", "location");
export const DocumentSymbol = record("name", "detail", "kind", "range", "selectionRange");
export const Hover = record("contents");
export const InlineValueVariableLookup = record("range", "variableName", "caseSensitiveLookup");
export const TestRunRequest = record("include", "exclude", "profile", "continuous");
export const TestMessageStackFrame = record("label", "uri", "position");
export const TestCoverageCount = record("covered", "total");
export const FileCoverage = record(
	...(["uri", "statementCoverage", "branchCoverage", "declarationCoverage", "includesTests"] as const),
);
export const StatementCoverage = record("executed", "location", "branches");
export const BranchCoverage = record("executed", "location", "label");
export const DeclarationCoverage = record("name", "executed", "location");
export const TerminalProfile = record("options");
export const Task = record("definition", "scope", "name", "source", "execution");
export const CustomExecution = record("callback");
export const RelativePattern = record("base", "pattern");
export const DebugAdapterInlineImplementation = record("implementation");

export class TestMessage {
	[more: string]: unknown;
	constructor(readonly message: string | MarkdownString) {}
	static diff(message: string, expectedOutput: string, actualOutput: string): TestMessage {
		return Object.assign(new TestMessage(message), { expectedOutput, actualOutput });
	}
}

export class MarkdownString {
	constructor(public value = "") {}
	appendCodeblock(code: string, language = ""): this {
		this.value += `\n\`\`\`${language}\n${code}\n\`\`\`\n`;
		return this;
	}
	appendText(text: string): this {
		this.value += text.replace(/[\\`*_{}[\]()#+\-!~<>]/g, "\\$&");
		return this;
	}
	appendMarkdown(text: string): this {
		this.value += text;
		return this;
	}
}

export class WorkspaceEdit {
	readonly edits: { readonly uri: Uri; readonly range: Range; readonly text: string }[] = [];
	replace(uri: Uri, range: Range, text: string): void {
		this.edits.push({ uri, range, text });
	}
	insert(uri: Uri, at: Position, text: string): void {
		this.replace(uri, new Range(at, at), text);
	}
}

export class CancellationTokenSource {
	private readonly emitter = new EventEmitter<void>();
	readonly token = { isCancellationRequested: false, onCancellationRequested: this.emitter.event };
	cancel(): void {
		if (this.token.isCancellationRequested) return;
		this.token.isCancellationRequested = true;
		this.emitter.fire();
	}
	dispose(): void {
		this.emitter.dispose();
	}
}

export class FileSystemError extends Error {
	constructor(
		message: string,
		readonly code: string,
	) {
		super(message);
	}
	static FileNotFound(uri: Uri): FileSystemError {
		return new FileSystemError(`${uri.path} does not exist`, "FileNotFound");
	}
}

export const FileType = { Unknown: 0, File: 1, Directory: 2, SymbolicLink: 64 };
export const DiagnosticSeverity = { Error: 0, Warning: 1, Information: 2, Hint: 3 };
export const TreeItemCollapsibleState = { None: 0, Collapsed: 1, Expanded: 2 };
export const StatusBarAlignment = { Left: 1, Right: 2 };
export const TestRunProfileKind = { Run: 1, Debug: 2, Coverage: 3 };
export const ProgressLocation = { SourceControl: 1, Window: 10, Notification: 15 };
export const ViewColumn = { Active: -1, Beside: -2, One: 1, Two: 2 };
export const ConfigurationTarget = { Global: 1, Workspace: 2, WorkspaceFolder: 3 };
export const DebugConfigurationProviderTriggerKind = { Initial: 1, Dynamic: 2 };
export const TaskScope = { Global: 1, Workspace: 2 };
export const TaskGroup = { Build: "build" };
export const CodeActionKind = { QuickFix: "quickfix" };
export const SymbolKind = {
	...{ Function: 11, Variable: 12, Constant: 13, Enum: 9, EnumMember: 21, Struct: 22, Interface: 10 },
};
export const version = "1.100.0";
export const env = { language: "en" };

/** Texts with `{0}` in them, as the English of a window has them. */
export const l10n = {
	t: (text: string, ...values: readonly (string | number | boolean)[]): string =>
		text.replace(/\{(\d+)\}/g, (whole, i: string) =>
			values[Number(i)] === undefined ? whole : `${values[Number(i)]}`,
		),
};
