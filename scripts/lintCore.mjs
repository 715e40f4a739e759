// The core is AssemblyScript, whose decorators of functions are no TypeScript to Biome: it lints a copy without them.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));
const core = "src/machine/core";
const copy = mkdtempSync(join(tmpdir(), "xv6-lab-core-"));
const rules = {
	// `===` compares references in AssemblyScript; the decorators' errors are expected; integers have 64 bits; a function that
	// ends in a loop has to return all the same.
	suspicious: { noDoubleEquals: "off", noTsIgnore: "off" },
	correctness: { noPrecisionLoss: "off", noUnreachable: "off" },
};
try {
	writeFileSync(join(copy, "biome.json"), JSON.stringify({ linter: { rules }, formatter: { enabled: false } }));
	for (const name of readdirSync(core).filter((file) => file.endsWith(".ts"))) {
		// A comment of the same length: lines and columns stay.
		const text = readFileSync(join(core, name), "utf8").replace(
			/^@(?:inline|unsafe|external\([^)]*\))/gm,
			(decorator) => (decorator.length > 3 ? `/*${"-".repeat(decorator.length - 4)}*/` : decorator),
		);
		writeFileSync(join(copy, name), text);
	}
	const biome = resolve("node_modules/.bin/biome");
	const { status } = spawnSync(biome, ["lint", "--error-on-warnings", "."], { cwd: copy, stdio: "inherit" });
	process.exitCode = status ?? 1;
} finally {
	rmSync(copy, { recursive: true, force: true });
}
