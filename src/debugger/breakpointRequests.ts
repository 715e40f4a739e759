import type { DebugProtocol } from "@vscode/debugprotocol";
import { hex } from "../common/bytes.ts";
import { type ExceptionFilter, exceptionFilters } from "./exceptions.ts";
import { parseReference } from "./references.ts";
import type { RequestContext } from "./requestContext.ts";
import { list, objects, offsetOf } from "./requests.ts";

/** Requests that say where the machine stops. They may come while it runs. */
export const breakpointRequests = (session: RequestContext) => ({
	setBreakpoints: (args: DebugProtocol.SetBreakpointsArguments) => {
		const file = session.sources.fileOf(args.source);
		const wanted = objects(args.breakpoints).map((one: DebugProtocol.SourceBreakpoint) => ({
			line: session.sources.lineIn(one.line),
			condition: one.condition,
			hitCondition: one.hitCondition,
			logMessage: one.logMessage,
		}));
		const made = session.debugger.breakpoints.setLines(file, wanted);
		return {
			breakpoints: made.map(({ id, verified, message, line }) => ({
				id,
				verified,
				...(message ? { message } : {}),
				...(line === undefined ? {} : { line: session.sources.lineOut(line) }),
				source: args.source,
			})),
		};
	},
	setFunctionBreakpoints: (args: DebugProtocol.SetFunctionBreakpointsArguments) => ({
		breakpoints: session.debugger.breakpoints
			.setFunctions(
				objects(args.breakpoints).map((one: DebugProtocol.FunctionBreakpoint) => ({ ...one, name: String(one.name) })),
			)
			.map(({ id, verified, message }) => ({ id, verified, ...(message ? { message } : {}) })),
	}),
	setInstructionBreakpoints: (args: DebugProtocol.SetInstructionBreakpointsArguments) => ({
		breakpoints: session.debugger.breakpoints
			.setInstructions(
				objects(args.breakpoints).map((one: DebugProtocol.InstructionBreakpoint) => ({
					...one,
					address:
						parseReference(session.debugger.contexts, String(one.instructionReference)).address +
						BigInt(offsetOf(one.offset)),
				})),
			)
			.map(({ id, verified, message, address }) => ({
				id,
				verified,
				instructionReference: hex(address ?? 0n),
				...(message ? { message } : {}),
			})),
	}),
	dataBreakpointInfo: (args: DebugProtocol.DataBreakpointInfoArguments) => session.inspection.dataInfo(args),
	setDataBreakpoints: (args: DebugProtocol.SetDataBreakpointsArguments) => ({
		breakpoints: session.debugger.breakpoints
			.setData(
				objects(args.breakpoints).map((one: DebugProtocol.DataBreakpoint) => {
					const place = session.inspection.dataPlace(one.dataId, one.accessType);
					return {
						place,
						condition: one.condition,
						hitCondition: one.hitCondition,
						...(place ? {} : { message: `\`${one.dataId}\` cannot be watched` }),
					};
				}),
			)
			.map(({ id, verified, message }) => ({ id, verified, ...(message ? { message } : {}) })),
	}),
	setExceptionBreakpoints: (args: DebugProtocol.SetExceptionBreakpointsArguments) => {
		const known = new Set(exceptionFilters.map(({ filter }) => filter));
		session.debugger.exceptions.set(
			new Set(list(args.filters).filter((one: string): one is ExceptionFilter => known.has(one as ExceptionFilter))),
		);
		return undefined;
	},
	breakpointLocations: (args: DebugProtocol.BreakpointLocationsArguments) => {
		const file = session.sources.fileOf(args.source);
		const first = session.sources.lineIn(args.line);
		const last = session.sources.lineIn(args.endLine ?? args.line);
		const lines = new Set(
			session.debugger.breakpoints
				.programsOf(file)
				.flatMap((program) => program.attempt(() => program.info?.lines.linesWithCode(file)) ?? [])
				.filter((line) => line >= first && line <= last),
		);
		return { breakpoints: [...lines].sort((a, b) => a - b).map((line) => ({ line: session.sources.lineOut(line) })) };
	},
});
