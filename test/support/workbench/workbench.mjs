// The workbench as a page object: what a person does with keys and eyes, by the names a person reads.
import { chromium } from "playwright-core";

/** How long anything may take before it counts as never: far more than a slow and busy machine needs. Less of it while a case is written. */
export const patienceMs = 1000 * Number(process.env.XV6_LAB_PATIENCE ?? 180);

const flags = [
	"--no-sandbox",
	"--disable-gpu",
	"--disable-quic",
	"--no-first-run",
	"--disable-background-networking",
	"--disable-component-update",
	"--disable-sync",
	"--disable-dev-shm-usage",
];

export function launchBrowser() {
	return chromium.launch({
		executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
		headless: true,
		args: flags,
		timeout: patienceMs,
	});
}

export class Workbench {
	constructor(page) {
		this.page = page;
		this.console = [];
		page.on("console", (message) => this.console.push(`[${message.type()}] ${message.text()}`));
		page.on("pageerror", (error) => this.console.push(`[pageerror] ${error.stack ?? error.message}`));
	}

	static async open(browser, url, { viewport = { width: 1400, height: 900 }, before, wait = true } = {}) {
		const context = await browser.newContext({ viewport, permissions: ["clipboard-read", "clipboard-write"] });
		context.setDefaultTimeout(patienceMs);
		const page = await context.newPage();
		const workbench = new Workbench(page);
		const local = (target) =>
			["127.0.0.1", "localhost"].includes(target.hostname) || target.hostname.endsWith(".localhost");
		await context.route(
			(target) => /^https?:$/.test(target.protocol) && !local(target),
			(route) => route.abort(),
		);
		await throttle(page);
		if (before) await before(page, workbench);
		await page.goto(url);
		if (wait) await workbench.ready();
		return workbench;
	}

	async ready() {
		await this.page.waitForSelector(".monaco-workbench .part.statusbar");
		await this.page.waitForSelector(".explorer-folders-view .monaco-list-row");
	}

	/** Reloads the window by its command, and waits for the new one. */
	async reload() {
		await this.page.evaluate(() => {
			window.isOld = true;
		});
		await this.command("Developer: Reload Window");
		await this.page.waitForFunction(() => !window.isOld);
		await this.ready();
	}

	/** A menu that has just opened takes no click for 100 ms, longer on a busy page. */
	chooseMenu(text) {
		return this.clickAway(this.page.locator(".monaco-menu .action-label", { hasText: text }).first());
	}

	/** The folder dialog takes no click on its button while it lists a folder. */
	chooseFolder(button) {
		return this.clickAway(this.page.locator(".quick-input-widget").getByText(button).first());
	}

	/** Clicks, as a person does, until what was clicked is gone. */
	async clickAway(entry) {
		await entry.waitFor();
		for (let i = 0; i < 60 && (await entry.isVisible()); i++) {
			await entry.click({ timeout: 3000 }).catch(() => undefined);
			await this.page.waitForTimeout(400);
		}
	}

	/** Runs a command by its exact palette label, with keys only; tries again until the extension has registered it. */
	command(label) {
		return this.quickOpen(`>${label}`, label);
	}

	/**
	 * Types into the palette and takes the row of this name. Its list does not grow while it is shown, and a key that comes before
	 * the workbench listens is lost: opened anew until the row is there, each time with more patience.
	 */
	async quickOpen(value, label) {
		const end = Date.now() + patienceMs;
		for (let patience = 2000; Date.now() < end; patience *= 1.5) {
			await this.page.keyboard.press("F1");
			if (!(await appears(this.quickInput(), patience))) continue;
			await this.quickInput().fill(value);
			if (await appears(this.row(label), patience)) return this.take(label);
			await this.dismissQuickInput();
		}
		throw new Error(`${label} never appeared in the palette`);
	}

	/** A row of the list under the quick input, by its whole label: what a screen reader says up to the first comma. */
	row(label, state = "") {
		const row = `.quick-input-list .monaco-list-row${state}`;
		return this.page.locator(
			`${row}[aria-label=${JSON.stringify(label)}], ${row}[aria-label^=${JSON.stringify(`${label},`)}]`,
		);
	}

	/** Whether the list under the quick input has, or soon gets, a row of this name. */
	offers(label) {
		return appears(this.row(label), 3000);
	}

