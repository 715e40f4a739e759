import { runScript } from "../grade/runScript.ts";
import type { GradeJob, GradeMessage } from "../grade/types.ts";

/** Runs the one script that it is sent. What goes wrong in us ends the worker, by the handler of its platform. */
export function serveGrade(
	post: (message: GradeMessage) => void,
	onJob: (listener: (job: GradeJob) => void) => void,
	now: () => number,
): void {
	onJob((job) => {
		runScript(job, post, now).catch((error: unknown) => {
			setTimeout(() => {
				throw error;
			});
		});
	});
}
