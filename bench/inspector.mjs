// `node bench/inspector.mjs [--turns 3] [--harts 3] [--command "usertests -q"]`: CPU seconds of the machine's thread for one and the same
// guest work with the inspector's page open (10 updates a second), with it closed, and without anybody who looks at the kernel.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import * as esbuild from "esbuild";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));
const { values } = parseArgs({
	options: {
		turns: { type: "string", default: "3" },
		harts: { type: "string", default: "3" },
		command: { type: "string", default: "usertests -q" },
	},
});
const outfile = "dist/bench/inspector.mjs";
const banner =
	"import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);";
await esbuild.build({
	entryPoints: ["bench/inspector.ts"],
	outfile,
	bundle: true,
	platform: "node",
	format: "esm",
	target: "node20",
	banner: { js: banner },
	logLevel: "warning",
});
const folder = mkdtempSync(join(tmpdir(), "xv6-lab-inspector-"));
const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];
try {
	const run = (...options) => {
		const { status } = spawnSync(process.execPath, [outfile, folder, ...options], { stdio: "inherit" });
		if (status !== 0) throw new Error(`The load ended with ${status}`);
	};
	run("build");
	const modes = ["none", "closed", "open"];
	const results = Object.fromEntries(modes.map((mode) => [mode, []]));
	for (let turn = 0; turn < Number(values.turns); turn++) {
		// Each turn in another order, so that what the host does besides hits all alike.
		for (const mode of turn % 2 === 0 ? modes : modes.toReversed()) {
			run(mode, values.harts, values.command);
			const result = JSON.parse(readFileSync(join(folder, "result.json"), "utf8"));
			console.error(`${mode}: ${JSON.stringify(result)}`);
			results[mode].push(result);
		}
	}
	const of = (mode, field) => median(results[mode].map((result) => result[field]));
	const closed = of("closed", "cpu");
	console.log(
		"| inspector | CPU s | against closed | wall s | updates | ms of an update |\n| --- | --- | --- | --- | --- | --- |",
	);
	for (const mode of modes) {
		const updates = of(mode, "updates");
		const each = updates > 0 ? of(mode, "updateMs").toFixed(1) : "";
		const ratio = `${((of(mode, "cpu") / closed - 1) * 100).toFixed(1)} %`;
		console.log(
			`| ${mode} | ${of(mode, "cpu").toFixed(2)} | ${ratio} | ${of(mode, "wall").toFixed(1)} | ${updates} | ${each} |`,
		);
	}
} finally {
	rmSync(folder, { recursive: true, force: true });
}
