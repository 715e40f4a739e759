import { expect } from "vitest";
import { utf8 } from "../../src/common/bytes.ts";
import { type LabManifest, parseManifest } from "../../src/lab/manifest.ts";
import { catalog } from "./lab.ts";

/** File, text that stands in it once, and what takes its place. */
export type Edit = readonly [file: string, from: string, to: string];

/** The bundled kernel with a few places replaced, and a program `prog` whose main has this body. */
export async function progTree(edits: readonly Edit[], body: string): Promise<Map<string, Uint8Array>> {
	const files = new Map(await catalog.workspace(undefined));
	const text = (path: string) => new TextDecoder().decode(files.get(path));
	for (const [file, from, to] of edits) {
		expect(text(file).split(from).length, `${file} has this once: ${from}`).toBe(2);
		files.set(file, utf8(text(file).replace(from, () => to)));
	}
	const headers = '#include "kernel/types.h"\n#include "user/user.h"\n';
	files.set("user/prog.c", utf8(`${headers}int main(void){ ${body} exit(0); }\n`));
	files.set("Makefile", utf8(text("Makefile").replace("$U/_ls\\\n", () => "$U/_ls\\\n\t$U/_prog\\\n")));
	return files;
}

/** A lab of one test: `prog` prints this. */
export const progManifest = (output: string): LabManifest =>
	parseManifest(
		JSON.stringify({
			...{ id: "prog", title: "prog", course: "none", handout: "prog.md", programs: ["prog"], knownFailures: [] },
			tasks: [{ id: "1", title: "prog", handout: "prog" }],
			tests: [
				{
					...{ id: "prog", task: "1", title: "prog", program: "prog", budget: 20_000_000_000 },
					expect: { match: "contains", output },
				},
			],
		}),
		"lab.json",
	);
