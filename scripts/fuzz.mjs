// `npm run fuzz -- CLASS [--minutes N] [--seed S] [--cases N]`: see test/fuzz/main.ts. Needs a build.
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));
const outfile = `${root}node_modules/.cache/xv6-lab/fuzz.mjs`;
await build({
	absWorkingDir: root,
	entryPoints: ["test/fuzz/main.ts"],
	bundle: true,
	platform: "node",
	format: "esm",
	target: "node20",
	outfile,
	// The only file of the bundle that asks where it lies.
	define: { "import.meta.dirname": JSON.stringify(`${root}test/unit/kernelview`) },
	sourcemap: "inline",
	logLevel: "error",
});
const args = ["--enable-source-maps", outfile, ...process.argv.slice(2)];
spawn(process.execPath, args, { cwd: root, stdio: "inherit" }).on("exit", (code) => {
	process.exitCode = code ?? 1;
});
