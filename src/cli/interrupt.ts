/**
 * Runs work that Ctrl-C cancels in good order: temporary files go, and the `cancelled` error comes up. A second Ctrl-C ends the
 * process at once.
 */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
	const controller = new AbortController();
	const stop = () => controller.abort();
	process.once("SIGINT", stop);
	try {
		return await work(controller.signal);
	} finally {
		process.removeListener("SIGINT", stop);
	}
}
