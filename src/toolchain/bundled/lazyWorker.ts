import type { CompilerWorker } from "./pool.ts";

/** A worker of Node or of a browser, as far as a compiler needs it. */
export interface RawWorker {
	post(message: unknown): void;
	onMessage(listener: (message: unknown) => void): void;
	/** It failed, or ended by itself. */
	onExit(listener: (why: string) => void): void;
	terminate(): void;
}

/** A worker that can be spoken to at once, while its programs are still being loaded. */
export function lazyWorker(start: () => Promise<RawWorker>): CompilerWorker {
	let worker: RawWorker | undefined;
	let ended = false;
	const queue: unknown[] = [];
	const listeners = new Set<(message: unknown) => void>();
	const exits: ((why: string) => void)[] = [];
	const exit = (why: string) => {
		if (ended) return;
		ended = true;
		for (const listener of exits) listener(why);
	};
	start().then(
		(started) => {
			if (ended) {
				started.terminate();
				return;
			}
			worker = started;
			started.onMessage((message) => {
				for (const listener of listeners) listener(message);
			});
			started.onExit(exit);
			for (const message of queue) started.post(message);
		},
		(error: Error) => exit(error.message),
	);
	return {
		port: {
			post: (message) => {
				if (worker) worker.post(message);
				else queue.push(message);
			},
			onMessage: (listener) => {
				listeners.add(listener);
				return { dispose: () => listeners.delete(listener) };
			},
		},
		onExit: (listener) => exits.push(listener),
		dispose: () => {
			ended = true;
			worker?.terminate();
		},
	};
}

/** What is loaded once for all workers; a failed load is tried again by the next one. */
export function onceLoaded<T>(load: () => Promise<T>): () => Promise<T> {
	let loaded: Promise<T> | undefined;
	return () => {
		loaded ??= load().catch((error: unknown) => {
			loaded = undefined;
			throw error;
		});
		return loaded;
	};
}
