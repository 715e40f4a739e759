// Someone who opens the tree of a course of their own: what it was recognised as, a program, usertests and a debugger, without a lab of ours.
import { strict as assert } from "node:assert";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { themes } from "./windowCases.mjs";

const shown = themes.filter(([name]) => name === "light" || name === "dark");

export const ownTreeCases = {
	async "a course tree of one's own: what was recognised, a program, usertests, and the debugger"(context) {
		const { open, cli, scratch, shot, walkthrough } = context;
		const folder = join(scratch, "course");
		cli(["new", folder]);
		const files = readdirSync(folder, { recursive: true }).sort();
		const workbench = await open(folder, { viewport: { width: 1280, height: 800 } });
		const { page } = workbench;
		const side = page.locator(".part.sidebar");
		const row = (text) => side.locator(".monaco-list-row", { hasText: new RegExp(`^${text}`) }).first();
		const look = async (name) => {
			for (const [theme, label, workbenchClass] of shown) {
				await workbench.theme(label, workbenchClass);
				await walkthrough(workbench, `${name}-${theme}`);
				await shot(workbench, `own-tree-${name}-${theme}`);
			}
		};
		await workbench.openFile("user/forktest.c", 1);
		await workbench.command("View: Show xv6 Lab");
		await row("course").waitFor();
		await side
			.getByText(/no lab/i)
			.first()
			.waitFor();
		await look("own");
		await row("forktest").hover();
		await row("forktest").locator(".action-label[aria-label='Run This Program']").click();
		await workbench.waitTerminal(/fork test OK[\s\S]*\n\$ *$/);
		await look("program");
		await workbench.command("xv6: Run usertests");
		await workbench.waitTerminal(/ALL TESTS PASSED[\s\S]*\n\$ *$/);
		await look("usertests");
		await workbench.command("xv6: Stop Machine");
		await row("forktest").hover();
		await row("forktest").locator(".action-label[aria-label='Debug This Program']").click();
		await page.locator(".debug-toolbar").waitFor();
		await page.locator(".codicon-debug-stackframe").first().waitFor();
		await workbench.command("View: Show Run and Debug");
		await page.locator(".debug-call-stack .stack-frame", { hasText: "main" }).first().waitFor();
		await look("debug");
		await workbench.command("Debug: Stop");
		await page.locator(".debug-toolbar").waitFor({ state: "hidden" });
		assert.deepEqual(readdirSync(folder, { recursive: true }).sort(), files, "nothing in the tree was changed");
	},
};
