import * as v from "valibot";
import type { BuildOutput, UserProgram } from "../build/types.ts";
import { UserError } from "../common/errors.ts";
import type { MachineSurface } from "../machine/types.ts";
import { KernelView, type ViewOptions } from "./kernelView.ts";
import { type RegionDescription, regionDescriptionSchema } from "./regionDescription.ts";

/** What a view needs of a build. */
export type ObservedBuild = Pick<BuildOutput, "kernel"> & {
	readonly programs: readonly Pick<UserProgram, "name" | "elf">[];
};

/** Checks the `regions` of a lab.json. Throws UserError `lab-manifest-invalid`. */
export function parseRegions(regions: unknown): readonly RegionDescription[] {
	const result = v.safeParse(v.array(regionDescriptionSchema), regions ?? []);
	if (result.success) return result.output;
	const issue = result.issues[0];
	throw new UserError(
		"lab-manifest-invalid",
		`Field regions.${v.getDotPath(issue) ?? ""} is wrong: ${issue.message}`,
		"Correct the manifest; docs/memory-report.md describes how regions are described.",
	);
}

/** A view of a machine that runs a build, with the fault log on. Dispose it before the machine. `options`: see ViewOptions. */
export function observeKernel(
	machine: MachineSurface,
	build: ObservedBuild,
	regions?: unknown,
	options: Pick<ViewOptions, "steps"> = {},
): KernelView {
	const programs = new Map(build.programs.map(({ name, elf }) => [name, elf]));
	const view = new KernelView(machine, build.kernel, programs, { regions: parseRegions(regions), ...options });
	view.attach();
	return view;
}
