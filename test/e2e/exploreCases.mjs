// A race that no test shows: Explore schedules names its two lines, Debug This Schedule stands before the second, and the way leads back.
import { strict as assert } from "node:assert";
import { spawnSync } from "node:child_process";
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
		const workbench = await open(folder, { viewport: { width: 1280, height: 800 } });
		const { page } = workbench;
		await page.locator('.activitybar [aria-label^="Testing"]').first().click();
		const row = (level, text) =>
			page.locator(`.test-explorer .monaco-list-row[aria-level="${level}"]`, { hasText: text }).first();
		const expand = async (one) => {
			await one.click();
			if ((await one.getAttribute("aria-expanded")) !== "true") await page.keyboard.press("ArrowRight");
			await until(async () => (await one.getAttribute("aria-expanded")) === "true", "the row is open");
		};
		await row(1, "").waitFor();
		await expand(row(1, ""));
		await expand(row(2, "3b:"));
		const test = row(3, "mmapstress storm");
		await test.click();
		await test.click({ button: "right" });
		await page
			.locator(".monaco-menu .action-label", { hasText: /Using Profile/ })
			.first()
			.click();
		await workbench.row("Explore schedules").first().waitFor();
		await workbench.take("Explore schedules");
		await test.locator(".codicon-testing-failed-icon").waitFor();
		await shot(workbench, "explore-failed");
		const debug = page.getByRole("button", { name: /Debug This Schedule/ }).first();
		await debug.waitFor();
		await debug.click();
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
