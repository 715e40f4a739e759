import * as vscode from "vscode";
import type { LabInfo, TestInfo, TreeInfo } from "../protocol/engine.ts";
import type { Folders } from "./folders.ts";
import type { LabFolder } from "./labFolder.ts";
import { startOf } from "./testMessages.ts";

type Node =
	| { readonly kind: "lab"; readonly folder: LabFolder }
	/** Has tests by itself. */
	| { readonly kind: "program"; readonly folder: LabFolder; readonly program: string }
	| { readonly kind: "task"; readonly folder: LabFolder }
	| { readonly kind: "test"; readonly folder: LabFolder; readonly id: string };

/** What the Test Explorer shows: labs → tasks → tests of every open kernel, and the tests that programs have by themselves. */
export class TestItems {
	private readonly nodes = new WeakMap<vscode.TestItem, Node>();
	/** The trees that the items of each folder were made of. */
	private made = new WeakMap<LabFolder, TreeInfo>();
	/** Asked for once, and again when it changes: VS Code takes a tenth of a millisecond for a setting. */
	private isReadAloud = asksReadAloud();

	constructor(
		private readonly controller: vscode.TestController,
		private readonly folders: Folders,
	) {}

	/** As `update`, when what the items are called has changed. */
	rename(): void {
		this.isReadAloud = asksReadAloud();
		this.made = new WeakMap();
		this.update();
	}

	/** Makes the items equal to the trees; an item that stays keeps its results. */
	update(): void {
		const wanted = new Set<string>();
		for (const folder of this.folders.all) {
			const { lab, programTests = [] } = folder.tree;
			if (lab) wanted.add(folder.root.toString());
			for (const { program } of programTests) wanted.add(programRoot(folder, program));
			// Fifty trees of a class change one after the other.
			if (this.made.get(folder) === folder.tree) continue;
			this.made.set(folder, folder.tree);
			if (lab) this.updateLab(folder, lab);
			for (const { program } of programTests) this.updateProgram(folder, program);
		}
		keepOnly(this.controller.items, wanted);
	}

	private updateLab(folder: LabFolder, lab: LabInfo): void {
		const label = `${lab.title} (${folder.name})`;
		const root = this.item(this.controller.items, folder.root.toString(), label, folder.root, { kind: "lab", folder });
		root.description = folder.tree.recognised ?? "";
		root.sortText = "0";
		const tasks = lab.tasks.filter(({ id }) => lab.tests.some((test) => test.task === id));
		for (const [i, task] of tasks.entries()) {
			const tests = lab.tests.filter((test) => test.task === task.id);
			const label = `${task.id}: ${task.title}`;
			const parent = this.item(root.children, task.id, label, undefined, { kind: "task", folder });
			parent.sortText = inOrder(i);
			this.updateTests(parent, tests, folder);
			put(root.children, parent);
		}
		keepOnly(root.children, new Set(tasks.map(({ id }) => id)));
		put(this.controller.items, root);
	}

	/** Below the lab. What a program tests by itself is made when it is looked at: usertests of every tree has sixty. */
	private updateProgram(folder: LabFolder, program: string): void {
		const { source } = folder.tree.programs.find(({ name }) => name === program) ?? {};
		const uri = source === undefined ? undefined : vscode.Uri.joinPath(folder.root, source);
		const label = `${program} (${folder.name})`;
		const node = { kind: "program", folder, program } as const;
		const root = this.item(this.controller.items, programRoot(folder, program), label, uri, node);
		root.sortText = `1 ${program}`;
		root.canResolveChildren = true;
		if (root.children.size > 0 || vscode.workspace.textDocuments.some((open) => isAt(root, open.uri)))
			this.resolve(root);
		put(this.controller.items, root);
	}

	/** Makes what is below the item of a program. */
	resolve(item: vscode.TestItem): void {
		const node = this.nodes.get(item);
		if (node?.kind !== "program") return;
		const { folder, program } = node;
		const own = folder.tree.programTests?.find((one) => one.program === program);
		this.updateTests(item, own?.tests ?? [], folder);
	}

	/** Tests stand beside their functions in an editor, too. */
	resolveAt(uri: vscode.Uri): void {
		this.controller.items.forEach((root) => {
			if (isAt(root, uri)) this.resolve(root);
		});
	}

	/** A test that another has to pass before stands below that one. */
	private updateTests(task: vscode.TestItem, tests: readonly TestInfo[], folder: LabFolder): void {
		const items = new Map<string, vscode.TestItem>();
		const kept = new Map<vscode.TestItem, Set<string>>([[task, new Set()]]);
		for (const [i, test] of tests.entries()) {
			const { source, main } = folder.tree.programs.find((program) => program.name === test.program) ?? {};
			const [file, line] = test.grade ? [test.grade.file, test.grade.line] : [source, test.line ?? main];
			const uri = file ? vscode.Uri.joinPath(folder.root, file) : undefined;
			const parent = items.get(test.grade?.parent ?? "") ?? task;
			// A screen reader says an item's description in place of its label: points, and for its user the command, belong to the label.
			const command = this.isReadAloud ? test.command : undefined;
			const more = test.grade ? pointsOf(test.grade.points) : command;
			const label = more === undefined ? test.title : `${test.title} (${more})`;
			const item = this.item(parent.children, test.id, label, uri, { kind: "test", folder, id: test.id });
			item.description = more === undefined ? test.command : "";
			item.range = line === undefined ? undefined : startOf(line);
			item.sortText = inOrder(i);
			put(parent.children, item);
			items.set(test.id, item);
			kept.get(parent)?.add(test.id);
			kept.set(item, new Set());
		}
		for (const [item, ids] of kept) keepOnly(item.children, ids);
	}

