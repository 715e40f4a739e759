import * as v from "valibot";
import { type BenignRace, benignRaceSchema } from "../lab/manifest.ts";
import own from "./benign.json" with { type: "json" };

/** Those of xv6 itself. */
export const knownBenign: readonly BenignRace[] = v.parse(v.array(benignRaceSchema), own);

/** Any index is as good as another: `proc[*].state`. */
export function withoutIndex(variable: string): string {
	return variable.replace(/\[\d+\]/g, "[*]").replace(/ at 0x[0-9a-f]+/g, "");
}

/** `functions`: those that the two accesses are in, inlined or not. */
export function isBenign(list: readonly BenignRace[], functions: readonly string[], variable: string): boolean {
	return list.some(
		(one) =>
			(one.function !== undefined || one.variable !== undefined) &&
			(one.function === undefined || functions.includes(one.function)) &&
			(one.variable === undefined || withoutIndex(variable) === one.variable),
	);
}
