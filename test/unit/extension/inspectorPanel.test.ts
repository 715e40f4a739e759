import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
import type { ToInspector } from "../../../src/protocol/inspector.ts";
import { isToInspector } from "../../../src/protocol/inspectorMessages.ts";
import { type ExtensionWindow, openLab, putTree, theFolder, until } from "../../support/extensionWindow.ts";
import { closeToolchains } from "../../support/lab.ts";
import {
	host,
	StandInPanel,
	type StandInWebview,
	StandInWebviewView,
	Uri,
	window as vscodeWindow,
} from "../../support/vscode.ts";

/** The memory inspector's page as its tab and as a view of the panel: what it is told of a real machine, and what its messages do. */

const root = Uri.file("/work/hw5");
let window: ExtensionWindow;

beforeAll(async () => {
	window = await openLab(root);
}, 120_000);

afterAll(async () => {
	await window.close();
	await closeToolchains();
});

beforeEach(() => {
	host.asked.length = 0;
});

const panel = () => host.panels[0] as StandInPanel;
const page = () => panel().webview;
const last = <K extends ToInspector["type"]>(type: K, of: StandInWebview = page()) =>
	of.of(type).at(-1) as unknown as Extract<ToInspector, { type: K }>;
let question = 100;
/** The page asks, and gets its answer. */
async function ask(message: object, of: StandInWebview = page()): Promise<{ value?: unknown; error?: string }> {
	const id = question++;
	of.say({ ...message, id });
	const answer = () => of.of("answer").find((one) => one.id === id);
	await until("the answer", () => answer() !== undefined);
	return answer() as object;
}
const serializer = () =>
	host.providers.get("webviewSerializer") as { deserializeWebviewPanel(p: object, s: unknown): Promise<void> };
const wished = () => vi.spyOn(theFolder(window.api).engine(), "request");
/** What the page made of it: the terminal says at its own time that it has shown what was printed. */
const callsOf = ({ mock }: ReturnType<typeof wished>) => mock.calls.filter(([kind]) => kind !== "consoleShown");

test("a tab beside the editor, in a column that is there; asked for again it is the same one", async () => {
	vscodeWindow.tabGroups.all = [{ viewColumn: 1 }, { viewColumn: 2 }, { viewColumn: 3 }];
	await host.run("xv6Lab.openInspector");
	await host.run("xv6Lab.openInspector");
	expect(host.panels.map(({ title, column, revealed }) => [title, column, revealed])).toEqual([
		["Memory of hw5", 3, 1],
	]);
	expect(panel().iconPath).toMatchObject({ light: { path: "/extension/media/inspector-light.svg" } });
});

