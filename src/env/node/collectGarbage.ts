import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/**
 * Collects what this thread has let go. A thread that rests allocates nothing, so V8 sees no reason to do it, and a hundred megabytes of
 * compiled code and of messages wait for the next build.
 */
export function collectGarbage(): void {
	setFlagsFromString("--expose-gc");
	const collect = runInNewContext("globalThis.gc") as (() => void) | undefined;
	setFlagsFromString("--no-expose-gc");
	collect?.();
}
