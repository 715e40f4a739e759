import * as vscode from "vscode";
import type { CoverageReport, FileCoverage } from "../protocol/coverage.ts";
import type { TestsCoverage } from "../protocol/engine.ts";
import { sourceUri } from "./terminalLinks.ts";

/** The details of one file: of all tests together, and of each that reached it. */
interface Details {
	readonly together: FileCoverage;
	readonly byTest: ReadonlyMap<string, FileCoverage>;
}

/** What VS Code was given, by which it asks for the details. */
const detailsOf = new WeakMap<vscode.FileCoverage, Details>();

/** Gives a run its coverage; `itemOf`: the item of a test's id. */
export function addCoverage(
	run: vscode.TestRun,
	root: vscode.Uri,
	{ parts, together }: TestsCoverage,
	itemOf: (test: string) => vscode.TestItem | undefined,
): void {
	for (const file of together.files) {
		const uri = sourceUri(root, file.file);
		if (!uri) continue;
		const byTest = new Map<string, FileCoverage>();
		const items: vscode.TestItem[] = [];
		for (const { name, report } of parts) {
			const item = itemOf(name);
			const own = fileOf(report, file.file);
			if (!item || !own?.lines.some(({ executed }) => executed)) continue;
			items.push(item);
			byTest.set(item.id, own);
		}
		const ways = file.jumps.reduce((sum, { taken, passed }) => sum + Number(taken) + Number(passed), 0);
		const coverage = new vscode.FileCoverage(
			uri,
			countOf(file.lines),
			file.jumps.length > 0 ? new vscode.TestCoverageCount(ways, 2 * file.jumps.length) : undefined,
			file.functions.length > 0 ? countOf(file.functions) : undefined,
			items,
		);
		detailsOf.set(coverage, { together: file, byTest });
		run.addCoverage(coverage);
	}
}

/** The answers to VS Code's questions about a file. */
export function answerCoverage(profile: vscode.TestRunProfile): void {
	profile.loadDetailedCoverage = async (_run, coverage) => detailed(detailsOf.get(coverage)?.together);
	profile.loadDetailedCoverageForTest = async (_run, coverage, test) =>
		detailed(detailsOf.get(coverage)?.byTest.get(test.id));
}

function fileOf({ files }: CoverageReport, name: string): FileCoverage | undefined {
	return files.find(({ file }) => file === name);
}

function countOf(list: readonly { readonly executed: boolean }[]): vscode.TestCoverageCount {
	return new vscode.TestCoverageCount(list.filter(({ executed }) => executed).length, list.length);
}

function detailed(file: FileCoverage | undefined): vscode.FileCoverageDetail[] {
	if (!file) return [];
	const at = (line: number) => new vscode.Position(line - 1, 0);
	const jumps = new Map<number, vscode.BranchCoverage[]>();
	for (const { line, executed, taken, passed } of file.jumps) {
		if (!executed) continue;
		const list = jumps.get(line) ?? [];
		jumps.set(line, list);
		list.push(
			new vscode.BranchCoverage(taken, at(line), vscode.l10n.t("jump taken")),
			new vscode.BranchCoverage(passed, at(line), vscode.l10n.t("jump not taken")),
		);
	}
	return [
		...file.lines.map(({ line, executed }) => new vscode.StatementCoverage(executed, at(line), jumps.get(line) ?? [])),
		...file.functions.map(({ name, line, executed }) => new vscode.DeclarationCoverage(name, executed, at(line))),
	];
}
