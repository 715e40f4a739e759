import type { Diagnosis } from "../../protocol/diagnosis.ts";
import type { Leaver } from "../findings/panic.ts";
import { isPanicked, type Sources } from "../look.ts";
import { type Evidence, named } from "./evidence.ts";
import { framesOf, kernelCalls } from "./kernelCalls.ts";
import { kernelFault } from "./kernelFaults.ts";
import { lockPanic } from "./lockPanics.ts";
import { pageTablePanic } from "./pageTablePanics.ts";

/** The panic's own words, without the line that announces it. */
function words({ end }: Evidence): string | undefined {
	const line = end.message ?? /^.*panic: ?(.*?)\r?$/im.exec(end.output ?? "")?.[1];
	return line === undefined ? undefined : line.trim();
}

/**
 * Whether the kernel has panicked, as its variable and the harts' calls say; undefined: it has no such variable. A program may print the
 * words of a panic, too.
 */
export function saysPanicked(sources: Sources): boolean | undefined {
	if (sources.names.panicked === undefined) return undefined;
	sources.memory.refresh();
	if (isPanicked(sources)) return true;
	const { harts } = sources.machine;
	return harts.some(
		(hart) => hart.mode === 1 && kernelCalls(sources, hart.pc, hart).some(({ name }) => /panic/i.test(name)),
	);
}

/** Why the kernel panicked: as close to the cause as memory tells. */
export function panicked(evidence: Evidence, leaver: Leaver | undefined): Diagnosis {
	const panicking = evidence.panicking();
	const said = words(evidence);
	const quoted = said === undefined ? undefined : `panic: ${said}`;
	const calls = panicking?.calls ?? [];
	const { recorder } = evidence;
	const [trap] = recorder.kernelTraps;
	const own = calls.some(({ name }) => name === "kerneltrap") || (calls.length < 3 && /kerneltrap/.test(said ?? ""));
	if (trap && own) return kernelFault(evidence, trap, quoted);
	const hart = panicking?.hart;
	// usertrap refuses what came from supervisor mode.
	const sent = calls.some(({ name }) => name === "usertrap")
		? recorder.kernelTraps.findLast((one) => one.hart === hart)
		: undefined;
	if (sent?.bySret) return kernelFault(evidence, sent, quoted);
	const process = panicking?.process;
	const during = evidence.during(process);
	const base = {
		severity: "error" as const,
		...(quoted !== undefined ? { said: quoted } : {}),
		...(process ? { process: { pid: process.pid, name: process.name } } : {}),
		...(hart !== undefined ? { hart } : {}),
		...(during !== undefined ? { during } : {}),
		frames: framesOf(calls.slice(1)),
		effects: [],
	};
	const caller = calls[1];
	const here =
		caller?.file !== undefined && caller.line !== undefined
			? { look: { file: caller.file, line: caller.line, function: caller.name } }
			: {};
	if (hart !== undefined) {
		const lock = lockPanic(evidence, said ?? "", hart, calls);
		if (lock) return { ...base, ...here, kind: "lock-panic", ...lock };
	}
	const table = pageTablePanic(evidence, said ?? "", calls, leaver, hart);
	// Who runs is not always whose table it is: wait() frees that of a child.
	if (table) return { ...here, kind: "page-table-panic", ...table, ...base };
	const outer = calls[2];
	const why =
		caller === undefined
			? `The kernel panicked${said === undefined ? "" : `: ${said}`}.`
			: `The kernel panicked in ${named(caller)}${outer ? `, called by ${named(outer)}` : ""}${said === undefined ? "" : `: ${said}`}.`;
	return {
		...base,
		...here,
		kind: "panic",
		cause: why,
		evidence: [],
		notes: panicking ? [] : ["No stack of a hart or process leads to panic(): the calls are not known"],
	};
}
