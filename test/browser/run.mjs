// The machine and the engine in a browser's worker (headless Chromium) against the same in Node: the same console, the same
// state hashes at the same instructions, the same verdict. Writes {passed, failed, skipped} to the file given.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join, normalize } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import * as esbuild from "esbuild";
import { launchBrowser } from "../support/workbench/workbench.mjs";
import { toolchainCases } from "./toolchain.cases.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
process.chdir(root);
const report = process.argv[2] ?? "test-results/browser.json";
const only = process.argv[3];
const lab = "hw5-anonymous-mmap";
const labTest = "pipeline";
const scratch = mkdtempSync(join(tmpdir(), "xv6-lab-browser-"));
const [tree, image] = [join(scratch, "tree"), join(scratch, "image")];

function cli(...args) {
	const { status, stderr } = spawnSync(process.execPath, ["dist/cli/xv6-lab.mjs", ...args], { encoding: "utf8" });
	if (status !== 0) throw new Error(`xv6-lab ${args.join(" ")}: ${stderr}`);
}

async function bundle() {
	const options = { bundle: true, target: "es2022", logLevel: "warning" };
	const browser = { ...options, platform: "browser", format: "iife" };
	for (const name of ["machineWorker", "page"]) {
		await esbuild.build({ ...browser, entryPoints: [`test/browser/${name}.ts`], outfile: `dist/test/${name}.js` });
	}
	const node = { ...options, platform: "node", format: "esm" };
	await esbuild.build({ ...node, entryPoints: ["test/browser/nodeSide.ts"], outfile: "dist/test/nodeSide.mjs" });
	return import(pathToFileURL("dist/test/nodeSide.mjs").href);
}

const paths = () =>
	readdirSync(tree, { recursive: true })
		.map((path) => path.replaceAll("\\", "/"))
		.filter((path) => statSync(join(tree, path)).isFile());

const types = { html: "text/html", js: "text/javascript", json: "application/json", wasm: "application/wasm" };

/** Serves `dist`, the image and the tree; nothing above them. */
function serve(request, response) {
	const path = normalize(decodeURIComponent(new URL(request.url, "http://localhost").pathname)).replace(
		/^([./\\])+/,
		"",
	);
	const type = types[path.split(".").at(-1)] ?? "application/octet-stream";
	const send = (bytes, as = type) => response.writeHead(200, { "content-type": as }).end(bytes);
	try {
		if (path === "") send('<!doctype html><script src="/test/page.js"></script>', types.html);
		else if (path === "tree.json") send(JSON.stringify(paths()));
		else if (path.startsWith("tree/") || path.startsWith("image/")) send(readFileSync(join(scratch, path)));
		else send(readFileSync(join("dist", path)));
	} catch {
		response.writeHead(404).end();
	}
}

/** Both sides may lag by what a terminal gets late: the text up to the answer of the command is what counts. */
const upToHi = (text) => text.slice(0, text.indexOf("\nhi\n") + 4);

const cases = {
	...toolchainCases,
	...Object.fromEntries(
		[
			[1, "off"],
			[3, "on"],
		].map(([harts, jit]) => [
			`a machine with ${harts} harts, translator ${jit}, is the same run in Chromium and in Node, by a schedule's text, too`,
			async ({ page, node }) => {
				const there = await page.evaluate(([h, j]) => window.xv6Lab.machine(h, j), [harts, jit]);
				const here = await node.machine("dist", image, harts, jit);
				assert.match(there.text, /\$ echo hi\nhi\n\$ echo hi\nhi\n\$ $/);
				assert.ok(there.looks.length >= 3, "looks");
				assert.equal(there.regions > 0, jit !== "off");
				assert.deepEqual(there, here);
			},
		]),
	),
	"debug sessions over system call, fork, exec and the switch of processes, with conditions, a fault and a panic, forwards and backwards, are the same in Chromium and in Node":
		async ({ page, node }) => {
			const there = await page.evaluate(() => window.xv6Lab.debug());
			const here = await node.debug(join(root, "dist"), join(scratch, "cache"), tree, paths());
			const text = there.join("\n");
			for (const wanted of [
				/filewrite [\s\S]*── user mode, pid 3 ──[\s\S]*main user\/echo\.c/,
				/past: last write/,
				/exec kernel\/exec\.c/,
				/sched kernel\/proc\.c/,
				/exception store\/AMO page fault/,
				/exception panic: [\s\S]*by hand/,
			])
				assert.match(text, wanted);
			assert.deepEqual(
				there.filter((line) => line.startsWith("!")),
				[],
			);
			assert.deepEqual(there, here);
		},
	"a run that the command line recorded ends in the same state in Chromium, in Node and in another process": async ({
		page,
		node,
	}) => {
		const file = join(image, "echo.run");
		cli("run", "echo", "hi", "--dir", tree, "--toolchain", "bundled", "--record", file);
		cli("replay", file);
		cli("replay", file, "--no-jit");
		const there = await page.evaluate(() => window.xv6Lab.recording());
		assert.deepEqual([there[0], there[2]], [true, "echo hi"]);
		assert.deepEqual(there, await node.recording(join(root, "dist"), join(scratch, "cache"), file));
	},
	"the built engine builds, boots, types and judges in Chromium as in Node": async ({ page, node }) => {
		const there = await page.evaluate((name) => window.xv6Lab.engine(name), labTest);
		const here = await node.engine(join(root, "dist"), join(scratch, "cache"), tree, paths(), labTest);
		assert.equal(there.built, true);
		assert.match(upToHi(there.console), /init: starting sh\n\$ echo hi\nhi\n$/);
		assert.equal(upToHi(there.console), upToHi(here.console));
		assert.deepEqual(there.ends, ["prompt"]);
		assert.deepEqual(there.ends, here.ends);
		assert.deepEqual(
			there.verdicts.map(([name, outcome]) => [name, outcome]),
			[[labTest, "passed"]],
		);
		assert.deepEqual(there.verdicts, here.verdicts);
	},
};

const total = { passed: 0, failed: 0, skipped: 0 };
const server = createServer(serve);
let browser;
try {
	cli("new", tree, "--lab", lab);
	cli("build", tree, "--toolchain", "bundled", "--out", image);
	const node = await bundle();
	await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
	browser = await launchBrowser();
	for (const [name, test] of Object.entries(cases)) {
		if (only && !name.includes(only)) continue;
		const page = await browser.newPage();
		const said = [];
		page.on("console", (message) => said.push(message.text()));
		page.on("pageerror", (error) => said.push(error.message));
		const start = performance.now();
		try {
			await page.goto(`http://127.0.0.1:${server.address().port}/`);
			await test({ page, node });
			total.passed++;
			console.log(`  ✓ ${name} (${((performance.now() - start) / 1000).toFixed(1)} s)`);
		} catch (error) {
			total.failed++;
			console.log(`  ✗ ${name}\n${error.stack}\n${said.join("\n")}`);
		}
		await page.close();
	}
} catch (error) {
	total.failed++;
	console.log(`  ✗ ${error.stack}`);
} finally {
	await browser?.close();
	server.close();
	rmSync(scratch, { recursive: true, force: true, maxRetries: 5 });
}
mkdirSync(dirname(report), { recursive: true });
writeFileSync(report, JSON.stringify(total));
process.exit(total.failed > 0 ? 1 : 0);
