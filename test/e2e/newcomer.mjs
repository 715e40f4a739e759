// Someone who has just installed the extension: from an empty window to the first green test and the first look into memory, once with
// the mouse alone (keys only for what is text) and once without one. Every step is a picture, and those of the walkthrough come from here.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { until } from "../support/workbench/until.mjs";
import { task1a } from "./strangerEdits.mjs";

/** The part of munmap that the first test needs: a page that was never touched has no frame to give back. */
const unmapping = [
	"kernel/sysfile.c",
	"  // Task 1a: find the region and remove it.",
	`  for(struct mmr *m = myproc()->mmr; m < &myproc()->mmr[MAX_MMR]; m++){
    if(m->valid && m->addr == addr && m->length == PGROUNDUP(length)){
      m->valid = 0;
      return 0;
    }
  }
  //`,
];

/** What both do, in their own way. */
class Newcomer {
	constructor(context, workbench, kind, theme) {
		Object.assign(this, { context, workbench, page: workbench.page, kind, theme, steps: 0 });
		this.name = kind === "mouse" ? "hw5" : "my-hw5";
		this.folder = join(context.scratch, "home", this.name);
	}

	async shot(what) {
		const number = String(++this.steps).padStart(2, "0");
		await this.page.waitForTimeout(300);
		await this.context.shot(this.workbench, `newcomer-${this.kind}-${number}-${what}`);
	}

	/** A picture of the walkthrough, in this newcomer's theme. */
	picture(what) {
		return this.context.walkthrough(this.workbench, `${what}-${this.theme}`);
	}

	side(text) {
		return this.page.locator(".part.sidebar .monaco-list-row", { hasText: text }).first();
	}

	/** What the card in the terminal says. */
	async card(text) {
		await this.workbench.waitTerminal(text);
		await this.workbench.waitTerminal(/▸ Run again[^\n]*\n+\$ *$/);
	}

	/** The workbench says that it waits for a chord's second key: in a web page, too, whose keys it gets by messages. */
	async chord(key) {
		await this.page.keyboard.press("Control+Alt+X");
		await this.page.locator(".part.statusbar").getByText("Waiting for second key of chord").waitFor();
		await this.page.keyboard.press(key);
	}

	/** So many pages of the inspector have drawn a time line; the handout's preview is a webview as well. */
	async inspectors(wanted) {
		const drawn = async () => {
			const counts = this.page.frames().map((frame) =>
				frame
					.locator("xv6-timeline")
					.count()
					.catch(() => 0),
			);
			return (await Promise.all(counts)).filter((count) => count > 0).length;
		};
		await until(async () => (await drawn()) === wanted, `${wanted} inspectors are there`);
	}

	async opened() {
		await this.page.locator(".tab", { hasText: "Preview HANDOUT.md" }).first().waitFor();
		await this.page.locator(".tab", { hasText: "syscall.c" }).first().waitFor();
		await this.side("Next").waitFor();
		await this.workbench.webview().getByRole("heading", { level: 1 }).first().waitFor();
	}

	/** The only line of a file that has a text in it: its number, and the line with another text in its place. */
	lineOf(file, before, after) {
		const lines = readFileSync(join(this.folder, file), "utf8").split("\n");
		const found = lines.flatMap((line, index) => (line.includes(before) ? [index] : []));
		if (found.length !== 1) throw new Error(`${file} has ${before} ${found.length} times`);
		const [at] = found;
		return [at + 1, lines[at].replace(before, () => after)];
	}

	/**
	 * The lines of task 1a; each newcomer puts a text in the place of a line in a way of its own. A person looks whether it is
	 * there, and else tries again.
	 */
	async task1a(replaceLine) {
		for (const [file, before, after] of [...task1a, unmapping]) {
			const text = () => readFileSync(join(this.folder, file), "utf8");
			for (let i = 0; i < 4 && !text().includes(after) && text().includes(before); i++) {
				await replaceLine(file, ...this.lineOf(file, before, after));
				for (let k = 0; k < 80 && !text().includes(after); k++) await this.page.waitForTimeout(100);
			}
			await this.saved(file, after);
		}
	}

