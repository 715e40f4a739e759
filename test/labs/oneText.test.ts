import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { utf8 } from "../../src/common/bytes.ts";
import { diagnosisCard, verdictCard } from "../../src/extension/card.ts";
import { describe as inWords } from "../../src/lab/junit.ts";
import { build, catalog, closeToolchains, judgeOutput, repository } from "../support/lab.ts";
import { type Edit, progManifest, progTree } from "../support/progTree.ts";

/** A cause is told in the same words, and once, wherever it is told: by the built command line, in a verdict, on a card of the terminal. */

const folder = mkdtempSync(join(tmpdir(), "xv6-lab text-"));
afterAll(async () => {
	rmSync(folder, { recursive: true, force: true });
	await closeToolchains();
});

function write(name: string, files: ReadonlyMap<string, Uint8Array>): string {
	const root = join(folder, name);
	for (const [path, bytes] of files) {
		mkdirSync(dirname(join(root, path)), { recursive: true });
		writeFileSync(join(root, path), bytes);
	}
	return root;
}

/** Both streams of a command of the built product. */
function said(
	command: string,
	dir: string,
	...args: readonly string[]
): { readonly code: number | null; readonly text: string } {
	const where = command === "run" ? ["--dir", dir] : [dir];
	const { status, stdout, stderr } = spawnSync(
		process.execPath,
		[
			join(repository, "dist/cli/xv6-lab.mjs"),
			command,
			...where,
			"--toolchain",
			"bundled",
			"--harts",
			"1",
			"--timeout",
			"120",
			...args,
		],
		{ encoding: "utf8" },
	);
	return { code: status, text: `${stdout}\n${stderr}` };
}

const times = (text: string, part: string) => text.split(part).length - 1;
/** Each command indents the text as it does the rest of what it says. */
const flat = (text: string) => text.replace(/^[ \t]*(xv6-lab: )?/gm, "");

const sysproc = "kernel/sysproc.c";
const kinds = [
	["a panic", [[sysproc, "  uint now = ticks;\n  release(&tickslock);", "  uint now = ticks;"]], "uptime();", 3],
	[
		"a hang",
		[
			[
				"kernel/pipe.c",
				"  wakeup(&pi->nwrite);\n  release(&pi->lock);\n  return failed",
				"  release(&pi->lock);\n  return failed",
			],
		],
		"static char b[600]; int p[2]; pipe(p); if(fork() == 0){ close(p[0]); write(p[1], b, 600); exit(0); } close(p[1]); sleep(2); read(p[0], b, 600); wait(0);",
		4,
	],
	["a user fault", [], "*(volatile int*)0x7ff0000 = 1;", 1],
] as const satisfies readonly (readonly [string, readonly Edit[], string, number])[];

test.each(kinds)("%s", async (name, edits, body, code) => {
	const files = await progTree(edits, body);
	const [verdict] = await judgeOutput(await build(files), progManifest("fine"), { harts: 1, files });
	if (!verdict) throw new Error("no verdict");
	const [first] = verdict.diagnoses;
	const message = inWords(verdict);
	const at = message.indexOf("cause: ");
	const text = message.slice(at, message.indexOf("\nexpected:") < 0 ? undefined : message.indexOf("\nexpected:"));
	const block = flat(text.split("\noutput:")[0] ?? "").trimEnd();
	expect(first && block.startsWith(`cause: ${first.cause}`), message).toBe(true);
	for (const { name: call, file, line } of first?.frames ?? []) expect([call, file, line]).not.toContain(undefined);

	const dir = write(name, files);
	const boot = said("boot", dir, "--command", "prog");
	const run = said("run", dir, "prog");
	const inspect = said("inspect", dir, "--command", "prog");
	for (const { text: shown } of [boot, run, inspect]) {
		expect(flat(shown)).toContain(block);
		expect(times(shown, first?.cause ?? "?")).toBe(1);
	}
	expect(run.code).toBe(code);

	const cards = [verdictCard(verdict), diagnosisCard("prog", verdict.diagnoses)];
	for (const card of cards) {
		expect(first?.cause.startsWith(card?.cause ?? "?")).toBe(true);
		expect(card?.where).toBe(first?.look && `${first.look.file}:${first.look.line}`);
		for (const call of card?.calls ?? []) expect(block).toContain(call);
		expect(card?.calls.length).toBe(Math.min(8, first?.frames.length ?? 0));
	}
});

test.each([
	["panic", 'panic("mytest");', 3],
	["PANIC", "extern void shout(void); shout();", 3],
] as const)("a boot that ends in %s is told once", async (word, code, status) => {
	const shout =
		'\nvoid shout(void)\n{\n  extern volatile int panicked;\n  printf("PANIC: mytest\\n");\n  panicked = 1;\n  for(;;)\n    ;\n}\n';
	const main = "kernel/main.c";
	const text = new TextDecoder().decode((await catalog.workspace(undefined)).get(main));
	const line = /^ +userinit\(\);.*\n/m.exec(text)?.[0] ?? "";
	const files = await progTree([[main, line, `    ${code}\n${line}`]], "");
	if (word === "PANIC") {
		const printf = new TextDecoder().decode(files.get("kernel/printf.c"));
		files.set("kernel/printf.c", utf8(printf + shout));
	}
	const dir = write(word, files);
	for (const shown of [
		said("run", dir, "prog"),
		said("boot", dir, "--command", "prog"),
		said("inspect", dir, "--command", "prog"),
	]) {
		expect(shown.code, shown.text).toBe(status);
		expect(times(shown.text, "cause: "), shown.text).toBe(1);
		expect(shown.text).not.toContain("xv6-lab: The kernel panicked");
		// As it came on the console, and quoted.
		expect(times(shown.text, `${word}: mytest`), shown.text).toBeLessThanOrEqual(2);
	}
});
