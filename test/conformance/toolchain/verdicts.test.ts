import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { utf8 } from "../../../src/common/bytes.ts";
import type { Diagnostic } from "../../../src/common/diagnostic.ts";
import { parseGcc } from "../../../src/toolchain/host/diagnostics.ts";
import type { JobFiles, WasiToolchain } from "../../../src/toolchain/types.ts";
import { recordedFolder } from "./corpus.ts";
import { openCompiler } from "./guest.ts";
import { flagSets, snippets } from "./snippets.ts";

type FlagSet = keyof typeof flagSets;
/** Lines of errors, and of warnings. */
interface Verdict {
	readonly errors: readonly number[];
	readonly warnings: readonly number[];
}
type Recorded = Record<string, Record<FlagSet, Verdict>>;

const file = join(recordedFolder, "verdicts.json");
const sets = Object.keys(flagSets) as FlagSet[];
const gcc = "riscv64-unknown-elf-gcc";

if (process.env.RECORD) writeFileSync(file, `${JSON.stringify(record(), null, "\t")}\n`);
const recorded = JSON.parse(readFileSync(file, "utf8")) as Recorded;

/** Where the verdict differs, and why it has to. */
const different: Readonly<Record<string, string>> = {
	"call of itself for ever": "left out on purpose: gcc 12 finds one in the shell of every tree up to 2021",
	"pointer ordered with zero": "only with -Wextra; clang has no such warning, and its type is not in the text",
};
/** Where the line differs: clang names the use of a macro, the statement itself, or the end of what it read. */
const elsewhere = new Set([
	"NULL as a number",
	"NULL as an argument of int",
	"indented beyond the if",
	"indented beyond the for",
	"missing brace",
	"missing semicolon",
]);

let toolchain: WasiToolchain;
beforeAll(async () => {
	toolchain = await openCompiler();
});
afterAll(() => toolchain.dispose());

/** One snippet in six with `-Wall`, one in five of what each other set of flags changes; `FULL=1`: all flags for all. */
function judged(set: FlagSet): readonly string[] {
	const names = Object.keys(snippets);
	if (process.env.FULL) return names;
	if (set === "wall") return names.filter((_, i) => i % 6 === 0);
	const changed = names.filter(
		(name) => JSON.stringify(recorded[name]?.[set]) !== JSON.stringify(recorded[name]?.wall),
	);
	return changed.filter((_, i) => i % 5 === 0);
}

test.each(sets)("gcc's verdict, at gcc's line: %s", async (set) => {
	const names = judged(set);
	const wrong = await Promise.all(names.map((name) => difference(name, set)));
	expect(names.length).toBeGreaterThan(1);
	expect(wrong.filter((text) => text !== undefined)).toEqual([]);
});

/** A tree of one file. */
const alone = (file: string, text: string): JobFiles => ({ read: (path) => (path === file ? utf8(text) : undefined) });

/** What is not as gcc has it. */
async function difference(name: string, set: FlagSet): Promise<string | undefined> {
	const job = { kind: "c", source: "a.c", flags: flagSets[set], target: "riscv64" } as const;
	const { object, diagnostics } = await toolchain.compile(job, alone(job.source, `${snippets[name]}\n`));
	const { errors } = verdict(diagnostics);
	const theirs = recorded[name]?.[set]?.errors ?? [];
	const refused = errors.length > 0;
	const said = `${name}: gcc has errors in lines [${theirs}], here they are in [${errors}]`;
	if (refused === (object !== undefined)) return `${said}, and an object says otherwise`;
	if (refused !== theirs.length > 0) return name in different ? undefined : said;
	// One mistake may have a second message of gcc's.
	return !refused || elsewhere.has(name) || errors.every((line) => theirs.includes(line)) ? undefined : said;
}

test("a flag of its own counts before a group, in gcc's words", async () => {
	const of = async (source: string, ...flags: string[]) => {
		const job = { kind: "c", source: "a.c", flags: ["-ffreestanding", ...flags], target: "riscv64" } as const;
		const { diagnostics } = await toolchain.compile(job, alone(job.source, `${source}\n`));
		return diagnostics.map(({ severity }) => severity);
	};
	const unused = "int f(void) { int a; return 1; }";
	expect(await of(unused, "-Wall", "-Werror", "-Wno-unused-variable")).toEqual([]);
	expect(await of(unused, "-Wno-unused-variable", "-Wall", "-Werror")).toEqual([]);
	expect(await of(unused, "-Wall", "-Werror", "-Wno-unused")).toEqual([]);
	expect(await of(unused, "-Wall", "-Werror", "-Wno-error=unused-variable")).toEqual(["warning"]);
	expect(await of(unused, "-Wall", "-Werror=unused-variable")).toEqual(["error"]);
	expect(await of(unused, "-Wall", "-Werror", "-Wno-error")).toEqual(["warning"]);
	expect(await of(unused, "-Wall", "-Werror", "-w")).toEqual([]);
	const qualifiers = "char *f(const char *p) { return p; }";
	expect(await of(qualifiers, "-Werror", "-Wno-discarded-qualifiers")).toEqual([]);
	expect(await of(qualifiers, "-Werror", "-Wno-error=discarded-qualifiers")).toEqual(["warning"]);
	expect(await of("int f(void) { return g(); }", "-Werror", "-Wno-implicit-function-declaration")).toEqual([]);
});

test("no warning stops a program of the host", async () => {
	const source = "#include <stdio.h>\n#include <sys/stat.h>\n#define NULL 0\nmain() { int a; g(); return NULL; }\n";
	const job = { kind: "c", source: "mkfs/mkfs.c", flags: ["-Wall", "-Werror"], target: "wasm32-wasi" } as const;
	const result = await toolchain.compile(job, alone(job.source, source));
	expect(result.diagnostics).toEqual([]);
	expect(result.object).toBeDefined();
});

function verdict(diagnostics: readonly Diagnostic[]): Verdict {
	const lines = (severity: Diagnostic["severity"]) =>
		[...new Set(diagnostics.filter((each) => each.severity === severity).map(({ line = 0 }) => line))].sort(
			(a, b) => a - b,
		);
	return { errors: lines("error"), warnings: lines("warning") };
}

function record(): Recorded {
	const folder = mkdtempSync(join(tmpdir(), "verdicts-"));
	const judge = (source: string, set: FlagSet) => {
		writeFileSync(join(folder, "a.c"), `${source}\n`);
		const args = [...flagSets[set], "-c", "a.c", "-o", "a.o"];
		const { stderr } = spawnSync(gcc, args, { cwd: folder, encoding: "utf8", env: { ...process.env, LC_ALL: "C" } });
		return verdict(parseGcc(stderr));
	};
	const all = Object.entries(snippets).map(([name, source]) => {
		const verdicts = Object.fromEntries(sets.map((set) => [set, judge(source, set)])) as Record<FlagSet, Verdict>;
		return [name, verdicts] as const;
	});
	rmSync(folder, { recursive: true });
	return Object.fromEntries(all);
}
