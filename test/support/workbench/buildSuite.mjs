// Bundles what runs inside the extension host.
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";

const root = fileURLToPath(new URL("../../..", import.meta.url));

export async function buildSuite(entry = "test/integration/index.ts", outfile = "dist/test/integration.cjs") {
	await esbuild.build({
		absWorkingDir: root,
		entryPoints: [entry],
		outfile,
		bundle: true,
		platform: "node",
		format: "cjs",
		target: "node20",
		external: ["vscode", "mocha"],
		logLevel: "warning",
	});
}
