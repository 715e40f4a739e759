import { availableParallelism, totalmem } from "node:os";
import { hashOfText } from "../../env/node/resultsFile.ts";
import type { Policy } from "../../grade/class/policy.ts";
import type { LabManifest } from "../../lab/manifest.ts";
import type { gradeCommand, parseCommand } from "../commandLine.ts";

/** The options of `xv6-lab grade`, as they were given. */
export type GradeValues = ReturnType<typeof parseCommand<typeof gradeCommand.options>>["values"];

export function manifestHash(manifest: LabManifest): string {
	return hashOfText(JSON.stringify(manifest));
}

/** As many as there are processors, and as there is memory for. */
export function defaultJobs({ memoryMiB }: Policy): number {
	const byMemory = Math.floor(totalmem() / 2 / (memoryMiB * 1024 * 1024));
	return Math.max(1, Math.min(availableParallelism(), byMemory));
}
