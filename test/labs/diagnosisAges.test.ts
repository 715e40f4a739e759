import { readdirSync, readFileSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { openSession } from "../../src/cli/guestSession.ts";
import { utf8 } from "../../src/common/bytes.ts";
import { MemoryTree } from "../../src/common/sourceTree.ts";
import { diagnosisFiles } from "../../src/lab/diagnosisFiles.ts";
import { type Diagnosis, renderDiagnoses } from "../../src/protocol/diagnosis.ts";
import { type AgedCase, agedCases, furtherCases, reportedCases } from "../cases/ages.ts";
import { build, catalog, closeToolchains } from "../support/lab.ts";

/**
 * The same fault in trees of different ages. `XV6_TREES=/path/to/2019:/path/to/2025 npx vitest run --project labs test/labs/diagnosisAges.test.ts`
 * tries all of them there and prints a table; without it a few are tried on the bundled kernel, whose other cases are those of diagnosis.test.ts.
 */
const trees = (process.env.XV6_TREES ?? "").split(":").filter((path) => path !== "");
const compiler = process.env.XV6_TOOLCHAIN === "host" ? "host" : "bundled";
const sample = [
	"a lock is taken twice",
	"two locks in two orders",
	"no hart enables the devices",
	"an end that is never freed",
	"a kernel stack that begins at its low end",
	"a kernel stack that begins above its high end",
	"kill wakes nobody",
	"open keeps the lock of its inode",
	"a directory is read for ever",
	"the scheduler leaves interrupts off",
	"the PLIC is not mapped",
	"the UART is not mapped",
	"a child without its parent's trap frame",
];

const rows: string[] = [];
afterAll(async () => {
	await closeToolchains();
	if (trees.length > 0)
		process.stdout.write(`\n| tree | fault | first line |\n| --- | --- | --- |\n${rows.join("\n")}\n`);
});

type Files = Map<string, Uint8Array>;

function read(folder: string): Files {
	const files: Files = new Map();
	for (const path of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
		const full = join(folder, path);
		if (!path.startsWith(".git") && statSync(full).isFile()) files.set(path, readFileSync(full));
	}
	return files;
}

/** Undefined: a pattern finds nothing. */
function broken(sound: Files, { edits, program }: AgedCase): Files | undefined {
	const files = new Map(sound);
	const text = (path: string) => new TextDecoder().decode(files.get(path));
	for (const [file, from, to] of edits) {
		const all = new RegExp(from.source, [...new Set(`${from.flags}g`)].join(""));
		const paths = [...files.keys()].filter((path) => file.test(path) && text(path).search(from) >= 0);
		if (paths.length === 0) return undefined;
		const code = to.replace("TRAPFRAME", /\btrapframe;/.test(text("kernel/proc.h")) ? "trapframe" : "tf");
		for (const path of paths) files.set(path, utf8(text(path).replace(all, code)));
	}
	const headers = '#include "kernel/types.h"\n#include "kernel/stat.h"\n#include "user/user.h"\n';
	// MIT calls sleep pause since 2025.
	const pause = /\bpause\(/.test(text("user/user.h")) && !/\bsleep\(/.test(text("user/user.h"));
	files.set(
		"user/prog.c",
		utf8(`${headers}${pause ? "#define sleep pause\n" : ""}int main(void){ ${program ?? ""} exit(0); }\n`),
	);
	files.set("Makefile", utf8(text("Makefile").replace(/(\$U\/_ls\\\n)/, "$1\t$U/_prog\\\n")));
	return files;
}

async function diagnosed(
	files: Files,
	program: string | undefined,
): Promise<{ text: string; all: readonly Diagnosis[] }> {
	const output = await build(files, compiler);
	const params = { harts: 3, seed: 0, translator: true };
	const session = await openSession(output, { params, manifest: undefined, timeoutMs: 60_000, onOutput: () => {} });
	const { shell, view } = session;
	try {
		const boot = await shell.waitForPrompt(3_000_000_000);
		if (boot.kind === "prompt") view.begin();
		const result =
			boot.kind === "prompt" && program !== undefined
				? await shell.run("prog", 3_000_000_000)
				: { end: boot, output: shell.console };
		const all = view.diagnose(
			{ ...result.end, output: result.output },
			await diagnosisFiles(new MemoryTree("tree", files)),
		);
		return { text: renderDiagnoses(all), all };
	} finally {
		session.dispose();
	}
}

async function check(name: string, sound: Files, one: AgedCase): Promise<void> {
	const files = broken(sound, one);
	if (!files) {
		rows.push(`| ${name} | ${one.name} | not there |`);
		return;
	}
	const { text, all } = await diagnosed(files, one.program);
	const first = text.split("\n")[0] ?? "";
	const right = new RegExp(one.cause.source, "i").test(first);
	rows.push(`| ${name} | ${one.name} | ${right ? "" : "NOT AS EXPECTED: "}${first} |`);
	expect(first, text).toMatch(new RegExp(one.cause.source, "i"));
	for (const frame of all.flatMap(({ frames }) => frames).filter(({ name }) => name.startsWith("sys_")))
		expect(frame.line, text).toBeDefined();
}

describe.runIf(trees.length === 0)("the bundled kernel", () => {
	test.each([...agedCases, ...furtherCases, ...reportedCases].filter(({ name }) => sample.includes(name)))(
		"$name",
		async (one) => {
			await check("bundled", new Map(await catalog.workspace(undefined)), one);
		},
	);
});

describe.each(trees)("%s", (tree) => {
	test.each([...agedCases, ...furtherCases, ...reportedCases])("$name", (one) =>
		check(basename(tree), read(tree), one),
	);
});