test("its page runs the extension's own script and nothing else", () => {
	const { html, options } = page();
	const [nonce, ...others] = new Set([...html.matchAll(/ nonce="(\w+)"/g)].map(([, value]) => value));
	expect([nonce?.length, others]).toEqual([32, []]);
	const policy = /Content-Security-Policy" content="([^"]*)"/.exec(html)?.[1]?.split("; ");
	expect(policy).toEqual([
		"default-src 'none'",
		`script-src 'nonce-${nonce}'`,
		`style-src https://page.example 'nonce-${nonce}'`,
		"font-src https://page.example",
		"img-src https://page.example",
		"require-trusted-types-for 'script'",
		"trusted-types lit-html",
	]);
	expect(options).toMatchObject({ enableScripts: true, localResourceRoots: [{ path: "/extension/dist/webview" }] });
	expect(html).toContain('<xv6-inspector data-root="file:///work/hw5">');
	expect(html).toContain('src="https://page.example/extension/dist/webview/main.js"');
});

test("a page that says that it is there is told the state; before it says so no engine works for it", async () => {
	const request = wished();
	expect(page().posted.filter(({ type }) => type !== "state")).toEqual([]);
	page().say({ type: "ready" });
	await until("the run", () => page().of("run").length > 0);
	expect(page().of("show"), "nobody asked for a part of it").toEqual([]);
	await host.run("xv6Lab.openInspector");
	expect(page().of("show")).toEqual([]);
	expect(last("state").state).toEqual({ machine: "none", canDebug: false, canAskWriter: false });
	expect(last("run").run).toBeUndefined();
	expect(callsOf(request)).toContainEqual(["watchModel", { on: true }]);
	request.mockRestore();
});

test("boots the machine for it, and shows its memory and its state", async () => {
	expect(await ask({ type: "control", action: "boot" })).toMatchObject({ type: "answer" });
	await until("the model", () => last("model")?.update !== undefined);
	expect(last("state").state).toEqual({ machine: "running", canDebug: false, canAskWriter: true });
	expect(last("model").update).toMatchObject({ panicked: false, processes: expect.anything() });
	expect(
		page().posted.every((message) => isToInspector(message)),
		"the page drops what it does not know",
	).toBe(true);
	// The next model comes when the last one is on the screen.
	page().say({ type: "drawn" });
	host.terminals[0]?.type("ls\r");
	const models = page().of("model").length;
	await until("the next", () => page().of("model").length > models);
}, 60_000);

test("each question has its answer, and a failure is one", async () => {
	const walkOfKernel = () => ask({ type: "walk", pid: 0, address: "0x80000000" });
	let walk = await walkOfKernel();
	// The first model may be of a kernel that has not made its page table yet.
	while (walk.value === undefined && walk.error === undefined) walk = await walkOfKernel();
	expect(walk.value).toMatchObject({ result: expect.stringContaining("physical address 0x80000000") });
	expect((await ask({ type: "network" })).value).toBeUndefined();
	expect((await ask({ type: "activity", from: 0, to: 10 })).error).toBeUndefined();
	const request = wished().mockRejectedValueOnce(new Error("there is no such process"));
	expect(await ask({ type: "walk", pid: 9, address: "0x0" })).toMatchObject({ error: "there is no such process" });
	request.mockRestore();
	await ask({ type: "control", action: "pause" });
	await until("the pause", () => last("state").state.machine === "paused");
	await ask({ type: "control", action: "resume" });
	await until("its end", () => last("state").state.machine === "running");
});

test("what is none of the page's messages does nothing", async () => {
	const request = wished();
	for (const message of [
		undefined,
		"ready",
		{ type: "boot" },
		{ type: "control", id: 1, action: "stop" },
		{ type: "walk", id: 1 },
	])
		page().say(message);
	await new Promise(setImmediate);
	expect([callsOf(request), host.asked]).toEqual([[], []]);
	request.mockRestore();
});

test("opens a source line, and none outside of the tree", async () => {
	host.shown.length = 0;
	page().say({ type: "openSource", file: "kernel/trap.c", line: 12 });
	page().say({ type: "openSource", file: "kernel/vm.c", line: 0 });
	page().say({ type: "openSource", file: "../secret", line: 1 });
	await until("the editors", () => host.shown.length === 2);
	expect(host.shown.map(({ document, options }) => [document.uri.path, options?.selection?.start.line])).toEqual([
		["/work/hw5/kernel/trap.c", 11],
		["/work/hw5/kernel/vm.c", 0],
	]);
});

test("with a debugger it can go to a moment: of this tree's the debugger itself goes back to the present", async () => {
	const asked: unknown[] = [];
	const session = (type: string, tree: string) => ({
		...{ type, configuration: { tree } },
		customRequest: async (...args: unknown[]) => void asked.push(args),
	});
	host.showDebugging(session("cppdbg", "/work/hw5"));
	expect(last("state").state.canDebug).toBe(false);
	page().say({ type: "debug", instret: 5 });
	host.showDebugging(session("xv6", "/work/hw5"));
	expect(last("state").state.canDebug).toBe(true);
	page().say({ type: "debug", instret: 1234 });
	const request = wished();
	await ask({ type: "control", action: "toPresent" });
	expect(asked).toEqual([["xv6/goToInstruction", { instruction: 1234 }], ["xv6/toPresent"]]);
	expect(callsOf(request)).toEqual([]);
	host.showDebugging(session("xv6", "/work/other"));
	await ask({ type: "control", action: "toPresent" });
	expect(asked).toHaveLength(2);
	expect(callsOf(request)).toEqual([["toPresent", undefined]]);
	request.mockRestore();
	host.said.length = 0;
	host.showDebugging({ type: "xv6", customRequest: async () => Promise.reject(new Error("the history begins later")) });
	page().say({ type: "debug", instret: 1 });
	await until("the refusal", () => host.said.length > 0);
	expect(host.said).toMatchObject([{ kind: "warning", text: "xv6: the history begins later" }]);
	host.showDebugging(undefined);
	expect(last("state").state.canDebug).toBe(false);
});

test("is about the run that a person started, and what became of it", async () => {
	await host.run("xv6Lab.runProgramAt", Uri.joinPath(root, "user/prodcons3.c"), "prodcons3");
	expect(
		page()
			.of("run")
			.map(({ run }) => run),
	).toContainEqual({ command: "prodcons3", reasons: [], explanations: [], diagnoses: [] });
	expect(last("run").run).toMatchObject({ command: "prodcons3", outcome: "failed", harts: 1, seed: 0 });
}, 60_000);

test("Show Who Ran When opens that part: at once in a page that is there, else as soon as it is", async () => {
	await host.run("xv6Lab.showActivity");
	expect([panel().revealed, page().of("show")]).toEqual([3, [{ type: "show", part: "activity" }]]);
	panel().dispose();
	host.panels.length = 0;
	await host.run("xv6Lab.showActivity");
	expect(page().of("show")).toEqual([]);
	page().say({ type: "ready" });
	await until("the part", () => page().of("show").length > 0);
	page().say({ type: "ready" });
	await until("it is there again", () => page().of("run").length === 2);
	expect(page().of("show"), "once").toHaveLength(1);
});

test("after a crash the page shows the next machine", async () => {
	host.answers.push(undefined);
	window.engines.at(-1)?.crash("out of memory");
	expect(last("state").state.machine).toBe("dead");
	const [models, engines] = [page().of("model").length, window.engines.length];
	page().say({ type: "ready" });
	page().say({ type: "drawn" });
	await new Promise(setImmediate);
	expect(window.engines, "a page alone starts no engine").toHaveLength(engines);
	await host.run("xv6Lab.boot");
	await until("its memory", () => page().of("model").length > models);
}, 60_000);

test("a view in the panel shows the same while it is in sight; what nobody looks at costs no models", async () => {
	const view = new StandInWebviewView();
	const provider = host.providers.get("webviewView") as { resolveWebviewView(view: object): Promise<void> };
	await provider.resolveWebviewView(view);
	view.webview.say({ type: "ready" });
	await until("its model", () => view.webview.of("model").length > 0);
	expect(view.description, "there is only one tree").toBe("");
	const request = wished();
	const watching = () =>
		callsOf(request)
			.filter(([kind]) => kind === "watchModel")
			.map(([, params]) => params);
	panel().dispose();
	expect(watching(), "the view is left").toEqual([]);
	view.setVisible(false);
	expect(watching()).toEqual([{ on: false }]);
	const before = view.webview.posted.length;
	host.showDebugging(undefined);
	expect(view.webview.posted).toHaveLength(before);
	view.setVisible(true);
	view.webview.say({ type: "ready" });
	await until("it is there again", () => watching().length === 2);
	view.dispose();
	expect(watching()).toEqual([{ on: false }, { on: true }, { on: false }]);
	request.mockRestore();
});

test("a tab of before a reload finds its tree, and one too many is closed", async () => {
	host.panels.length = 0;
	const restored = async (state: unknown) => {
		const tab = new StandInPanel("Memory", 1);
		let open = true;
		tab.onDidDispose(() => {
			open = false;
		});
		await serializer().deserializeWebviewPanel(tab, state);
		return { tab, open };
	};
	const { tab, open } = await restored({ root: "file:///work/hw5" });
	expect([open, tab.webview.html.includes('data-root="file:///work/hw5"')]).toEqual([true, true]);
	expect((await restored({ root: "file:///work/hw5" })).open).toBe(false);
	await host.run("xv6Lab.openInspector");
	expect([tab.revealed, host.panels]).toEqual([1, []]);
	tab.dispose();
	expect((await restored(undefined)).open, "of a window with one tree").toBe(true);
});

test("with two trees the view says which one it shows: the one that was used last", async () => {
	const other = Uri.file("/work/plain");
	await putTree(other, undefined);
	host.openFolder(other);
	const view = new StandInWebviewView();
	const provider = host.providers.get("webviewView") as { resolveWebviewView(view: object): Promise<void> };
	await provider.resolveWebviewView(view);
	expect(view.description).toBe("hw5");
	host.answers.push("plain");
	await host.run("xv6Lab.showExpected");
	expect(view.description).toBe("plain");
	expect(view.webview.html).toContain('data-root="file:///work/plain"');
	host.closeFolder(other);
	host.closeFolder(root);
	await window.api.refresh();
	const tab = new StandInPanel("Memory", 1);
	let open = true;
	tab.onDidDispose(() => {
		open = false;
	});
	await serializer().deserializeWebviewPanel(tab, { root: "file:///work/hw5" });
	expect(open).toBe(false);
});

test("an extension that is switched off takes its tabs with it, and restores none", async () => {
	host.openFolder(root);
	await window.api.refresh();
	host.panels.length = 0;
	await host.run("xv6Lab.openInspector");
	let open = true;
	panel().onDidDispose(() => {
		open = false;
	});
	expect(host.providers.has("webviewSerializer")).toBe(true);
	await window.close();
	expect([open, host.providers.has("webviewSerializer"), host.providers.has("webviewView")]).toEqual([
		...[false, false, false],
	]);
});
