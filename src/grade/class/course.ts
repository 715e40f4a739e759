import * as v from "valibot";
import type { LabManifest } from "../../lab/manifest.ts";
import type { GradeTest } from "../types.ts";

/** A course's own grade script, as the results of a class keep it: with them it can be judged again. */
export const courseScriptSchema = v.object({
	/** `grade-lab-util` */
	name: v.string(),
	text: v.string(),
	tests: v.array(v.object({ id: v.string(), title: v.string(), points: v.number() })),
});

export type CourseScript = v.InferOutput<typeof courseScriptSchema>;

export function courseScript(name: string, text: string, tests: readonly GradeTest[]): CourseScript {
	return { name, text, tests: tests.map(({ id, title, points }) => ({ id, title: title.trim(), points })) };
}

/** The script's tests as those of a lab: what they expect, the script knows. */
export function scriptManifest({ name, tests }: CourseScript): LabManifest {
	return {
		...{ id: name, title: name, course: name, handout: "README.md", programs: [], knownFailures: [] },
		tasks: [{ id: name, title: name }],
		tests: tests.map(({ id, title, points }) => ({
			...{ id, title, points, task: name, program: name, budget: 1_000_000 },
			expect: { match: "contains", output: "" },
		})),
	};
}
