import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { setImmediate } from "node:timers/promises";
import { loadCore, loadWatchCore } from "../env/node/core.ts";
import type { EngineCrash, EngineProcessData } from "../env/node/engineProcess.ts";
import { gradeWorkers } from "../env/node/gradeWorker.ts";
import { NodeTree } from "../env/node/sourceTree.ts";
import { openToolchains } from "../env/node/toolchains.ts";
import { LabCatalog } from "../lab/catalog.ts";
import { compilerIdleMs } from "../toolchain/bundled/pool.ts";
import { serveEngine } from "./engineParts.ts";

// The engine as a process of its own; see env/node/engineProcess.ts, which starts it.

const { dist, cache, idleMs = compilerIdleMs } = JSON.parse(process.argv[2] ?? "{}") as EngineProcessData;

process.on("uncaughtException", (error: Error) => {
	process.send?.({ crash: error.message } satisfies EngineCrash, () => process.exit(1));
});

const engine = serveEngine(
	{
		post: (message) => {
			if (process.connected) process.send?.(message, undefined, undefined, () => undefined);
		},
		onMessage: (listener) => {
			process.on("message", listener);
			return { dispose: () => process.off("message", listener) };
		},
	},
	{
		catalog: new LabCatalog(new NodeTree(join(dist, "assets"))),
		core: () => loadCore(dist),
		watchCore: () => loadWatchCore(dist),
		openToolchains: ({ toolchain, toolchainPath }) =>
			openToolchains({
				kind: toolchain,
				dist,
				cache,
				idleMs,
				...(toolchainPath ? { path: toolchainPath } : {}),
			}),
		gradeWorkers: async () => gradeWorkers(dist),
		breathe: async () => {
			await setImmediate();
		},
		now: () => performance.now(),
	},
);

/** The extension host is gone: a compiler of this machine and its scratch folder go first, then this process. */
const mostToClose = 2000;
process.once("disconnect", () => {
	setTimeout(() => process.exit(), mostToClose);
	void engine.close().finally(() => process.exit());
});
