import { availableParallelism, totalmem } from "node:os";
import { hashOfText } from "../../env/node/resultsFile.ts";
import { scriptManifest } from "../../grade/class/course.ts";
import type { Policy } from "../../grade/class/policy.ts";
import type { LabManifest } from "../../lab/manifest.ts";
import { openCatalog } from "../assets.ts";
import type { gradeCommand, parseCommand } from "../commandLine.ts";
import type { Course } from "./messages.ts";

/** The options of `xv6-lab grade`, as they were given. */
export type GradeValues = ReturnType<typeof parseCommand<typeof gradeCommand.options>>["values"];

/** The tests that judge. Throws where there is no such lab. */
export async function manifestOf({ lab, script }: Course): Promise<LabManifest> {
	return script ? scriptManifest(script) : openCatalog().manifest(lab);
}

/** Of all that makes a verdict, but the engine and the tree. */
export function courseHash(course: Course, manifest: LabManifest): string {
	return course.script ? hashOfText(JSON.stringify(course.script)) : manifestHash(manifest);
}

function manifestHash(manifest: LabManifest): string {
	return hashOfText(JSON.stringify(manifest));
}

/** As many as there are processors, and as there is memory for. */
export function defaultJobs({ memoryMiB }: Policy): number {
	const byMemory = Math.floor(totalmem() / 2 / (memoryMiB * 1024 * 1024));
	return Math.max(1, Math.min(availableParallelism(), byMemory));
}
