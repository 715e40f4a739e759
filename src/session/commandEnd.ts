import { visibleLine } from "../common/visible.ts";
import type { Instructions, StallReport } from "../machine/types.ts";

/** A machine that makes no progress: what the watchdog saw, or nothing but timer ticks while no process runs. */
export type Stall = Omit<StallReport, "kind"> & {
	readonly kind: StallReport["kind"] | "no-progress";
	/** All wait for the shell's next command. Others printed into its prompt. */
	readonly isShell?: boolean;
};

/** How the run of one command came to its end. */
export type CommandEnd =
	/** The shell asks for the next command. */
	| { readonly kind: "prompt" }
	| { readonly kind: "panic"; readonly message: string }
	/** The budget of instructions, or the time that a person allowed, is used up. */
	| { readonly kind: "timeout" }
	/** The guest ended the machine. */
	| { readonly kind: "halt"; readonly code: number }
	/** Nothing can wake the guest, and it shows no prompt. */
	| { readonly kind: "stuck" }
	/** The guest makes no progress and never will. */
	| { readonly kind: "stall"; readonly report: Stall }
	/** More characters than any test prints: it would go on for the rest of its budget. */
	| { readonly kind: "flood"; readonly printed: number };

/** What happened, in one sentence; empty at the prompt. */
export function describeEnd(end: CommandEnd, instructions: Instructions): string {
	switch (end.kind) {
		case "panic":
			return `The kernel panicked: ${visibleLine(end.message)}`;
		case "timeout":
			return `The command did not return to the shell within ${instructions.toLocaleString("en")} instructions`;
		case "halt":
			return `The guest powered off (exit code ${end.code})`;
		case "stuck":
			return "All harts are idle and no event is pending: some process waits for a wakeup that never happens";
		case "stall":
			return end.report.message;
		case "flood":
			return `The command printed ${end.printed.toLocaleString("en")} characters and had not finished`;
		case "prompt":
			return "";
	}
}
