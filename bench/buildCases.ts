import { BuildSession } from "../src/build/session.ts";
import { concat, utf8 } from "../src/common/bytes.ts";
import { bug } from "../src/common/errors.ts";
import { MemoryTree, type SourceTree } from "../src/common/sourceTree.ts";
import { openBundledToolchain } from "../src/env/node/bundledToolchain.ts";
import { distFolder } from "../src/env/node/dist.ts";
import { NodeTree } from "../src/env/node/sourceTree.ts";

interface Times {
	readonly wall: number;
	readonly cpu: number;
}

const edits = JSON.parse(process.argv[2] ?? "{}") as Record<string, string>;

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
const session = new BuildSession();
const times: Record<string, Times> = {};
let opened: Awaited<ReturnType<typeof openBundledToolchain>> | undefined;
const build = async () => {
	// No cache and no objects that ship: what is measured is the compiler.
	opened ??= await openBundledToolchain({ dist: distFolder(), caches: [] });
	const result = await session.build({ tree: new MemoryTree("xv6", new Map(files)), toolchain: opened, wasi: opened });
	if (!result.output) bug(`the bundled kernel does not build: ${JSON.stringify(result.diagnostics[0])}`);
};
times.cold = await measure(build);
for (const [name, path] of Object.entries(edits)) {
	files.set(path, concat([files.get(path) ?? bug(`no ${path}`), utf8("\n// edited\n")]));
	times[name] = await measure(build);
}
times["no change"] = await measure(build);
opened?.dispose();
process.stdout.write(JSON.stringify(times));
