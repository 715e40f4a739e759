import type { DebugProtocol } from "@vscode/debugprotocol";
import { hex } from "../common/bytes.ts";
import { UserError } from "../common/errors.ts";
import { notUnderstood } from "./cSyntax.ts";
import { disassembleAround } from "./disassembly.ts";
import { evaluateExpression } from "./expression.ts";
import { writeMemory } from "./references.ts";
import type { RequestContext } from "./requestContext.ts";
import { type Body, base64, fromBase64, offsetOf } from "./requests.ts";
import { numberOf } from "./values.ts";

const mostMemory = 1 << 20;

/** Requests about values and memory of a machine that stands. */
export const valueRequests = (session: RequestContext) => ({
	scopes: ({ frameId }: DebugProtocol.ScopesArguments) => {
		const { frame, thread } = session.inspection.frame(frameId);
		return { scopes: session.inspection.variables.scopes(frame, thread) };
	},
	variables: (args: DebugProtocol.VariablesArguments) => {
		session.standing();
		if (args.filter === "named" && args.start === undefined) {
			const all = session.inspection.variables.children(
				args.variablesReference,
				0,
				Number.POSITIVE_INFINITY,
				args.format?.hex === true,
			);
			return { variables: all.filter(({ name }) => !/^\[\d+\]$/.test(name)) };
		}
		const count = args.count && args.count > 0 ? args.count : Number.POSITIVE_INFINITY;
		return {
			variables: session.inspection.variables.children(
				args.variablesReference,
				args.start ?? 0,
				count,
				args.format?.hex === true,
			),
		};
	},
	evaluate: (args: DebugProtocol.EvaluateArguments) => {
		session.standing();
		const value = evaluateExpression(session.inspection.scope(args.frameId), String(args.expression));
		return session.inspection.variables.evaluated(value, args.format?.hex === true, String(args.expression)) as Body;
	},
	setVariable: (args: DebugProtocol.SetVariableArguments) => {
		session.mayChange();
		const to = evaluateExpression(session.inspection.scope(undefined), String(args.value));
		const { value, type, variablesReference } = session.inspection.variables.set(
			args.variablesReference,
			args.name,
			to,
			args.format?.hex === true,
		);
		session.changed();
		return { value, ...(type ? { type } : {}), variablesReference };
	},
	setExpression: (args: DebugProtocol.SetExpressionArguments) => {
		session.mayChange();
		const scope = session.inspection.scope(args.frameId);
		const to = numberOf(evaluateExpression(scope, String(args.value)));
		if (to === undefined) throw notUnderstood("The new value is no number");
		session.inspection.variables.write(evaluateExpression(scope, String(args.expression)), to);
		const { result, type, variablesReference } = session.inspection.variables.evaluated(
			evaluateExpression(scope, String(args.expression)),
			false,
			String(args.expression),
		);
		session.changed();
		return { value: result, ...(type ? { type } : {}), variablesReference };
	},
	readMemory: (args: DebugProtocol.ReadMemoryArguments) => {
		const { space, address } = session.inspection.memoryAt(args.memoryReference, args.offset);
		const count = Math.max(0, Math.min(args.count, mostMemory));
		const bytes = space.bytes(address, count);
		return {
			address: hex(address),
			data: base64(bytes),
			...(bytes.length < count
				? {
						unreadableBytes: Math.min(count - bytes.length, 4096 - ((Number(address & 4095n) + bytes.length) % 4096)),
					}
				: {}),
		};
	},
	writeMemory: (args: DebugProtocol.WriteMemoryArguments) => {
		session.mayChange();
		const { space, address } = session.inspection.memoryAt(args.memoryReference, args.offset);
		const bytes = fromBase64(args.data);
		const written = writeMemory(session.debugger.contexts, space, address, bytes);
		if (written < bytes.length && args.allowPartial !== true)
			throw new UserError("debug-request", `${hex(address + BigInt(written))} is not mapped`, "Write less.");
		session.event("memory", { memoryReference: args.memoryReference, offset: args.offset ?? 0, count: written });
		session.changed();
		return { bytesWritten: written };
	},
	disassemble: (args: DebugProtocol.DisassembleArguments) => {
		const { space, address } = session.inspection.memoryAt(args.memoryReference, args.offset);
		const symbols = session.inspection.symbolsFor(space);
		return {
			instructions: disassembleAround(
				session.debugger.contexts,
				space,
				symbols,
				address,
				offsetOf(args.instructionOffset),
				args.instructionCount,
				(file) => session.sources.of(file),
			),
		};
	},
});
