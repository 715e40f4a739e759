// Runs test/integration/suite.ts inside a real extension host (code-server) and writes {passed, failed, skipped} to the file given.
// A second argument is a pattern of the tests to run; they share one window, each on what those before it left.
// The same suite runs under @vscode/test-electron with `npm run test:electron` where VS Code can be downloaded.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildSuite } from "../support/workbench/buildSuite.mjs";
import { runInExtensionHost } from "../support/workbench/extensionHost.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const report = process.argv[2] ?? "test-results/integration.json";
const only = process.argv[3] ?? "";
/** Far more than the suite needs on two busy cores; only a hang reaches it. */
const limitMs = 20 * 60_000;

async function runSuite(trust) {
	const scratch = mkdtempSync(join(tmpdir(), "xv6-lab-integration-"));
	const result = join(scratch, "result.json");
	try {
		const env = { XV6_LAB_RESULT: result, XV6_LAB_TRUST: String(trust), XV6_LAB_GREP: only };
		const entry = join(root, "dist/test/integration.cjs");
		const { code, said } = await runInExtensionHost({ entry, scratch, env, trust, limitMs });
		if (existsSync(result)) return JSON.parse(readFileSync(result, "utf8"));
		console.log(`  the suite wrote no result (exit ${code}); ${said}`);
		return { passed: 0, failed: 1, skipped: 0 };
	} finally {
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