	/** The item with this id in the list, or a new one that is not in it yet. */
	private item(
		list: vscode.TestItemCollection,
		id: string,
		label: string,
		uri: vscode.Uri | undefined,
		node: Node,
	): vscode.TestItem {
		const known = list.get(id);
		const isSame = known !== undefined && known.uri?.toString() === uri?.toString();
		const item = isSame ? known : this.controller.createTestItem(id, label, uri);
		item.label = label;
		this.nodes.set(item, node);
		return item;
	}

	/** The item of one test of a folder's lab. */
	find(folder: LabFolder, test: string): vscode.TestItem | undefined {
		let found: vscode.TestItem | undefined;
		const visit = (items: vscode.TestItemCollection): void => {
			found ??= items.get(test);
			if (found) return;
			items.forEach((item) => {
				visit(item.children);
			});
		};
		this.controller.items.get(folder.root.toString())?.children.forEach((task) => {
			visit(task.children);
		});
		for (const { program, tests } of folder.tree.programTests ?? []) {
			const root = tests.some(({ id }) => id === test) && this.controller.items.get(programRoot(folder, program));
			if (!root) continue;
			this.resolve(root);
			visit(root.children);
		}
		return found;
	}

	/** The lab's test that an item of the explorer is. */
	testOf(
		item: vscode.TestItem,
	): { readonly folder: LabFolder; readonly id: string; readonly command: string } | undefined {
		const node = this.nodes.get(item);
		const test = node?.kind === "test" ? testInfo(node.folder, node.id) : undefined;
		return node && test && { folder: node.folder, id: test.id, command: test.command };
	}

	/** The folder and the id of the test that an item is. */
	idOf(item: vscode.TestItem): { readonly folder: LabFolder; readonly id: string } | undefined {
		const node = this.nodes.get(item);
		return node?.kind === "test" ? node : undefined;
	}

	/** The root of a folder's lab. */
	rootOf(folder: LabFolder): vscode.TestItem | undefined {
		return this.controller.items.get(folder.root.toString());
	}

	/** The tests that a request means, by tree. */
	selected(request: vscode.TestRunRequest): Map<LabFolder, vscode.TestItem[]> {
		const excluded = new Set(request.exclude ?? []);
		const result = new Map<LabFolder, vscode.TestItem[]>();
		const visit = (item: vscode.TestItem): void => {
			if (excluded.has(item)) return;
			const node = this.nodes.get(item);
			if (node?.kind === "program") this.resolve(item);
			if (node?.kind === "test") result.set(node.folder, [...(result.get(node.folder) ?? []), item]);
			const children: vscode.TestItem[] = [];
			item.children.forEach((child) => {
				children.push(child);
			});
			for (const child of children.sort((a, b) => ((a.sortText ?? "") < (b.sortText ?? "") ? -1 : 1))) visit(child);
		};
		if (request.include) for (const item of request.include) visit(item);
		else {
			this.controller.items.forEach((root) => {
				// All of usertests takes a minute: with a lab beside it, they run where they are meant.
				const node = this.nodes.get(root);
				if (node?.kind === "lab" || !node?.folder.tree.lab) visit(root);
			});
		}
		return result;
	}
}

/** The item of the lab or program that an item belongs to. */
export function topOf(item: vscode.TestItem): vscode.TestItem {
	return item.parent ? topOf(item.parent) : item;
}

/** The root of a program's own tests: an id that is no path of a tree. */
function programRoot(folder: LabFolder, program: string): string {
	return `${folder.root} ${program}`;
}

/** A test of a folder's lab, or of one of its programs. */
export function testInfo({ tree }: LabFolder, id: string): TestInfo | undefined {
	const lists = [tree.lab?.tests ?? [], ...(tree.programTests ?? []).map(({ tests }) => tests)];
	return lists.flat().find((test) => test.id === id);
}

const isAt = (item: vscode.TestItem, uri: vscode.Uri): boolean => item.uri?.toString() === uri.toString();

/** A root comes last, with all that is below it: one message instead of one for each item. */
function put(list: vscode.TestItemCollection, item: vscode.TestItem): void {
	if (list.get(item.id) !== item) list.add(item);
}

/** VS Code tells extensions of a screen reader by this setting alone, which it sets when the person says that they use one. */
export const readAloud = "editor.accessibilitySupport";
const asksReadAloud = () => vscode.workspace.getConfiguration("editor").get("accessibilitySupport") === "on";

/** What a tree has no more goes. */
function keepOnly(list: vscode.TestItemCollection, ids: ReadonlySet<string>): void {
	list.forEach(({ id }) => {
		if (!ids.has(id)) list.delete(id);
	});
}

/** Sorts as numbers do. */
const inOrder = (place: number) => String(place).padStart(3, "0");

function pointsOf(points: number): string {
	return points === 1 ? vscode.l10n.t("1 point") : vscode.l10n.t("{0} points", points);
}
