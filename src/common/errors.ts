/**
 * Failures that a student or an instructor can cause. Each code has an anchor of the same name in
 * docs/troubleshooting.md (a test holds this), so that a message can link to its own explanation.
 */
export const errorCodes = [
	"usage",
	"file-not-found",
	"file-unreadable",
	"file-unwritable",
	"outside-tree",
	"limit-reached",
	"already-exists",
	"not-an-xv6-tree",
	"kernel-not-elf",
	"kernel-truncated",
	"kernel-wrong-machine",
	"kernel-outside-ram",
	"disk-image-size",
	"machine-options",
	"snapshot-damaged",
	"input-log-damaged",
	"recording-damaged",
	"makefile-not-understood",
	"mkfs-failed",
	"compile-failed",
	"link-failed",
	"toolchain-missing",
	"toolchain-broken",
	"debug-info-damaged",
	"expression-not-understood",
	"debug-request",
	"lab-not-found",
	"lab-manifest-invalid",
	"lab-patch-unfit",
	"grade-script-failed",
	"program-not-found",
	"not-built",
	"machine-off",
	"guest-panic",
	"guest-timeout",
	"cancelled",
	"worker-crashed",
	"restricted-mode",
	"workspace-settings-invalid",
	"submission-unreadable",
	"results-damaged",
	"grading-policy",
] as const;

type ErrorCode = (typeof errorCodes)[number];

/** Where a failure is, as far as it is known. Lines and columns count from 1. */
export interface SourcePosition {
	readonly file: string;
	readonly line?: number;
	readonly column?: number;
}

/** An expected failure with a text for its reader: what is wrong, where, and what to do next. */
export class UserError extends Error {
	override readonly name = "UserError";

	constructor(
		readonly code: ErrorCode,
		/** What is wrong, in one sentence without a trailing period. */
		message: string,
		/** What the reader can do about it, one sentence. */
		readonly nextStep: string,
		readonly position?: SourcePosition,
	) {
		super(message);
	}

	/** `file:line:col: message. Next step.`, the form that terminals and problem panels link. */
	format(): string {
		const p = this.position;
		const where = p ? [p.file, p.line, p.column].filter((part) => part !== undefined).join(":") + ": " : "";
		return `${where}${this.message}. ${this.nextStep}`;
	}

	/** Plain data, for crossing a worker or process boundary; see {@link UserError.fromData}. */
	toData(): UserErrorData {
		return {
			code: this.code,
			message: this.message,
			nextStep: this.nextStep,
			...(this.position ? { position: this.position } : {}),
		};
	}

	static fromData(data: UserErrorData): UserError {
		return new UserError(data.code, data.message, data.nextStep, data.position);
	}
}

export interface UserErrorData {
	readonly code: ErrorCode;
	readonly message: string;
	readonly nextStep: string;
	readonly position?: SourcePosition;
}

/** A broken invariant of ours, never the reader's fault. */
export class BugError extends Error {
	override readonly name = "BugError";
}

export function bug(message: string): never {
	throw new BugError(message);
}

export function cancelled(): UserError {
	return new UserError("cancelled", "Cancelled", "Nothing was changed; start it again when you are ready.");
}
