import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";

// AssemblyScript has decorators on functions, which Biome cannot read; tsc with AssemblyScript's own types can.
test("the core is type-checked, and imports nothing that it does not use", () => {
	const root = join(import.meta.dirname, "../../../..");
	const tsc = join(root, "node_modules/typescript/bin/tsc");
	let said = "";
	try {
		execFileSync(process.execPath, [tsc, "-p", "src/machine/core/tsconfig.json"], { cwd: root, encoding: "utf8" });
	} catch (error) {
		said = (error as { stdout: string }).stdout;
	}
	expect(said).toBe("");
}, 120_000);
