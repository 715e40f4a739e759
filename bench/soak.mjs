// `node bench/soak.mjs [--seconds 3600] [--harts 3] [--every 20] [--watch]`: usertests and random system calls in turns on one machine, and
// whether the memory of the process or the code cache grows meanwhile; --watch: as in the editor, with the inspector's page open. Exits 1 if it does.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { bundle } from "./bundle.mjs";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));
const outfile = await bundle("soak");
const run = (...options) => spawnSync(process.execPath, [outfile, ...options], { stdio: "inherit" }).status ?? 1;
const folder = mkdtempSync(join(tmpdir(), "xv6-lab-soak-"));
try {
	process.exitCode = run("--build", folder) || run("--image", folder, ...process.argv.slice(2));
} finally {
	rmSync(folder, { recursive: true, force: true });
}
