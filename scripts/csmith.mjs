// `node scripts/csmith.mjs [--programs N] [--seed S]`: see test/conformance/toolchain/sweep.ts. Needs a build, csmith, gcc and
// riscv64-unknown-elf-gcc.
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));
const outfile = `${root}node_modules/.cache/xv6-lab/csmith.mjs`;
await build({
	absWorkingDir: root,
	entryPoints: ["test/conformance/toolchain/sweep.ts"],
	bundle: true,
	platform: "node",
	format: "esm",
	target: "node20",
	outfile,
	logLevel: "error",
	banner: { js: "import { createRequire as c } from 'node:module'; const require = c(import.meta.url);" },
	external: ["vitest"],
});
spawn(process.execPath, [outfile, ...process.argv.slice(2)], { cwd: root, stdio: "inherit" }).on("exit", (code) => {
	process.exitCode = code ?? 1;
});
