import type { Instructions } from "../machine/types.ts";

/** Instructions that a run may take, and between what it does beside running: the only place that knows them. */
export const budgets = {
	/** To the shell, for any kernel. Booting xv6 takes about 500 M with one hart, nearly all of it in memset. */
	boot: 20_000_000_000,
	/** The same where a verdict waits for it; other harts may spin beside the one that boots. */
	judgedBoot: (harts: number): Instructions => 2_500_000_000 * harts,
	/** A command that no test judges, from the command line. */
	command: 200_000_000_000,
	/** A command that a person started and can stop: an hour of the fastest machine. */
	watchedCommand: 2_000_000_000_000,
	/** To the page fault that somebody wants to see. */
	faultSearch: 2_000_000_000,
	/** Between two looks at the console: short enough to stop soon after a prompt, long enough to cost nothing. */
	look: 200_000,
	/** A prompt counts once the console has been silent for this long: a program may print `$ ` too, and then continue. */
	quietAfterPrompt: 400_000,
	/** After `panic:` the kernel still prints the text and perhaps a backtrace. */
	afterPanic: 2_000_000,
} as const;
