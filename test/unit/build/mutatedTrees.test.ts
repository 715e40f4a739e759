/** Trees as students have them, on a real disk, by the real compiler through the command line: clear words or a right build. */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
	chmodSync,
	existsSync,
	mkdirSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	rmSync,
	symlinkSync,
	watch,
	writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { runBuild } from "../../../src/cli/build.ts";
import { UserError } from "../../../src/common/errors.ts";
import { type OpenedToolchains, openToolchains } from "../../../src/env/node/toolchains.ts";
import { smallKernel } from "../../support/smallKernel.ts";

let opened: OpenedToolchains;
let root: string;
let folder: string;
let said: string;

beforeAll(async () => {
	opened = await openToolchains({ kind: "bundled" });
});
afterAll(() => opened.dispose());

beforeEach(() => {
	root = mkdtempSync(join(tmpdir(), "xv6-lab-trees-"));
	folder = join(root, "my kernel");
	said = "";
	vi.spyOn(process.stdout, "write").mockImplementation((text) => {
		said += text;
		return true;
	});
	vi.spyOn(process.stderr, "write").mockImplementation((text) => {
		said += text;
		return true;
	});
});
afterEach(() => {
	vi.restoreAllMocks();
	rmSync(root, { recursive: true, force: true });
});

function write(changes: Record<string, string | undefined> = {}): void {
	for (const [path, bytes] of smallKernel(changes).files) {
		mkdirSync(dirname(join(folder, path)), { recursive: true });
		writeFileSync(join(folder, path), bytes);
	}
	for (const [path, text] of Object.entries(changes)) if (text === undefined) rmSync(join(folder, path));
}

/** The exit code of `xv6-lab build`; a typed error counts as said. */
async function build(...more: string[]): Promise<number> {
	try {
		const keep = { ...opened, dispose() {} };
		return await runBuild([folder, "--toolchain", "bundled", ...more], async () => keep);
	} catch (error) {
		if (!(error instanceof UserError)) throw error;
		said += `${error.format()}\n`;
		return 2;
	}
}

/** Everything in the output folder by its hash. */
function outputs(where = join(folder, "build")): Record<string, string> {
	const names = existsSync(where) ? readdirSync(where) : [];
	return Object.fromEntries(
		names.map((name) => [
			name,
			createHash("sha256")
				.update(readFileSync(join(where, name)))
				.digest("hex"),
		]),
	);
}

const makefile = () => new TextDecoder().decode(smallKernel().files.get("Makefile"));

/** What is wrong, the change, and what must be said. */
const mistakes: readonly (readonly [string, () => Record<string, string | undefined>, RegExp])[] = [
	[
		"a missing header",
		() => ({ "kernel/types.h": undefined }),
		/kernel\/main\.c:1:10: error: 'types\.h' file not found/,
	],
	[
		"a syntax error in the kernel",
		() => ({ "kernel/disk.c": "int check(void) { return 1 }\n" }),
		/kernel\/disk\.c:1:\d+: error: expected ';'/,
	],
	[
		"a syntax error in a program",
		() => ({ "user/sh.c": "int main(void) {\n" }),
		/user\/sh\.c:\d+:\d+: error: expected '}'/,
	],
	[
		"a syntax error in assembly",
		() => ({ "user/initcode.S": ".globl start\nstart:\n  lw a0\n" }),
		/user\/initcode\.S:3: error: /,
	],
	[
		"a syntax error in the linker script",
		() => ({ "kernel/kernel.ld": "ENTRY(_entry)\nSECTIONS {\n  . = ;\n}\n" }),
		/kernel\/kernel\.ld:3:\d+: error: /,
	],
	[
		"a syntax error in usys.pl",
		() => ({ "user/usys.pl": 'print "a";\nentry("fork"\n' }),
		/user\/usys\.pl:[23](:\d+)?: error: /,
	],
	["a syntax error in mkfs.c", () => ({ "mkfs/mkfs.c": "int main( { return 0; }\n" }), /mkfs\/mkfs\.c:1:\d+: error: /],
	["a syntax error in the Makefile", () => ({ Makefile: `${makefile()}\nifeq ($K,kernel\n` }), /Makefile:\d+: /],
	[
		"an unknown construct in the Makefile",
		() => ({ Makefile: `${makefile()}\nOBJS := $(shell ./choose-objects)\n` }),
		/Makefile:\d+: .*choose-objects/,
	],
	[
		"a program that is too big for the file system",
		() => ({ "user/sh.c": "char big[220000] = { 1 };\nint main(void) { return big[7]; }\n" }),
		/too big for the file system.*user\/_sh/,
	],
	[
		"two programs of one name",
		() => ({
			Makefile: makefile().replace("$U/_tight\\", "$U/_tight\\\n\tmore/_sh\\"),
			"more/sh.c": "int main(void) { return 0; }\n",
		}),
		/user\/_sh and more\/_sh both become 'sh'/,
	],
	[
		"mkfs.c that a .gitignore swallowed",
		() => ({ "mkfs/mkfs.c": undefined, ".gitignore": "mkfs\n" }),
		/mkfs\/mkfs\.c is missing[\s\S]*\.gitignore:1/,
	],
	[
		"a header of the host",
		() => ({ "user/sh.c": "#include <math.h>\nint main(void) { return 0; }\n" }),
		/user\/sh\.c:1:10: error: 'math\.h' file not found[\s\S]*no floating-point functions/,
	],
];

