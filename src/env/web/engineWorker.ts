import { UserError } from "../../common/errors.ts";
import { Emitter } from "../../common/event.ts";
import type { EngineEvents, EngineRequests } from "../../protocol/engine.ts";
import { type Port, RpcClient } from "../../protocol/rpc.ts";

/** A file of the product that the engine asks for: a worker of an extension cannot always fetch by itself. */
export interface FileQuestion {
	readonly fileQuestion: number;
	readonly path: string;
}

export interface FileAnswer {
	readonly fileAnswer: number;
	readonly bytes?: Uint8Array;
	readonly error?: string;
}

/** Starts an engine in a web worker; files of the product are read by the extension host and sent as bytes. */
export function startWebEngine(source: string, read: (path: string) => Thenable<Uint8Array>) {
	const worker = new Worker(source);
	worker.addEventListener("message", ({ data }: MessageEvent<FileQuestion>) => {
		if (typeof data?.fileQuestion !== "number") return;
		const answer = (rest: Omit<FileAnswer, "fileAnswer">) =>
			worker.postMessage({ fileAnswer: data.fileQuestion, ...rest });
		read(data.path).then(
			(bytes) => answer({ bytes }),
			(error: unknown) => answer({ error: String(error) }),
		);
	});
	const port: Port = {
		post: (message) => worker.postMessage(message),
		onMessage: (listener) => {
			const handle = ({ data }: MessageEvent) => {
				if (data?.fileQuestion === undefined) listener(data);
			};
			worker.addEventListener("message", handle);
			return { dispose: () => worker.removeEventListener("message", handle) };
		},
	};
	const client = new RpcClient<EngineRequests, EngineEvents>(port);
	const crash = new Emitter<string>();
	worker.addEventListener("error", (event) => {
		const why = event.message || "the worker could not be started";
		client.close(
			new UserError("worker-crashed", `The engine crashed: ${why}`, "Restart the machine; no file was touched."),
		);
		crash.fire(why);
	});
	return {
		request: client.request.bind(client) as typeof client.request,
		on: client.on.bind(client) as typeof client.on,
		onCrash: crash.event,
		dispose: () => {
			client.dispose();
			crash.dispose();
			worker.terminate();
		},
	};
}
