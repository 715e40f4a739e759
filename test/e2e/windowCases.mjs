// What a window gives and takes: terminals from the profile menu, links out of a verdict, and nothing left when it closes.
import { strict as assert } from "node:assert";
import { appendFileSync, existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { hasCompiler, useToolchain } from "../support/workbench/toolchain.mjs";
import { until } from "../support/workbench/until.mjs";

/** [screenshot, theme, class of the workbench, `data-vscode-theme-kind` of a webview]. */
export const themes = [
	["light", "Light Modern", "vs", "vscode-light"],
	["dark", "Dark Modern", "vs-dark", "vscode-dark"],
	["high-contrast", "Dark High Contrast", "hc-black", "vscode-high-contrast"],
	["high-contrast-light", "Light High Contrast", "hc-light", "vscode-high-contrast-light"],
];

/** VS Code's server keeps processes of its own for the next window, and shells in them. */
const isServers = ({ command, parent }) =>
	(command.includes("bootstrap-fork") && !command.includes("--type=extensionHost")) ||
	parent.includes("--type=ptyHost");

/** Half a minute for any compiler: the window is closed long before. */
const slowCode = `
#define TEN(x) x x x x x x x x x x
volatile int sink;
void slow(void) { TEN(TEN(TEN(TEN(TEN(sink++; sink--; sink++;))))) }
`;

const files = (folder) => readdirSync(folder, { recursive: true }).sort();

/** Extension hosts among the processes of the server. */
const hosts = (processes) => processes().filter(({ command }) => command.includes("--type=extensionHost"));

export const windowCases = {
	async "two terminals from the profile menu show one machine, the newer one"({ open, makeWorkspace, shot }) {
		const workbench = await open(makeWorkspace("profile", "3b"));
		const { page } = workbench;
		// Its icon is part of the label.
		const shell = "vm-running  xv6 shell";
		const fromMenu = async () => {
			// VS Code learns of the profiles a while after it started, and its list does not grow while it is shown.
			const profiles = page.locator('.quick-input-widget input[placeholder*="profile"]');
			const isThere = async () => {
				await workbench.command("Create New Terminal (With Profile)");
				await profiles.waitFor();
				await workbench.quickInput().fill("xv6 shell");
				if (await workbench.offers(shell)) return true;
				await workbench.dismissQuickInput();
				return false;
			};
			await until(isThere, "the profile menu offers the xv6 shell");
			await workbench.take(shell);
		};
		await fromMenu();
		await workbench.waitTerminal("$");
		await workbench.typeInTerminal("echo fir''st\n");
		await workbench.waitTerminal("\nfir''st");
		// Both show the same text: what is typed must not go to the one that is about to close.
		await page.evaluate(() => document.querySelector(".terminal-wrapper.active").setAttribute("data-older", ""));
		await fromMenu();
		await page.locator(".terminal-wrapper.active:not([data-older])").waitFor();
		await page.locator(".terminal-wrapper[data-older]").waitFor({ state: "detached" });
		await workbench.waitTerminal("fir''st");
		await workbench.typeInTerminal("echo second\n");
		await workbench.waitTerminal("\nsecond");
		const text = await workbench.terminalText();
		assert.equal(text.split("xv6 kernel is booting").length, 2, text);
		assert.equal(await page.locator(".terminal-wrapper").count(), 1, "the older terminal gave up its place");
		await shot(workbench, "profile-terminal");
	},

	async "a line at the xv6 prompt is completed, recalled and edited"({ open, makeWorkspace, shot }) {
		const workbench = await open(makeWorkspace("line", "3b"));
		const { keyboard } = workbench.page;
		await workbench.command("xv6: Boot");
		await workbench.waitTerminal(/\n\$$/);
		await workbench.typeInTerminal("ec");
		await keyboard.press("Tab");
		await workbench.waitTerminal(/\n\$ echo$/);
		await keyboard.type("one\n");
		await workbench.waitTerminal(/\n\$ echo one *\none *\n\$$/);
		await keyboard.press("ArrowUp");
		await workbench.waitTerminal(/\n\$ echo one$/);
		await keyboard.press("Home");
		await keyboard.type("echo two; ");
		await workbench.waitTerminal(/\n\$ echo two; echo one$/);
		await shot(workbench, "line-editing");
		await keyboard.press("Enter");
		await workbench.waitTerminal(/\n\$ echo two; echo one *\ntwo *\none *\n\$$/);
		await keyboard.type("cat READ");
		await keyboard.press("Tab");
		await workbench.waitTerminal(/\n\$ cat README$/);
	},

	async "a verdict's links lead into the memory inspector"({ open, makeWorkspace, read, shot, picture }) {
		const folder = makeWorkspace("links");
		const workbench = await open(folder);
		const { page } = workbench;
		await workbench.command("xv6: Run prodcons1");
		await workbench.waitTerminal("✗");
		await workbench.waitTerminal("▸ Open handout");
		await workbench.followTerminalLink("kernel/syscall.c: syscalls");
		await page.locator(".editor-group-container .tab.active", { hasText: "syscall.c" }).waitFor();
		await workbench.line(/(?!1,)\d+/);
		await workbench.command("Test: Peek Output");
		const peek = page.locator(".test-output-peek").first();
		await peek.waitFor();
		const [before] = read(join(folder, "user/prodcons1.c")).split(/^main\(/m);
		await workbench.line(before.split("\n").length);
		await peek.getByText("The kernel does not know the system call").first().waitFor();
		for (const [name, theme, workbenchClass] of themes) {
			await workbench.theme(theme, workbenchClass);
			if (name === "light") await picture(workbench, "starter");
			else await shot(workbench, `verdict-${name}`);
		}
		const link = peek.getByText("Show This Run in the Inspector").first();
		await link.click();
		await workbench.webview().locator("xv6-inspector").waitFor();
		await shot(workbench, "verdict-link");
	},

	...Object.fromEntries(
		["bundled", ...(hasCompiler ? ["host"] : [])].map((kind) => [
			`closing a window in the midst of a compile with the ${kind} compiler leaves no process and no half-written file`,
			async ({ open, makeWorkspace, processes, storage }) => {
				const folder = makeWorkspace(`compiling-${kind}`);
				useToolchain(folder, kind);
				appendFileSync(join(folder, "kernel/main.c"), slowCode);
				const before = files(folder);
				const others = new Set(processes().map(({ pid }) => pid));
				const mine = () => processes().filter((one) => !others.has(one.pid) && !isServers(one));
				const unfinished = () =>
					storage.flatMap((place) => files(place)).filter((name) => /\.tmp$|xv6-lab-cc-/.test(name));
				const workbench = await open(folder);
				await workbench.command("xv6: Build Kernel");
				await workbench.notification(/kernel\/main\.c|\(\d+ of \d+\)/);
				if (kind === "host") {
					const compiles = () => mine().some(({ command }) => /kernel\/main\.c/.test(command));
					await until(compiles, () => `a compiler runs: ${JSON.stringify(mine())}`);
				}
				await workbench.page.close({ runBeforeUnload: true });
				await until(
					() => mine().length === 0 && unfinished().length === 0,
					() => `nothing is left: ${JSON.stringify([mine(), unfinished()])}`,
				);
				assert.deepEqual(files(folder), before);
			},
		]),
	),

	async "a new lab workspace opens with its handout beside the first file to edit"({ openEmpty, scratch, shot }) {
		const workbench = await openEmpty();
		const { page } = workbench;
		await workbench.command("xv6: New Lab Workspace…");
		await workbench.row("HW5: anonymous memory mappings").waitFor();
		await workbench.take("HW5: anonymous memory mappings");
		const name = page.locator(".quick-input-widget", { hasText: "Name of the new workspace" });
		await name.waitFor();
		await name.locator("input").fill("my lab");
		await name.getByText("Use letters").waitFor();
		await name.locator("input").fill("my-lab");
		await page.keyboard.press("Enter");
		const where = page.locator(".quick-input-widget", { hasText: "Where should my-lab be created?" });
		// The dialog writes its first folder into the box when it has listed it.
		await where.locator(".monaco-list-row").nth(1).waitFor();
		await where.locator("input").first().fill(`${scratch}/`);
		await workbench.chooseFolder("Create my-lab Here");
		const tab = (text) => page.locator(".tab", { hasText: text }).first();
		await tab("syscall.c").waitFor();
		await tab("Preview HANDOUT.md").waitFor();
		await page.locator(".part.sidebar").getByText("0/2").first().waitFor();
		assert.ok(existsSync(join(scratch, "my-lab/.gitignore")));
		await shot(workbench, "new-workspace");
	},

	async "a panic has its card, and a Makefile that cannot be read its place in the Problems panel"({
		open,
		makeWorkspace,
		edit,
		shot,
	}) {
		const folder = makeWorkspace("panic");
		edit(join(folder, "kernel/main.c"), "userinit();", 'panic("mytest");');
		const workbench = await open(folder);
		await workbench.command("xv6: Run prodcons1");
		await workbench.waitTerminal(/panic: mytest[\s\S]*✗ [\s\S]*where +kernel\/main\.c:\d+[\s\S]*calls +main/);
		await shot(workbench, "panic-card");
		edit(join(folder, "Makefile"), "\nclean:", "\nifdef NOTHING\n\nclean:");
		await workbench.command("xv6: Build Kernel");
		const problem = workbench.page.locator(".markers-panel .monaco-list-row", { hasText: "endif" }).first();
		await problem.waitFor();
		assert.match(await problem.innerText(), /Ln \d+/);
		await shot(workbench, "makefile-problem");
	},

	async "the side bar follows the machine and the lab's tests"({ open, makeWorkspace, shot }) {
		const workbench = await open(makeWorkspace("sidebar"));
		const { page } = workbench;
		const pane = (title) => page.locator(".part.sidebar .pane", { has: page.getByRole("button", { name: title }) });
		const row = (title, text) => pane(title).locator(".monaco-list-row", { hasText: text }).first();
		await workbench.command("View: Show xv6 Lab");
		await row("Machine Section", "off").waitFor();
		await row("Machine Section", "private").waitFor();
		const programs = await pane("Machine Section").locator('.monaco-list-row[aria-level="2"]').allInnerTexts();
		assert.equal(programs[0]?.trim(), "private", `the lab's programs come first: ${programs}`);
		await row("Lab Section", "1a: Regions").waitFor();
		await workbench.command("xv6: Boot");
		await workbench.waitTerminal("$");
		await row("Machine Section", "running").waitFor();
		await workbench.command("xv6: Stop Machine");
		await row("Machine Section", "off").waitFor();
		await workbench.command("xv6: Run All Lab Tests");
		// A run that ends with a failure opens the Test Explorer in the side bar's place.
		await page
			.locator(".part.statusbar")
			.getByText(/\d+ failed/)
			.first()
			.waitFor();
		await page
			.locator('.test-explorer .monaco-list-row[aria-level="3"] .codicon-testing-failed-icon')
			.first()
			.waitFor();
		await workbench.command("View: Show xv6 Lab");
		await row("Lab Section", "0/2").locator(".codicon-error").waitFor();
		await shot(workbench, "sidebar");
		// Reloaded with the view open: it is not the one of the window before.
		await page.reload();
		await row("Machine Section", "off").waitFor();
		await row("Machine Section", "private").waitFor();
	},

	async "closing or reloading a window leaves no process and no half-written file"({ open, makeWorkspace, processes }) {
		const folder = makeWorkspace("closing");
		const before = files(folder);
		const others = new Set(processes().map(({ pid }) => pid));
		const mine = () => hosts(processes).filter(({ pid }) => !others.has(pid));
		const workbench = await open(folder);
		await workbench.command("xv6: Boot");
		await workbench.waitTerminal("$");
		const [host] = mine();
		assert.ok(host, "the window has an extension host");
		await workbench.reload();
		await until(() => mine().every(({ pid }) => pid !== host.pid), "the first extension host is gone");
		// In the midst of the work: booting, typing, running.
		await workbench.command("xv6: Run prodcons1");
		await workbench.waitTerminal("xv6 kernel is booting");
		await workbench.page.close({ runBeforeUnload: true });
		await until(() => mine().length === 0, "the second extension host is gone");
		const left = () => processes().filter((one) => !others.has(one.pid) && !isServers(one));
		await until(
			() => left().length === 0,
			() => `nothing is left: ${JSON.stringify(left())}`,
		);
		assert.deepEqual(files(folder), before);
	},
};