	/** Enter takes the row that has the focus, which need not be the wanted one while the list is still being filtered. */
	async take(label) {
		for (let i = 0; !(await appears(this.row(label, ".focused").first(), 1000)); i++) {
			if (i === 60) throw new Error(`the keyboard does not reach ${label} in the list`);
			await this.page.keyboard.press("ArrowDown");
		}
		await this.page.keyboard.press("Enter");
		await this.row(label).first().waitFor({ state: "hidden" });
	}

	/** Escape, but only where there is something to leave: a terminal would give the key to the guest. */
	async dismissQuickInput() {
		if (!(await this.quickInput().isVisible())) return;
		await this.page.keyboard.press("Escape");
		await this.quickInput().waitFor({ state: "hidden" });
	}

	/** Switches the colour theme as a person does, and waits until the workbench wears it. */
	async theme(label, bodyClass) {
		await this.command("Preferences: Color Theme");
		await this.page.locator('.quick-input-widget input[placeholder*="Color Theme"]').waitFor();
		await this.quickInput().fill(label);
		await this.take(label);
		await this.page.waitForSelector(`.monaco-workbench.${bodyClass}`);
	}

	/** Opens a file at a line in the editor, which has the keyboard then. */
	async openFile(file, line) {
		const parts = file.split("/");
		const name = parts.pop();
		await this.quickOpen(`${file}:${line}`, [name, ...parts].join(" "));
		await this.page.locator(".editor-group-container .tab.active", { hasText: name }).first().waitFor();
		await this.line(line);
		await this.page.locator(".editor-group-container .editor-instance .monaco-editor.focused").first().waitFor();
	}

	/** Waits until the editor's cursor is on a line, by the status bar; `line`: a number, or a regular expression for it. */
	async line(line) {
		const pattern = line instanceof RegExp ? line.source : String(line);
		await this.page
			.locator(".statusbar-item", { hasText: new RegExp(`Ln ${pattern}, Col`) })
			.first()
			.waitFor();
	}

	/** Puts whole lines in before a line of a file, and saves. */
	async insertLines(file, line, text) {
		await this.openFile(file, line);
		await this.page.evaluate((value) => navigator.clipboard.writeText(value), text);
		await this.page.keyboard.press("Control+V");
		// Saved before it is pasted, it would not be saved.
		await this.line(line + text.split("\n").length - 1);
		await this.page.keyboard.press("Control+S");
	}

	quickInput() {
		return this.page.locator('.quick-input-widget:not([style*="display: none"]) .quick-input-box input');
	}

	/** A toast with this text; a program's progress is a toast too, so the text must be the verdict's own. */
	async notification(text) {
		const toast = this.page.locator(".notification-toast", { hasText: text }).first();
		await toast.waitFor();
		return toast.innerText();
	}

	/** Waits for a toast and takes all away: they cover what is below them. */
	async clearNotifications(text) {
		await this.notification(text);
		await this.command("Notifications: Clear All Notifications");
		await this.page.waitForFunction(() => !document.querySelector(".notification-toast"));
	}

	/** All text of the visible terminal, what has scrolled away too; a line that the terminal broke is one line. */
	terminalText() {
		return this.page.evaluate(terminalText);
	}

	/** Whether what the terminal shows is its end. */
	terminalFollows() {
		return this.page.evaluate(() => {
			const buffer = document.querySelector(".terminal-wrapper.active")?.xterm?.buffer.active;
			return buffer !== undefined && buffer.viewportY === buffer.baseY;
		});
	}

	/** Waits until the terminal has a text or matches a regular expression. */
	async waitTerminal(wanted) {
		const pattern = wanted instanceof RegExp ? wanted.source : wanted.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
		const condition = `new RegExp(${JSON.stringify(pattern)}).test((${terminalText})())`;
		try {
			await this.page.waitForFunction(condition, undefined, { polling: 50 });
		} catch (error) {
			throw new Error(`the terminal never showed ${wanted}`, { cause: error });
		}
	}

	/** Clicks a link in the visible terminal as VS Code asks for it, with Ctrl held. */
	async followTerminalLink(text) {
		const { keyboard, mouse } = this.page;
		const hint = this.page.getByText("(ctrl + click)").first();
		await keyboard.down("Control");
		// The text may move while the mouse does; VS Code looks for links only when the mouse comes to them.
		for (let i = 0; ; i++) {
			const place = await this.page.evaluate(placeInTerminal, text);
			if (place) {
				await mouse.move(place.x, place.y - 40);
				await mouse.move(place.x, place.y, { steps: 5 });
				if (await appears(hint, 3000)) break;
			} else await this.page.waitForTimeout(100);
			if (i === 60) throw new Error(`the terminal has no link ${text}`);
		}
		await mouse.down();
		await mouse.up();
		await keyboard.up("Control");
	}

