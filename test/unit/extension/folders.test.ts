import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ContextKeys } from "../../../src/extension/contextKeys.ts";
import { BuildDiagnostics } from "../../../src/extension/diagnostics.ts";
import { Folders } from "../../../src/extension/folders.ts";
import type { LabFolder } from "../../../src/extension/labFolder.ts";
import { until } from "../../support/extensionWindow.ts";
import { localEngine } from "../../support/localEngine.ts";
import { tinyMakefile, tinyTree } from "../../support/tinyTree.ts";
import { host, Uri, window, workspace } from "../../support/vscode.ts";

/** Which kernel trees a window has, which of them a person means, and the engines that look at them. */

let folders: Folders;
let engines: ReturnType<typeof localEngine>[];
const logged: string[] = [];

beforeEach(() => {
	host.reset();
	engines = [];
	logged.length = 0;
	const startEngine = () => {
		const engine = localEngine();
		engines.push(engine);
		return engine;
	};
	const log = {
		info: () => undefined,
		warn: () => undefined,
		debug: () => undefined,
		error: (text: string) => void logged.push(text),
	};
	const programs = ["cat", "mmaptest"];
	folders = new Folders({ hasProcesses: true, startEngine }, new BuildDiagnostics(), new ContextKeys(), log, programs);
});
afterEach(async () => {
	folders.dispose();
	for (const engine of engines) await engine.close();
});

function putKernel(path: string, ...programs: string[]): void {
	const entries = programs.map((name) => `\t$U/_${name}\\\n`).join("");
	const Makefile = tinyMakefile.replace(/(?<=UPROGS=\\\n)[\s\S]*?(?=\nfs\.img)/, () => entries);
	const sources = programs.map((name) => [`user/${name}.c`, "int main;\n"]);
	const tree = tinyTree({ Makefile, "kernel/proc.c": "", ...Object.fromEntries(sources) });
	for (const [file, bytes] of tree.files) host.write(Uri.file(`${path}/${file}`), bytes);
}
const names = (list: readonly LabFolder[] = folders.all) => list.map(({ name }) => name);
const programsOf = (folder: LabFolder | undefined) => folder?.tree.programs.map(({ name }) => name);

describe("where kernel trees are looked for", () => {
	test("a folder of the workspace is one, or has some right below; not hidden ones, not deeper, not half of one", async () => {
		putKernel("/own", "cat");
		for (const name of ["a", "b", ".old", "node_modules"]) putKernel(`/class/${name}`);
		putKernel("/class/term/c");
		putKernel("/own/copy");
		host.write(Uri.file("/class/notes/kernel/proc.c"), "");
		host.write(Uri.file("/class/README"), "");
		for (const path of ["/own", "/class", "/gone"]) host.openFolder(Uri.file(path));
		await folders.refresh();
		expect(names()).toEqual(["own", "a", "b"]);
	});

	test("of very many the first by name are shown, and once it is said how many there are", async () => {
		// Written backwards: a disk lists them as it likes.
		for (let at = 60; at > 0; at--)
			for (const file of ["kernel/proc.c", "kernel/main.c", "Makefile"])
				host.write(Uri.file(`/class/s${String(at).padStart(2, "0")}/${file}`), "");
		host.openFolder(Uri.file("/class"));
		await folders.refresh();
		expect([names().length, names()[0], names().at(-1)]).toEqual([50, "s01", "s50"]);
		await folders.refresh();
		const said = host.said.map(({ kind, text }) => `${kind}: ${text}`);
		expect(said).toEqual([expect.stringMatching(/^information: class holds 60 kernel trees, .* first 50 are shown\./)]);
	});

	test("one that comes later is found by its files, one that goes takes its engine with it", async () => {
		host.openFolder(Uri.file("/class"));
		await folders.refresh();
		expect(host.contexts.get("xv6Lab.isKernelTree")).toBe(false);
		putKernel("/class/late", "cat");
		await until("the tree", () => programsOf(folders.all[0])?.includes("cat") === true);
		expect(Object.fromEntries(host.contexts)).toMatchObject({
			...{ "xv6Lab.isKernelTree": true, "xv6Lab.hasLab": false, "xv6Lab.machineRunning": false },
			...{ "xv6Lab.has.cat": true, "xv6Lab.has.mmaptest": false },
		});
		const [late] = folders.all;
		host.remove(Uri.file("/class/late/kernel/proc.c"));
		await until("its end", () => folders.all.length === 0);
		expect([late?.hasEngine, host.contexts.get("xv6Lab.has.cat")]).toEqual([false, false]);
	});

	test("what changes while a search runs is found by the search after it", async () => {
		putKernel("/class/a");
		host.openFolder(Uri.file("/class"));
		await folders.refresh();
		const first = folders.refresh();
		const { readDirectory } = workspace.fs;
		workspace.fs.readDirectory = async (uri) => {
			const entries = await readDirectory(uri);
			workspace.fs.readDirectory = readDirectory;
			// Too late for this one.
			for (const file of ["kernel/main.c", "kernel/proc.c", "Makefile"])
				host.files.set(`file:///class/b/${file}`, new Uint8Array());
			return entries;
		};
		const [second, third] = [folders.refresh(), folders.refresh()];
		expect(third, "one search for both").toBe(second);
		await first;
		await second;
		expect(names()).toEqual(["a", "b"]);
	});
});