test.each(mistakes)("%s is a clear message, and what was built before stays", async (_, changes, message) => {
	write();
	expect(await build()).toBe(0);
	const before = outputs();
	expect(Object.keys(before).sort()).toEqual([".gitignore", "fs.img", "kernel"]);
	said = "";
	write(changes());
	expect([2, 5]).toContain(await build());
	expect(said).toMatch(message);
	expect(outputs()).toEqual(before);
});

test("line ends of Windows, a loop of links and names with spaces build to the same bytes", async () => {
	write();
	expect(await build()).toBe(0);
	const before = outputs();
	for (const [path, bytes] of smallKernel().files) {
		writeFileSync(join(folder, path), new TextDecoder().decode(bytes).replaceAll("\n", "\r\n"));
	}
	// A data file goes into the image as it is, on every system.
	writeFileSync(join(folder, "README"), smallKernel().files.get("README") as Uint8Array);
	symlinkSync(folder, join(folder, "kernel/loop"));
	symlinkSync("other", join(folder, "user/other"));
	mkdirSync(join(folder, "my notes"));
	writeFileSync(join(folder, "my notes/draft of main.c"), "#error not this\n");
	expect(await build()).toBe(0);
	expect(outputs()).toEqual(before);
});

test("a folder that may not be written to is named, and nothing is left in it", async () => {
	write();
	// Workers are started while everything may be read.
	expect(await build()).toBe(0);
	rmSync(join(folder, "build"), { recursive: true });
	said = "";
	chmodSync(folder, 0o555);
	// Root may write everywhere; somebody else may not.
	const isRoot = process.getuid?.() === 0;
	chmodSync(root, 0o755);
	if (isRoot) process.seteuid?.(65534);
	try {
		expect(await build()).toBe(2);
	} finally {
		if (isRoot) process.seteuid?.(0);
		chmodSync(folder, 0o755);
	}
	expect(said).toMatch(/Cannot write .*my kernel.*you may not write there.*--out/s);
	expect(existsSync(join(folder, "build"))).toBe(false);
});

const cli = resolve(import.meta.dirname, "../../../dist/cli/xv6-lab.mjs");

test("a disk on which no more can be written leaves the old kernel and image whole", async () => {
	write();
	expect(await build()).toBe(0);
	const before = outputs();
	write({ "kernel/disk.c": "int check(void) { return 43; }\n" });
	// The kernel refuses writes beyond 8 KiB a file: the image stops half-way, as on a full disk.
	const command = `ulimit -f 8; exec "$0" "$1" build "$2" --toolchain bundled`;
	const child = spawn("bash", ["-c", command, process.execPath, cli, folder], { stdio: ["ignore", "ignore", "pipe"] });
	let text = "";
	child.stderr.on("data", (bytes) => {
		text += bytes;
	});
	const code = await new Promise((done) => child.on("close", done));
	expect(text).toMatch(/Cannot write .*(kernel|fs\.img): the system allows no file of that size\. Nothing was changed/);
	expect(code).toBe(2);
	expect(outputs()).toEqual(before);
});

test("Ctrl-C in the middle of a build ends it as a signal does, and nothing is written", async () => {
	write();
	const cache = join(root, "cache");
	const objects = join(cache, "xv6-lab/objects");
	mkdirSync(objects, { recursive: true });
	const child = spawn(process.execPath, [cli, "build", folder, "--toolchain", "bundled", "--jobs", "1"], {
		stdio: ["ignore", "ignore", "pipe"],
		env: { ...process.env, XDG_CACHE_HOME: cache },
	});
	let text = "";
	child.stderr.on("data", (bytes) => {
		text += bytes;
	});
	// The first finished object: the build is under way, and far from its end.
	const watcher = watch(objects, () => {
		watcher.close();
		child.kill("SIGINT");
	});
	const code = await new Promise((done) => child.on("close", (code, signal) => done(signal ?? code)));
	// To a shell that is 130.
	expect(code).toBe("SIGINT");
	expect(text).toContain("Cancelled");
	expect(existsSync(join(folder, "build"))).toBe(false);
});
