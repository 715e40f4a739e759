// `node bench/debug.mjs [TREE]`: what a person waits for in a debug session of prodcons3: F5 to main, a stop with its stack and locals, steps, a step
// back; milliseconds of CPU and clock, three sessions in one process that is debugger and machine at once. Without TREE: HW5 after task 2b.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { bundle } from "./bundle.mjs";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));
const outfile = await bundle("debug");
const folder = mkdtempSync(join(tmpdir(), "xv6-lab-debug-"));
const node = (...args) => spawnSync(process.execPath, args, { stdio: "inherit" }).status ?? 1;
let tree = process.argv[2];
let status = 0;
if (!tree) {
	tree = join(folder, "hw5");
	status = node("dist/cli/xv6-lab.mjs", "new", tree, "--lab", "hw5-anonymous-mmap", "--solution", "2b");
}
process.exitCode = status || node(outfile, tree);
rmSync(folder, { recursive: true, force: true });
