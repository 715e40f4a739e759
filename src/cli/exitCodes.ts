import type { CommandEnd } from "../session/commandEnd.ts";

/** What the shell sees, and the words of `--help` and README.md for it. Anything else is the guest's own code. */
export const exitCodes = {
	done: 0,
	failed: 1,
	usage: 2,
	panic: 3,
	timeout: 4,
	buildFailed: 5,
	/** EX_SOFTWARE of sysexits.h. */
	defect: 70,
	/** Ctrl-C: what shells give a program that SIGINT ended (128 + 2). */
	interrupted: 130,
	/** The reader of the output went away: 128 + SIGPIPE. */
	closedPipe: 141,
} as const;

export const exitCodeMeanings: Readonly<Record<number, string>> = {
	[exitCodes.done]: "success",
	[exitCodes.failed]: "a test or a program failed, or the guest powered off before it was done",
	[exitCodes.usage]: "wrong usage, or unreadable input",
	[exitCodes.panic]: "the kernel panicked",
	[exitCodes.timeout]: "time-out, or the machine makes no progress",
	[exitCodes.buildFailed]: "the build failed, or reached a limit",
	[exitCodes.defect]: "a defect of xv6-lab",
	[exitCodes.interrupted]: "interrupted by Ctrl-C",
	[exitCodes.closedPipe]: "the reader of the output went away",
};

/** Exit codes have 8 bits: a failure must not look like success for having its bits above them. */
export function guestCode(code: number): number {
	return code !== 0 && (code & 0xff) === 0 ? exitCodes.failed : code & 0xff;
}

/** Of a command that was to come back to the shell. A guest that powers off instead did not do that, whatever code it gives. */
export function codeOfEnd(end: CommandEnd): number {
	switch (end.kind) {
		case "prompt":
			return exitCodes.done;
		case "panic":
			return exitCodes.panic;
		case "halt":
			return guestCode(end.code) || exitCodes.failed;
		case "timeout":
		case "stuck":
		case "stall":
		case "flood":
			return exitCodes.timeout;
	}
}