describe("what a tree is", () => {
	test("follows its Makefile, and a tree that cannot be read is in the log", async () => {
		putKernel("/own", "cat");
		host.openFolder(Uri.file("/own"));
		await folders.refresh();
		const [own] = folders.all;
		expect(programsOf(own)).toEqual(["cat"]);
		let told = 0;
		folders.onDidChange(() => told++);
		putKernel("/own", "cat", "wc");
		await until("the program", () => programsOf(own)?.includes("wc") === true);
		expect(told).toBeGreaterThan(0);
		const { readDirectory } = workspace.fs;
		workspace.fs.readDirectory = async () => Promise.reject(new Error("the server is gone"));
		await folders.resyncAll();
		workspace.fs.readDirectory = readDirectory;
		expect(logged).toEqual(["own: the server is gone"]);
		expect(programsOf(own)).toEqual(["cat", "wc"]);
	});

	test("of a class's folder six engines stay, and every tree is known", async () => {
		for (let i = 0; i < 9; i++) putKernel(`/class/s${i}`, "cat");
		host.openFolder(Uri.file("/class"));
		await folders.refresh();
		expect(folders.all.map(programsOf)).toEqual(Array.from({ length: 9 }, () => ["cat"]));
		expect(folders.all.filter(({ hasEngine }) => hasEngine)).toHaveLength(6);
		// One that a person looks at keeps the engine that it has.
		await folders.all[0]?.sync();
		await folders.resyncAll();
		expect(folders.all[0]?.hasEngine).toBe(true);
	});
});

describe("which tree is meant", () => {
	const open = async (...paths: string[]) => {
		for (const path of paths) {
			putKernel(path);
			host.openFolder(Uri.file(path));
		}
		await folders.refresh();
	};
	const choose = async (hint?: string) =>
		(await folders.choose(hint === undefined ? undefined : (Uri.file(hint) as never)))?.name;
	const edit = async (path: string) => {
		window.activeTextEditor = { document: await workspace.openTextDocument(Uri.file(path)) };
	};

	test("a file belongs to the tree that it lies in, and not to one whose name begins alike", async () => {
		await open("/w/a", "/w/ab");
		const of = (path: string) => folders.of(Uri.file(path) as never)?.name;
		expect([of("/w/a"), of("/w/a/kernel/proc.c"), of("/w/ab/x"), of("/w/abc"), folders.of(undefined)]).toEqual([
			...["a", "a", "ab", undefined, undefined],
		]);
	});

	test("the one that is named, else the editor's, else the only one: nobody is asked", async () => {
		await open("/w/a", "/w/b");
		expect(await choose("/w/b/Makefile")).toBe("b");
		await edit("/w/a/Makefile");
		expect([await choose(), await choose("/w/b")]).toEqual(["a", "b"]);
		window.activeTextEditor = undefined;
		host.closeFolder(Uri.file("/w/b"));
		expect(await choose()).toBe("a");
		expect(host.questions).toEqual([]);
		host.closeFolder(Uri.file("/w/a"));
		expect(await choose()).toBeUndefined();
	});

	test("of several the person picks, the last used first; going away is none", async () => {
		await open("/w/a", "/w/b", "/w/c");
		expect(folders.current?.name, "before anything was used").toBe("a");
		let told = 0;
		folders.onDidChange(() => told++);
		host.answers.push("b", "b");
		expect(await choose()).toBe("b");
		const once = told;
		expect(await choose()).toBe("b");
		expect(host.questions).toMatchObject([
			{ title: "Which kernel?", choices: ["a", "b", "c"] },
			{ title: "Which kernel?", choices: ["b", "a", "c"] },
		]);
		expect(folders.current?.name).toBe("b");
		// The searches tell each; the choice itself only when it is another one.
		expect(told - once).toBe(once - 1);
		expect(await choose()).toBeUndefined();
		expect(folders.current?.name).toBe("b");
		host.closeFolder(Uri.file("/w/b"));
		await folders.refresh();
		expect(folders.current?.name, "it is not there any more").toBe("a");
	});
});
