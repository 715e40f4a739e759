// `npm run test:electron`: the integration suite in a downloaded desktop VS Code, for machines that can reach its download server.
// The gate runs the same suite in code-server, which comes from npm.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runTests } from "@vscode/test-electron";
import { buildSuite } from "../test/support/workbench/buildSuite.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), "xv6-lab-electron-"));
const workspace = join(scratch, "workspace");
const result = join(scratch, "result.json");
mkdirSync(workspace);
writeFileSync(join(workspace, "README"), "An empty workspace of the tests.\n");
await buildSuite();
try {
	await runTests({
		extensionDevelopmentPath: root,
		extensionTestsPath: join(root, "dist/test/integration.cjs"),
		launchArgs: [workspace, "--disable-extensions", "--disable-workspace-trust"],
		extensionTestsEnv: { XV6_LAB_RESULT: result, XV6_LAB_SCRATCH: scratch, XV6_LAB_TRUST: "true" },
	});
	const { passed, failed, skipped } = JSON.parse(readFileSync(result, "utf8"));
	console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
	process.exitCode = failed > 0 ? 1 : 0;
} finally {
	rmSync(scratch, { recursive: true, force: true, maxRetries: 5 });
}
