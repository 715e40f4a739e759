// What people bring: for each xv6-riscv tree, its build by make and gcc beside the bundled one, its boot in QEMU beside the one here.
// `node scripts/worldTable.mjs RESULTS TREE…`: runs each tree whose RESULTS/NAME.json is missing; needs make, gcc-riscv64-unknown-elf and QEMU.
// `FOR=SECONDS`: ends after the tree that is run then. `node scripts/worldTable.mjs RESULTS`: the table of all results. Trees are copied before anything runs; nothing of them is kept.
import { spawn, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { gccPrefix, setsPmp } from "./elsewhere.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const cli = join(root, "dist/cli/xv6-lab.mjs");
const [results, ...trees] = process.argv.slice(2);
/** After so many seconds no further tree is begun. */
const seconds = Number(process.env.FOR ?? Infinity);
/** QEMU on a busy machine is slow, and a hang must end. */
const bootLimit = 90_000;
const typed = ["echo hi", "ls"];

function run(command, args, options = {}) {
	const { status, signal, stdout, stderr } = spawnSync(command, args, {
		maxBuffer: 1 << 28,
		timeout: 240_000,
		...options,
	});
	return { code: status ?? signal, out: stdout?.toString() ?? "", err: stderr?.toString() ?? "" };
}

const lastLines = (text, count) => text.trim().split("\n").slice(-count).join(" | ").slice(0, 300);

/** What an image holds: blocks in use by its bitmap, and the size of each file of the root directory. */
function readImage(path) {
	if (!existsSync(path)) return undefined;
	const bytes = readFileSync(path);
	for (const size of [1024, 512, 2048, 4096]) {
		if (bytes.length < 2 * size || bytes.readUInt32LE(size) !== 0x10203040) continue;
		const inodes = bytes.readUInt32LE(size + 24) * size;
		const blocks = bytes.readUInt32LE(size + 4);
		let used = 0;
		for (let block = 0; block < blocks; block++) {
			if (bytes[bytes.readUInt32LE(size + 28) * size + (block >> 3)] & (1 << (block & 7))) used++;
		}
		const files = {};
		const inode = (number) => bytes.subarray(inodes + number * 64, inodes + number * 64 + 64);
		const rootInode = inode(1);
		const length = rootInode.readUInt32LE(8);
		for (let at = 0; at < length && at < 11 * size; at += 16) {
			const entry = rootInode.readUInt32LE(12 + 4 * Math.floor(at / size)) * size + (at % size);
			const number = bytes.readUInt16LE(entry);
			const name = bytes
				.subarray(entry + 2, entry + 16)
				.toString("latin1")
				.replace(/\0.*$/s, "");
			if (number !== 0 && !name.startsWith(".")) files[name] = inode(number).readUInt32LE(8);
		}
		return { blocks, used, files };
	}
	return undefined;
}

/** The command that `make qemu` ends with, on one hart so that the harts' lines have one order. */
function qemuCommand(tree) {
	const { out } = run("make", ["-n", "qemu", "CPUS=1", "QEMU=qemu-system-riscv64"], { cwd: tree });
	const line = out
		.replaceAll("\\\n", " ")
		.split("\n")
		.findLast((text) => text.includes("qemu-system-riscv64 "));
	const command = line?.slice(line.indexOf("qemu-system-riscv64 ")).replace(/-smp\s+\S+/, "-smp 1");
	// Trees of 2019 know QEMU without a default firmware, which lies where the kernel is to be.
	return command === undefined || / -bios /.test(command) ? command : `${command} -bios none`;
}

/** Types the commands at the prompts of an emulator, and returns its console. */
function converse(command, tree) {
	return new Promise((done) => {
		const child = spawn("sh", ["-c", `exec ${command}`], { cwd: tree, stdio: ["pipe", "pipe", "pipe"] });
		let [text, seen, next, settled] = ["", 0, 0, undefined];
		const end = () => child.kill("SIGKILL");
		const limit = setTimeout(end, bootLimit);
		const take = (chunk) => {
			text += chunk.toString("latin1");
			if (/panic|PANIC/.test(text.slice(seen))) setTimeout(end, 1000);
			clearTimeout(settled);
			if (/(?:^|\n|\r)[^\n]{0,40}[$#>] ?$/.test(text.slice(seen))) settled = setTimeout(prompt, 200);
		};
		const prompt = () => {
			seen = text.length;
			if (next === typed.length) end();
			else child.stdin.write(`${typed[next++]}\n`);
		};
		child.stdout.on("data", take);
		child.stderr.on("data", take);
		child.stdin.on("error", () => {});
		child.on("exit", () => {
			clearTimeout(limit);
			clearTimeout(settled);
			done({ text, complete: next === typed.length && seen === text.length });
		});
	});
}

/** A console without what may differ: sizes of programs in `ls`, carriage returns, blank lines. */
function comparable(text) {
	return text
		.replaceAll("\r", "")
		.replace(/^(\S+ +\d+ +\d+) +\d+$/gm, "$1")
		.split("\n")
		.map((line) => line.trimEnd())
		.filter((line) => line !== "" && !line.startsWith("qemu-system-riscv64: "))
		.join("\n");
}

/** Whether two consoles that differ do so only in numbers, as addresses and counts of pages: the kernels come from two compilers. */
function differInNumbers(name) {
	const [here, there] = ["here", "qemu"].map((side) =>
		readFileSync(join(results, `${name}.${side}.txt`), "utf8").replace(/0x[0-9a-f]+|\d+/g, "N"),
	);
	return here === there;
}

async function tree(path) {
	const scratch = mkdtempSync(join(tmpdir(), "world-table-"));
	const row = { tree: basename(path) };
	try {
		const copy = join(scratch, "tree");
		cpSync(path, copy, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
		run("chmod", ["-R", "u+w", copy]);

		// Here, from the tree as it is.
		const out = join(scratch, "out");
		const bundled = ["--toolchain", "bundled"];
		const built = run("node", [cli, "build", copy, ...bundled, "--out", out]);
		row.ours = { build: built.code };
		if (built.code !== 0) row.ours.said = built.err.split("\n").find((line) => /error|xv6-lab/.test(line));
		let here;
		if (built.code === 0) {
			const commands = typed.flatMap((command) => ["--command", command]);
			const booted = run("node", [cli, "boot", copy, ...bundled, "--harts", "1", ...commands, "--timeout", "60"]);
			here = booted.out;
			row.ours.boot = booted.code;
			if (booted.code !== 0) row.ours.said = lastLines(booted.err, 3);
			const report = join(scratch, "report.json");
			const ran = run("node", [
				cli,
				"run",
				"--dir",
				copy,
				...bundled,
				"--timeout",
				"60",
				"--memory-report",
				report,
				"--",
				...typed[0].split(" "),
			]);
			row.ours.run = ran.code;
			if (ran.code !== 0) row.ours.ran = lastLines(`${ran.out}\n${ran.err}`, 4);
			const { findings, diagnosis } = existsSync(report) ? JSON.parse(readFileSync(report, "utf8")) : { findings: [] };
			row.ours.findings = findings.length;
			row.ours.found = findings.map(({ id, sentence }) => `${id}: ${sentence}`);
			row.ours.diagnosis = (diagnosis ?? "").split("\n").filter((line) => /^\S/.test(line));
		}

		// There.
		const prefix = gccPrefix(join(scratch, "bin"));
		const made = run("make", ["-s", `TOOLPREFIX=${prefix}`, "kernel/kernel", "fs.img"], { cwd: copy });
		const said = made.err.split("\n").filter((line) => /error:|Error|\*\*\*|ld: (?!warning)/.test(line));
		row.gcc = { build: made.code, recursion: /infinite-recursion\]/.test(made.err) };
		if (made.code !== 0) row.gcc.said = said.slice(0, 2).join(" | ").slice(0, 300);
		if (made.code === 0) {
			const images = { ours: readImage(join(out, "fs.img")), gcc: readImage(join(copy, "fs.img")) };
			row.sizes = images;
			const command = qemuCommand(copy);
			row.qemu = { command: command !== undefined };
			if (command) {
				row.qemu.noPmp = !setsPmp(copy);
				const there = await converse(row.qemu.noPmp ? `${command} -cpu rv64,pmp=false` : command, copy);
				row.qemu.complete = there.complete;
				if (here !== undefined) row.same = comparable(there.text) === comparable(here);
				if (!row.same) {
					writeFileSync(join(results, `${row.tree}.qemu.txt`), comparable(there.text));
					writeFileSync(join(results, `${row.tree}.here.txt`), comparable(here ?? ""));
				}
			}
		}
	} finally {
		rmSync(scratch, { recursive: true, force: true });
	}
	return row;
}

/** Counts by what the trees' names begin with: a course and its year. */
function families(rows) {
	const groups = new Map();
	for (const row of rows) {
		const [name] = /^[a-z]+\d*/.exec(row.tree);
		groups.set(name, [...(groups.get(name) ?? []), row]);
	}
	const line = (name, members) => {
		const count = (test) => members.filter(test).length;
		const both = members.filter(({ gcc, qemu }) => gcc.build === 0 && qemu?.complete);
		return `| ${[
			name,
			members.length,
			count(({ gcc }) => gcc.build === 0),
			count(({ ours }) => ours.build === 0),
			count(({ gcc, ours }) => gcc.build === 0 && ours.build !== 0),
			both.length,
			both.filter(({ ours }) => ours.boot === 0 && ours.run === 0).length,
			both.filter(({ same, tree }) => same || (same === false && differInNumbers(tree))).length,
			count(({ ours }) => ours.findings > 0 || ours.diagnosis?.some((text) => text.startsWith("cause"))),
		].join(" | ")} |`;
	};
	return [
		"| trees | number | gcc 12 builds | built here | refused here only | gcc's kernel answers in QEMU | the same commands run here | with the same console | something found |",
		"|---|---|---|---|---|---|---|---|---|",
		...[...groups].map(([name, members]) => line(name, members)),
		line("all", rows),
	];
}

function table() {
	const rows = readdirSync(results)
		.filter((name) => name.endsWith(".json"))
		.sort()
		.map((name) => JSON.parse(readFileSync(join(results, name), "utf8")));
	const lines = [
		"| tree | gcc 12 | bundled | boot here | QEMU, gcc's kernel | same console | `run echo hi` | findings | diagnosis | blocks gcc / ours | programs larger than gcc's |",
		"|---|---|---|---|---|---|---|---|---|---|---|",
	];
	let [blocks, ours, smaller, larger, compared] = [0, 0, 0, 0, 0];
	for (const { tree, gcc, ours: own, qemu, same, sizes } of rows) {
		const built = gcc.build !== 0 ? "refused" : gcc.recursion ? "0*" : "0";
		const there = !qemu
			? "-"
			: !qemu.command
				? "no `make qemu`"
				: `${qemu.complete ? "ok" : "not complete"}${qemu.noPmp ? ", pmp off" : ""}`;
		let [space, bigger] = ["-", "-"];
		if (sizes?.ours && sizes.gcc) {
			space = `${sizes.gcc.used} / ${sizes.ours.used} of ${sizes.gcc.blocks}`;
			blocks += sizes.gcc.used;
			ours += sizes.ours.used;
			compared++;
			const names = Object.keys(sizes.gcc.files).filter((name) => sizes.ours.files[name] !== undefined);
			const more = names.filter((name) => sizes.ours.files[name] > sizes.gcc.files[name]);
			larger += more.length;
			smaller += names.length - more.length;
			bigger =
				more.length === 0
					? "none"
					: `${more.length} of ${names.length}: ${more
							.slice(0, 3)
							.map((name) => `${name} ${sizes.gcc.files[name]} → ${sizes.ours.files[name]}`)
							.join(", ")}`;
		}
		lines.push(
			`| ${[
				tree,
				built,
				own.build,
				own.boot ?? "-",
				there,
				same === undefined ? "-" : same ? "yes" : differInNumbers(tree) ? "but for numbers" : "NO",
				own.run ?? "-",
				own.findings ?? "-",
				(own.diagnosis ?? [])
					.map((line) => line.slice(0, 60))
					.join("; ")
					.replaceAll("|", "/") || "none",
				space,
				bigger,
			].join(" | ")} |`,
		);
	}
	lines.push("", ...families(rows));
	lines.push(
		"",
		`${rows.length} trees; ${compared} images compared: ${ours} blocks in use, gcc's ${blocks}; ${larger} of ${larger + smaller} files larger than gcc's.`,
	);
	console.log(lines.join("\n"));
}

if (!results) {
	console.error(
		readFileSync(fileURLToPath(import.meta.url), "utf8")
			.split("\n")
			.slice(0, 3)
			.join("\n"),
	);
	process.exit(2);
}
mkdirSync(results, { recursive: true });
for (const path of trees) {
	const file = join(results, `${basename(resolve(path))}.json`);
	if (existsSync(file)) continue;
	if (performance.now() > 1000 * seconds) break;
	const row = await tree(resolve(path));
	writeFileSync(file, JSON.stringify(row, null, "\t"));
	const { gcc, ours, qemu, same } = row;
	console.log(
		`${row.tree}: gcc ${gcc.build}${gcc.recursion ? "*" : ""}, bundled ${ours.build}, boot ${ours.boot}, run ${ours.run}, findings ${ours.findings}, QEMU ${qemu?.complete}, same ${same}`,
	);
}
if (trees.length === 0) table();
