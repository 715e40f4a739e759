/** What a script may take. Verdicts depend on guest time only; the others end what would not end. */
export const gradeLimits = {
	/**
	 * Seconds of guest time for each second that the script allows: its seconds were meant for QEMU on some laptop, and a kernel of another
	 * compiler takes other times.
	 */
	guestSeconds: 10,
	/** Milliseconds of wall time for a run: so many for each second that the script allows, and some more. */
	wallPerSecond: 4000,
	wallMore: 60_000,
	/** Times that one test may start the machine. */
	runs: 200,
	/** Milliseconds that a script may compute without asking for anything. */
	thinkMs: 20_000,
	/** Characters of a run's output; what comes after them is not kept. */
	output: 4_000_000,
	/** Of an output, what a result carries. */
	shown: 100_000,
	/** Characters that a script may print. */
	printed: 200_000,
} as const;
