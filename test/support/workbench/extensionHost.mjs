// Runs a bundled module inside a real extension host (code-server), as VS Code runs an extension's tests.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startCodeServer } from "./codeServer.mjs";
import { launchBrowser, Workbench } from "./workbench.mjs";

const root = fileURLToPath(new URL("../../..", import.meta.url)).replace(/\/$/, "");

/**
 * `entry`: file with a `run()`; `scratch`: a folder of the caller's, whose `workspace` is opened; `env`: the host's further variables.
 * `code`: "timeout", or the code of the run; `said`: what page and server said, for a run that told nothing.
 */
export async function runInExtensionHost({ entry, scratch, env = {}, trust = true, limitMs, onLine = console.log }) {
	const workspace = join(scratch, "workspace");
	mkdirSync(workspace, { recursive: true });
	writeFileSync(join(workspace, "README"), "An empty workspace of the tests.\n");
	const server = await startCodeServer({
		trust,
		args: ["--vscode-option", "enable-smoke-test-driver"],
		env: { XV6_LAB_SCRATCH: scratch, ...env },
	});
	const browser = await launchBrowser();
	let timer;
	try {
		const uri = (path) => `vscode-remote://${server.host}${path}`;
		const payload = [
			["extensionDevelopmentPath", uri(root)],
			["extensionTestsPath", uri(entry)],
		];
		let finish;
		const finished = new Promise((resolve) => (finish = resolve));
		const url = `${server.url}/?folder=${workspace}&payload=${encodeURIComponent(JSON.stringify(payload))}`;
		const workbench = await Workbench.open(browser, url, {
			wait: false,
			before: async (page) => {
				await page.exposeFunction("codeAutomationLog", (_type, args) => {
					const line = args.map(String).join(" ");
					if (/\[test\]|Extension Host.*(error|crash)/i.test(line)) onLine(`  ${line.slice(0, 4000)}`);
				});
				await page.exposeFunction("codeAutomationExit", (code) => finish(code));
			},
		});
		timer = setTimeout(() => finish("timeout"), limitMs);
		const code = await finished;
		const said = async () => {
			const page = workbench.console.slice(-30).join("\n");
			return `the page said:\n${page}\n${await workbench.describe()}\nthe server said:\n${server.serverLog().slice(-4000)}`;
		};
		return { code, said: code === 0 ? "" : await said() };
	} finally {
		clearTimeout(timer);
		await browser.close();
		await server.stop();
	}
}
