import { UserError } from "../../common/errors.ts";
import { ElfFile } from "../../debuginfo/elf.ts";
import type { Waits } from "../../kernelview/waits.ts";
import type { Diagnosis, RunEnd } from "../../protocol/diagnosis.ts";
import type { FindingLine, StackLine } from "../../protocol/verdict.ts";

/** What goes wrong on demand. Calls, requests and writes count from 1, from where the command begins. */
export interface Fault {
	/** kalloc() returns 0; the disk answers a request with an I/O error; the machine loses power right after a write to the disk. */
	readonly kind: "kalloc" | "disk" | "crash";
	/** Default of the option's `all`: each in turn, in a run of its own. */
	readonly at: number | "all";
}

/** `kalloc:N`, `kalloc:all`, `disk:N`, `disk:all`. */
export function parseFail(text: string): Fault {
	return parse(text, ["kalloc", "disk"], "--fail");
}

/** `write:N`, `write:all`. */
export function parseCrash(text: string): Fault {
	return { ...parse(text, ["write"], "--crash"), kind: "crash" };
}

function parse(text: string, kinds: readonly string[], option: string): Fault {
	const match = /^([a-z]+):(all|[1-9]\d{0,8})$/.exec(text);
	if (!match || !kinds.includes(match[1] as string)) {
		const forms = kinds.flatMap((kind) => [`${kind}:N`, `${kind}:all`]).join(", ");
		throw new UserError("usage", `${option} ${text} is no fault`, `Write one of ${forms}; N counts from 1.`);
	}
	return { kind: match[1] as Fault["kind"], at: match[2] === "all" ? "all" : Number(match[2]) };
}

/** What became of one fault. */
export interface FaultRun {
	/** Number of the call, request or write. */
	readonly at: number;
	/** `handled`: the kernel is as it was before. `unclear`: what happened proves neither. */
	readonly outcome: "handled" | "failed" | "unclear";
	/** In one sentence without a trailing period. */
	readonly what: string;
	/** Why, as far as it is proved. */
	readonly diagnoses: readonly Diagnosis[];
	/** Further facts, one a line. */
	readonly facts: readonly string[];
	/** The calls that led to the fault, innermost first; empty: it has no place in the code. */
	readonly calls: readonly StackLine[];
	/** The request or write. */
	readonly target?: string;
}

/** A fault in a command, once or in each place in turn. */
export interface Sweep {
	readonly fault: Fault;
	readonly command: string;
	/** Places in the plain run. */
	readonly total: number;
	readonly runs: readonly FaultRun[];
	/** Why nothing was tried, in a sentence; what was not checked. */
	readonly notes: readonly string[];
	/** The plain run did not end at the prompt: there is nothing to compare with. */
	readonly plainFailed?: RunEnd;
}

/** The kernel as a sweep has to see it; src/kernelview's view is one. */
export interface FaultObserver {
	begin(): void;
	freeFrames(): number | undefined;
	findings(): readonly FindingLine[];
	diagnose(end: RunEnd, file: (path: string) => string | undefined): readonly Diagnosis[];
	kernelCalls(hart: number, pc: bigint): readonly StackLine[];
	processes(): readonly { readonly pid: number; readonly name: string; readonly state: string }[];
	waits?(): Waits;
	inUse(): { readonly locks: readonly string[]; readonly references: ReadonlyMap<string, number> };
}

/** Address of kalloc() in a kernel; undefined: it has none by this name. */
export function kallocOf(kernel: Uint8Array): number | undefined {
	return new ElfFile(kernel).symbol("kalloc")?.address;
}
