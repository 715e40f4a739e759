import type { Waiter, Waits } from "../kernelview/waits.ts";
import { type CountedMachine, ProgressWatch, type Waiting } from "./progress.ts";

/** `ticks` in all trees that descend from xv6. */
const clock = /^ticks\b/;
/** `cons.r`, or the name of a console structure that a course chose. */
const consoleChannel = /^(?:cons|console|uart_?rx|input)\b/;
/** Those who wait for a child say nothing about why the child does not end. */
const forChild = /^(?:proc\b|initproc\b)/;

/** What a view of a kernel tells, as far as it does. */
export interface WatchedView {
	waits?(): Waits;
	panicked?(): boolean | undefined;
}

/** The watch over a machine whose kernel is seen, or is not. */
export const watchProgress = (machine: CountedMachine, view: () => WatchedView | undefined): ProgressWatch =>
	new ProgressWatch(machine, {
		waiting: (without) => {
			const waits = view()?.waits?.();
			return waits && waitingOf(waits, without);
		},
		panicked: () => view()?.panicked?.(),
	});

/** What processes wait for, by the channels that they sleep on, without those on some harts. Undefined: the kernel does not tell. */
export function waitingOf({ processes, ticks }: Waits, without: readonly number[] = []): Waiting | undefined {
	const isOn = ({ hart }: Waiter) => hart !== undefined && without.includes(hart);
	const all = processes.filter(({ state }) => state !== "UNUSED" && state !== "ZOMBIE");
	if (all.length === 0) return undefined;
	const alive = all.filter((process) => !isOn(process));
	if (alive.length === 0) return { kind: "events", who: "" };
	// Each tick wakes those who sleep for several, to sleep again.
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
	return reader ? { kind: "input", who, reader: reader.pid } : { kind: "events", who };
}
