// `node bench/history.mjs [--steps N]`: what breakpoints and a history cost, and how long going back takes. Machines with and without
// do the same work in one process, in turns, so that what the computer does besides slows all alike; V8 has one thread, so that its
// compilers and its collector are counted where they work. Options: --steps 4000000000 (0: all of `usertests -q`), --turns 3, --harts 1.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { bundle } from "./bundle.mjs";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));
const outfile = await bundle("history");
const folder = mkdtempSync(join(tmpdir(), "xv6-lab-history-"));
const flags = [
	"--single-threaded",
	"--expose-gc",
	...(process.env.PROFILE ? ["--cpu-prof", `--cpu-prof-dir=${process.env.PROFILE}`] : []),
];
const run = (...options) => {
	const { status } = spawnSync(process.execPath, [...flags, outfile, folder, ...options], { stdio: "inherit" });
	if (status !== 0) throw new Error(`The load ended with ${status}`);
};
try {
	spawnSync(process.execPath, [outfile, folder, "--build"], { stdio: "inherit" });
	run(...process.argv.slice(2));
} finally {
	if (!process.env.KEEP) rmSync(folder, { recursive: true, force: true });
}
