import type { SourceTree } from "../common/sourceTree.ts";
import { nameInImage } from "./fsImage.ts";
import { machineWish } from "./machineWish.ts";
import { mainLine } from "./mainLine.ts";
import { planBuild, programsOf } from "./makefile/plan.ts";
import { TreeSnapshot } from "./snapshot.ts";
import type { MachineWish } from "./types.ts";

/** What a tree is, without building it: its programs and the machine it wants. */
interface TreeDescription {
	readonly programs: readonly {
		readonly name: string;
		readonly source: string;
		/** Line of the source (from 1) on which `main` is. */
		readonly main?: number;
	}[];
	readonly wish: MachineWish;
}

/** Throws UserError `not-an-xv6-tree` or `makefile-not-understood`. */
export async function describeTree(tree: SourceTree, signal?: AbortSignal): Promise<TreeDescription> {
	const snapshot = await TreeSnapshot.take(tree, undefined, signal);
	const plan = planBuild(snapshot.label, snapshot);
	const programs = programsOf(plan).map(({ path }) => {
		const link = plan.steps.get(path);
		const unit = plan.steps.get(link?.kind === "link" ? (link.inputs[0] ?? "") : "");
		const source = unit?.kind === "compile" ? unit.source : path;
		const main = mainLine(snapshot.text(source) ?? "");
		return { name: nameInImage(path), source, ...(main ? { main } : {}) };
	});
	return { programs, wish: machineWish(plan, snapshot) };
}
