// `node bench/inspector.mjs [--sessions 5] [--turns 1] [--harts 3] [--command "usertests -q"]`: CPU seconds of the machine's thread for one and the same
// guest work without anybody who looks at the kernel, with the log and the inspector's page closed, and with the page open (up to 10
// updates a second). V8 has only this thread, so that its garbage collector and compilers are counted.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { bundle } from "./bundle.mjs";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));
const { values } = parseArgs({
	options: {
		sessions: { type: "string", default: "5" },
		turns: { type: "string", default: "1" },
		harts: { type: "string", default: "3" },
		command: { type: "string", default: "usertests -q" },
	},
});
const outfile = await bundle("inspector");
const folder = mkdtempSync(join(tmpdir(), "xv6-lab-inspector-"));
try {
	const run = (...options) => {
		const flags = ["--single-threaded", "--expose-gc"];
		const { status } = spawnSync(process.execPath, [...flags, outfile, folder, ...options], { stdio: "inherit" });
		if (status !== 0) throw new Error(`The load ended with ${status}`);
	};
	run("build");
	// Sessions are processes: where V8 happens to put its code makes some 5 % faster or slower for as long as they live.
	const results = [];
	for (let session = 0; session < Number(values.sessions); session++) {
		run(values.turns, values.harts, values.command);
		results.push(...JSON.parse(readFileSync(join(folder, "results.json"), "utf8")));
	}
	const mean = (list) => list.reduce((sum, value) => sum + value, 0) / list.length;
	const of = (mode, field) => mean(results.map((result) => result[mode][field]));
	console.log(
		"| inspector | CPU s | more than nobody | of each turn | updates a second | ms of an update |\n| --- | --: | --: | --- | --: | --: |",
	);
	for (const mode of ["none", "closed", "open"]) {
		const more = results.map((result) => (result[mode].cpu / result.none.cpu - 1) * 100);
		const each = more.map((value) => value.toFixed(1)).join(", ");
		const ratio = mode === "none" ? " | " : `${mean(more).toFixed(1)} % | ${each}`;
		const update =
			mode === "open"
				? `${(of(mode, "updates") / of(mode, "wall")).toFixed(1)} | ${of(mode, "updateMs").toFixed(1)}`
				: " | ";
		console.log(`| ${mode} | ${of(mode, "cpu").toFixed(2)} | ${ratio} | ${update} |`);
	}
} finally {
	rmSync(folder, { recursive: true, force: true });
}
