import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { repository } from "../support/lab.ts";

const folder = mkdtempSync(join(tmpdir(), "xv6-lab-init-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function xv6Lab(...args: string[]): { status: number | null; out: string } {
	const { status, stdout, stderr } = spawnSync("node", [join(repository, "dist/cli/xv6-lab.mjs"), ...args], {
		cwd: folder,
	});
	return { status, out: `${stdout}${status === 0 || status === 1 ? "" : stderr}` };
}

const hello = (word: string) =>
	`#include "kernel/types.h"\n#include "user/user.h"\nint main(void)\n{\n  printf("${word}, world\\n");\n  exit(0);\n}\n`;

test("the example of docs/lab-authoring.md: a lab from two trees, until nothing is missing", () => {
	expect(xv6Lab("new", "given").status).toBe(0);
	cpSync(join(folder, "given"), join(folder, "solved"), { recursive: true });
	const makefile = join(folder, "solved/Makefile");
	writeFileSync(makefile, readFileSync(makefile, "utf8").replace("\t$U/_cat\\\n", "\t$U/_cat\\\n\t$U/_hello\\\n"));
	writeFileSync(join(folder, "solved/user/hello.c"), hello("hello"));

	const made = xv6Lab("lab", "init", "given", "solved", "hello-lab");
	expect(made).toMatchObject({ status: 0 });
	expect(made.out).toMatch(/^Made hello-lab: the solution changes Makefile, user\/hello\.c\n/);
	const first = xv6Lab("lab", "check", "hello-lab");
	expect(first).toEqual({
		status: 1,
		out: [
			"starter: 0 of 1 tests pass",
			"solution: 1 of 1 tests pass",
			"- There is no mutant: put wrong solutions into mutants/NAME, as files laid over the solution",
			"1 to do\n",
		].join("\n"),
	});

	mkdirSync(join(folder, "hello-lab/mutants/capital/user"), { recursive: true });
	writeFileSync(join(folder, "hello-lab/mutants/capital/user/hello.c"), hello("Hello"));
	expect(xv6Lab("lab", "check", "hello-lab").out).toMatch(
		/- Nothing explains mutant capital \(hello\): add a known failure\n1 to do/,
	);

	const file = join(folder, "hello-lab/lab.json");
	const manifest = JSON.parse(readFileSync(file, "utf8")) as { knownFailures: object[] };
	const explanation = "The greeting begins with a small letter; yours has a capital one.";
	manifest.knownFailures.push({ id: "capital", pattern: "^Hello", explanation });
	writeFileSync(file, JSON.stringify(manifest));
	expect(xv6Lab("lab", "check", "hello-lab")).toMatchObject({ status: 0 });

	// Nothing is written over.
	expect(xv6Lab("lab", "init", "given", "solved", "hello-lab")).toMatchObject({ status: 2 });
	expect(xv6Lab("lab", "init", "given", "given", "other")).toMatchObject({ status: 2 });
});
