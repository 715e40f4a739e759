// `npm run bench -- build`: the bundled compiler beside `make -j2` with a host gcc, in CPU and wall seconds; with --write into
// docs/performance.md. Cold is the first build of a new process with an empty object cache; the edits are made in the session that
// follows. A first run has a new process, too, and the objects that ship.
import { spawn, spawnSync } from "node:child_process";
import { appendFileSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { bundle } from "./bundle.mjs";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));
const measured = await bundle("buildCases");
const repeats = Number(process.env.REPEATS ?? 3);
const edits = { "edit kernel/vm.c": "kernel/vm.c", "edit kernel/riscv.h": "kernel/riscv.h" };

/** Runs make and takes its and its children's CPU seconds from the shell's own clock. */
function make(folder, targets) {
	const command = `TIMEFORMAT='%R %U %S'; time make -s -j2 ${targets}`;
	return new Promise((resolve, reject) => {
		const child = spawn("bash", ["-c", command], { cwd: folder, stdio: ["ignore", "ignore", "pipe"] });
		let text = "";
		child.stderr.on("data", (bytes) => {
			text += bytes;
		});
		child.on("error", reject);
		child.on("close", (code) => {
			const [wall, user, system] = (text.trim().split("\n").at(-1) ?? "").split(" ").map(Number);
			if (code !== 0) reject(new Error(`make failed:\n${text}`));
			else resolve({ wall, cpu: user + system });
		});
	});
}

async function host() {
	const folder = mkdtempSync(join(tmpdir(), "xv6-lab-bench-"));
	try {
		cpSync("xv6", folder, { recursive: true });
		const times = { cold: await make(folder, "kernel/kernel fs.img") };
		for (const [name, file] of Object.entries(edits)) {
			appendFileSync(join(folder, file), "\n// edited\n");
			times[name] = await make(folder, "kernel/kernel fs.img");
		}
		times["no change"] = await make(folder, "kernel/kernel fs.img");
		return times;
	} finally {
		rmSync(folder, { recursive: true, force: true });
	}
}

/** The measured side runs in a process of its own, so that a cold build is cold. */
function bundled(mode, changes) {
	const child = spawnSync("node", [measured, mode, JSON.stringify(changes)], {
		encoding: "utf8",
		stdio: ["ignore", "pipe", "inherit"],
	});
	if (child.status !== 0) throw new Error("the measured process failed");
	return JSON.parse(child.stdout);
}

const hasGcc = spawnSync("riscv64-unknown-elf-gcc", ["--version"]).status === 0;
const ours = [];
const theirs = [];
for (let i = 0; i < repeats; i++) {
	const times = bundled("session", edits);
	times["untouched, first run"] = bundled("shipped", {}).fresh;
	times["edit kernel/vm.c, first run"] = bundled("shipped", { edit: "kernel/vm.c" }).fresh;
	ours.push(times);
	if (hasGcc) theirs.push(await host());
}

const best = (all, name, key) => {
	const values = all.map((times) => times[name]?.[key]).filter((value) => value !== undefined);
	return values.length > 0 ? Math.min(...values).toFixed(2) : "";
};
const rows = ["cold", ...Object.keys(edits), "no change", "untouched, first run", "edit kernel/vm.c, first run"];
const table = [
	`Best of ${repeats}, ${cpus()[0]?.model.trim()}, ${cpus().length} CPUs, Node ${process.versions.node}; seconds. gcc is \`make -j2\`${hasGcc ? "" : ", which is not installed here"}.`,
	"",
	"| build | bundled, CPU | bundled, wall | gcc, CPU | gcc, wall |",
	"| --- | ---: | ---: | ---: | ---: |",
	...rows.map(
		(name) =>
			`| ${name} | ${best(ours, name, "cpu")} | ${best(ours, name, "wall")} | ${best(theirs, name, "cpu")} | ${best(theirs, name, "wall")} |`,
	),
	"",
].join("\n");
process.stdout.write(table);

const page = "docs/performance.md";
const [begin, end] = ["<!-- build: made by npm run bench -- build --write -->", "<!-- end of build -->"];
if (process.argv.includes("--write")) {
	const text = readFileSync(page, "utf8");
	const [from, to] = [text.indexOf(begin), text.indexOf(end)];
	if (from < 0 || to < from) throw new Error(`${page} has no place for the table`);
	writeFileSync(page, `${text.slice(0, from + begin.length)}\n\n${table}\n${text.slice(to)}`);
}
