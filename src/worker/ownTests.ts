import type { BuildOutput } from "../build/types.ts";
import { fromUtf8 } from "../common/bytes.ts";
import { UserError } from "../common/errors.ts";
import type { SourceTree } from "../common/sourceTree.ts";
import type { LabManifest } from "../lab/manifest.ts";
import { declaredTests, programLab } from "../lab/programTests.ts";
import type { ProgramInfo, ProgramTests } from "../protocol/engine.ts";

/** Tests that programs of the tree have by themselves, usertests above all: listed from their sources, judged by the built programs. */
export class OwnTests {
	private listed: readonly ProgramTests[] = [];

	/** The tests that the programs declare now. */
	async list(tree: SourceTree, programs: readonly ProgramInfo[]): Promise<readonly ProgramTests[]> {
		const found: ProgramTests[] = [];
		for (const { name: program, source } of programs) {
			const bytes = source === undefined ? undefined : await tree.read(source);
			const tests = bytes ? declaredTests(fromUtf8(bytes)) : [];
			if (tests.length === 0) continue;
			const shared = { task: program, program, expected: "" };
			found.push({
				program,
				tests: tests.map(({ name: title, line }) => {
					const id = idOf(program, title);
					return { ...shared, id, title, command: id, ...(line === undefined ? {} : { line }) };
				}),
			});
		}
		this.listed = found;
		return found;
	}

	/** The program that a test belongs to; undefined: it is not one of these. */
	programOf(test: string): string | undefined {
		return this.listed.find(({ tests }) => tests.some(({ id }) => id === test))?.program;
	}

	/** The tests of a program as it was built. */
	lab(program: string, { programs }: BuildOutput): LabManifest {
		const elf = programs.find(({ name }) => name === program)?.elf;
		if (elf) return programLab(program, elf, (name) => idOf(program, name));
		const next = "Add it to UPROGS in the Makefile.";
		throw new UserError("program-not-found", `${program} was not built`, next);
	}
}

/** As it is typed: no id of a lab has a blank. */
function idOf(program: string, name: string): string {
	return `${program} ${name}`;
}
