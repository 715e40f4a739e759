import { type ChildProcess, spawn } from "node:child_process";
import { appendFileSync, cpSync, existsSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { nodeProcessRunner } from "../../src/env/node/processRunner.ts";
import { repository } from "../support/lab.ts";

/** The command line where the world is not kind: full disks, read-only folders, signals, tight memory, two at a time. Real processes. */

const cli = join(repository, "dist/cli/xv6-lab.mjs");
const bundled = ["--toolchain", "bundled"];
let folder = "";
let tree = "";
const bwrap = await nodeProcessRunner.find("bwrap");

beforeAll(() => {
	folder = mkdtempSync(join(tmpdir(), "xv6-lab rough-"));
	tree = join(folder, "tree");
	cpSync(join(repository, "xv6"), tree, { recursive: true });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Ended {
	readonly code: number | null;
	readonly signal: NodeJS.Signals | null;
	readonly out: string;
	readonly err: string;
}

/** @param call what starts the command line: a shell that sets a limit first, a sandbox, or nothing. */
function start(args: readonly string[], { call = [] as readonly string[], stdout = "pipe" as "pipe" | number } = {}) {
	const [program = "", ...rest] = [...call, process.execPath, cli, ...args];
	const env = { ...process.env, XDG_CACHE_HOME: join(folder, "cache") };
	const child: ChildProcess = spawn(program, rest, { cwd: folder, env, stdio: ["ignore", stdout, "pipe"] });
	const said = { out: "", err: "" };
	child.stdout?.on("data", (bytes) => {
		said.out += bytes;
	});
	child.stderr?.on("data", (bytes) => {
		said.err += bytes;
	});
	const ended = new Promise<Ended>((done) => child.on("close", (code, signal) => done({ code, signal, ...said })));
	return { child, ended };
}

test("a full disk under the output ends the command with a sentence", async (context) => {
	if (!existsSync("/dev/full")) return context.skip();
	const full = await start(["run", "ls", "--dir", tree, ...bundled], { stdout: openSync("/dev/full", "w") }).ended;
	expect(full.err).toMatch(/Cannot write standard output: the disk is full\. Make room, or send the output to another/);
	expect(full.err).not.toContain("    at ");
	expect(full.code).toBe(2);
	const packets = await start(["boot", tree, "--pcap", "/dev/full", ...bundled]).ended;
	expect(packets.err).not.toContain("    at ");
	expect(packets.code === 0).toBe(false);
});

test.skipIf(!bwrap)(
	"a read-only tree builds and runs in memory, and `build` and `new` say what they cannot write",
	async () => {
		const call = [bwrap ?? "", "--dev-bind", "/", "/", "--ro-bind", tree, tree];
		const run = await start(["run", "echo", "hi", "--dir", tree, ...bundled], { call }).ended;
		expect(run.out).toMatch(/^hi\r?$/m);
		expect(run.code).toBe(0);
		const build = await start(["build", tree, ...bundled], { call }).ended;
		expect(build.err).toMatch(
			/Cannot write .*tree.*: its (file system is read-only|folder cannot be made there)\. Nothing was changed/,
		);
		const made = await start(["new", join(tree, "fresh"), "--lab", "hw5-anonymous-mmap"], { call }).ended;
		expect(made.err).toMatch(/Cannot write .*fresh: its folder cannot be made there\. Nothing was left behind/);
		expect([build.code, made.code]).toEqual([2, 2]);
	},
);

test.skipIf(process.platform === "win32")(
	"without memory for its tools a build says so, and how to give it some",
	async () => {
		const call = ["/bin/sh", "-c", 'ulimit -v 12000000; exec "$@"', "sh"];
		const { err, code } = await start(["run", "echo", "hi", "--dir", tree, ...bundled], { call }).ended;
		expect(err).toMatch(/gives xv6 Lab no memory for .*ulimit -v/);
		expect(code).toBe(5);
	},
);

test.skipIf(process.platform === "win32").each([
	{ signal: "SIGINT", code: 130 },
	{ signal: "SIGTERM", code: 143 },
	{ signal: "SIGHUP", code: 129 },
] as const)("$signal in a build ends it and leaves nothing", async ({ signal, code }) => {
	const work = mkdtempSync(join(folder, "work-"));
	const edited = join(work, "tree");
	cpSync(join(repository, "xv6"), edited, { recursive: true });
	// All files include it: nothing that ships or was built before will do.
	appendFileSync(join(edited, "kernel/types.h"), `// ${signal}\n`);
	const before = readdirSync(edited, { recursive: true }).length;
	const { child, ended } = start(["build", edited, ...bundled], {
		call: ["/usr/bin/env", `XDG_CACHE_HOME=${join(work, "cache")}`],
	});
	// The cache's folder is there: the compiler works.
	while (!existsSync(join(work, "cache"))) await setTimeout(20);
	child.kill(signal);
	const end = await ended;
	// A process that a signal ended has no code; shells give it this one.
	expect(end.code ?? (end.signal === signal ? code : end.signal)).toBe(code);
	expect(readdirSync(edited, { recursive: true }).length).toBe(before);
	expect(readdirSync(work).sort()).toEqual(["cache", "tree"]);
});

test("two and three at a time in one tree: each is right, no file is half", async () => {
	const runs = ["one", "two", "three"].map((word) => start(["run", "echo", word, "--dir", tree, ...bundled]).ended);
	for (const [at, end] of (await Promise.all(runs)).entries()) {
		expect(end.out).toMatch(new RegExp(`^${["one", "two", "three"][at]}\r?$`, "m"));
		expect(end.code).toBe(0);
	}
	const fresh = ["new", join(folder, "fresh"), "--lab", "hw5-anonymous-mmap"];
	const made = await Promise.all([start(fresh).ended, start(fresh).ended]);
	expect(made.map(({ code }) => code).sort()).toEqual([0, 2]);
	expect(existsSync(join(folder, "fresh/kernel/vm.c"))).toBe(true);
	expect(readdirSync(folder).filter((name) => name.endsWith(".tmp"))).toEqual([]);
	const report = join(folder, "report.xml");
	const judged = ["test", "--dir", tree, "--lab", "hw5-anonymous-mmap", "--test", "private", "--junit", report];
	const ends = await Promise.all([start(judged).ended, start(judged).ended]);
	expect(ends.map(({ code }) => code)).toEqual([1, 1]);
	expect(readFileSync(report, "utf8")).toMatch(/^<\?xml.*<\/testsuites>\s*$/s);
});
