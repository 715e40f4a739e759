// A race that no test shows: Explore schedules names its two lines, Debug This Schedule stands before the second, and the way leads back.
import { strict as assert } from "node:assert";
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { until } from "../support/workbench/until.mjs";

const frames = (page) => page.locator(".debug-call-stack .stack-frame").allInnerTexts();

export const exploreCases = {
	async "a munmap that forgets the family's lock: Explore schedules, Debug This Schedule, back, and who ran when"({
		root,
		open,
		makeWorkspace,
		shot,
	}) {
		const folder = makeWorkspace("race", "3b");
		const patch = join(root, "test/labs/mutants/hw5-anonymous-mmap/munmap-without-family-lock/mutant.patch");
		const { status, stderr } = spawnSync("patch", ["-p0", "-i", patch], { cwd: folder, encoding: "utf8" });
		assert.equal(status, 0, stderr);
		mkdirSync(join(folder, ".vscode"), { recursive: true });
		writeFileSync(join(folder, ".vscode/settings.json"), JSON.stringify({ "xv6Lab.tests.seeds": 5 }));
		const workbench = await open(folder, { viewport: { width: 1280, height: 800 } });
		const { page } = workbench;
		await workbench.command("View: Show xv6 Lab");
		await page.locator(".part.sidebar").getByText("0/2").first().waitFor();
		await workbench.command("Testing: Focus on Test Explorer View");
		await page
			.locator(".testing-filter-action-item .monaco-editor, .test-explorer-header .monaco-editor")
			.first()
			.click();
		await page.keyboard.type("Six processes");
		const row = page.locator(".test-explorer .monaco-list-row", { hasText: "Six processes" }).first();
		await row.waitFor();
		await row.click({ button: "right" });
		await workbench.chooseMenu("Execute Using Profile...");
		await workbench.take("Explore schedules");
		await row.locator(".codicon-testing-failed-icon").waitFor();
		await shot(workbench, "explore-failed");
		await workbench.command("Test: Peek Output");
		const peek = page.locator(".test-output-peek").first();
		await peek
			.getByText(/^BUG: data race on/)
			.first()
			.waitFor();
		await shot(workbench, "explore-report");
		await peek.getByText("Debug This Schedule").first().click();
		let top = "";
		await until(
			async () => {
				top = (await frames(page))[0] ?? "";
				return top !== "";
			},
			() => `the debugger stands: ${top}`,
		);
		const stack = (await frames(page)).join("\n");
		assert.match(top, /^(mappages|walkaddr|uvm\w*|mapfamily|inherit|mmrfree|unmapregion)/, stack);
		assert.match(top, /\.c\s*\n?\s*\d+:/, stack);
		await shot(workbench, "explore-debug");
		await page
			.locator(".debug-toolbar")
			.getByRole("button", { name: /^Step Back/ })
			.first()
			.click();
		await page.locator(".statusbar-item", { hasText: "instructions back" }).waitFor();
		await page
			.locator(".debug-toolbar")
			.getByRole("button", { name: /^Show Who Ran When/ })
			.first()
			.click();
		const view = workbench.webview();
		await view.locator("xv6-activity table").waitFor();
		const marks = view.locator("xv6-activity .mark-line");
		await until(async () => (await marks.count()) === 2, "both places of the race are marked");
		assert.match(
			(await marks.allInnerTexts()).join("\n"),
			/Race, hart \d: (read|write) in \w+, kernel\/\w+\.c:\d+, pid \d+/,
		);
		await shot(workbench, "explore-who-ran-when");
	},
};
