import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { repository } from "../support/lab.ts";

const folder = mkdtempSync(join(tmpdir(), "xv6-lab-side-by-side-"));
const tree = join(folder, "tree");

function cli(...args: string[]) {
	const { status, stdout, stderr } = spawnSync(process.execPath, [join(repository, "dist/cli/xv6-lab.mjs"), ...args], {
		encoding: "utf8",
		maxBuffer: 1 << 26,
	});
	return { status, stdout, stderr };
}

beforeAll(() => {
	expect(cli("new", tree, "--lab", "hw5-anonymous-mmap", "--solution", "3b").status).toBe(0);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("the tests of a lab on several machines at a time", { timeout: 180_000 }, () => {
	// Enough tests for three threads, and short ones.
	const tests = ["--task", "1c", "--task", "2b"];

	it("have the verdicts that they have one after the other, in the same order", () => {
		const one = cli("test", "--dir", tree, "--json", "--jobs", "1", ...tests);
		const three = cli("test", "--dir", tree, "--json", "--jobs", "3", ...tests);
		expect(JSON.parse(one.stdout).length).toBeGreaterThanOrEqual(18);
		expect(three).toEqual(one);
	});

	it("and so have the schedules of one test, those from power-on too", () => {
		const one = cli("test", "--dir", tree, "--json", "--jobs", "1", "--test", "prodcons3", "--seeds", "20");
		const three = cli("test", "--dir", tree, "--json", "--jobs", "3", "--test", "prodcons3", "--seeds", "20");
		expect(JSON.parse(one.stdout).map(({ seed }: { seed: number }) => seed)).toEqual(
			Array.from({ length: 20 }, (_, i) => i),
		);
		expect(three).toEqual(one);
	});

	it("and tell once why the kernel does not boot", () => {
		const main = join(tree, "kernel/main.c");
		const text = readFileSync(main, "utf8");
		writeFileSync(main, text.replace("kinit();", 'panic("no memory today"); kinit();'));
		const one = cli("test", "--dir", tree, "--json", "--jobs", "1", ...tests);
		const three = cli("test", "--dir", tree, "--json", "--jobs", "3", ...tests);
		expect(one.stdout).toContain("no memory today");
		expect(one.stdout.match(/"The kernel did not reach its shell/g)).toHaveLength(1);
		expect(three).toEqual(one);
		const seeds = ["test", "--dir", tree, "--json", "--test", "prodcons3", "--seeds", "13"];
		expect(cli(...seeds, "--jobs", "2")).toEqual(cli(...seeds, "--jobs", "1"));
	});
});
