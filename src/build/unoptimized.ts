import type { BuildPlan } from "./makefile/plan.ts";

/** The plan with -O0 for whatever the Makefile says: every variable has a value at every line, and the code is twice as long. */
export function unoptimized(plan: BuildPlan): BuildPlan {
	const steps = new Map(plan.steps);
	for (const [path, step] of steps) {
		if (step.kind !== "compile" || step.target !== "riscv64") continue;
		steps.set(path, { ...step, flags: [...step.flags.filter((flag) => !/^-O(\d|s|z|g|fast)?$/.test(flag)), "-O0"] });
	}
	return { ...plan, steps };
}
