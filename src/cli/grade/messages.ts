import type { UserErrorData } from "../../common/errors.ts";
import type { CourseScript } from "../../grade/class/course.ts";
import type { BuildAnswer, ReadAnswer } from "../../grade/class/grade.ts";
import type { Unit, UnitResult } from "../../grade/class/lines.ts";
import type { Policy } from "../../grade/class/policy.ts";

/** What a class is judged by. */
export interface Course {
	/** Id of the lab; not looked at where there is a script. */
	readonly lab: string;
	readonly script?: CourseScript;
}

/** What a class's process and its judges say to each other, over Node's IPC channel. One request at a time. */
export type ToJudge =
	| { readonly ask: "open"; readonly course: Course; readonly policy: Policy }
	/** `path`: of the folder or archive. */
	| { readonly ask: "read"; readonly path: string }
	| { readonly ask: "build" }
	/** `record`: a folder for the runs of tests that fail, a file each. */
	| { readonly ask: "run"; readonly units: readonly Unit[]; readonly record?: string };

export type FromJudge =
	| { readonly kind: "ready" }
	| { readonly kind: "read"; readonly answer: ReadAnswer }
	| { readonly kind: "built"; readonly answer: BuildAnswer }
	| { readonly kind: "begin"; readonly unit: Unit }
	| { readonly kind: "result"; readonly result: UnitResult }
	| { readonly kind: "ran" }
	/** A defect of ours, or something that no submission can be blamed for. */
	| { readonly kind: "failed"; readonly error: UserErrorData | string };
