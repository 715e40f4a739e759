// Compiles the bundled kernel and the starting point of each lab once, so that a student's first run compiles only what was changed.
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { BuildSession } from "../src/build/session.ts";
import { MemoryTree } from "../src/common/sourceTree.ts";
import { openBundledToolchain } from "../src/env/node/bundledToolchain.ts";
import { NodeTree } from "../src/env/node/sourceTree.ts";
import { LabCatalog } from "../src/lab/catalog.ts";
import type { CompileOutcome } from "../src/toolchain/bundled/compiler.ts";
import { type ObjectCache, PrebuiltCache } from "../src/toolchain/cache.ts";

/** Collects what is compiled; what the last archive has is taken over. */
class Collector implements ObjectCache {
	readonly outcomes = new Map<string, CompileOutcome>();
	compiled = 0;

	constructor(private readonly before: PrebuiltCache | undefined) {}

	async get(key: string): Promise<CompileOutcome | undefined> {
		const known = this.outcomes.get(key) ?? (await this.before?.get(key));
		if (known) this.outcomes.set(key, known);
		return known;
	}

	async put(key: string, outcome: CompileOutcome): Promise<void> {
		this.compiled++;
		this.outcomes.set(key, outcome);
	}
}

export async function prebuild(root: string): Promise<void> {
	const dist = join(root, "dist");
	const archive = join(dist, "prebuilt.bin");
	const collector = new Collector(
		existsSync(archive) ? new PrebuiltCache(new Uint8Array(readFileSync(archive))) : undefined,
	);
	const toolchain = await openBundledToolchain({ dist, caches: [collector] });
	const catalog = new LabCatalog(new NodeTree(root));
	try {
		for (const lab of [undefined, ...(await catalog.ids())]) {
			const tree = new MemoryTree(lab ?? "xv6", await catalog.workspace(lab));
			// The debug build too: F5 on an untouched lab compiles nothing.
			for (const unoptimized of [false, true]) {
				const result = await new BuildSession().build({ tree, toolchain, wasi: toolchain, unoptimized });
				if (result.output) continue;
				const messages = result.diagnostics.map(({ file, line, message }) => `${file}:${line ?? 0}: ${message}`);
				throw new Error(`prebuild: ${lab ?? "the kernel"} does not build:\n${messages.join("\n")}`);
			}
		}
	} finally {
		toolchain.dispose();
	}
	if (collector.compiled > 0) writeFileSync(archive, PrebuiltCache.pack(collector.outcomes));
	// Names the archive's contents to a browser that has kept it.
	writeFileSync(join(dist, "prebuilt.sum"), createHash("sha256").update(readFileSync(archive)).digest("hex"));
	console.log(`prebuild: ${collector.outcomes.size} objects and links, ${collector.compiled} made now`);
}
