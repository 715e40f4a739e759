// Bundles the mocha suite that runs inside the extension host.
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";

const root = fileURLToPath(new URL("../../..", import.meta.url));

export async function buildSuite() {
	await esbuild.build({
		absWorkingDir: root,
		entryPoints: ["test/integration/index.ts"],
		outfile: "dist/test/integration.cjs",
		bundle: true,
		platform: "node",
		format: "cjs",
		target: "node20",
		external: ["vscode", "mocha"],
		logLevel: "warning",
	});
}
