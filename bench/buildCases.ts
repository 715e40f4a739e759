import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BuildSession } from "../src/build/session.ts";
import { concat, utf8 } from "../src/common/bytes.ts";
import { bug } from "../src/common/errors.ts";
import { MemoryTree, type SourceTree } from "../src/common/sourceTree.ts";
import { openBundledToolchain } from "../src/env/node/bundledToolchain.ts";
import { distFolder } from "../src/env/node/dist.ts";
import { NodeTree } from "../src/env/node/sourceTree.ts";
import type { WasiToolchain } from "../src/toolchain/types.ts";

interface Times {
	readonly wall: number;
	readonly cpu: number;
}

/** `session`: an empty cache, then one edit after the other. `shipped`: a new process with the objects that ship, after the edits. */
const mode = process.argv[2] ?? "session";
const edits = JSON.parse(process.argv[3] ?? "{}") as Record<string, string>;

async function filesOf(tree: SourceTree, folder = "", into = new Map<string, Uint8Array>()) {
	for (const { name, kind } of await tree.list(folder)) {
		const path = folder === "" ? name : `${folder}/${name}`;
		if (kind === "folder") await filesOf(tree, path, into);
		else into.set(path, (await tree.read(path)) ?? new Uint8Array());
	}
	return into;
}

/** CPU of all threads of this process: the compiler runs in workers of it. */
async function measure(run: () => Promise<unknown>): Promise<Times> {
	const start = performance.now();
	const before = process.cpuUsage();
	await run();
	const { user, system } = process.cpuUsage(before);
	return { wall: (performance.now() - start) / 1000, cpu: (user + system) / 1e6 };
}

const files = await filesOf(new NodeTree("xv6"));
const edit = (path: string) => files.set(path, concat([files.get(path) ?? bug(`no ${path}`), utf8("\n// edited\n")]));
const session = new BuildSession();
const times: Record<string, Times> = {};
let opened: WasiToolchain | undefined;
const build = async (open: () => Promise<WasiToolchain>) => {
	opened ??= await open();
	const result = await session.build({ tree: new MemoryTree("xv6", new Map(files)), toolchain: opened, wasi: opened });
	if (!result.output) bug(`the bundled kernel does not build: ${JSON.stringify(result.diagnostics[0])}`);
};

const dist = distFolder();
if (mode === "session") {
	// No cache and no objects that ship: what is measured is the compiler.
	const open = () => openBundledToolchain({ dist, caches: [] });
	times.cold = await measure(() => build(open));
	for (const [name, path] of Object.entries(edits)) {
		edit(path);
		times[name] = await measure(() => build(open));
	}
	times["no change"] = await measure(() => build(open));
} else {
	for (const path of Object.values(edits)) edit(path);
	const cache = mkdtempSync(join(tmpdir(), "xv6-lab-bench-"));
	times.fresh = await measure(() => build(() => openBundledToolchain({ dist, cache })));
	rmSync(cache, { recursive: true });
}
opened?.dispose();
process.stdout.write(JSON.stringify(times));
