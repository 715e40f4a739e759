// What stands on the screen after a run, while one is on its way, and after one that was cancelled.
import { strict as assert } from "node:assert";
import { join } from "node:path";
import { useToolchain } from "../support/workbench/toolchain.mjs";
import { until } from "../support/workbench/until.mjs";

export const resultCases = {
	async "after Run All the tree is open at the first failure; a test says how long it took, and its message is a whole sentence"({
		open,
		makeWorkspace,
		shot,
	}) {
		const workbench = await open(makeWorkspace("results"));
		const { page } = workbench;
		await workbench.command("xv6: Run All Lab Tests");
		const counts = page.locator(".part.statusbar").getByText(/1 passed, 3 failed, 26 not begun/);
		await counts.first().waitFor();
		const rows = page.locator('.test-explorer .monaco-list-row[aria-level="3"]');
		const failed = rows.filter({ hasText: "Regions are placed" }).first();
		await failed.waitFor();
		await failed.locator(".codicon-testing-failed-icon").waitFor();
		await shot(workbench, "results-run-all");
		// A run by its own command is timed like one of the Test Explorer.
		await workbench.command("xv6: Run Next Test");
		await workbench.waitTerminal("✗ Failed: Regions are placed");
		await workbench.command("Testing: Focus on Test Explorer View");
		const shownMs = async () => {
			const [, value, unit] = /([\d.,]+) ?(ms|s)\b/.exec((await failed.innerText()).replaceAll("\n", " ")) ?? [];
			return Number(value) * (unit === "s" ? 1000 : 1);
		};
		await until(
			async () => (await shownMs()) > 1.5,
			async () => `the run's own time stands in ${await failed.innerText()}`,
		);
		await workbench.command("Test: Peek Output");
		const sentence = /The kernel does not know the system call: the table in kernel\/syscall\.c has no entry/;
		const peek = page.locator(".test-output-peek, .zone-widget").first();
		await peek.getByText(sentence).first().waitFor();
		assert.equal(await peek.getByText("Expected", { exact: true }).count(), 0, "the explanation is what is looked at");
		await shot(workbench, "results-message");
	},

	async "the build task prints as it goes and passes though a run comes meanwhile; a cancelled run says so"({
		open,
		makeWorkspace,
		edit,
		shot,
	}) {
		const folder = makeWorkspace("task", "3b");
		// Every object of the kernel and the programs is built again.
		edit(
			join(folder, "kernel/types.h"),
			"typedef unsigned char  uchar;",
			`#define TASK_${Date.now()} 1\ntypedef unsigned char  uchar;`,
		);
		const workbench = await open(folder);
		const { page } = workbench;
		// A window that has just opened may drop the command: nothing is shown then, and a person asks again.
		const offers = async () => {
			await workbench.command("Tasks: Run Build Task");
			return workbench.offers("xv6: build");
		};
		await until(offers, "the build task is offered");
		await workbench.take("xv6: build");
		await workbench.waitTerminal(/\(\d+ of \d+\)/);
		await shot(workbench, "task-building");
		await workbench.command("xv6: Run prodcons1");
		await workbench.waitTerminal("✓ Passed: prodcons1");
		await shot(workbench, "task-and-run");
		const tab = page.locator(".terminal-tabs-entry, .tabs-list .monaco-list-row", { hasText: "build" }).first();
		await tab.waitFor();
		assert.equal(await tab.locator(".codicon-error").count(), 0, "the task has not failed");
		// Again with everything to build; what the terminal shows is of the run before, until it says otherwise.
		edit(join(folder, "kernel/types.h"), "#define TASK_", `#define AGAIN_${Date.now()} 1\n#define TASK_`);
		await workbench.command("xv6: Run prodcons1");
		await workbench.waitTerminal(/✓ Passed: prodcons1[\s\S]*building…/);
		const toast = page.locator(".notification-toast", { hasText: "prodcons1" }).first();
		await toast.getByText(/\(\d+ of \d+\)/).waitFor();
		await toast.locator(".monaco-progress-container.discrete").waitFor();
		await shot(workbench, "run-progress");
		await toast.hover();
		await toast.getByRole("button", { name: "Cancel" }).first().click();
		await workbench.waitTerminal(/building…[\s\S]*prodcons1: cancelled/);
		await shot(workbench, "run-cancelled");
	},

	async "a hang, a program that never ends and a build that fails have the card of a verdict"({
		open,
		makeWorkspace,
		edit,
		shot,
	}) {
		const folder = makeWorkspace("endings", "3b");
		const workbench = await open(folder);
		const write = join(folder, "kernel/sysfile.c");
		const loop = "sys_mmap(void)\n{\n  for(;;)\n    ;\n";
		const program = join(folder, "user/prodcons1.c");
		edit(write, "sys_mmap(void)\n{\n", loop);
		await workbench.command("xv6: Run prodcons1");
		await workbench.waitTerminal(/✗ [\s\S]*\n {2}where +kernel\/sysfile\.c:\d+[\s\S]*▸ Run again/);
		await shot(workbench, "hang-card");
		edit(write, loop, "sys_mmap(void)\n{\n  undeclared = 1;\n");
		await workbench.command("xv6: Run prodcons1");
		await workbench.waitTerminal(
			/✗ Failed: prodcons1: the kernel was not built\s+.*undeclared[\s\S]*where +kernel\/sysfile\.c:\d+[\s\S]*▸ Open Problems/,
		);
		await shot(workbench, "build-error");
		const toasts = workbench.page.locator(".notification-toast");
		await until(async () => (await toasts.count()) === 0, "no notification stands over the card");
		await workbench.followTerminalLink("Open Problems");
		await workbench.page
			.locator(".markers-panel .monaco-list-row", {
				hasText: /undeclared identifier 'undeclared'|'undeclared' undeclared/,
			})
			.first()
			.waitFor();
		await shot(workbench, "build-error-problems");
		edit(write, "  undeclared = 1;\n", "");
		edit(program, "main(void)\n{\n", "main(void)\n{\n  for(;;)\n    ;\n");
		await workbench.command("xv6: Run prodcons1");
		await workbench.waitTerminal(/✗ [\s\S]*prodcons1[\s\S]*\n {2}where +user\/prodcons1\.c:\d+[\s\S]*▸ Run again/);
		await until(() => workbench.terminalFollows(), "the terminal, which the Problems panel had covered, shows its end");
		await shot(workbench, "endless-card");
	},

	async "a misspelt name is marked when the file is saved, the light bulb mends it, and the mark goes by itself"({
		open,
		makeWorkspace,
		read,
		shot,
	}) {
		const folder = makeWorkspace("spelling", "3b");
		useToolchain(folder, "bundled");
		const file = join(folder, "kernel/proc.c");
		const before = read(file);
		const line = before.split("\n").findIndex((text) => text.includes("int pid = np->pid;")) + 1;
		const workbench = await open(folder);
		const { page } = workbench;
		await workbench.insertLines("kernel/proc.c", line, "  memmov(np, p, 0);\n");
		await page.locator(".squiggly-error").first().waitFor();
		await workbench.openFile("kernel/proc.c", line);
		const fix = page.locator(".action-widget .monaco-list-row", { hasText: "Change to 'memmove'" }).first();
		// A key that comes before the editor has asked for actions shows none of them.
		const offers = async () => {
			await page.keyboard.press("Control+.");
			await fix.waitFor({ timeout: 4000 }).catch(() => page.keyboard.press("Escape"));
			return fix.isVisible();
		};
		await until(offers, "the light bulb offers the name that was meant");
		await shot(workbench, "quick-fix");
		await fix.click();
		await page.locator(".view-line", { hasText: "memmove(np," }).first().waitFor();
		await workbench.command("File: Save");
		await page.locator(".squiggly-error").first().waitFor({ state: "hidden" });
		assert.ok(read(file).includes("  memmove(np, p, 0);\n"));
	},

	async "coverage of a test shows in the editor which lines of the kernel ran"({ open, makeWorkspace, shot }) {
		const workbench = await open(makeWorkspace("covered", "3b"));
		const { page } = workbench;
		await workbench.command("View: Show xv6 Lab");
		await page.locator(".part.sidebar").getByText("0/2").first().waitFor();
		const lines = (kind) => page.locator(`.editor-instance .coverage-deco-gutter.coverage-deco-${kind}`);
		await workbench.openFile("user/prodcons1.c", 1);
		// At its main, where the test is.
		await page.keyboard.press("Control+End");
		await workbench.command("Test: Run Test at Cursor with Coverage");
		await page.locator(".part.sidebar").getByText("1/2").first().waitFor();
		await workbench.openFile("kernel/trap.c", 30);
		await lines("hit").first().waitFor();
		await lines("miss").first().waitFor();
		await shot(workbench, "coverage");
	},
};
