import * as v from "valibot";
import { UserError } from "../../common/errors.ts";

const whole = (low: number, high: number) => v.pipe(v.number(), v.integer(), v.minValue(low), v.maxValue(high));

/** What is tried on each kernel, and what counts. A file of JSON, `--policy`. */
export const policySchema = v.strictObject({
	/** Further schedules for the tests that the lab calls concurrent; the first one that fails fails the test. */
	seeds: v.optional(whole(0, 1000), 0),
	/** The detectors' run of the concurrent tests: not at all, told but without a price, or a finding fails the test. */
	detectors: v.optional(v.picklist(["off", "report", "fail"]), "report"),
	/** A test whose evidence is missing counts as passed. */
	uncheckedPasses: v.optional(v.boolean(), false),
	/** Default: what each tree's Makefile says. */
	harts: v.optional(whole(1, 8)),
	/** CPU seconds that one piece of work may take: reading and building a submission, one test. */
	cpuSeconds: v.optional(whole(1, 3600), 120),
	/** Memory of the process that judges, in MiB. */
	memoryMiB: v.optional(whole(256, 16384), 2048),
});

export type Policy = v.InferOutput<typeof policySchema>;

export const defaultPolicy: Policy = v.parse(policySchema, {});

export function parsePolicy(text: string, file: string): Policy {
	const invalid = (what: string) =>
		new UserError("grading-policy", what, "docs/grading.md has the fields of a policy.", { file });
	let data: unknown;
	try {
		data = JSON.parse(text);
	} catch (error) {
		throw invalid(`This is not JSON: ${(error as Error).message}`);
	}
	const result = v.safeParse(policySchema, data);
	if (result.success) return result.output;
	const issue = result.issues[0];
	throw invalid(`Field ${v.getDotPath(issue) ?? "(the policy)"} is wrong: ${issue.message}`);
}
