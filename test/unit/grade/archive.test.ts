import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { utf8 } from "../../../src/common/bytes.ts";
import { hashOfFiles, inflate, readSubmission } from "../../../src/env/node/submission.ts";
import { findTree, readArchive } from "../../../src/grade/class/archive/submission.ts";
import { identify } from "../../../src/grade/class/names.ts";
import { tar, tarGz, zip } from "../../support/archives.ts";
import { hostileArchives, packings } from "../../support/madeClass.ts";

const tree = new Map(
	["Makefile", "kernel/main.c", "kernel/proc.c", "kernel/vm.c", "user/sh.c", `user/${"long".repeat(40)}.c`].map(
		(path) => [path, utf8(`text of ${path}`)],
	),
);
let folder = "";

beforeAll(() => {
	folder = mkdtempSync(join(tmpdir(), "xv6-lab class-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("a tree is the same tree however it is packed", async () => {
	const known = hashOfFiles(tree);
	for (const [at, pack] of packings.entries()) {
		const own = join(folder, `packing${at}`);
		const name = pack(own, tree, at);
		const found = await readSubmission(join(own, name));
		const files = new Map(found.files);
		if (!files.has("Makefile")) files.set("Makefile", tree.get("Makefile") as Uint8Array);
		expect(hashOfFiles(files), name).toBe(known);
	}
});

test("an archive that leads out, links out, bursts or is damaged ends in a sentence, and writes nothing", async () => {
	const own = join(folder, "hostile");
	for (const { name, what, readable } of hostileArchives(own, tree)) {
		const said = await readSubmission(join(own, name)).then(
			() => "it was read",
			(error: Error) => error.message,
		);
		expect(said, what).toMatch(readable as RegExp);
	}
	expect(existsSync("/tmp/slipped.txt")).toBe(false);
	expect(existsSync(join(folder, "slipped.txt"))).toBe(false);
});

test("links inside of an archive are the files that they lead to", () => {
	const files = [...tree].map(([name, bytes]) => ({ name: `a/${name}`, bytes }));
	const linked = tar([
		...files,
		{ name: "a/user/soft.c", type: "2", target: "../kernel/main.c" },
		{ name: "a/user/hard.c", type: "1", target: "a/kernel/main.c" },
		{ name: "a/dir", type: "2", target: "kernel" },
		{ name: "a/dangling", type: "2", target: "nowhere" },
	]);
	const found = findTree(readArchive(linked, inflate).files, inflate);
	expect(found.root).toBe("a");
	expect(found.files.get("user/soft.c")).toEqual(tree.get("kernel/main.c"));
	expect(found.files.get("user/hard.c")).toEqual(tree.get("kernel/main.c"));
	expect(found.files.size).toBe(tree.size + 2);
});

test("every cut and every damaged byte of an archive ends in a sentence or in whole files", () => {
	const entries = [...tree].map(([name, bytes]) => ({ name, bytes }));
	for (const whole of [zip(entries), tar(entries), tarGz(entries)]) {
		const damaged = (at: number) => {
			const copy = whole.slice();
			copy[at] = (copy[at] as number) ^ 0x55;
			return copy;
		};
		const step = Math.max(1, Math.floor(whole.length / 400));
		for (let at = 0; at < whole.length; at += step) {
			for (const bytes of [whole.slice(0, at), damaged(at)]) {
				try {
					readArchive(bytes, inflate);
				} catch (error) {
					expect((error as Error).name, `${(error as Error).stack}`).toBe("UserError");
				}
			}
		}
	}
});

test("two trees, two archives with trees, and archives of other kinds are told", () => {
	const at = (prefix: string) => [...tree].map(([name, bytes]) => [prefix + name, bytes] as const);
	const packed = zip([...tree].map(([name, bytes]) => ({ name, bytes })));
	const said = (files: readonly (readonly [string, Uint8Array])[]) => {
		try {
			return findTree(new Map(files), inflate).root;
		} catch (error) {
			return (error as Error).message;
		}
	};
	expect(said([...at("one/"), ...at("two/")])).toBe("There are 2 xv6 trees in it: one, two");
	expect(said([...at("xv6/"), ...at("xv6/backup/")])).toBe("xv6");
	expect(
		said([
			["a.zip", packed],
			["b.zip", packed],
		]),
	).toMatch(/2 archives with an xv6 tree in it: a.zip, b.zip/);
	expect(
		said([
			["a.zip", packed],
			["b.zip", utf8("broken")],
		]),
	).toBe("a.zip");
	expect(said([["lab.rar", utf8("Rar!")]])).toBe("xv6 Lab does not read lab.rar");
	expect(said([["kernel/vm.c", utf8("")]])).toMatch(/no xv6 tree in its 1 file \(kernel\/vm.c\)/);
	expect(said([])).toBe("There is no file in it");
});

const tools = ["zip", "tar"].filter((tool) => spawnSync(tool, ["--version"]).status === 0);
if (!tools.includes("zip")) console.log("NOT RUN, zip not installed. Not tested: archives that Info-ZIP has made.");

test.runIf(tools.includes("tar"))("archives of GNU tar in each of its formats are read", async () => {
	const own = join(folder, "tools");
	for (const [path, bytes] of tree) {
		mkdirSync(join(own, "xv6", path, ".."), { recursive: true });
		writeFileSync(join(own, "xv6", path), bytes);
	}
	symlinkSync("../kernel/vm.c", join(own, "xv6/user/link.c"));
	const known = hashOfFiles(new Map([...tree, ["user/link.c", tree.get("kernel/vm.c") as Uint8Array]]));
	for (const format of ["gnu", "pax", "oldgnu", "ustar"]) {
		const file = join(own, `${format}.tar.gz`);
		const made = spawnSync("tar", ["-czf", file, `--format=${format}`, "xv6"], { cwd: own });
		// The old format has no room for the long name.
		if (made.status !== 0) continue;
		expect(hashOfFiles((await readSubmission(file)).files), format).toBe(known);
	}
	if (!tools.includes("zip")) return;
	spawnSync("zip", ["-qry", "it.zip", "xv6"], { cwd: own });
	expect(hashOfFiles((await readSubmission(join(own, "it.zip"))).files), "zip").toBe(known);
});

test("names of Moodle, Canvas, Blackboard and Gradescope say whose a submission is", () => {
	expect(identify("Jane Doe_4711_assignsubmission_file")).toEqual({ student: "Jane Doe", id: "4711" });
	expect(identify("Participant_4711_assignsubmission_file_hw5.zip")).toEqual({ student: "Participant", id: "4711" });
	expect(identify("doejane_LATE_123_456_hw5-2.zip")).toEqual({ student: "doejane", id: "123" });
	expect(identify("doejane_123_456_my_kernel.tar.gz")).toEqual({ student: "doejane", id: "123" });
	expect(identify("HW 5_jdoe_attempt_2026-11-20-10-00-00_x.zip")).toEqual({ student: "jdoe" });
	expect(identify("submission_99")).toEqual({ student: "submission_99", id: "99" });
	expect(identify("jdoe")).toEqual({ student: "jdoe" });
	expect(identify("a_b_c.zip")).toEqual({ student: "a_b_c" });
});
