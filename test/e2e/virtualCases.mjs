// A workspace whose files are in no folder of a disk, as a repository in a browser is; the extension runs in the browser.
import { strict as assert } from "node:assert";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { until } from "../support/workbench/until.mjs";

/** How long one look or click of several may take. */
const soon = { timeout: 5000 };

export const virtualCases = {
	async "in a virtual workspace a build asks for what has changed only, and a window opened again has the compiler already"({
		openVirtual,
		makeWorkspace,
		read,
		shot,
	}) {
		const folder = makeWorkspace("virtual", "3b");
		const workbench = await openVirtual(folder);
		const { page } = workbench;
		let shown = "";
		const counts = async () => {
			await workbench.command("Counted: Report");
			// It may be read while it is being written: whole, it ends with its brace.
			const file = join(folder, ".counts.json");
			const now = () => (existsSync(file) ? read(file) : "");
			await until(() => now() !== shown && now().endsWith("}"), "the counts");
			shown = now();
			return JSON.parse(shown);
		};
		const edit = async (text) => {
			const began = Date.now();
			// There is no search in a virtual file system: the way to a file is the Explorer's.
			await workbench.command("View: Show Explorer");
			const files = page.locator(".explorer-folders-view .monaco-list");
			const row = (name) => files.locator(`.monaco-list-row[aria-label^='${name}']`).first();
			const tab = page.locator(".editor-group-container .tab.active", { hasText: "trap.c" }).first();
			// The Explorer opens the folder of the active editor by itself, maybe between a look and a click: each try looks again.
			const openFile = async () => {
				if (!(await row("trap.c").isVisible())) {
					const folder = row("kernel");
					if ((await folder.isVisible()) && (await folder.getAttribute("aria-expanded", soon)) === "false")
						await folder.click(soon);
					await files.focus(soon);
					await page.keyboard.type("trap.c");
				}
				await row("trap.c").click(soon);
				return tab.waitFor(soon).then(() => true);
			};
			await until(() => openFile().catch(() => false), "trap.c is open in the editor");
			await page
				.locator(".editor-instance .view-lines")
				.first()
				.click({ position: { x: 4, y: 4 } });
			await page.keyboard.press("Control+Home");
			await page.keyboard.insertText(`#define ${text} 1
`);
			await page.keyboard.press("Control+S");
			await until(() => read(join(folder, "kernel/trap.c")).includes(text), "the edit is saved");
			return began;
		};
		const judged = async (number) => {
			await workbench.command("xv6: Run prodcons1");
			await workbench.waitTerminal(new RegExp(`(✓ Passed: prodcons1[\\s\\S]*){${number}}`));
		};
		const log = async () => {
			// The end of a run may still bring its terminal to the front.
			for (let i = 0; i < 10; i++) {
				await workbench.command("xv6: Show Log");
				const line = page.locator(".output-view .view-line").first();
				if (
					await line.waitFor({ timeout: 5000 }).then(
						() => true,
						() => false,
					)
				)
					break;
			}
			return (await page.locator(".output-view .view-lines").innerText()).replaceAll("\u00a0", " ");
		};
		// VS Code looks for the signs of a kernel on disks only; the view is what a person opens.
		await workbench.command("View: Show xv6 Lab");
		await page.locator(".part.sidebar").getByText("0/2").first().waitFor();
		await judged(1);
		const first = await counts();
		await edit("ONE");
		await judged(2);
		const second = await counts();
		console.log(
			`    asked for at first: ${JSON.stringify(first)}, until the second verdict: ${JSON.stringify(second)}`,
		);
		assert.ok(first.stat > 60, "at first every file is looked at");
		assert.ok(second.stat - first.stat < 30, "and then those that changed");
		assert.ok(second.readDirectory - first.readDirectory < 10);
		const transferred = (await log()).split("\n").filter((line) => / MB /.test(line));
		console.log(transferred.map((line) => `    ${line}`).join("\n"));
		assert.match(transferred.join("\n"), /llvm\.wasm\.gz: 22\.8 MB transferred/);
		const builds = async () => (await log()).match(/built in .*/g) ?? [];
		console.log(`    first own build, and after an edit: ${(await builds()).join("; ")}`);
		await workbench.reload();
		await workbench.command("View: Show xv6 Lab");
		await edit("TWO");
		await judged(1);
		const again = (await log()).split("\n").filter((line) => / MB /.test(line));
		console.log(again.map((line) => `    ${line}`).join("\n"));
		for (const file of ["llvm.wasm.gz", "prebuilt.bin"])
			assert.ok(again.some((line) => line.includes(file) && line.endsWith("MB from the browser's cache")));
		// Objects too: what the window before has compiled is there.
		const [rebuilt] = await builds();
		console.log(`    in the window opened again: ${rebuilt}`);
		assert.match(rebuilt, /\(1 compiled/);
		await shot(workbench, "virtual-workspace");
	},
};
