import { hex } from "../common/bytes.ts";
import type { ProgramSymbols } from "../debuginfo/symbolizer.ts";
import type { BenignRace } from "../lab/manifest.ts";
import { isBenign, withoutIndex } from "./benign.ts";
import type { Drift } from "./counts.ts";
import { frameAt, type Moment } from "./moment.ts";
import type { Point, Suspicion } from "./records.ts";
import type { Finding, Place } from "./report.ts";
import type { Variables } from "./variables.ts";
import { titleOf, whyOf } from "./words.ts";

const races: readonly Suspicion["kind"][] = ["race", "no-common-lock"];
const stale: readonly Suspicion["kind"][] = ["stale-mapping", "stale-space"];

/** One for each pair of functions and variable, of the many instructions and processes. */
export function distinct(all: readonly Suspicion[], kernel: ProgramSymbols, names: Variables): readonly Suspicion[] {
	const found = new Map<string, Suspicion>();
	for (const one of all) {
		const functions = one.points.map(({ pc }) => kernel.place(pc).function ?? "").sort();
		const kind = races.includes(one.kind) ? "race" : one.kind;
		const variable = stale.includes(kind) ? "" : withoutIndex(names.name(one.address, one.beside));
		const key = [kind, variable, ...functions].join("\n");
		if (!found.has(key)) found.set(key, one);
	}
	return [...found.values()];
}

export function isBenignRace(
	{ kind, address, points, beside }: Suspicion,
	kernel: ProgramSymbols,
	names: Variables,
	list: readonly BenignRace[],
): boolean {
	if (!races.includes(kind)) return false;
	const functions = points.flatMap(({ pc }) => {
		const place = kernel.place(pc);
		return [place.function ?? "", place.symbol ?? "", ...(place.inlinedInto ?? []).map((one) => one.function)];
	});
	const inAge = list.filter(({ without }) => without === undefined || kernel.symbol(without) === undefined);
	return isBenign(inAge, functions, names.name(address, beside));
}

/** Calls whose own frame says nothing: the line that called them does. */
const calls: Partial<Record<Point["does"], string>> = { acquire: "acquire", wait: "acquire", release: "release" };

export function describe(
	one: Suspicion,
	kernel: ProgramSymbols,
	names: Variables,
	moments: ReadonlyMap<number, Moment>,
): Finding {
	const places = one.points.map((point): Place => {
		const moment = moments.get(point.record);
		const isOutside = point.does === "return" || !moment || moment.stack.length === 0;
		const stack = isOutside ? [frameAt(kernel, point.pc)] : moment.stack;
		const inner = stack.length > 1 && stack[0]?.function === calls[point.does] ? stack.slice(1) : stack;
		return {
			does: point.does,
			size: point.size,
			hart: point.hart,
			step: moment?.step ?? 0,
			process: moment?.process,
			stack: inner,
			locks: (moment?.locks ?? []).map(({ lock, pc }) => ({ name: names.lockName(lock), at: frameAt(kernel, pc - 1) })),
		};
	});
	const variable = nameOf(one, names);
	const other = one.other === undefined ? undefined : names.lockName(one.other);
	const told = { kind: one.kind, variable, places, ...(other === undefined ? {} : { other }) };
	return { kind: one.kind, variable, title: titleOf(told), why: whyOf(told), places };
}

function nameOf({ kind, address, beside }: Suspicion, names: Variables): string {
	if (races.includes(kind)) return names.name(address, beside);
	if (stale.includes(kind)) return hex(address);
	return names.lockName(address);
}

export function describeDrift({ path, before, after, elements }: Drift): Finding {
	const variable = path;
	const isFrames = path === "free frames";
	const title = isFrames
		? `${Math.abs(after - before)} ${after < before ? "fewer" : "more"} free frames after the command than before it`
		: `${path}: ${before} before the command, ${after} after it`;
	const why = `At the prompt the same processes exist as before. ${
		isFrames
			? after < before
				? "What the command took from kalloc() was not all given back."
				: "A frame was freed that was still in use, or twice."
			: after > before
				? `Somebody counted a reference and did not give it back. ${elements.join(", ")}.`
				: `A reference was given back twice, or an increment was lost. ${elements.join(", ")}.`
	}`;
	return { kind: "count-drift", variable, title, why, places: [] };
}
