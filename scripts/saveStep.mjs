// Saves a lab's starter or one step of its solution as the patch that makes it from the layer below:
//   xv6-lab new DIR --lab ID [--solution STEP]   # the tree as it is; edit it
//   node scripts/saveStep.mjs ID starter|STEP DIR
// Files that the layer below does not have are kept whole, in the folder beside the patch. Needs a build, and git for the diff.
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const [id, step, tree] = process.argv.slice(2);
if (!tree) {
	console.error("usage: node scripts/saveStep.mjs LAB starter|STEP DIR");
	process.exit(2);
}

const lab = join(root, "labs", id);
const manifest = JSON.parse(readFileSync(join(lab, "lab.json"), "utf8"));
const steps = [...new Set(manifest.tasks.flatMap((task) => task.solution ?? []))];
if (step !== "starter" && !steps.includes(step)) {
	console.error(`saveStep: ${id} has no step '${step}': it has starter, ${steps.join(", ")}`);
	process.exit(2);
}

const scratch = mkdtempSync(join(tmpdir(), "save-step-"));
try {
	const below = join(scratch, "a");
	if (step === "starter") cpSync(join(root, "xv6"), below, { recursive: true });
	else make(below, steps[steps.indexOf(step) - 1]);
	save(below, step === "starter" ? join(lab, "starter") : join(lab, "solution", step));
} finally {
	rmSync(scratch, { recursive: true, force: true });
}

function make(folder, solution) {
	const args = ["dist/cli/xv6-lab.mjs", "new", folder, "--lab", id, ...(solution ? ["--solution", solution] : [])];
	const made = spawnSync(process.execPath, args, { cwd: root, encoding: "utf8" });
	if (made.status !== 0) throw new Error(made.stderr);
}

/** Kernel, user and Makefile: what a step may change. Programs and pictures of the lab are layers of their own. */
function save(below, layer) {
	const programs = new Set(readdirSync(join(lab, "programs")).map((name) => `user/${name}`));
	const sources = readdirSync(tree, { recursive: true, withFileTypes: true })
		.filter((entry) => entry.isFile() && /\.(c|h|S|ld|pl)$|^Makefile$/.test(entry.name))
		.map((entry) => join(entry.parentPath, entry.name).slice(join(tree, "/").length))
		.filter((file) => /^(kernel|user|mkfs)\/|^Makefile$/.test(file) && !programs.has(file))
		.sort();
	let patch = "";
	for (const file of sources) {
		if (!existsSync(join(below, file))) {
			cpSync(join(tree, file), join(layer, file));
			continue;
		}
		cpSync(join(tree, file), join(scratch, "b", file));
		const diff = ["diff", "--no-index", "--no-color", "--no-prefix", "--patience", `a/${file}`, `b/${file}`];
		const lines = spawnSync("git", diff, { cwd: scratch, encoding: "utf8" }).stdout.split("\n");
		patch += lines.filter((line) => !/^(diff --git|index|old mode|new mode) /.test(line)).join("\n");
	}
	writeFileSync(`${layer}.patch`, patch);
	console.log(`saved ${layer}.patch, ${patch.split("\n").length - 1} lines`);
}
