// `node bench/inspector.mjs [--turns 3] [--harts 3] [--command "usertests -q"]`: CPU seconds of the machine's thread for one and the same
// guest work without anybody who looks at the kernel, with the log and the inspector's page closed, and with the page open (up to 10
// updates a second). The garbage collector works in that thread, too, so that it is counted.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
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
try {
	const run = (...options) => {
		const flags = ["--single-threaded-gc", "--expose-gc"];
		const { status } = spawnSync(process.execPath, [...flags, outfile, folder, ...options], { stdio: "inherit" });
		if (status !== 0) throw new Error(`The load ended with ${status}`);
	};
	run("build");
	run(values.turns, values.harts, values.command);
} finally {
	rmSync(folder, { recursive: true, force: true });
}
