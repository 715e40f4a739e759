import { afterAll, expect, test } from "vitest";
import { breathe, createMachine } from "../../src/cli/machine.ts";
import { Shell } from "../../src/lab/shell.ts";
import { build, catalog, closeToolchains } from "../support/lab.ts";

afterAll(closeToolchains);

const enough = 200_000_000_000;

test.each([1, 3])("the bundled kernel passes its usertests with %i harts", async (harts) => {
	const output = await build(await catalog.workspace(undefined));
	const { machine } = await createMachine(output, { harts, translator: true });
	const shell = new Shell(machine, { breathe });
	expect((await shell.waitForPrompt(enough)).kind).toBe("prompt");
	const result = await shell.run("usertests -q", enough);
	expect(result.end.kind, result.output.slice(-2000)).toBe("prompt");
	expect(result.output).toMatch(/ALL TESTS PASSED\s*$/);
	shell.dispose();
	machine.dispose();
});
