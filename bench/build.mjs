// `npm run bench -- build`: the bundled compiler beside `make -j2` with a host gcc, in CPU and wall seconds.
// Cold is the first build of a fresh process with an empty object cache; the edits are made in the session that follows.
import { spawn, spawnSync } from "node:child_process";
import { appendFileSync, cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));
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
async function bundled() {
	await esbuild.build({
		entryPoints: ["bench/buildCases.ts"],
		bundle: true,
		platform: "node",
		format: "esm",
		outfile: "dist/bench/buildCases.mjs",
		logLevel: "error",
		banner: { js: "import { createRequire as c } from 'node:module'; const require = c(import.meta.url);" },
	});
	const child = spawnSync("node", ["dist/bench/buildCases.mjs", JSON.stringify(edits)], {
		encoding: "utf8",
		stdio: ["ignore", "pipe", "inherit"],
	});
	if (child.status !== 0) throw new Error("the measured process failed");
	return JSON.parse(child.stdout);
}

function best(all, name, key) {
	const values = all.map((times) => times[name]?.[key]).filter((value) => value !== undefined);
	return values.length > 0 ? Math.min(...values) : undefined;
}

const hasGcc = spawnSync("riscv64-unknown-elf-gcc", ["--version"]).status === 0;
const ours = [];
const theirs = [];
for (let i = 0; i < repeats; i++) {
	ours.push(await bundled());
	if (hasGcc) theirs.push(await host());
}
const seconds = (value) => (value === undefined ? "-" : value.toFixed(2)).padStart(8);
console.log(
	`best of ${repeats}; seconds of CPU and of wall time; ${hasGcc ? "" : "no riscv64-unknown-elf-gcc here: "}gcc is make -j2`,
);
console.log(`${"".padEnd(22)}${["bundled", "wall", "gcc", "wall"].map((head) => head.padStart(8)).join("")}`);
for (const name of ["cold", ...Object.keys(edits), "no change"]) {
	const row = [
		best(ours, name, "cpu"),
		best(ours, name, "wall"),
		best(theirs, name, "cpu"),
		best(theirs, name, "wall"),
	];
	console.log(`${name.padEnd(22)}${row.map(seconds).join("")}`);
}
