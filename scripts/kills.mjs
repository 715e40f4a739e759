// `node scripts/kills.mjs [--times N] [--seed S] [--only COMMAND,…]`: kills each command at random moments (SIGKILL), looks for what it
// left behind, and runs the same command again, which has to give the right answer. Needs a build. Exit code 1: something was left, or
// an answer was wrong.
import { spawn } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const cli = join(root, "dist/cli/xv6-lab.mjs");
const option = (name, fallback) => {
	const at = process.argv.indexOf(`--${name}`);
	return at < 0 ? fallback : Number(process.argv[at + 1]);
};
const times = option("times", 20);
const onlyAt = process.argv.indexOf("--only");
const only = onlyAt < 0 ? undefined : process.argv[onlyAt + 1].split(",");
let state = option("seed", 1) >>> 0;
/** A number below 1: xorshift, so that a seed repeats the moments (as shares of the command's time). */
function random() {
	state = (state || 1) ^ (state << 13);
	state ^= state >>> 17;
	state ^= state << 5;
	return (state >>> 0) / 2 ** 32;
}

const work = mkdtempSync(join(tmpdir(), "xv6-lab-kills-"));
const tree = join(work, "tree");
cpSync(join(root, "xv6"), tree, { recursive: true });
const env = { ...process.env, XDG_CACHE_HOME: join(work, "cache"), TMPDIR: join(work, "tmp") };
cpSync(join(root, "xv6/README"), join(work, "tmp/.keep"));

const bundled = ["--toolchain", "bundled"];
const onTree = ["--dir", tree, ...bundled];
const recording = join(work, "echo.run");
if (only?.includes("replay") && !only.includes("run")) only.push("run");

const classFolder = join(work, "class");
for (const student of ["ann", "ben"]) cpSync(join(root, "xv6"), join(classFolder, student), { recursive: true });
writeFileSync(join(classFolder, "ben/kernel/proc.c"), "int of_ben = 1;\n", { flag: "a" });
const policy = join(work, "policy.json");
writeFileSync(policy, JSON.stringify({ tests: ["private"] }));
/** Results without what differs from run to run. */
const judged = (bytes) => bytes.toString().replace(/"cpuMs":\d+/g, "");
const grade = ["grade", classFolder, "--lab", "hw5-anonymous-mmap", "--policy", policy, "--jobs", "2"];

/**
 * Each with what it leaves, how it answers, and how its file ends: after a kill the file is whole, or it is not there. `resumed`: a
 * part of the file may be there, and the next run makes it the same as without a kill.
 */
const commands = [
	{ args: ["build", tree, ...bundled], code: 0 },
	{ args: ["run", "echo", "hi", ...onTree], code: 0, said: /^hi$/m },
	{
		args: ["run", "echo", "hi", ...onTree, "--record", recording],
		code: 0,
		said: /^hi$/m,
		file: recording,
		same: true,
	},
	{ args: ["replay", recording], code: 0, said: /^hi$/m },
	{ args: ["explore", "ls", ...onTree, "--schedules", "2"], code: 0, said: /; 2 schedules tried/ },
	{ args: ["inspect", tree, "--command", "ls", "--json", ...bundled], code: 0, said: /"processes"/ },
	{ args: ["boot", tree, "--command", "echo hi", ...bundled], code: 0, said: /^hi\r?$/m },
	{
		args: [
			"test",
			"--dir",
			tree,
			"--lab",
			"hw5-anonymous-mmap",
			"--test",
			"private",
			"--junit",
			join(work, "report.xml"),
		],
		code: 1,
		file: join(work, "report.xml"),
		ends: "</testsuites>\n",
	},
	{
		args: ["run", "ls", ...onTree, "--coverage", join(work, "lcov.info")],
		code: 0,
		file: join(work, "lcov.info"),
		ends: "end_of_record\n",
	},
	{
		args: ["new", join(work, "fresh"), "--lab", "hw5-anonymous-mmap"],
		code: 0,
		file: join(work, "fresh/Makefile"),
		clean: () => rmSync(join(work, "fresh"), { recursive: true, force: true }),
	},
	{
		args: [...grade, "--out", join(work, "results.jsonl"), "--report", join(work, "report")],
		code: 0,
		said: /has the results of 2 submissions/,
		file: join(work, "results.jsonl"),
		resumed: judged,
		also: join(work, "report/index.html"),
	},
].filter(({ args: [name] }) => only?.includes(name) ?? true);

