import { at } from "./report.ts";
import type { Failure, Harm, Stop } from "./search.ts";

/** A failing schedule for its reader: what happens, who stops where, and how to see it again. */
export function renderHarm({ failure, stops, text }: Harm): string {
	const lines = stops.map((stop) => `  ${tellStop(stop)}\n`).join("");
	const how = stops.length === 0 ? "" : `In this schedule\n${lines}`;
	return `A schedule fails: ${tellFailure(failure)}\n${how}Run it again with --schedule ${text}\n`;
}

function tellFailure({ kind, run: { end, drifts } }: Failure): string {
	if (end.kind === "panic") return `the kernel panics: ${end.message}`;
	if (end.kind === "stall") return end.report.message;
	if (end.kind === "stuck") return "all harts are idle, and some process waits for a wakeup that never happens";
	if (end.kind === "timeout") return "the program takes more than ten times as long as by the plain schedule";
	if (drifts.length > 0) return drifts.map((one) => `${one.path}: ${one.before} before, ${one.after} after`).join("; ");
	return kind;
}

/** `hart 1 (pid 4 racer) stops before kernel/kalloc.c:77 in kalloc, for 4 rounds`. */
function tellStop({ decision, frame, process }: Stop): string {
	const who = process ? ` (pid ${process.pid} ${process.name})` : "";
	const where = `${at(frame)} in ${frame.function}`.trim();
	const what =
		"park" in decision
			? `stops before ${where}, for ${decision.park} ${decision.park === 1 ? "round" : "rounds"}`
			: `gets its timer interrupt before ${where}`;
	return `hart ${decision.hart}${who} ${what}`;
}
