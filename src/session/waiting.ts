import type { KernelModel } from "../protocol/kernelModel.ts";
import type { Waiting } from "./progress.ts";

/** `ticks` in all trees that descend from xv6. */
const clock = /^ticks\b/;
/** `cons.r`, or the name of a console structure that a course chose. */
const consoleChannel = /^(?:cons|console|uart_?rx|input)\b/;
/** Those who wait for a child say nothing about why the child does not end. */
const forChild = /^(?:proc\b|initproc\b)/;

/** What processes wait for, by the channels that they sleep on. Undefined: the kernel does not tell. */
export function waitingOf(model: Pick<KernelModel, "processes">): Waiting | undefined {
	const alive = model.processes.filter(({ state }) => state !== "UNUSED" && state !== "ZOMBIE");
	if (alive.length === 0) return undefined;
	if (alive.some(({ state }) => state !== "SLEEPING")) return { kind: "kernel" };
	if (alive.some(({ sleepsOn }) => sleepsOn === undefined)) return undefined;
	if (alive.some(({ sleepsOn }) => clock.test(sleepsOn ?? ""))) return { kind: "time" };
	const reader = alive.find(({ sleepsOn }) => consoleChannel.test(sleepsOn ?? ""));
	const shown = alive.filter(({ sleepsOn }) => !forChild.test(sleepsOn ?? ""));
	const who = (shown.length > 0 ? shown : alive)
		.map(({ pid, name, sleepsOn }) => `pid ${pid} ${name} sleeps on ${sleepsOn}`)
		.join(", ");
	return reader ? { kind: "input", who } : { kind: "events", who };
}
