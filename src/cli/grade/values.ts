import { hashOfText } from "../../env/node/resultsFile.ts";
import type { LabManifest } from "../../lab/manifest.ts";
import type { gradeCommand, parseCommand } from "../commandLine.ts";

/** The options of `xv6-lab grade`, as they were given. */
export type GradeValues = ReturnType<typeof parseCommand<typeof gradeCommand.options>>["values"];

export function manifestHash(manifest: LabManifest): string {
	return hashOfText(JSON.stringify(manifest));
}
