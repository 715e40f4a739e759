// What a person waits for in the editor, and what memory it takes; see editor.mjs, which starts this in a real one.
import { strict as assert } from "node:assert";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { loadavg } from "node:os";
import { performance } from "node:perf_hooks";
import * as vscode from "vscode";
import type { Xv6LabApi } from "../src/extension/app.ts";
import type { LabFolder } from "../src/extension/labFolder.ts";

/** One measurement; `cpuMs` is of the extension host's and the engine's processes, with all their threads. */
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
	/** Resident memory in MiB, in the order of time; `engine`: of the engine's process. */
	readonly memory: readonly { readonly when: string; readonly host: number; readonly engine: number }[];
}

/** Time between the first key of an edit and the wish to run it: a person types. */
const typingMs = 3000;
/** Longer than a compiler stays without work. */
const idleMs = 130_000;

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Called by VS Code in its extension host. */
export async function run(): Promise<void> {
	const memory: { when: string; host: number; engine: number }[] = [];
	const remember = (when: string) => {
		const [engine] = engines();
		memory.push({ when, host: residentMib(process.pid), engine: engine ? residentMib(engine) : 0 });
		if (process.env.XV6_LAB_HOLDERS && engine) console.log(`[test] ${when}\n${holders(engine)}`);
	};
	await vscode.workspace
		.getConfiguration("xv6Lab")
		.update("toolchain.kind", "bundled", vscode.ConfigurationTarget.Global);
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
	const cpu = cpuMs();
	const wall = performance.now();
	await work();
	return { wallMs: performance.now() - wall, cpuMs: cpuMs() - cpu };
}

/** Host and engine rest: VS Code activates other extensions long after the window is there. */
async function quiet(): Promise<void> {
	for (let calm = 0, i = 0; calm < 3 && i < 100; i++) {
		const before = cpuMs();
		await wait(300);
		calm = cpuMs() - before < 40 ? calm + 1 : 0;
	}
}

/** The engines' processes. */
function engines(): number[] {
	const children = readdirSync("/proc/self/task").flatMap((task) =>
		readFileSync(`/proc/self/task/${task}/children`, "utf8").split(" ").filter(Boolean),
	);
	return children.filter((pid) => /engine\.node/.test(readFileSync(`/proc/${pid}/cmdline`, "utf8"))).map(Number);
}

/** Processor time of host and engines, in the 10 ms that Linux counts. */
function cpuMs(): number {
	return [process.pid, ...engines()].reduce((sum, pid) => {
		const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
			.replace(/^.*\) /, "")
			.split(" ");
		return sum + 10 * (Number(fields[11]) + Number(fields[12]));
	}, 0);
}

function residentMib(pid: number): number {
	return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024;
}

/** A process's resident memory by kind of mapping, the largest anonymous ones one by one. */
function holders(pid: number): string {
	const groups = new Map<string, number>();
	const large: string[] = [];
	let name = "";
	for (const line of readFileSync(`/proc/${pid}/smaps`, "utf8").split("\n")) {
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
