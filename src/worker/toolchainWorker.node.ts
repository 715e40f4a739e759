import { performance } from "node:perf_hooks";
import { parentPort } from "node:worker_threads";
import { serveCompiler } from "./toolchainWorker.ts";

if (!parentPort) throw new Error("this file is a worker's entry");
const port = parentPort;
serveCompiler(
	{
		post: (message) => port.postMessage(message),
		onMessage: (listener) => {
			port.on("message", listener);
			return { dispose: () => port.off("message", listener) };
		},
	},
	() => performance.eventLoopUtilization().active,
);
