import { readFileSync } from "node:fs";
import { join } from "node:path";
import type * as vscode from "vscode";
import { start, type Xv6LabApi } from "../../src/extension/app.ts";
import type { EngineClient } from "../../src/extension/engineClient.ts";
import type { LabFolder } from "../../src/extension/labFolder.ts";
import { catalog, repository } from "./lab.ts";
import { localEngine } from "./localEngine.ts";
import { host, StandInItems, type StandInRun, Uri } from "./vscode.ts";

interface Engine extends EngineClient {
	close(): Promise<void>;
	crash(why: string): void;
}

/** The whole extension as `activate` starts it, in a window that stands in for VS Code's, with real engines in this process. */
export class ExtensionWindow<E extends Engine = Engine> {
	readonly engines: E[] = [];
	readonly api: Xv6LabApi;
	private readonly context = {
		subscriptions: [] as { dispose(): unknown }[],
		extension: { packageJSON: JSON.parse(readFileSync(join(repository, "package.json"), "utf8")) as object },
		extensionUri: Uri.file("/extension"),
		globalStorageUri: Uri.file("/storage"),
	};

	constructor(makeEngine: () => E = localEngine as unknown as () => E) {
		const platform = {
			hasProcesses: true,
			startEngine: () => {
				const engine = makeEngine();
				this.engines.push(engine);
				return engine;
			},
		};
		this.api = start(this.context as unknown as vscode.ExtensionContext, platform, catalog);
	}

	async close(): Promise<void> {
		for (const item of this.context.subscriptions.reverse()) item.dispose();
		for (const engine of this.engines) await engine.close();
	}
}

/** A lab's tree as files of the workspace; the folder is not open yet. */
export async function putTree(root: Uri, lab: string | undefined, solution?: string): Promise<void> {
	for (const [path, bytes] of await catalog.workspace(lab, solution)) host.write(Uri.joinPath(root, path), bytes);
}

/** A window in which a student who has done HW5 up to 2b works: one hart, the bundled compiler. */
export async function openLab(root: Uri): Promise<ExtensionWindow> {
	host.reset();
	host.settings.set("xv6Lab.machine.harts", 1);
	host.settings.set("xv6Lab.toolchain.kind", "bundled");
	await putTree(root, "hw5-anonymous-mmap", "2b");
	const window = new ExtensionWindow();
	host.openFolder(root);
	await window.api.refresh();
	return window;
}

export async function until(what: string, holds: () => boolean, ms = 30_000): Promise<void> {
	const end = performance.now() + ms;
	while (!holds()) {
		if (performance.now() > end) throw new Error(`${what} never came: ${host.log.slice(-5).join("\n")}`);
		await new Promise((resolve) => setTimeout(resolve, 5));
	}
}

/** The Test Explorer as a person reads it. */
export function explorer(items = host.controllers[0]?.items ?? new StandInItems(undefined), depth = 0): string[] {
	return items.sorted.flatMap((item) => [`${"  ".repeat(depth)}${item.label}`, ...explorer(item.children, depth + 1)]);
}

/** `passed prodcons1`, for what became of each test in a run. */
export const outcomes = (run: StandInRun | undefined): string[] =>
	(run?.outcomes ?? [])
		.filter(({ state }) => state !== "enqueued" && state !== "started")
		.map(({ state, item }) => `${state} ${item.id}`);

/** Without colours. */
export const plainText = (text: string): string => text.replace(/\x1b\[[0-9;?]*[A-Za-z]/g, "");

export const theFolder = (api: Xv6LabApi): LabFolder => {
	const [folder] = api.folders();
	if (!folder) throw new Error("no kernel tree was found");
	return folder;
};
