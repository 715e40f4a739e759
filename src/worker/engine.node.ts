import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { setImmediate } from "node:timers/promises";
import { parentPort, workerData } from "node:worker_threads";
import { loadCore, loadWatchCore } from "../env/node/core.ts";
import type { EngineWorkerData } from "../env/node/engineWorker.ts";
import { gradeWorkers } from "../env/node/gradeWorker.ts";
import { NodeTree } from "../env/node/sourceTree.ts";
import { openToolchains } from "../env/node/toolchains.ts";
import { LabCatalog } from "../lab/catalog.ts";
import { compilerIdleMs } from "../toolchain/bundled/pool.ts";
import { serveEngine } from "./engineParts.ts";

if (!parentPort) throw new Error("this file is a worker's entry");
const port = parentPort;
const { dist, cache } = workerData as EngineWorkerData;

serveEngine(
	{
		post: (message) => port.postMessage(message),
		onMessage: (listener) => {
			port.on("message", listener);
			return { dispose: () => port.off("message", listener) };
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
				idleMs: compilerIdleMs,
				...(toolchainPath ? { path: toolchainPath } : {}),
			}),
		gradeWorkers: async () => gradeWorkers(dist),
		breathe: async () => {
			await setImmediate();
		},
		now: () => performance.now(),
	},
);