	async typeInTerminal(text) {
		await this.focusTerminal();
		await this.page.keyboard.type(text);
	}

	/** Gives the keyboard to the visible terminal. */
	async focusTerminal() {
		// At its edge: the middle may lie under a notification.
		await this.page.locator(".terminal-wrapper.active .xterm-screen").click({ position: { x: 4, y: 4 } });
		await this.page.locator(".terminal-wrapper.active .xterm.focus").waitFor();
	}

	/** The document inside a webview: an outer frame, and the page in its inner one. */
	webview() {
		return this.page.frameLocator("iframe.webview.ready").first().frameLocator("iframe#active-frame");
	}

	/** What a person would see, as text, for the log of a failed test. */
	async describe() {
		const texts = (selector) => this.page.locator(selector).allInnerTexts();
		const views = this.page.frames().filter((frame) => /webview/.test(frame.url()));
		const parts = {
			terminal: () => this.terminalText(),
			notifications: () => texts(".notification-toast"),
			"quick input": () => texts(".quick-input-widget:not([style*='display: none'])"),
			tabs: () => texts(".editor-group-container .tab"),
			"side bar": () => texts(".part.sidebar"),
			"status bar": () => texts(".part.statusbar"),
			focus: () => this.page.evaluate(() => `${document.activeElement?.tagName} ${document.activeElement?.className}`),
			views: () =>
				Promise.all(
					views.map((frame) =>
						frame
							.locator("body")
							.ariaSnapshot({ timeout: 2000 })
							.catch(() => ""),
					),
				),
			console: async () =>
				this.console
					.filter((line) => /^\[(error|pageerror)\]|xv6/i.test(line) && !/spdlog|github/.test(line))
					.map((line) => line.slice(0, 1000))
					.slice(-10),
		};
		const lines = [];
		for (const [name, read] of Object.entries(parts)) {
			const value = await Promise.race([
				read().catch(String),
				new Promise((resolve) => setTimeout(resolve, 5000, "?")),
			]);
			const text = [value].flat().join("\n").trim().slice(-3000);
			if (text !== "") lines.push(`--- ${name}`, text);
		}
		return lines.join("\n");
	}

	async close() {
		await this.page.context().close();
	}
}

/** Whether something is there before so much time has passed. */
function appears(locator, timeout) {
	return locator
		.first()
		.waitFor({ timeout })
		.then(
			() => true,
			() => false,
		);
}

/** XV6_LAB_SLOW_PAGE=6: the page's thread has a sixth of its speed, for finding out what a test silently takes for quick. */
export async function throttle(page) {
	const rate = Number(process.env.XV6_LAB_SLOW_PAGE ?? 1);
	if (rate === 1) return;
	const session = await page.context().newCDPSession(page);
	await session.send("Emulation.setCPUThrottlingRate", { rate });
}

/** In the page: the buffer of the visible terminal, which VS Code hangs on its element for tests like these. */
function terminalText() {
	const buffer = document.querySelector(".terminal-wrapper.active")?.xterm?.buffer.active;
	let text = "";
	for (let i = 0; i < (buffer?.length ?? 0); i++) {
		const line = buffer.getLine(i);
		const goesOn = buffer.getLine(i + 1)?.isWrapped === true;
		text += line.translateToString(!goesOn) + (goesOn ? "" : "\n");
	}
	return text.trimEnd();
}

/** In the page: the middle of the third character of a text that a row of the visible terminal shows. */
function placeInTerminal(wanted) {
	for (const row of document.querySelectorAll(".terminal-wrapper.active .xterm-rows > div")) {
		let at = row.textContent.indexOf(wanted);
		if (at < 0) continue;
		at += 2;
		const walker = document.createTreeWalker(row, NodeFilter.SHOW_TEXT);
		for (let node = walker.nextNode(); node; at -= node.length, node = walker.nextNode()) {
			if (at >= node.length) continue;
			const range = document.createRange();
			range.setStart(node, at);
			range.setEnd(node, at + 1);
			const { x, y, width, height } = range.getBoundingClientRect();
			return { x: x + width / 2, y: y + height / 2 };
		}
	}
	return undefined;
}
