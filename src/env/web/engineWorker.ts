import { UserError } from "../../common/errors.ts";
import { Emitter } from "../../common/event.ts";
import type { EngineEvents, EngineRequests } from "../../protocol/engine.ts";
import { type Port, RpcClient } from "../../protocol/rpc.ts";

/** A file of the product that the engine asks for: a worker of an extension cannot always fetch by itself. */
interface FileQuestion {
	readonly fileQuestion: number;
	readonly path: string;
}

export interface FileAnswer {
	readonly fileAnswer: number;
	readonly bytes?: Uint8Array;
	readonly error?: string;
}

const script = "worker/engine.web.js";

/**
 * Starts an engine in a web worker; files of the product, the worker's own script among them, are read by the extension host: a
 * window whose extensions lie on a server refuses workers with their addresses. Messages wait until the worker is there.
 */
export function startWebEngine(read: (path: string) => Thenable<Uint8Array>) {
	let worker: Worker | undefined;
	let ended = false;
	const waiting: unknown[] = [];
	const messages = new Emitter<unknown>();
	const crash = new Emitter<string>();
	const port: Port = {
		post: (message) => {
			if (worker) worker.postMessage(message);
			else waiting.push(message);
		},
		onMessage: messages.event,
	};
	const client = new RpcClient<EngineRequests, EngineEvents>(port);
	const fail = (why: string) => {
		if (ended) return;
		ended = true;
		client.close(
			new UserError("worker-crashed", `The engine crashed: ${why}`, "Restart the machine; no file was touched."),
		);
		crash.fire(why);
	};
	const answerFile = (to: Worker, { fileQuestion, path }: FileQuestion) =>
		read(path).then(
			(bytes) => to.postMessage({ fileAnswer: fileQuestion, bytes } satisfies FileAnswer),
			(error: unknown) => to.postMessage({ fileAnswer: fileQuestion, error: String(error) } satisfies FileAnswer),
		);
	const begin = (source: Uint8Array) => {
		if (ended) return;
		const url = URL.createObjectURL(new Blob([source as BlobPart], { type: "text/javascript" }));
		const started = new Worker(url);
		worker = started;
		started.addEventListener("message", ({ data }: MessageEvent) => {
			if (typeof data?.fileQuestion === "number") void answerFile(started, data);
			else messages.fire(data);
		});
		started.addEventListener("error", (event) => fail(event.message || "the worker could not be started"));
		for (const message of waiting.splice(0)) started.postMessage(message);
	};
	read(script).then(begin, (error: unknown) => fail(`${script} cannot be read: ${String(error)}`));
	return {
		request: client.request.bind(client) as typeof client.request,
		on: client.on.bind(client) as typeof client.on,
		onCrash: crash.event,
		dispose: () => {
			ended = true;
			client.dispose();
			crash.dispose();
			messages.dispose();
			worker?.terminate();
		},
	};
}
