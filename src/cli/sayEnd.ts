import type { Instructions } from "../machine/types.ts";
import type { Diagnosis } from "../protocol/diagnosis.ts";
import { type CommandEnd, describeEnd } from "../session/commandEnd.ts";

/** Says on stderr how a run ended, unless the diagnosis of a panic, which quotes it, has been said. */
export function sayEnd(end: CommandEnd, instructions: Instructions, diagnoses: readonly Diagnosis[]): void {
	const why = describeEnd(end, instructions);
	const isTold = end.kind === "panic" && diagnoses.some(({ severity }) => severity === "error");
	if (why !== "" && !isTold) process.stderr.write(`\nxv6-lab: ${why}\n`);
}
