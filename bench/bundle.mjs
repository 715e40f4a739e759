import * as esbuild from "esbuild";

/**
 * Bundles bench/NAME.ts for a process of its own, which measures; from the root of the repository. Resolves with its path.
 * Packages that are CommonJS want a `require`, which an ES module has not.
 */
export async function bundle(name) {
	const outfile = `dist/bench/${name}.mjs`;
	await esbuild.build({
		entryPoints: [`bench/${name}.ts`],
		outfile,
		bundle: true,
		platform: "node",
		format: "esm",
		target: "node20",
		banner: {
			js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
		},
		logLevel: "warning",
		sourcemap: "linked",
	});
	return outfile;
}