/** Ends the command after a time in ms; undefined: lets it end. */
function run({ args }, killAfter) {
	return new Promise((resolve) => {
		const began = performance.now();
		const child = spawn(process.execPath, [cli, ...args], { env, stdio: ["ignore", "pipe", "pipe"] });
		let text = "";
		child.stdout.on("data", (bytes) => {
			text += bytes;
		});
		child.stderr.on("data", (bytes) => {
			text += bytes;
		});
		const timer = killAfter === undefined ? undefined : setTimeout(() => child.kill("SIGKILL"), killAfter);
		child.on("close", (code, signal) => {
			clearTimeout(timer);
			resolve({ code, signal, text, ms: performance.now() - began });
		});
	});
}

/** Every file but those that a build makes and those of the cache. */
function filesOf(folder, prefix = "") {
	return readdirSync(folder).flatMap((name) => {
		const path = join(folder, name);
		return statSync(path).isDirectory() ? filesOf(path, `${prefix}${name}/`) : [`${prefix}${name}`];
	});
}

const problems = [];
let kills = 0;
let killed = 0;
for (const command of commands) {
	command.clean?.();
	const first = await run(command);
	const wanted = first.code;
	if (wanted !== command.code)
		problems.push(`${command.args[0]} ends with ${wanted}, not ${command.code}:\n${first.text}`);
	const before = new Set(filesOf(tree));
	const made = command.file && readFileSync(command.file);
	// The first run filled the caches.
	if (command.file && !command.clean) rmSync(command.file, { force: true });
	command.clean?.();
	const { ms } = await run(command);
	const killedBefore = killed;
	for (let i = 0; i < times; i++) {
		if (command.file && !command.clean) rmSync(command.file, { force: true });
		command.clean?.();
		const { signal } = await run(command, random() * ms);
		kills++;
		if (signal === "SIGKILL") killed++;
		for (const path of filesOf(tree)) if (!before.has(path)) problems.push(`${command.args[0]} left ${path}`);
		if (command.file && existsSync(command.file) && (command.ends || command.same)) {
			const bytes = readFileSync(command.file);
			if (command.same ? !bytes.equals(made) : !bytes.toString().endsWith(command.ends))
				problems.push(`${command.args[0]} left a part of ${command.file}`);
		}
		if (command.also && existsSync(command.also) && !readFileSync(command.also, "utf8").endsWith("</html>\n"))
			problems.push(`${command.args[0]} left a part of ${command.also}`);
		if (command.file && command.args[0] === "new") {
			const part = existsSync(join(work, "fresh")) && !existsSync(command.file);
			if (part) problems.push("new left a part of a workspace");
			command.clean?.();
		}
		const again = await run(command);
		const right = again.code === command.code && (!command.said || command.said.test(again.text));
		const there = !command.file || existsSync(command.file);
		if (there && command.resumed && command.resumed(readFileSync(command.file)) !== command.resumed(made))
			problems.push(`${command.args[0]} after a kill: ${command.file} is not the same as without`);
		if (!right || !there)
			problems.push(`${command.args[0]} after a kill: exit ${again.code}\n${again.text.slice(-600)}`);
	}
	const left = readdirSync(join(work, "tmp")).filter((name) => name !== ".keep");
	console.log(
		`${command.args[0]}: ${times} kills, ${killed - killedBefore} of them before the end; ${left.length} entries in the folder for temporary files${left.length > 0 ? `: ${left.slice(0, 4).join(" ")}` : ""}`,
	);
}
const own = ["tree", "cache", "tmp", "report.xml", "fresh", "echo.run", "lcov.info"];
own.push("class", "policy.json", "results.jsonl", "report");
const beside = readdirSync(work).filter((name) => !own.includes(name));
if (beside.length > 0) problems.push(`left beside the tree: ${beside.join(" ")}`);
rmSync(work, { recursive: true, force: true });
console.log(`${kills} kills, ${killed} of them before the end; ${problems.length} problems`);
for (const problem of problems.slice(0, 10)) console.log(problem);
process.exitCode = problems.length > 0 ? 1 : 0;
