// The workbench as a page object: what a person does with keys and eyes, by the names a person reads.
import { chromium } from "playwright-core";

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
	return chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", headless: true, args: flags });
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
		const page = await context.newPage();
		const workbench = new Workbench(page);
		const local = (target) =>
			["127.0.0.1", "localhost"].includes(target.hostname) || target.hostname.endsWith(".localhost");
		await context.route(
			(target) => /^https?:$/.test(target.protocol) && !local(target),
			(route) => route.abort(),
		);
		if (before) await before(page, workbench);
		await page.goto(url);
		if (wait) await workbench.ready();
		return workbench;
	}

	async ready() {
		await this.page.waitForSelector(".monaco-workbench .part.statusbar", { timeout: 90_000 });
		await this.page.waitForSelector(".explorer-folders-view .monaco-list-row", { timeout: 90_000 });
	}

	/** Runs a command by its exact palette label, with keys only; retries until the extension has registered it. */
	async command(label, { timeout = 60_000 } = {}) {
		const end = Date.now() + timeout;
		for (;;) {
			await this.page.keyboard.press("F1");
			const input = this.quickInput();
			await input.waitFor({ timeout: 20_000 });
			await input.fill(`>${label}`);
			const row = this.page.locator(`.quick-input-list .monaco-list-row[aria-label^=${JSON.stringify(label)}]`).first();
			try {
				await row.waitFor({ timeout: 2000 });
				await this.page.keyboard.press("Enter");
				return;
			} catch {
				await this.page.keyboard.press("Escape");
				if (Date.now() > end) throw new Error(`the command ${label} did not appear in the palette`);
			}
		}
	}

	/** Switches the colour theme as a person does, and waits until the workbench wears it. */
	async theme(label, bodyClass) {
		await this.page.locator(".part.statusbar").click({ position: { x: 700, y: 10 } });
		await this.page.keyboard.press("Control+K");
		await this.page.keyboard.press("Control+T");
		const row = this.page.locator(`.quick-input-list .monaco-list-row[aria-label^=${JSON.stringify(label)}]`).first();
		await this.quickInput().fill(label);
		await row.waitFor({ timeout: 20_000 });
		await this.page.keyboard.press("Enter");
		await this.page.waitForSelector(`.monaco-workbench.${bodyClass}`, { timeout: 20_000 });
	}

	/** Opens a file at a line in the editor, which has the keyboard then. */
	async openFile(file, line) {
		const name = file.split("/").at(-1);
		await this.page.keyboard.press("F1");
		await this.quickInput().fill(`${file}:${line}`);
		await this.page
			.locator(`.quick-input-list .monaco-list-row[aria-label^=${JSON.stringify(name)}]`)
			.first()
			.waitFor();
		await this.page.keyboard.press("Enter");
		await this.page
			.locator(".statusbar-item", { hasText: `Ln ${line}, Col` })
			.first()
			.waitFor({ timeout: 20_000 });
		await this.page.locator(".editor-group-container .tab.active", { hasText: name }).first().waitFor();
	}

	/** Puts text in before the line of the cursor, and saves. */
	async pasteAndSave(text) {
		await this.page.evaluate((value) => navigator.clipboard.writeText(value), text);
		await this.page.keyboard.press("Control+V");
		await this.page.keyboard.press("Control+S");
	}

	quickInput() {
		return this.page.locator('.quick-input-widget:not([style*="display: none"]) .quick-input-box input');
	}

	async notification(text, timeout = 60_000) {
		const toast = this.page.locator(".notification-toast", { hasText: text }).first();
		await toast.waitFor({ timeout });
		return toast.innerText();
	}

	/** Text of the visible terminal (DOM renderer). */
	terminalText() {
		const rows = this.page.locator(".terminal-wrapper.active .xterm-rows > div");
		return rows.evaluateAll((list) =>
			list
				.map((row) => row.textContent.replace(/\u00a0/g, " ").trimEnd())
				.join("\n")
				.trimEnd(),
		);
	}

	async waitTerminal(text, timeout = 120_000) {
		try {
			await this.page.waitForFunction(
				(wanted) => {
					const rows = [...document.querySelectorAll(".terminal-wrapper.active .xterm-rows > div")];
					return rows
						.map((row) => row.textContent.replace(/\u00a0/g, " ").trimEnd())
						.join("\n")
						.includes(wanted);
				},
				text,
				{ timeout },
			);
		} catch (error) {
			throw new Error(`the terminal never showed ${JSON.stringify(text)}; it shows:\n${await this.terminalText()}`, {
				cause: error,
			});
		}
	}

	/** Clicks a link in the visible terminal as VS Code asks for it, with Ctrl held. */
	async followTerminalLink(text) {
		const place = await this.page.evaluate((wanted) => {
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
		}, text);
		if (!place) throw new Error(`the terminal shows no ${text}`);
		await this.page.keyboard.down("Control");
		await this.page.mouse.move(place.x, place.y - 40);
		await this.page.mouse.move(place.x, place.y, { steps: 5 });
		await this.page.getByText("(ctrl + click)").waitFor();
		await this.page.mouse.down();
		await this.page.mouse.up();
		await this.page.keyboard.up("Control");
	}

	async typeInTerminal(text) {
		await this.page.locator(".terminal-wrapper.active .xterm-screen").click();
		await this.page.keyboard.type(text);
	}

	/** The document inside a webview: an outer frame, and the page in its inner one. */
	webview() {
		return this.page.frameLocator("iframe.webview.ready").first().frameLocator("iframe#active-frame");
	}

	async close() {
		await this.page.context().close();
	}
}
