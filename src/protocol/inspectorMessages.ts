import * as v from "valibot";
import type { FromInspector, MachineAction, ToInspector } from "./inspector.ts";

/**
 * The messages between the inspector's page and its host, checked by the receiver: what is no member of the closed
 * unions of inspector.ts is dropped. A page that was taken over can ask for nothing else.
 */

const whole = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const address = v.pipe(v.string(), v.regex(/^(?:0x[0-9a-fA-F]{1,16}|[0-9]{1,20})$/));
const path = v.pipe(v.string(), v.minLength(1), v.maxLength(4096));
const text = v.string();
const actions = ["pause", "resume", "stepToFault", "boot", "toPresent"] as const satisfies readonly MachineAction[];

const fromInspector: v.GenericSchema<unknown, FromInspector> = v.variant("type", [
	v.strictObject({ type: v.literal("ready") }),
	v.strictObject({ type: v.literal("drawn") }),
	v.strictObject({ type: v.literal("walk"), id: whole, pid: whole, address }),
	v.strictObject({ type: v.literal("writer"), id: whole, address, after: whole, before: whole }),
	v.strictObject({ type: v.literal("network"), id: whole }),
	v.strictObject({ type: v.literal("activity"), id: whole, from: whole, to: whole }),
	v.strictObject({ type: v.literal("control"), id: whole, action: v.picklist(actions) }),
	v.strictObject({ type: v.literal("openSource"), file: path, line: whole }),
	v.strictObject({ type: v.literal("debug"), instret: whole }),
]);

/** The frame of each; models and runs inside are of this version of the extension, which is the page's own. */
const toInspector = v.variant("type", [
	v.strictObject({ type: v.literal("model"), update: v.optional(v.looseObject({})) }),
	v.strictObject({
		type: v.literal("state"),
		state: v.strictObject({
			machine: v.picklist(["none", "running", "paused", "past", "dead"]),
			canDebug: v.boolean(),
			canAskWriter: v.boolean(),
		}),
	}),
	v.strictObject({ type: v.literal("past"), model: v.optional(v.looseObject({})) }),
	v.strictObject({ type: v.literal("show"), part: v.literal("activity") }),
	v.strictObject({ type: v.literal("run"), run: v.optional(v.looseObject({ reasons: v.array(text) })) }),
	v.strictObject({
		type: v.literal("answer"),
		id: whole,
		value: v.optional(v.looseObject({})),
		error: v.optional(text),
	}),
]);

/** What the page sent; undefined: it is none of its messages. */
export function parseFromInspector(message: unknown): FromInspector | undefined {
	const result = v.safeParse(fromInspector, message);
	return result.success ? result.output : undefined;
}

/** Whether the host sent this. */
export function isToInspector(message: unknown): message is ToInspector {
	return v.is(toInspector, message);
}
