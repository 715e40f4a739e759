import { UserError } from "../../common/errors.ts";
import type { Results } from "../../grade/class/results.ts";
import type { ClassScore } from "../../grade/class/score.ts";
import type { GradeValues } from "../grade.ts";

export async function runMerge(_files: readonly string[], _values: GradeValues): Promise<number> {
	throw new UserError("usage", "later", "later");
}
export async function runReport(_files: readonly string[], _values: GradeValues): Promise<number> {
	throw new UserError("usage", "later", "later");
}
export async function runVerify(_files: readonly string[], _values: GradeValues): Promise<number> {
	throw new UserError("usage", "later", "later");
}
export async function writeReports(_folder: string, _results: Results, _score: ClassScore): Promise<void> {}
