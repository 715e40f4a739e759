import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { afterAll, describe, expect, test } from "vitest";
import { breathe, createMachine, observe } from "../../src/cli/machine.ts";
import { utf8 } from "../../src/common/bytes.ts";
import { MemoryTree } from "../../src/common/sourceTree.ts";
import { diagnosisFiles } from "../../src/lab/diagnosisFiles.ts";
import { applyPatch } from "../../src/lab/patch.ts";
import { type Diagnosis, renderDiagnoses } from "../../src/protocol/diagnosis.ts";
import type { Finding } from "../../src/protocol/kernelModel.ts";
import { Shell } from "../../src/session/shell.ts";
import { faultCases } from "../cases/faultCases.ts";
import { hangCases } from "../cases/hangCases.ts";
import { panicCases } from "../cases/panicCases.ts";
import { resourceCases } from "../cases/resourceCases.ts";
import { build, catalog, closeToolchains, repository } from "../support/lab.ts";
import { type Edit, progTree } from "../support/progTree.ts";

afterAll(closeToolchains);

const folder = join(repository, "test/cases");
const bootBudget = 1_500_000_000;
const commandBudget = 400_000_000;

/** The machine's watchdog sees some of them before the budget is used up. */
const hangs: ReadonlySet<string> = new Set(["timeout", "stuck", "stall"]);

interface Run {
	readonly end: string;
	readonly text: string;
	readonly diagnoses: readonly Diagnosis[];
	readonly findings: readonly Finding[];
	/** What the inspector shows. */
	readonly inspector: string;
}

async function run(files: ReadonlyMap<string, Uint8Array>, command: string): Promise<Run> {
	const output = await build(files);
	const { machine } = await createMachine(output, { harts: 3, seed: 0, translator: true });
	const view = observe(machine, output, undefined);
	const shell = Shell.on(machine, { breathe });
	try {
		const boot = await shell.waitForPrompt(bootBudget);
		if (boot.kind === "prompt") view.begin();
		const result =
			boot.kind === "prompt" ? await shell.run(command, commandBudget) : { end: boot, output: shell.console };
		const source = await diagnosisFiles(new MemoryTree("case", files));
		const diagnoses = view.diagnose({ ...result.end, output: result.output }, source);
		const inspector = view.model().diagnosis ?? "";
		const end = hangs.has(result.end.kind) ? "timeout" : result.end.kind;
		return { end, text: renderDiagnoses(diagnoses), diagnoses, findings: view.findings(), inspector };
	} finally {
		shell.dispose();
		view.dispose();
		machine.dispose();
	}
}

const caseSchema = v.object({
	command: v.string(),
	end: v.string(),
	/** Kinds of the diagnoses, in their order. */
	kinds: v.array(v.string()),
	/** Matched against the first line. */
	cause: v.string(),
	also: v.optional(v.string()),
});

describe("trees that people broke", () => {
	test.each(readdirSync(folder).filter((name) => existsSync(join(folder, name, "case.json"))))("%s", async (name) => {
		const wanted = v.parse(caseSchema, JSON.parse(readFileSync(join(folder, name, "case.json"), "utf8")));
		const patch = readFileSync(join(folder, name, "case.patch"), "utf8");
		const { end, text, diagnoses, inspector } = await run(
			applyPatch(await catalog.workspace(undefined), patch),
			wanted.command,
		);
		expect(end, text).toBe(wanted.end);
		expect(
			diagnoses.map(({ kind }) => kind),
			text,
		).toEqual(wanted.kinds);
		expect(text.split("\n")[0]).toMatch(new RegExp(wanted.cause, "i"));
		if (wanted.also) expect(text).toMatch(new RegExp(wanted.also, "i"));
		expect(inspector).toBe(text);
	});
});

describe("one fault of each kind", () => {
	test.each([...panicCases, ...faultCases, ...hangCases, ...resourceCases].map((one) => [one.name, one] as const))(
		"%s",
		async (_, one) => {
			const files = new Map(await catalog.workspace(undefined));
			const text = (path: string) => new TextDecoder().decode(files.get(path));
			for (const [file, from, to] of one.edits) {
				expect(text(file).split(from).length, `${file} has this once: ${from}`).toBe(2);
				files.set(file, utf8(text(file).replace(from, () => to)));
			}
			if (one.program !== undefined) {
				files.set("user/prog.c", utf8(`#include "kernel/types.h"\n#include "user/user.h"\n${one.program}`));
				files.set("Makefile", utf8(text("Makefile").replace("$U/_ls\\\n", () => "$U/_ls\\\n\t$U/_prog\\\n")));
			}
			const got = await run(files, one.command ?? "prog");
			expect(got.end, got.text).toBe(one.end);
			expect(got.diagnoses[0]?.kind, got.text).toBe(one.kind);
			expect(got.text.split("\n")[0]).toMatch(new RegExp(one.cause.source, "i"));
			for (const { frames } of got.diagnoses)
				for (const frame of frames.filter(({ name }) => name.startsWith("sys_")))
					expect(frame.line, got.text).toBeDefined();
		},
	);
});

describe("kernels without a fault", () => {
	const solutions = [
		[undefined, undefined, "echo hi"],
		["hw5-anonymous-mmap", "2b", "prodcons1"],
		["cs326-shared-page", undefined, "mmaptest"],
	] as const;
	test.each(solutions)("%s %s: %s", async (lab, step, command) => {
		const last = lab && (await catalog.manifest(lab)).tasks.findLast((task) => task.solution)?.solution;
		const { end, text, findings } = await run(await catalog.workspace(lab, step ?? last), command);
		expect(end).toBe("prompt");
		expect(text).toBe("");
		expect(findings).toEqual([]);
	});
});

test("a kernel whose exit() has no status: what a program has in a0 is none", async () => {
	const edits: readonly Edit[] = [
		["kernel/defs.h", "exit(int status) __attribute__", "exit(void) __attribute__"],
		["kernel/proc.c", "exit(int status)", "exit(void)"],
		["kernel/proc.c", "p->xstate = status;", "p->xstate = 0;"],
		["kernel/sysproc.c", "  int status;\n\n  argint(0, &status);\n  exit(status);", "  exit();"],
		["kernel/trap.c", "      exit(-1);", "      exit();"],
		["kernel/trap.c", "\n    exit(-1);", "\n    exit();"],
	];
	const { end, text } = await run(await progTree(edits, "exit(7);"), "prog");
	expect(end).toBe("prompt");
	expect(text).toBe("");
});
