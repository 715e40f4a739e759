// `npm start`: builds the product, then shows its main job in this terminal: a fresh HW5 workspace is built by the bundled compiler,
// booted, and its programs are run and judged, first as a student receives the lab, then with the reference solution.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
process.chdir(root);
const lab = "hw5-anonymous-mmap";

function run(command, args, allowed = [0]) {
	const result = spawnSync(command, args, { stdio: "inherit" });
	if (allowed.includes(result.status)) return result.status;
	console.error(`\n${command} ${args.join(" ")} ended with code ${result.status ?? result.signal}`);
	process.exit(result.status ?? 1);
}

const xv6Lab = (args, allowed) => {
	console.log(`\n$ xv6-lab ${args.join(" ")}`);
	return run(process.execPath, ["dist/cli/xv6-lab.mjs", ...args], allowed);
};

run(process.execPath, ["scripts/build.mjs"]);

const scratch = mkdtempSync(join(tmpdir(), "xv6-lab-"));
const workspace = existsSync("lab-workspace") ? join(scratch, "starter") : "lab-workspace";
const solved = join(scratch, "solved");

console.log("\n── A lab as a student receives it ──");
xv6Lab(["new", workspace, "--lab", lab]);
xv6Lab(["build", workspace, "--toolchain", "bundled"]);
xv6Lab(["run", "prodcons1", "--dir", workspace, "--toolchain", "bundled"], [0, 1, 3]);

console.log("\n── The same lab, solved ──");
xv6Lab(["new", solved, "--lab", lab, "--solution", "3b"]);
for (const program of ["private", "prodcons1", "prodcons2", "prodcons3"]) {
	xv6Lab(["run", program, "--dir", solved, "--toolchain", "bundled", "--tables"]);
}

const shown = relative(root, workspace).startsWith("..") ? workspace : relative(root, workspace);
console.log(`
Everything above ran in this terminal. In VS Code:

  npm run package                        makes xv6-lab.vsix
  code --install-extension xv6-lab.vsix
  code ${shown}

then press F1 and choose "xv6: Run prodcons1".
`);
