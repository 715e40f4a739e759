import * as vscode from "vscode";
import type { TestInfo } from "../protocol/engine.ts";
import type { Folders } from "./folders.ts";
import type { LabFolder } from "./labFolder.ts";
import { startOf } from "./testMessages.ts";

type Node =
	/** Of the lab, or of a program that has tests by itself. */
	| { readonly kind: "root"; readonly folder: LabFolder }
	| { readonly kind: "task"; readonly folder: LabFolder }
	| { readonly kind: "test"; readonly folder: LabFolder; readonly id: string };

interface Shown {
	readonly label: string;
	readonly description?: string | undefined;
	readonly sortText?: string | undefined;
	/** From 1. */
	readonly line?: number | undefined;
}

/** What the Test Explorer shows: labs → tasks → tests of every open kernel, and the tests that programs have by themselves. */
export class TestItems {
	private readonly nodes = new WeakMap<vscode.TestItem, Node>();
	/** What each item was last given to show. */
	private readonly shown = new WeakMap<vscode.TestItem, string>();

	constructor(
		private readonly controller: vscode.TestController,
		private readonly folders: Folders,
	) {}

	/** Makes the items equal to the trees; an item that stays keeps its results. */
	update(): void {
		const wanted = new Set<string>();
		for (const folder of this.folders.all) {
			this.updatePrograms(folder, wanted);
			const lab = folder.tree.lab;
			if (!lab) continue;
			const key = folder.root.toString();
			wanted.add(key);
			const node = { kind: "root", folder } as const;
			const label = `${lab.title} (${folder.name})`;
			const shown = { label, description: folder.tree.recognised ?? "", sortText: "0" };
			const root = this.item(this.controller.items, key, folder.root, node, shown);
			for (const [i, task] of lab.tasks.entries()) {
				const tests = lab.tests.filter((test) => test.task === task.id);
				if (tests.length === 0) {
					root.children.delete(task.id);
					continue;
				}
				const shown = { label: `${task.id}: ${task.title}`, sortText: inOrder(i) };
				const parent = this.item(root.children, task.id, undefined, { kind: "task", folder }, shown);
				this.updateTests(parent, tests, folder);
				put(root.children, parent);
			}
			put(this.controller.items, root);
		}
		this.controller.items.forEach((item) => {
			if (!wanted.has(item.id)) this.controller.items.delete(item.id);
		});
	}

	/** Tests that programs have by themselves: a root each, below the lab's. */
	private updatePrograms(folder: LabFolder, wanted: Set<string>): void {
		for (const { program, tests } of folder.tree.programTests ?? []) {
			const key = programRoot(folder, program);
			wanted.add(key);
			const { source } = folder.tree.programs.find(({ name }) => name === program) ?? {};
			const uri = source === undefined ? undefined : vscode.Uri.joinPath(folder.root, source);
			// Below the lab.
			const shown = { label: `${program} (${folder.name})`, sortText: `1 ${program}` };
			const root = this.item(this.controller.items, key, uri, { kind: "root", folder }, shown);
			this.updateTests(root, tests, folder);
			put(this.controller.items, root);
		}
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
			// Of a program's own test the label says it all.
			const isOwn = test.command === `${test.program} ${test.title}`;
			const item = this.item(
				parent.children,
				test.id,
				uri,
				{ kind: "test", folder, id: test.id },
				{
					label: test.title,
					description: test.grade ? pointsOf(test.grade.points) : isOwn ? undefined : test.command,
					sortText: inOrder(i),
					line,
				},
			);
			put(parent.children, item);
			items.set(test.id, item);
			kept.get(parent)?.add(test.id);
			kept.set(item, new Set());
		}
		for (const [item, ids] of kept) {
			item.children.forEach((child) => {
				if (!ids.has(child.id)) item.children.delete(child.id);
			});
		}
	}

	/** The item with this id in the list, or a new one that is not in it yet. What stayed the same is not set again: each change is a message. */
	private item(
		list: vscode.TestItemCollection,
		id: string,
		uri: vscode.Uri | undefined,
		node: Node,
		shown: Shown,
	): vscode.TestItem {
		const known = list.get(id);
		const isSame = known !== undefined && known.uri?.toString() === uri?.toString();
		const item = isSame ? known : this.controller.createTestItem(id, shown.label, uri);
		this.nodes.set(item, node);
		const text = JSON.stringify(shown);
		if (this.shown.get(item) !== text) {
			this.shown.set(item, text);
			if (isSame) item.label = shown.label;
			if (shown.description !== undefined) item.description = shown.description;
			if (shown.sortText !== undefined) item.sortText = shown.sortText;
			item.range = shown.line === undefined ? undefined : startOf(shown.line);
		}
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
		for (const { program } of folder.tree.programTests ?? []) {
			const root = this.controller.items.get(programRoot(folder, program));
			if (root) visit(root.children);
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
				const folder = this.nodes.get(root)?.folder;
				if (!folder?.tree.lab || root.id === folder.root.toString()) visit(root);
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

/** A root comes last, with all that is below it: one message instead of one for each item. */
function put(list: vscode.TestItemCollection, item: vscode.TestItem): void {
	if (list.get(item.id) !== item) list.add(item);
}

/** Sorts as numbers do. */
const inOrder = (place: number) => String(place).padStart(3, "0");

function pointsOf(points: number): string {
	return points === 1 ? vscode.l10n.t("1 point") : vscode.l10n.t("{0} points", points);
}
