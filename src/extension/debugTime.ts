import * as vscode from "vscode";

/** Where a debugged machine stands in its history; the body of the debugger's `xv6/moved` event. */
export interface Moved {
	readonly position: number;
	readonly present: number;
	readonly oldest: number;
	readonly isPast: boolean;
	/** Why it stands. */
	readonly what?: string;
}

interface Moment {
	readonly position: number;
	readonly what: string;
	readonly kind: "oldest" | "stop" | "present";
}

const mostStops = 50;

/** The time line in the Run and Debug view: the moments that the machine stood at, in the order of guest time; a click goes there. */
export class DebugTime implements vscode.TreeDataProvider<Moment>, vscode.Disposable {
	private readonly changed = new vscode.EventEmitter<undefined>();
	readonly onDidChangeTreeData = this.changed.event;
	private readonly view: vscode.TreeView<Moment>;
	private stops: Moment[] = [];
	private now: Moved | undefined;

	constructor() {
		this.view = vscode.window.createTreeView("xv6Lab.debugTime", { treeDataProvider: this });
	}

	dispose(): void {
		this.view.dispose();
		this.changed.dispose();
	}

	moved(now: Moved): void {
		this.now = now;
		const known = this.stops.filter(({ position }) => position !== now.position && position >= now.oldest);
		const stop: Moment = { position: now.position, what: now.what ?? "", kind: "stop" };
		// What is after a present that lies earlier than it did has not happened.
		this.stops = [...known.filter(({ position }) => position <= now.present), stop].slice(-mostStops);
		this.view.description = now.isPast ? vscode.l10n.t("in the past") : "";
		this.changed.fire(undefined);
	}

	/** The session is over. */
	clear(): void {
		this.now = undefined;
		this.stops = [];
		this.view.description = "";
		this.changed.fire(undefined);
	}

	getChildren(parent?: Moment): Moment[] {
		const { now } = this;
		if (parent || !now) return [];
		const ends: Moment[] = [
			{ position: now.oldest, what: vscode.l10n.t("Start of the history"), kind: "oldest" },
			{ position: now.present, what: vscode.l10n.t("Present"), kind: "present" },
		];
		const inside = this.stops.filter(({ position }) => position > now.oldest && position < now.present);
		return [...ends, ...inside].sort((a, b) => a.position - b.position);
	}

	getTreeItem({ position, what, kind }: Moment): vscode.TreeItem {
		const count = position.toLocaleString("en");
		const item = new vscode.TreeItem(what || vscode.l10n.t("Instruction {0}", count));
		item.description = count;
		const isHere = position === this.now?.position;
		item.iconPath = new vscode.ThemeIcon(isHere ? "debug-stackframe" : kind === "stop" ? "circle-outline" : "history");
		item.tooltip = isHere
			? vscode.l10n.t("The machine stands here, instruction {0}", count)
			: vscode.l10n.t("Go to instruction {0}", count);
		if (isHere)
			item.accessibilityInformation = {
				label: vscode.l10n.t("{0}, instruction {1}: here", item.label as string, count),
			};
		else
			item.command =
				kind === "present"
					? { command: "xv6Lab.debug.toPresent", title: vscode.l10n.t("Go to the Present") }
					: { command: "xv6Lab.debug.seek", title: vscode.l10n.t("Go to Instruction"), arguments: [position] };
		return item;
	}
}
