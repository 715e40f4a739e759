import { performance } from "node:perf_hooks";
import { parentPort } from "node:worker_threads";
import { serveGrade } from "./gradeWorker.ts";

if (!parentPort) throw new Error("this file is a worker's entry");
const port = parentPort;
serveGrade(
	(message) => port.postMessage(message),
	(listener) => port.on("message", listener),
	() => performance.now(),
);
