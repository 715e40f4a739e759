// `node bench/editor.mjs [--hosts 5] [--holders]`: what a person waits for in the editor, each time in a new extension host of a real VS Code
// (code-server, Chromium), and how much memory host and engine take, at last when they rest.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { prepareWorkbench } from "../scripts/workbench.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
process.chdir(root);
const { values } = parseArgs({
	options: { hosts: { type: "string", default: "5" }, holders: { type: "boolean", default: false } },
});
const prepared = await prepareWorkbench();
if (!prepared.ok) throw new Error(prepared.reason);
Object.assign(process.env, prepared.env);
// They read the variables when they are loaded.
const { buildSuite } = await import("../test/support/workbench/buildSuite.mjs");
const { runInExtensionHost } = await import("../test/support/workbench/extensionHost.mjs");
await buildSuite("bench/editorHost.ts", "dist/test/editor.cjs");

const entry = join(root, "dist/test/editor.cjs");
const hosts = [];
for (let i = 0; i < Number(values.hosts); i++) {
	const scratch = mkdtempSync(join(tmpdir(), "xv6-lab-editor-"));
	const result = join(scratch, "result.json");
	try {
		const env = {
			XV6_LAB_RESULT: result,
			...(values.holders ? { XV6_LAB_HOLDERS: "1" } : {}),
			// Waiting for it takes minutes, and it is the same in each.
			...(i === 0 ? { XV6_LAB_IDLE: "1" } : {}),
		};
		const { code, said } = await runInExtensionHost({ entry, scratch, env, limitMs: 10 * 60_000 });
		if (code !== 0) throw new Error(`the host ended with ${code}; ${said}`);
		hosts.push(JSON.parse(readFileSync(result, "utf8")));
	} finally {
		rmSync(scratch, { recursive: true, force: true, maxRetries: 5 });
	}
}
const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];
const seconds = (ms) => (ms / 1000).toFixed(2);
const rows = {
	"cold *Run prodcons1* to its verdict": (host) => [host.cold],
	"the same again": (host) => [host.rerun],
	"first own edit of `trap.c`, from Run to the verdict": (host) => [host.firstEdit],
	"later edits": (host) => host.laterEdits,
};
console.log(`load ${hosts.map(({ load }) => load.toFixed(1)).join(", ")}`);
console.log("| | median, s of the clock | each | median, s of CPU |\n| --- | --: | --- | --: |");
for (const [what, of] of Object.entries(rows)) {
	const all = hosts.flatMap(of);
	const walls = all.map(({ wallMs }) => wallMs);
	const each = walls.map(seconds).join(", ");
	console.log(`| ${what} | ${seconds(median(walls))} | ${each} | ${seconds(median(all.map(({ cpuMs }) => cpuMs)))} |`);
}
console.log("\n| resident, MiB | extension host | engine |\n| --- | --: | --: |");
for (const { when, host, engine } of hosts[0].memory)
	console.log(`| ${when} | ${host.toFixed(0)} | ${engine.toFixed(0)} |`);
