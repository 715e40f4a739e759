import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { UserError } from "../../common/errors.ts";
import { Emitter } from "../../common/event.ts";
import type { EngineEvents, EngineRequests } from "../../protocol/engine.ts";
import { type Port, RpcClient } from "../../protocol/rpc.ts";

/** What the worker's entry finds in `workerData`. */
export interface EngineWorkerData {
	/** Folder of the built product. */
	readonly dist: string;
	/** Folder of the object cache. */
	readonly cache: string;
}

/** An engine that does not answer for so long is stopped where it is. VS Code gives an extension some seconds to end. */
const mostToClose = 2000;
const closing = new Set<Promise<unknown>>();

/** Resolves when every engine that was disposed of has ended. */
export async function enginesClosed(): Promise<void> {
	await Promise.all(closing);
}

/**
 * Starts an engine in a worker thread. Ending it kills its own workers with it; what is more than a thread, a compiler of this
 * machine and its scratch folder, the engine takes away itself before it is stopped.
 */
export function startNodeEngine(dist: string, cache: string) {
	const workerData: EngineWorkerData = { dist, cache };
	const worker = new Worker(join(dist, "worker/engine.node.cjs"), { workerData, stdout: false });
	const port: Port = {
		post: (message) => worker.postMessage(message),
		onMessage: (listener) => {
			worker.on("message", listener);
			return { dispose: () => worker.off("message", listener) };
		},
	};
	const client = new RpcClient<EngineRequests, EngineEvents>(port);
	const crash = new Emitter<string>();
	let ended = false;
	const fail = (why: string) => {
		if (ended) return;
		ended = true;
		client.close(
			new UserError("worker-crashed", `The engine crashed: ${why}`, "Restart the machine; no file was touched."),
		);
		crash.fire(why);
	};
	worker.on("error", (error: Error) => fail(error.message));
	worker.on("exit", (code) => {
		fail(`it ended with code ${code}`);
		// Of one that ends while it is being closed.
		client.dispose();
	});
	return {
		request: client.request.bind(client) as typeof client.request,
		on: client.on.bind(client) as typeof client.on,
		onCrash: crash.event,
		dispose: () => {
			crash.dispose();
			const isOver = ended;
			ended = true;
			const end = async () => {
				let timer: ReturnType<typeof setTimeout> | undefined;
				const late = new Promise<void>((resolve) => {
					timer = setTimeout(resolve, mostToClose);
				});
				// The engine may be dead already; then nobody answers.
				if (!isOver) await Promise.race([client.request("close", undefined).catch(() => undefined), late]);
				clearTimeout(timer);
				client.dispose();
				await worker.terminate();
			};
			const ending = end().finally(() => closing.delete(ending));
			closing.add(ending);
		},
	};
}
