/** What the shell sees. Anything else is the guest's own code. */
export const exitCodes = {
	done: 0,
	failed: 1,
	usage: 2,
	panic: 3,
	timeout: 4,
	buildFailed: 5,
	/** Ctrl-C: what shells give a program that SIGINT ended (128 + 2). */
	interrupted: 130,
} as const;
