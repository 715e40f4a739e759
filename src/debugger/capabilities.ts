import type { DebugProtocol } from "@vscode/debugprotocol";
import { exceptionFilters } from "./exceptions.ts";

/** What the debugger can do, in the words of the Debug Adapter Protocol. */
export const capabilities: DebugProtocol.Capabilities = {
	supportsConfigurationDoneRequest: true,
	supportsFunctionBreakpoints: true,
	supportsConditionalBreakpoints: true,
	supportsHitConditionalBreakpoints: true,
	supportsLogPoints: true,
	supportsEvaluateForHovers: true,
	supportsSetVariable: true,
	supportsSetExpression: true,
	supportsExceptionInfoRequest: true,
	supportsDataBreakpoints: true,
	supportsDataBreakpointBytes: true,
	supportsInstructionBreakpoints: true,
	supportsDisassembleRequest: true,
	supportsReadMemoryRequest: true,
	supportsWriteMemoryRequest: true,
	supportsSteppingGranularity: true,
	supportsStepBack: true,
	supportsRestartRequest: true,
	supportsTerminateRequest: true,
	supportsBreakpointLocationsRequest: true,
	supportsValueFormattingOptions: true,
	supportsClipboardContext: true,
	supportsDelayedStackTraceLoading: true,
	exceptionBreakpointFilters: exceptionFilters.map(({ filter, label, description, default: on }) => ({
		filter,
		label,
		description,
		default: on,
	})),
};
