import type { Waiter, Waits } from "../kernelview/waits.ts";
import { type CountedMachine, ProgressWatch, type Waiting } from "./progress.ts";

/** `ticks` in all trees that descend from xv6. */
const clock = /^ticks\b/;
/** `cons.r`, or the name of a console structure that a course chose. */
const consoleChannel = /^(?:cons|console|uart_?rx|input)\b/;
/** Those who wait for a child say nothing about why the child does not end. */
const forChild = /^(?:proc\b|initproc\b)/;

/** The watch over a machine whose kernel is seen, or is not. */
export const watchProgress = (machine: CountedMachine, view: () => { waits?(): Waits } | undefined): ProgressWatch =>
	new ProgressWatch(machine, () => {
		const waits = view()?.waits?.();
		return waits && waitingOf(waits);
	});

/** What processes wait for, by the channels that they sleep on. Undefined: the kernel does not tell. */
export function waitingOf({ processes, ticks }: Waits): Waiting | undefined {
	const alive = processes.filter(({ state }) => state !== "UNUSED" && state !== "ZOMBIE");
	if (alive.length === 0) return undefined;
	// Each tick wakes whoever sleeps for several, to sleep again.
	const isAwake = ({ state, nap }: Waiter) => state !== "SLEEPING" && nap !== undefined;
	if (alive.some((process) => process.state !== "SLEEPING" && !isAwake(process))) return { kind: "kernel" };
	if (alive.some((process) => process.sleepsOn === undefined && !isAwake(process))) return undefined;
	const dozing = alive.filter((process) => isAwake(process) || clock.test(process.sleepsOn ?? ""));
	if (dozing.length > 0) return { kind: "time", ticks, naps: dozing.map(({ nap }) => nap) };
	const reader = alive.find(({ sleepsOn }) => consoleChannel.test(sleepsOn ?? ""));
	const shown = alive.filter(({ sleepsOn }) => !forChild.test(sleepsOn ?? ""));
	const who = (shown.length > 0 ? shown : alive)
		.map(({ pid, name, sleepsOn }) => `pid ${pid} ${name} sleeps on ${sleepsOn}`)
		.join(", ");
	return reader ? { kind: "input", who } : { kind: "events", who };
}
