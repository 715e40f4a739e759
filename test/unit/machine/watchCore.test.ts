import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";

const root = resolve(import.meta.dirname, "../../..");

/** Compiles the core from sources without the calls that WATCHING guards, and without the lines that name or import what is left of them. */
const compile = `
const { compileCore } = await import("./scripts/buildCore.mjs");
const call = /if \\(WATCHING\\) \\w+\\([^()]*\\); ?/g;
const hook = /WATCHING|"\\.\\/watch"|"\\.\\/watchBuild"/;
const without = (text) => text.replace(call, "").split("\\n").filter((line) => !hook.test(line)).join("\\n");
await compileCore(process.argv[1], (path, text) => (path.includes("/machine/core/") ? without(text) : text));
`;

test("the plain core has not a byte of the hooks that detectors watch through", { timeout: 300_000 }, () => {
	const folder = mkdtempSync(join(tmpdir(), "xv6-lab-core-"));
	try {
		const file = join(folder, "core.wasm");
		const run = spawnSync(process.execPath, ["--input-type=module", "-e", compile, file], {
			cwd: root,
			encoding: "utf8",
		});
		expect(run.stderr).toBe("");
		const plain = readFileSync(join(root, "dist/machine/core.wasm"));
		expect(readFileSync(file).equals(plain)).toBe(true);
		expect(readFileSync(join(root, "dist/machine/core-watch.wasm")).equals(plain)).toBe(false);
	} finally {
		rmSync(folder, { recursive: true, force: true });
	}
});
