// What a person waits for in the editor, and what the extension host's process takes; see editor.mjs, which starts this in a real one.
import { strict as assert } from "node:assert";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { loadavg } from "node:os";
import { performance } from "node:perf_hooks";
import * as vscode from "vscode";
import type { Xv6LabApi } from "../src/extension/app.ts";
import type { LabFolder } from "../src/extension/labFolder.ts";

/** One measurement; `cpuMs` is of the whole process, with all workers and V8's own threads. */
export interface Figure {
	readonly wallMs: number;
	readonly cpuMs: number;
}

/** What one extension host has measured. */
export interface EditorFigures {
	readonly load: number;
	readonly cold: Figure;
	readonly rerun: Figure;
	readonly firstEdit: Figure;
	readonly laterEdits: readonly Figure[];
	/** Resident memory in MiB, in the order of time. */
	readonly memory: readonly { readonly when: string; readonly mib: number }[];
}

/** Time between the first key of an edit and the wish to run it: a person types. */
const typingMs = 3000;
/** Longer than a compiler stays without work. */
const idleMs = 130_000;

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Called by VS Code in its extension host. */
export async function run(): Promise<void> {
	const memory: { when: string; mib: number }[] = [];
	const remember = (when: string) => {
		memory.push({ when, mib: process.memoryUsage.rss() / 1024 / 1024 });
		if (process.env.XV6_LAB_HOLDERS) console.log(`[test] ${when}\n${holders()}`);
	};
	await quiet();
	remember("VS Code alone");
	const { api, folder } = await openLab();
	await quiet();
	remember("the lab is open");
	const cold = await measure(() => runProdcons1(folder));
	const rerun = await measure(() => runProdcons1(folder));
	await quiet();
	remember("prodcons1 has run");
	const editor = await vscode.window.showTextDocument(vscode.Uri.joinPath(folder.root, "kernel/trap.c"));
	const edited = async (text: string) => {
		await editor.edit((edit) => edit.insert(new vscode.Position(0, 0), `#define ${text} 1\n`));
		await wait(typingMs);
		await editor.edit((edit) => edit.insert(new vscode.Position(0, 0), `// ${text}\n`));
		return measure(() => runProdcons1(folder));
	};
	const firstEdit = await edited("FIRST");
	remember("an own edit was built");
	const laterEdits = [await edited("SECOND"), await edited("THIRD"), await edited("FOURTH")];
	if (process.env.XV6_LAB_IDLE) {
		await wait(idleMs);
		await quiet();
		remember("idle, the machine at its prompt");
		await vscode.commands.executeCommand("xv6Lab.stop");
		await wait(5000);
		await quiet();
		remember("idle, the machine off");
	}
	assert.ok(api.folders().length > 0);
	const figures: EditorFigures = { load: loadavg()[0] ?? 0, cold, rerun, firstEdit, laterEdits, memory };
	writeFileSync(process.env.XV6_LAB_RESULT ?? "", JSON.stringify(figures));
}

async function openLab(): Promise<{ api: Xv6LabApi; folder: LabFolder }> {
	const extension = vscode.extensions.getExtension<Xv6LabApi>("xv6-lab.xv6-lab");
	const root = vscode.workspace.workspaceFolders?.[0]?.uri;
	assert.ok(extension && root);
	const api = await extension.activate();
	const uri = vscode.Uri.joinPath(root, "lab");
	mkdirSync(uri.fsPath, { recursive: true });
	await api.newWorkspace("hw5-anonymous-mmap", uri);
	await api.refresh();
	const [folder] = api.folders();
	assert.ok(folder);
	return { api, folder };
}

async function runProdcons1(folder: LabFolder): Promise<void> {
	await vscode.commands.executeCommand("xv6Lab.runProgramAt", folder.root, "prodcons1");
	assert.equal(folder.lastRun?.outcome, "failed", "the starter's verdict is there");
}

async function measure(work: () => Promise<void>): Promise<Figure> {
	const cpu = process.cpuUsage();
	const wall = performance.now();
	await work();
	const wallMs = performance.now() - wall;
	const { user, system } = process.cpuUsage(cpu);
	return { wallMs, cpuMs: (user + system) / 1000 };
}

/** The process rests: VS Code activates other extensions long after the window is there. */
async function quiet(): Promise<void> {
	for (let calm = 0, i = 0; calm < 3 && i < 100; i++) {
		const cpu = process.cpuUsage();
		await wait(300);
		const { user, system } = process.cpuUsage(cpu);
		calm = user + system < 30_000 ? calm + 1 : 0;
	}
}

/** Resident memory by kind of mapping, the largest anonymous ones one by one. */
function holders(): string {
	const groups = new Map<string, number>();
	const large: string[] = [];
	let name = "";
	for (const line of readFileSync("/proc/self/smaps", "utf8").split("\n")) {
		const head = /^[0-9a-f]+-[0-9a-f]+ (\S+) \S+ \S+ \d+\s*(.*)$/.exec(line);
		if (head) name = head[2] === "" ? `anonymous ${head[1]}` : (head[2] ?? "").replace(/^\/.*\//, "");
		const rss = /^Rss:\s+(\d+) kB/.exec(line);
		if (!rss) continue;
		const mib = Number(rss[1]) / 1024;
		groups.set(name, (groups.get(name) ?? 0) + mib);
		if (mib > 6) large.push(`${name} ${mib.toFixed(1)}`);
	}
	const sorted = [...groups].sort((a, b) => b[1] - a[1]).slice(0, 8);
	return `${sorted.map(([what, mib]) => `${what}: ${mib.toFixed(1)} MiB`).join("\n")}\nlarge: ${large.join(", ")}`;
}
