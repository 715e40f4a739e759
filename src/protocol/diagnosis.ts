import { visibleLine } from "../common/visible.ts";
import type { SourcePoint } from "./kernelModel.ts";

/**
 * Why a run went wrong, as far as memory, traps and debug information prove it: plain data, made by `src/kernelview/diagnosis/`, and one
 * text for terminal, command line, test message and inspector.
 */
const diagnosisKinds = [
	/** panic(), and nothing closer to the cause was recognised. */
	"panic",
	/** A panic of acquire, release or sched about a lock. */
	"lock-panic",
	/** A panic over a page table: freewalk, uvmunmap, mappages, walk. */
	"page-table-panic",
	/** The kernel's own load, store or fetch faulted. */
	"kernel-fault",
	/** A trap killed a user process. */
	"user-fault",
	/** The program that was run exited with a status other than 0. */
	"exit-status",
	/** One trap comes again and again at one pc. */
	"trap-loop",
	/** A hart claimed an interrupt of the PLIC and never completed it. */
	"interrupt-not-completed",
	/** No hart can be interrupted by a device that somebody waits for. */
	"no-device-interrupt",
	/** Harts spin on a lock that nobody will release. */
	"lock-spin",
	/** Two locks, and each holder waits for the other. */
	"deadlock",
	/** A process sleeps on a channel that nobody will wake. */
	"sleeper",
	/** A process ended and nobody waits for it. */
	"zombie",
	/** Nothing happens but timer ticks. */
	"no-progress",
	/** The kernel sets no PMP entry: a machine that enforces PMP hangs. */
	"no-pmp",
	/** The kernel has no handler for a system call's number. */
	"unknown-syscall",
	/** A frame was freed while somebody still maps it. */
	"freed-in-use",
	/** The kernel's list of free frames is damaged: a frame is on it twice, or it leads nowhere. */
	"free-list",
	/** Frames that belong to nobody any more. */
	"lost-memory",
] as const;
export type DiagnosisKind = (typeof diagnosisKinds)[number];

/** One call, innermost first. */
export interface DiagnosisFrame {
	readonly name: string;
	readonly file?: string;
	readonly line?: number;
	readonly address: string;
}

export interface Diagnosis {
	readonly kind: DiagnosisKind;
	/** `note`: nothing failed here, yet it would elsewhere, or costs something. */
	readonly severity: "error" | "note";
	/** One sentence with names and numbers: what happened, and what to change where that is certain. */
	readonly cause: string;
	/** What the kernel printed about it. */
	readonly said?: string;
	readonly process?: { readonly pid: number; readonly name: string };
	readonly hart?: number;
	/** The trap or system call it was in: `system call sleep`, `timer interrupt`. */
	readonly during?: string;
	/** What proves it, a fact a line. */
	readonly evidence: readonly string[];
	/** Of the kernel, or of the user program for `user-fault`. */
	readonly frames: readonly DiagnosisFrame[];
	/** The line to look at first. */
	readonly look?: SourcePoint;
	/** What follows from the same cause and needs no attention of its own. */
	readonly effects: readonly string[];
	/** What was not recognised in this kernel. */
	readonly notes: readonly string[];
}

/** How a run ended, for the question why. `output`: console text since the command began. */
export interface RunEnd {
	readonly kind: "prompt" | "panic" | "timeout" | "stuck" | "stall" | "halt" | "flood";
	readonly message?: string;
	readonly output?: string;
	/** A test judges what the program did: its exit status adds nothing. */
	readonly judged?: boolean;
	/** The program is known for what it prints when all went well, and printed it. */
	readonly passed?: boolean;
	/** Of a stall: what the watchdog recognised. */
	readonly report?: { readonly kind: string };
}

const place = ({ file, line }: { readonly file?: string; readonly line?: number }) =>
	file === undefined ? "" : line === undefined ? file : `${file}:${line}`;

/** `hart 0, process 3 (napt), system call sleep` */
function setting({ hart, process, during }: Diagnosis): string {
	return [
		...(hart === undefined ? [] : [`hart ${hart}`]),
		...(process ? [`process ${process.pid} (${process.name})`] : []),
		...(during === undefined ? [] : [during]),
	].join(", ");
}

/** The text of one diagnosis: the cause in the first line, the rest indented; what it quotes is shown, never obeyed. Ends without a line end. */
export function renderDiagnosis(diagnosis: Diagnosis): string {
	const { severity, cause, said, evidence, frames, look, effects, notes } = diagnosis;
	const lines = [`${severity === "error" ? "cause" : "note"}: ${cause}`];
	const add = (label: string, text: string) => lines.push(`  ${label}: ${text}`);
	if (look) add("look at", `${place(look)}${look.function === undefined ? "" : ` (${look.function})`}`);
	if (said !== undefined) add("the kernel said", said);
	const where = setting(diagnosis);
	if (where !== "") add("where", where);
	for (const fact of evidence) add("evidence", fact);
	if (frames.length > 0) {
		lines.push("  calls, innermost first:");
		for (const frame of frames) {
			const at = place(frame);
			lines.push(`    ${frame.name}${at === "" ? ` at ${frame.address}` : ` (${at})`}`);
		}
	}
	for (const effect of effects) add("follows from it", effect);
	for (const text of notes) add("note", text);
	return lines.map(visibleLine).join("\n");
}

/** Several, in their order; empty for none. Ends without a line end. */
export const renderDiagnoses = (diagnoses: readonly Diagnosis[]): string => diagnoses.map(renderDiagnosis).join("\n");

/** Whether diagnoses say what a finding of this kind says, and why it is so. */
export function isTold(diagnoses: readonly Diagnosis[], finding: string): boolean {
	const kinds = new Set(diagnoses.map(({ kind }) => kind));
	if (finding === "kernel-panic") return diagnoses.some(({ severity }) => severity === "error");
	if (finding === "frame-leaked") return kinds.has("lost-memory") || kinds.has("freed-in-use");
	return kinds.has("freed-in-use") && (finding === "freed-while-mapped" || finding === "kernel-page-user");
}
