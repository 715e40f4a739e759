// Runs test/integration/suite.ts inside a real extension host (code-server) and writes {passed, failed, skipped} to the file given.
// The same suite runs under @vscode/test-electron with `npm run test:electron` where VS Code can be downloaded.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildSuite } from "../support/workbench/buildSuite.mjs";
import { startCodeServer } from "../support/workbench/codeServer.mjs";
import { launchBrowser, Workbench } from "../support/workbench/workbench.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const report = process.argv[2] ?? "test-results/integration.json";
/** Far more than the suite needs on two busy cores; only a hang reaches it. */
const limitMs = 20 * 60_000;

async function runSuite(trust) {
	const scratch = mkdtempSync(join(tmpdir(), "xv6-lab-integration-"));
	const workspace = join(scratch, "workspace");
	mkdirSync(workspace);
	writeFileSync(join(workspace, "README"), "An empty workspace of the tests.\n");
	const result = join(scratch, "result.json");
	const server = await startCodeServer({
		trust,
		args: ["--vscode-option", "enable-smoke-test-driver"],
		env: { XV6_LAB_RESULT: result, XV6_LAB_SCRATCH: scratch, XV6_LAB_TRUST: String(trust) },
	});
	const browser = await launchBrowser();
	try {
		const uri = (path) => `vscode-remote://${server.host}${path}`;
		const payload = [
			["extensionDevelopmentPath", uri(root.replace(/\/$/, ""))],
			["extensionTestsPath", uri(join(root, "dist/test/integration.cjs"))],
		];
		let finish;
		const finished = new Promise((resolve) => (finish = resolve));
		const url = `${server.url}/?folder=${workspace}&payload=${encodeURIComponent(JSON.stringify(payload))}`;
		const workbench = await Workbench.open(browser, url, {
			wait: false,
			before: async (page) => {
				await page.exposeFunction("codeAutomationLog", (_type, args) => {
					const line = args.map(String).join(" ");
					if (/\[test\]|Extension Host.*(error|crash)/i.test(line)) console.log(`  ${line.slice(0, 4000)}`);
				});
				await page.exposeFunction("codeAutomationExit", (code) => finish(code));
			},
		});
		const timer = setTimeout(() => finish("timeout"), limitMs);
		const code = await finished;
		clearTimeout(timer);
		if (!existsSync(result)) {
			const said = workbench.console.slice(-30).join("\n");
			console.log(`  the suite wrote no result (exit ${code}); the page said:\n${said}\n${await workbench.describe()}`);
			console.log(`  the server said:\n${server.serverLog().slice(-4000)}`);
			return { passed: 0, failed: 1, skipped: 0 };
		}
		return JSON.parse(readFileSync(result, "utf8"));
	} finally {
		await browser.close();
		await server.stop();
		rmSync(scratch, { recursive: true, force: true, maxRetries: 5 });
	}
}

await buildSuite();
const total = { passed: 0, failed: 0, skipped: 0 };
for (const trust of [true, false]) {
	console.log(`integration: in a ${trust ? "trusted" : "restricted"} window`);
	const part = await runSuite(trust);
	for (const key of Object.keys(total)) total[key] += part[key] ?? 0;
}
writeFileSync(report, JSON.stringify(total));
console.log(`integration: ${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exitCode = total.failed > 0 ? 1 : 0;
