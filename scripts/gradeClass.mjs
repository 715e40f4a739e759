// `node scripts/gradeClass.mjs [N] [--full] [--keep]`: a generated class, judged, with figures; see test/support/gradeClass.ts. Needs a build.
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));
const outfile = `${root}node_modules/.cache/xv6-lab/gradeClass.mjs`;
await build({
	absWorkingDir: root,
	entryPoints: ["test/support/gradeClass.ts"],
	bundle: true,
	platform: "node",
	format: "esm",
	target: "node20",
	outfile,
	sourcemap: "inline",
	logLevel: "error",
});
const args = ["--enable-source-maps", outfile, ...process.argv.slice(2)];
spawn(process.execPath, args, { cwd: root, stdio: "inherit" }).on("exit", (code) => {
	process.exitCode = code ?? 1;
});