	async saved(file, text) {
		await until(
			() => readFileSync(join(this.folder, file), "utf8").includes(text),
			() => `${file} is saved with ${text}`,
		);
	}
}

export const newcomerCases = {
	async "a newcomer comes from an empty window to the first green test with the mouse"(context) {
		const workbench = await context.openAsNewcomer();
		const me = new Newcomer(context, workbench, "mouse", "dark");
		const { page } = workbench;
		const click = (locator) => locator.first().click();
		const side = page.locator(".part.sidebar");
		const activity = (name) => page.locator(`.activitybar .action-label[aria-label^='${name}']`);
		await activity("xv6 Lab").waitFor();
		await workbench.theme("Dark Modern", "vs-dark");
		await click(activity("xv6 Lab"));
		await side.getByText("New Lab Workspace…").first().waitFor();
		await me.shot("empty-window");
		await click(side.getByText("See it step by step"));
		const walkthrough = page.locator(".gettingStartedContainer");
		await walkthrough.locator(".getting-started-step").first().waitFor();
		await me.shot("walkthrough");
		await click(walkthrough.getByText("New Lab Workspace…"));
		await workbench.row("HW5: anonymous memory mappings").waitFor();
		await me.shot("which-lab");
		await click(workbench.row("HW5: anonymous memory mappings"));
		const question = (text) => page.locator(".quick-input-widget", { hasText: text });
		await question("Name of the new workspace").waitFor();
		await me.shot("name");
		await click(question("Name of").locator(".action-label[aria-label='Use this name']"));
		await question(`Where should ${me.name} be created?`).waitFor();
		await me.shot("where");
		await workbench.chooseFolder(`Create ${me.name} Here`);
		await workbench.row("Yes").waitFor();
		await me.shot("git");
		await click(workbench.row("Yes"));
		await page.locator(".monaco-dialog-box").waitFor();
		await me.shot("trust");
		await click(page.locator(".monaco-dialog-box").getByText("Trust Folder & Continue"));
		await me.opened();
		await me.shot("opened");
		await me.picture("task");
		await click(me.side("Next"));
		await me.card(/✗ Failed: [\s\S]*where +kernel\/syscall\.c/);
		await side.locator(".codicon-error").first().waitFor();
		await me.shot("red");
		await me.picture("red");
		await workbench.followTerminalLink("kernel/syscall.c: syscalls");
		await workbench.line(/(?!1,)\d+/);
		await me.shot("place");
		await click(activity("Explorer"));
		const file = (text) => side.locator(".explorer-folders-view .monaco-list-row", { hasText: text }).first();
		await click(file("kernel"));
		await me.task1a(async (path, line, text) => {
			const [, only] = path.split("/");
			const entry = side.locator(`.explorer-folders-view .monaco-list-row[aria-label^='${only}']`).first();
			await side.locator(".explorer-folders-view").hover();
			// The list holds the rows that are in sight only.
			for (let i = 0; !(await entry.isVisible()); i++) {
				if (i === 60) throw new Error(`no way to ${only} in the Explorer`);
				await page.mouse.wheel(0, i % 30 < 15 ? 150 : -150);
				await page.waitForTimeout(50);
			}
			await entry.click();
			await page.locator(".editor-group-container .tab.active", { hasText: only }).first().waitFor();
			const group = page
				.locator(".editor-group-container", { has: page.locator(".tab.active", { hasText: only }) })
				.first();
			const editor = group.locator(".monaco-editor").first();
			const number = editor.locator(".line-numbers", { hasText: new RegExp(`^${line}$`) }).first();
			await editor.hover();
			for (let i = 0; !(await inside(number, editor)); i++) {
				if (i === 200) throw new Error(`${path}: no way to line ${line}`);
				const numbers = (await editor.locator(".line-numbers").allInnerTexts()).map(Number);
				await editor.hover();
				await page.mouse.wheel(0, Math.max(...numbers) - 5 < line ? 200 : -60);
				await page.waitForTimeout(50);
			}
			// A click on its number takes the line; the new text comes from the clipboard, as from a page of notes.
			await number.click();
			await workbench.line(line + 1);
			await page.evaluate((value) => navigator.clipboard.writeText(value), `${text}\n`);
			const box = await number.boundingBox();
			const { x } = await editor.boundingBox();
			await page.mouse.click(x + 110, box.y + box.height / 2, { button: "right" });
			await workbench.chooseMenu(/^Paste$/);
		});
		await me.shot("edited");
		await click(activity("xv6 Lab"));
		await click(me.side("Next"));
		await me.card(/✓ Passed: /);
		await side.locator(".codicon-circle-filled, .codicon-pass-filled").first().waitFor();
		await me.shot("green");
		await me.picture("green");
		await me.side("hw5").hover();
		await click(
			side.locator(".pane", { hasText: "Machine" }).locator(".action-label[aria-label^='Open Memory Inspector']"),
		);
		await me.inspectors(1);
		await me.shot("memory");
		await me.picture("memory");
		await click(page.locator(".part.panel .composite-bar .action-label[aria-label^='xv6 Memory']"));
		await me.inspectors(2);
		await me.shot("memory-in-panel");
	},

	async "a newcomer comes from an empty window to the first green test with the keyboard"(context) {
		const workbench = await context.openAsNewcomer();
		const me = new Newcomer(context, workbench, "keyboard", "light");
		const { page } = workbench;
		const { keyboard } = page;
		await workbench.theme("Light Modern", "vs");
		await workbench.command("xv6: Open Walkthrough");
		await page.locator(".gettingStartedContainer .getting-started-step").first().waitFor();
		await me.shot("walkthrough");
		await me.chord("n");
		await workbench.row("HW5: anonymous memory mappings").waitFor();
		await workbench.take("HW5: anonymous memory mappings");
		const question = (text) => page.locator(".quick-input-widget", { hasText: text });
		await question("Name of the new workspace").waitFor();
		await page.keyboard.type(me.name);
		await me.shot("name");
		await keyboard.press("Enter");
		await question(`Where should ${me.name} be created?`).waitFor();
		await me.shot("where");
		await keyboard.press("Enter");
		await workbench.take("Yes");
		await page.locator(".monaco-dialog-box").waitFor();
		await me.shot("trust");
		await keyboard.press("Enter");
		await me.opened();
		await me.shot("opened");
		await me.picture("task");
		await me.chord(".");
		await me.card(/✗ Failed: [\s\S]*where +kernel\/syscall\.c/);
		await page.locator(".part.sidebar .codicon-error").first().waitFor();
		await me.shot("red");
		await me.picture("red");
		await me.task1a(async (path, line, text) => {
			await workbench.openFile(path, line);
			await keyboard.press("Control+L");
			await page.evaluate((value) => navigator.clipboard.writeText(value), `${text}\n`);
			await keyboard.press("Control+V");
			await keyboard.press("Control+S");
		});
		await me.shot("edited");
		await me.chord(".");
		await me.card(/✓ Passed: /);
		await page.locator(".part.sidebar .codicon-circle-filled, .part.sidebar .codicon-pass-filled").first().waitFor();
		await me.shot("green");
		await me.picture("green");
		await me.chord("i");
		await me.inspectors(1);
		await me.shot("memory");
		await me.picture("memory");
	},
};

/** Whether the middle of a line is in sight. */
async function inside(line, editor) {
	if (!(await line.isVisible())) return false;
	const [a, b] = [await line.boundingBox(), await editor.boundingBox()];
	return a && b && a.y > b.y + 80 && a.y + a.height < b.y + b.height - 30;
}
