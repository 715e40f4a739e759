import * as v from "valibot";
import { UserError } from "../../common/errors.ts";
import type { LabManifest, LabTest } from "../../lab/manifest.ts";

const whole = (low: number, high: number) => v.pipe(v.number(), v.integer(), v.minValue(low), v.maxValue(high));

/** What is tried on each kernel, and what counts. A file of JSON, `--policy`. */
export const policySchema = v.strictObject({
	/** Only the tests of these tasks, and these tests; default: the whole lab. */
	tasks: v.optional(v.array(v.string())),
	tests: v.optional(v.array(v.string())),
	/** Further schedules for the tests that the lab calls concurrent; the first one that fails fails the test. */
	seeds: v.optional(whole(0, 1000), 0),
	/** So many directed schedules of these: harts stop at races and at shared memory. The first one that fails fails the test. */
	schedules: v.optional(whole(0, 1000), 0),
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

/** What counts of a lab. Throws for a task or a test that the lab does not have. */
export function judgedTests({ id, tasks, tests }: LabManifest, policy: Policy): readonly LabTest[] {
	if (!policy.tasks && !policy.tests) return tests;
	const unknown = [
		...(policy.tasks ?? []).filter((name) => !tasks.some((task) => task.id === name)).map((name) => `task ${name}`),
		...(policy.tests ?? []).filter((name) => !tests.some((test) => test.id === name)).map((name) => `test ${name}`),
	];
	if (unknown.length > 0) {
		const next = "The lab's tasks and tests are in its lab.json; `xv6-lab test` lists them, too.";
		throw new UserError("grading-policy", `Lab ${id} has no ${unknown.join(", ")}`, next);
	}
	return tests.filter((test) => policy.tasks?.includes(test.task) || policy.tests?.includes(test.id));
}

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
