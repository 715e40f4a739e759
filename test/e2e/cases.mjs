// Each case opens what it needs and leaves nothing behind; names say what a person sees.
import { strict as assert } from "node:assert";
import { join } from "node:path";
import { until } from "../support/workbench/until.mjs";
import { debugCases } from "./debugCases.mjs";
import { exploreCases } from "./exploreCases.mjs";
import { gradeCases } from "./gradeCases.mjs";
import { inspectorCases } from "./inspectorCases.mjs";
import { inspectorPause } from "./inspectorPause.mjs";
import { inspectorPictures } from "./inspectorPictures.mjs";
import { newcomerCases } from "./newcomer.mjs";
import { ownTreeCases } from "./ownTree.mjs";
import { resultCases } from "./resultCases.mjs";
import { task1a, threeFunctions } from "./strangerEdits.mjs";
import { virtualCases } from "./virtualCases.mjs";
import { themes, windowCases } from "./windowCases.mjs";

/** Of the inspector's page; the suites' script runs them beside the others. */
const ofInspector = { ...inspectorCases, ...inspectorPause, ...inspectorPictures };

const ofWindow = {
	async "in a browser's own extension host, prodcons1 is built, run and judged without any server's help"({
		openWeb,
		makeWorkspace,
		shot,
	}) {
		const workbench = await openWeb(makeWorkspace("web", "3b"));
		await workbench.command("xv6: Run prodcons1");
		await workbench.waitTerminal("total = 55");
		await workbench.waitTerminal("✓");
		const { page } = workbench;
		const workers = () => page.workers().map((worker) => worker.url());
		await until(
			() => workers().length > 2,
			() => `the engine and the compiler are workers of the page: ${workers()}`,
		);
		await shot(workbench, "web-prodcons1");
	},

	async "prodcons1 on the starter fails with an explanation, by keyboard only"({ open, makeWorkspace, shot }) {
		const workbench = await open(makeWorkspace("starter"));
		await workbench.command("xv6: Run prodcons1");
		await workbench.waitTerminal(/✗ .*prodcons1[\s\S]*\n {2}where +kernel\/syscall\.c[\s\S]*▸ Run again/);
		const lines = (await workbench.terminalText()).trimEnd().split("\n");
		assert.equal(lines.at(-1).trim(), "$", "the guest's prompt stays the last line");
		const toasts = await workbench.page.locator(".notification-toast").allInnerTexts();
		assert.ok(!toasts.some((text) => text.includes("prodcons1")), `no toast repeats the card: ${toasts}`);
		await shot(workbench, "starter-prodcons1");
	},

	async "the solved lab runs prodcons1 to total = 55 and takes ls and Ctrl-P"({ open, makeWorkspace, shot }) {
		const workbench = await open(makeWorkspace("solved", "3b"));
		await workbench.command("xv6: Run prodcons1");
		await workbench.waitTerminal("total = 55");
		await workbench.waitTerminal("✓");
		await shot(workbench, "solved-prodcons1");
		await workbench.typeInTerminal("ls\n");
		await workbench.waitTerminal(/usertests[^$]*\n\$$/);
		await workbench.page.keyboard.press("Control+P");
		await workbench.waitTerminal(/\n1 sleep +init\n2 sleep +sh/);
		await shot(workbench, "solved-terminal");
	},

	async "the Test Explorer turns green on the solved lab"({ root, read, open, makeWorkspace, picture }) {
		const workbench = await open(makeWorkspace("green", "3b"));
		await workbench.command("xv6: Run All Lab Tests");
		const { page } = workbench;
		const manifest = JSON.parse(read(join(root, "labs/hw5-anonymous-mmap/lab.json")));
		const all = manifest.tests.length;
		await page.locator(".part.sidebar").getByText(`${all}/${all}`, { exact: true }).first().waitFor();
		// usertests' own tests come after the lab's.
		const lab = page.locator('.test-explorer .monaco-list-row[aria-level="1"]').first();
		await lab.locator(".codicon-testing-passed-icon").waitFor();
		// Every task is opened, from the last to the first.
		const tasks = page.locator('.test-explorer .monaco-list-row[aria-level="2"]');
		const expand = async (row) => {
			await row.click();
			await row.and(page.locator('[aria-expanded="true"]')).waitFor();
		};
		await expand(lab);
		const names = [...new Set(manifest.tests.map(({ task }) => task))];
		for (const name of names.reverse()) await expand(tasks.filter({ hasText: `${name}:` }));
		await page.locator('.test-explorer .monaco-list-row[aria-level="3"]').first().waitFor();
		await picture(workbench, "tests", ".part.sidebar");
	},

	async "the terminal shows byte for byte what xv6-lab boot prints"({ open, makeWorkspace, cli }) {
		const folder = makeWorkspace("bytes", "3b");
		const workbench = await open(folder);
		await workbench.command("xv6: Boot");
		await workbench.waitTerminal("$");
		await workbench.typeInTerminal("echo one two | wc\n");
		await workbench.waitTerminal(/1 2 8 *\n\$$/);
		const shown = (await workbench.terminalText()).split("\n").filter((line) => !line.includes("[xv6 Lab]"));
		const printed = cli(["boot", folder, "--toolchain", "bundled", "--command", "echo one two | wc"]);
		const lines = (text) =>
			text
				.split("\n")
				.map((line) => line.trimEnd())
				.filter((line) => line !== "");
		assert.deepEqual(lines(shown.join("\n")).slice(0, -1), lines(printed.replaceAll("\r", "")).slice(0, -1));
	},

	async "a paste of 10,000 characters arrives whole"({ open, makeWorkspace }) {
		const workbench = await open(makeWorkspace("paste", "3b"));
		await workbench.command("xv6: Boot");
		await workbench.waitTerminal("$");
		await workbench.typeInTerminal("cat > pasted\n");
		const line = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLM\n";
		const text = line.repeat(200);
		await workbench.page.evaluate((value) => navigator.clipboard.writeText(value), text);
		await workbench.command("Terminal: Paste into Active Terminal");
		// The end of the file is typed behind the last line: the guest has echoed it all.
		await until(
			async () => (await workbench.terminalText()).split(line).length === 200,
			"the guest echoes 200 pasted lines",
		);
		await workbench.focusTerminal();
		await workbench.page.keyboard.press("Control+D");
		await workbench.waitTerminal(/\n\$$/);
		await workbench.typeInTerminal("wc pasted\n");
		await workbench.waitTerminal(`200 200 ${text.length} pasted`);
	},

	async "the inspector shows the prodcons3 finding of the kernel before task 3b, and a fault leads to its line"({
		open,
		makeWorkspace,
		shot,
		picture,
	}) {
		const workbench = await open(makeWorkspace("inspect", "2b"));
		await workbench.command("xv6: Run prodcons3");
		await workbench.waitTerminal("total = 673720320");
		await workbench.waitTerminal("✗");
		await workbench.command("xv6: Open Memory Inspector");
		const view = workbench.webview();
		await view.getByRole("heading", { name: /One shared page, different frames: \d+ and \d+/ }).waitFor();
		// The processes that disagree have ended: the page keeps them.
		await view.getByText("You see the end of the run; ended processes are as they were last.").waitFor();
		await view.getByText("≠", { exact: true }).first().waitFor();
		const backgrounds = new Set();
		for (const [name, theme, workbenchClass, kind] of themes) {
			await workbench.theme(theme, workbenchClass);
			await view.locator(`body[data-vscode-theme-kind="${kind}"]`).waitFor();
			backgrounds.add(
				await view
					.locator("body")
					.evaluate((body) =>
						getComputedStyle(body.ownerDocument.documentElement).getPropertyValue("--vscode-editor-background"),
					),
			);
			if (name === "light") await picture(workbench, "inspector");
			else await shot(workbench, `inspector-${name}`);
		}
		assert.equal(backgrounds.size, 3, `light, dark and black or white: ${[...backgrounds].join(", ")}`);
		const link = view.getByRole("table", { name: "Faults and calls" }).getByRole("button", { name: /^prodcons\.h:/ });
		const place = (await link.last().textContent()).trim();
		await link.last().click();
		const { page } = workbench;
		await page.locator(".editor-group-container .tab", { hasText: "prodcons.h" }).first().waitFor();
		await workbench.line(Number(/:(\d+)$/.exec(place)[1]));
		await shot(workbench, "inspector-line");
		assert.deepEqual(
			workbench.console.filter((text) => /Refused to .*(inspector|webview)|Content Security Policy.*xv6/i.test(text)),
			[],
		);
	},

	...windowCases,
	...resultCases,
	...virtualCases,
	...debugCases,
	...exploreCases,
	...gradeCases,
	// Minutes each: the newcomer's whole way, a course tree's usertests.
	...(process.env.FULL === "1" || process.env.XV6_LAB_PICTURES === "1" ? { ...newcomerCases, ...ownTreeCases } : {}),

	async "a stranger edits three functions, led by the explanations, and turns red into green"({
		open,
		makeWorkspace,
		edit,
		read,
		shot,
		picture,
	}) {
		const folder = makeWorkspace("stranger");
		const workbench = await open(folder);
		// Each verdict is another one; what an earlier run left in the terminal does not count for a later one.
		const run = async (shows) => {
			assert.doesNotMatch(await workbench.terminalText(), new RegExp(shows));
			await workbench.command("xv6: Run prodcons1");
			await workbench.waitTerminal(new RegExp(shows));
		};
		await run("where +kernel/syscall\\.c: syscalls");
		for (const [file, before, after] of task1a) edit(join(folder, file), before, after);
		await run("where +kernel/trap\\.c: usertrap");
		const next = ["where +kernel/proc\\.c: freeproc", "where +kernel/proc\\.c: fork", "✓ Passed: prodcons1"];
		for (const [index, [name, file, before, lines]] of threeFunctions.entries()) {
			const text = read(join(folder, file));
			const at = text.indexOf(before);
			assert.equal(text.lastIndexOf(before), at, `${name}: the place is unique`);
			await workbench.insertLines(file, text.slice(0, at).split("\n").length, lines);
			const wanted = text.slice(0, at) + lines + text.slice(at);
			await until(
				() => read(join(folder, file)) === wanted,
				() => `${file} is saved with the new lines; it is\n${read(join(folder, file))}`,
			);
			if (index === 0) await shot(workbench, "stranger-edit");
			await run(next[index]);
		}
		await workbench.waitTerminal(/total = 55[^✗]*✓ Passed: prodcons1/);
		await picture(workbench, "green", ".part.panel");
	},
};

/** By the part that XV6_LAB_CASES names; without it all. */
export const cases = { e2e: ofWindow, inspector: ofInspector }[process.env.XV6_LAB_CASES] ?? {
	...ofWindow,
	...ofInspector,
};
