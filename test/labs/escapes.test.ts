import { spawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { repository } from "../support/lab.ts";

/**
 * A tree that puts sequences for a terminal wherever it can: names of processes, locks and files of the debug information, messages of the
 * compiler, a panic. Whatever quotes it shows them; the guest's own console, in a pipe, is every byte as it came.
 */

const cli = join(repository, "dist/cli/xv6-lab.mjs");
/** As C writes it: OSC 52 (clipboard), a title, a right-to-left override. */
const evil = "\\033]52;c;cm0=\\007\\033]0;t\\007\\342\\200\\256";
const obeyed = /[\u001b\u0007\u009b\u009d\u202e]/;
let folder = "";
let tree = "";

function edit(path: string, change: (text: string) => string): void {
	const file = join(tree, path);
	const before = readFileSync(file, "utf8");
	const after = change(before);
	if (after === before) throw new Error(`${path} has no such place`);
	writeFileSync(file, after);
}

beforeAll(() => {
	folder = mkdtempSync(join(tmpdir(), "xv6-lab escapes-"));
	tree = join(folder, "class/student");
	mkdirSync(join(folder, "class"));
	cpSync(join(repository, "xv6"), tree, { recursive: true });
	edit("kernel/trap.c", (text) =>
		text.replace(/initlock\(&tickslock, "[^"]*"\)/, `initlock(&tickslock, "${evil}time")`),
	);
	edit("kernel/exec.c", (text) =>
		text.replace(
			/safestrcpy\(p->name, \w+, sizeof\(?p->name\)?\)/,
			`safestrcpy(p->name, "\\033]0;\\007x", sizeof(p->name)); (void)last`,
		),
	);
	edit("kernel/pipe.c", (text) => `#line 1 "kernel/\u001b]0;p\u0007ipe.c"\n${text}`);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function said(...args: readonly string[]): Promise<{ out: string; err: string; code: number | null }> {
	const env = { ...process.env, XDG_CACHE_HOME: join(folder, "cache") };
	const child = spawn(process.execPath, [cli, ...args, ...(args[0] === "grade" ? [] : ["--toolchain", "bundled"])], {
		cwd: folder,
		env,
		stdio: ["ignore", "pipe", "pipe"],
	});
	const text = { out: "", err: "" };
	child.stdout.on("data", (bytes) => {
		text.out += bytes;
	});
	child.stderr.on("data", (bytes) => {
		text.err += bytes;
	});
	const code = await new Promise<number | null>((done) => child.on("close", done));
	return { ...text, code };
}

test("build, run, inspect and explore show the sequences of names and messages", async () => {
	edit("kernel/pipe.c", (text) => `#error "\u001b]0;title\u0007"\n${text}`);
	const build = await said("build", tree);
	expect(build.err).toContain("^[]0;title^G");
	edit("kernel/pipe.c", (text) => text.slice(text.indexOf("\n") + 1));
	const run = await said("run", "ls", "--dir", tree, "--tables");
	// The kernel view shows what is no letter of a name as a question mark.
	expect(run.out).toContain("?]0;?x");
	const inspect = await said("inspect", tree, "--command", "ls");
	const explore = await said("explore", "ls", "--dir", tree, "--schedules", "2");
	for (const [name, { out, err }] of Object.entries({ build, run, inspect, explore })) {
		expect(`${name} ${obeyed.exec(out) ?? "obeys nothing"}`).toBe(`${name} obeys nothing`);
		expect(`${name} ${obeyed.exec(err) ?? "obeys nothing"}`).toBe(`${name} obeys nothing`);
	}
});

test("a panic's text is shown in diagnoses, JUnit and the class's page", async () => {
	edit("kernel/sysfile.c", (text) =>
		text.replace(
			"r = exec(path, argv);",
			`{ if(strncmp(path, "forktest", 8) == 0) { panic("${evil}"); } r = exec(path, argv); }`,
		),
	);
	const run = await said("run", "forktest", "--dir", tree);
	expect(run.code).toBe(3);
	// The diagnosis quotes it; the console before it is the guest's own bytes.
	expect(run.out).toContain("^[]52;c;cm0=^G");
	expect(run.err).not.toMatch(obeyed);
	edit("kernel/sysfile.c", (text) => text.replace('"forktest", 8', '"private", 7'));
	const report = join(folder, "report.xml");
	const judged = await said(
		"test",
		"--dir",
		tree,
		"--lab",
		"hw5-anonymous-mmap",
		"--test",
		"private",
		"--junit",
		report,
	);
	expect(judged.out).toContain("^[]52;c;cm0=^G");
	for (const text of [judged.out, judged.err, readFileSync(report, "utf8")]) expect(text).not.toMatch(obeyed);
	writeFileSync(join(folder, "policy.json"), JSON.stringify({ tests: ["private"], detectors: "off" }));
	const graded = await said(
		"grade",
		"class",
		"--lab",
		"hw5-anonymous-mmap",
		"--policy",
		"policy.json",
		"--out",
		"r.jsonl",
		"--report",
		"page",
	);
	const pages = readdirSync(join(folder, "page"), { recursive: true }).map((name) =>
		join(folder, "page", String(name)),
	);
	const texts = pages.filter((name) => /\.\w+$/.test(name)).map((name) => readFileSync(name, "utf8"));
	expect(texts.some((text) => text.includes("^[]52;c;cm0=^G"))).toBe(true);
	for (const text of [graded.out, graded.err, ...texts]) expect(text).not.toMatch(obeyed);
});
