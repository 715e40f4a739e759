import type { CompilerWorker } from "./pool.ts";

/** A worker of Node or of a browser, as far as a compiler needs it. */
export interface RawWorker {
	post(message: unknown): void;
	onMessage(listener: (message: unknown) => void): void;
	/** It failed, or ended by itself. */
	onExit(listener: (why: string) => void): void;
	terminate(): void;
}

/** Only once a worker has to compile or link are the compiler's programs loaded for it: mkfs runs without them. */
export function compilerWorker(worker: RawWorker, load: () => Promise<unknown>): CompilerWorker {
	const exits: ((why: string) => void)[] = [];
	let ended = false;
	let prepared = false;
	const exit = (why: string) => {
		if (ended) return;
		ended = true;
		for (const listener of exits) listener(why);
	};
	const listeners = new Set<(message: unknown) => void>();
	worker.onMessage((message) => {
		for (const listener of listeners) listener(message);
	});
	worker.onExit(exit);
	return {
		port: {
			post: (message) => worker.post(message),
			onMessage: (listener) => {
				listeners.add(listener);
				return { dispose: () => listeners.delete(listener) };
			},
		},
		prepare: () => {
			if (prepared) return;
			prepared = true;
			load().then(
				(modules) => {
					if (!ended) worker.post({ modules });
				},
				(error: Error) => exit(error.message),
			);
		},
		onExit: (listener) => exits.push(listener),
		dispose: () => {
			ended = true;
			worker.terminate();
		},
	};
}

/** What is loaded once for all workers. A failed load, or one that was let go, is done again for the next worker. */
export class LoadedOnce<T> {
	private loaded: Promise<T> | undefined;

	constructor(private readonly load: () => Promise<T>) {}

	get(): Promise<T> {
		this.loaded ??= this.load().catch((error: unknown) => {
			this.loaded = undefined;
			throw error;
		});
		return this.loaded;
	}

	/** Frees the memory, unless a worker still runs with it. */
	letGo(): void {
		this.loaded = undefined;
	}
}
