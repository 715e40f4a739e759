// The bundled compiler in a browser's workers gives what it gives in Node, byte for byte.
import assert from "node:assert/strict";
import { pathToFileURL } from "node:url";
import * as esbuild from "esbuild";

const options = { bundle: true, target: "es2022", logLevel: "warning" };
const outfile = "dist/test/toolchainNode.mjs";

/** Node's side of the comparison, from the same sources. */
async function nodeSide() {
	await esbuild.build({
		...options,
		entryPoints: ["test/browser/toolchainNode.ts"],
		platform: "node",
		format: "esm",
		outfile,
	});
	return import(pathToFileURL(outfile).href);
}

/** Loads the browser's side into a page that is served from dist/; gives its `build`. */
async function builder(page) {
	const built = await esbuild.build({
		...options,
		entryPoints: ["test/browser/toolchainPage.ts"],
		platform: "browser",
		format: "iife",
		globalName: "toolchainPage",
		write: false,
	});
	await page.addScriptTag({ content: `${built.outputFiles[0].text}\nglobalThis.toolchainPage = toolchainPage;` });
	return (files) => page.evaluate((all) => globalThis.toolchainPage.build(all), files);
}

const edited = ["kernel/vm.c", "kernel/trap.c", "kernel/swtch.S", "user/sh.c"];

export const toolchainCases = {
	"an untouched kernel links in Chromium from the objects that ship, with nothing compiled": async ({ page }) => {
		const { kernelFiles } = await nodeSide();
		const build = await builder(page);
		const print = await build(await kernelFiles("."));
		assert.deepEqual(print.errors, []);
		assert.equal(print.compiled, 0);
		assert.match(print.kernel, /^[0-9a-f]{64}$/);
	},
	"what Chromium compiles and links has the bytes of Node's build": async ({ page }) => {
		const node = await nodeSide();
		const build = await builder(page);
		const files = await node.kernelFiles(".");
		for (const path of edited) files[path] += "\n// edited\n";
		const print = await build(files);
		// Node compiles everything now: the objects that ship are held to a fresh compilation here, too.
		const expected = await node.build(".", files);
		assert.deepEqual(print.errors, []);
		assert.equal(print.compiled, edited.length);
		assert.ok(Object.keys(print.objects).length > 40);
		assert.deepEqual(print.objects, expected.objects);
		assert.equal(print.kernel, expected.kernel);
		assert.equal(print.disk, expected.disk);
	},
	"a mistake is told in Chromium as it is in Node, and the next build is whole": async ({ page }) => {
		const { kernelFiles } = await nodeSide();
		const build = await builder(page);
		const files = await kernelFiles(".");
		const mistake = "\nint broken(void) { return nothing; }\n";
		const print = await build({ ...files, "kernel/main.c": files["kernel/main.c"] + mistake });
		assert.match(print.errors.join("\n"), /^kernel\/main\.c:\d+: use of undeclared identifier 'nothing'/);
		assert.equal(print.kernel, undefined);
		assert.ok((await build(files)).kernel);
	},
};
