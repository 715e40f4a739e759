import type { DebugProtocol } from "@vscode/debugprotocol";
import { UserError } from "../common/errors.ts";

/** Requests of ours beside the protocol's; `docs/debugging.md` describes them. */
export interface CustomRequests {
	"xv6/whoWrote": {
		expression?: string;
		frameId?: number;
		variablesReference?: number;
		name?: string;
		memoryReference?: string;
		bytes?: number;
	};
	"xv6/reverseStepOut": { threadId: number };
	"xv6/goToInstruction": { instruction: number };
	"xv6/runToFailure": undefined;
	"xv6/timeline": undefined;
	"xv6/newFuture": undefined;
	"xv6/toPresent": undefined;
	"xv6/type": { text: string };
}

export type Body = Record<string, unknown> | undefined;

export function isRequest(message: unknown): message is DebugProtocol.Request {
	if (typeof message !== "object" || message === null) return false;
	const { type, seq, command } = message as Partial<DebugProtocol.Request>;
	return type === "request" && typeof seq === "number" && typeof command === "string";
}

export function list<T>(value: readonly T[] | undefined): readonly T[] {
	return Array.isArray(value) ? value.slice(0, 1000) : [];
}

/** As `list`, of objects: what is none is one without properties, so that there are as many answers as questions. */
export function objects<T extends object>(value: readonly T[] | undefined): readonly T[] {
	return list(value).map((one) => (typeof one === "object" && one !== null ? one : ({} as T)));
}

/** An offset; without one 0. */
export function offsetOf(value: number | undefined): number {
	const offset = value ?? 0;
	if (typeof offset === "number" && Number.isFinite(offset)) return Math.trunc(offset);
	throw new UserError("debug-request", `\`${String(offset).slice(0, 40)}\` is no offset`, "Send a whole number.");
}

export function base64(bytes: Uint8Array): string {
	let text = "";
	for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
	return btoa(text);
}

export function fromBase64(text: string): Uint8Array {
	try {
		return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
	} catch {
		throw new UserError("debug-request", "The data is not base64", "Send bytes in base64.");
	}
}
