// `npm run bench`: our machine beside qemu-system-riscv64 in one run, as ratios; machines are shared and noisy, ratios are not.
// Each work is run three times on each side, alternating, and the best of three counts. `npm run bench -- build` compares compilers.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));
const cli = "dist/cli/xv6-lab.mjs";
const repeats = Number(process.env.REPEATS ?? 3);
const hasQemu = spawnSync("qemu-system-riscv64", ["--version"]).status === 0;

if (process.argv[2] === "build") {
	await import("./build.mjs");
	process.exit();
}

/** Runs a program until it exits or its output matches; resolves to seconds. */
function time(command, args, { until, input = [] } = {}) {
	return new Promise((resolve, reject) => {
		const start = performance.now();
		const child = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] });
		let text = "";
		let typed = 0;
		child.on("error", reject);
		child.stdout.on("data", (bytes) => {
			text += bytes;
			while (typed < input.length && (text.match(/^\$ /gm) ?? []).length > typed)
				child.stdin.write(`${input[typed++]}\n`);
			if (until && typed === input.length && until.test(text)) child.kill("SIGKILL");
		});
		child.on("close", () => resolve({ seconds: (performance.now() - start) / 1000, text }));
	});
}

function qemu(folder, harts, commands) {
	const args = [
		"-machine",
		"virt",
		"-bios",
		"none",
		"-kernel",
		join(folder, "kernel/kernel"),
		"-m",
		"128M",
		"-smp",
		String(harts),
		"-nographic",
	];
	args.push("-global", "virtio-mmio.force-legacy=false", "-snapshot");
	args.push(
		"-drive",
		`file=${join(folder, "fs.img")},if=none,format=raw,id=x0`,
		"-device",
		"virtio-blk-device,drive=x0,bus=virtio-mmio-bus.0",
	);
	return time("qemu-system-riscv64", args, { until: prompts(commands.length + 1), input: commands });
}

function ours(folder, harts, commands, extra = []) {
	const typed = commands.flatMap((command) => ["--command", command]);
	const stop = commands.length === 0 ? ["--until", "^\\$ $"] : [];
	const kernel = ["--kernel", join(folder, "kernel/kernel"), "--disk", join(folder, "fs.img")];
	return time(process.execPath, [
		cli,
		"boot",
		...kernel,
		"--harts",
		String(harts),
		"--stats",
		...typed,
		...stop,
		...extra,
	]);
}

/** The n-th prompt at the start of a line. */
function prompts(count) {
	return new RegExp(`(?:(?:^|\\n)\\$ [\\s\\S]*?){${count}}$`);
}

const works = [
	{ name: "boot to prompt", commands: [] },
	{ name: "forktest", commands: ["forktest"] },
	{ name: "stressfs", commands: ["stressfs"] },
	{ name: "usertests -q", commands: ["usertests -q"], once: true },
];

async function best(run, times) {
	const results = [];
	for (let i = 0; i < times; i++) results.push(await run());
	return results.reduce((a, b) => (b.seconds < a.seconds ? b : a));
}

const scratch = mkdtempSync(join(tmpdir(), "xv6-lab-bench-"));
try {
	if (!existsSync(cli)) throw new Error("dist is missing: run npm run build first");
	const folder = join(scratch, "xv6");
	for (const args of [
		["new", folder],
		["build", folder, "--toolchain", "bundled", "--out", folder],
	]) {
		if (spawnSync(process.execPath, [cli, ...args], { stdio: "inherit" }).status !== 0)
			throw new Error(`xv6-lab ${args[0]} failed`);
	}
	console.log(`| work | harts | ours | QEMU | ours ÷ QEMU | MIPS |\n| --- | --- | --- | --- | --- | --- |`);
	for (const work of works) {
		for (const harts of work.once ? [1] : [1, 3, 8]) {
			const times = work.once ? 1 : repeats;
			const own = await best(() => ours(folder, harts, work.commands), times);
			const other = hasQemu ? await best(() => qemu(folder, harts, work.commands), times) : undefined;
			const mips = /([\d.]+) MIPS/.exec(own.text)?.[1] ?? "";
			const ratio = other ? (own.seconds / other.seconds).toFixed(2) : "no QEMU";
			console.log(
				`| ${work.name} | ${harts} | ${own.seconds.toFixed(2)} s | ${other ? `${other.seconds.toFixed(2)} s` : ""} | ${ratio} | ${mips} |`,
			);
		}
	}
} finally {
	rmSync(scratch, { recursive: true, force: true });
}
