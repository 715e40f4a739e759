/** A cancelled build may tidy up for so long; then the process ends all the same. */
const mostToTidyMs = 600;

/**
 * Runs work that Ctrl-C cancels in good order: temporary files go, and the `cancelled` error comes up. The process ends within a
 * second whatever the work does: a compiler's thread cannot be stopped while it compiles itself.
 */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
	const controller = new AbortController();
	const stop = () => {
		controller.abort();
		setTimeout(dieInterrupted, mostToTidyMs).unref();
	};
	process.once("SIGINT", stop);
	try {
		return await work(controller.signal);
	} finally {
		process.removeListener("SIGINT", stop);
	}
}

/** Ends this process as SIGINT ends one, at once: to a shell that is code 130, and `process.exit` would wait for busy threads. */
export function dieInterrupted(): void {
	process.removeAllListeners("SIGINT");
	process.kill(process.pid, "SIGINT");
}
