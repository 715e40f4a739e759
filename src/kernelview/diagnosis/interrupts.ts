import { hex } from "../../common/bytes.ts";
import type { Hart } from "../../machine/types.ts";
import type { Diagnosis } from "../../protocol/diagnosis.ts";
import { CSR } from "../../riscv/csr.ts";
import { type Evidence, named } from "./evidence.ts";
import { patience } from "./spinning.ts";

/** Interrupt sources of the virt board that xv6 uses: the UART, and the disk in virtio slot 0. */
const devices = [
	{ source: 1, name: "disk (virtio)" },
	{ source: 10, name: "console (UART)" },
] as const;
const seie = 1n << 9n;
const sie = 2n;
/** A hart that is in one of these may complete it yet. */
const inHandler = /plic|devintr|externalintr|uartintr|virtio_disk_intr|consoleintr/;

/** Devices whose interrupts do not come through: claimed and never completed, or enabled nowhere. */
export function interrupts(evidence: Evidence): Diagnosis | undefined {
	const { plic, harts } = evidence.sources.machine;
	const busy = harts.some(({ id }) => handlesDevice(evidence.callsOn(id).map(({ name }) => name)));
	const claimed = devices.filter(({ source }) => plic.claimed(source));
	if (claimed.length > 0 && !busy) return notCompleted(evidence, claimed);
	const deaf = devices.filter(
		({ source }) => plic.pending(source) && !harts.some(({ id }) => heard(evidence, source, id)),
	);
	if (deaf.length > 0) return notEnabled(evidence, deaf);
	const pending = devices.filter(({ source }) => plic.pending(source));
	return pending.length > 0 && harts.every(({ id }) => isShut(evidence, id)) ? notTaken(evidence, pending) : undefined;
}

/** devintr() alone handles the interrupt of the timer where it calls clockintr(); one that it came on top of has a call of its own. */
function handlesDevice(calls: readonly string[]): boolean {
	const handlers = calls.filter((name) => inHandler.test(name)).length;
	return handlers > (calls.includes("clockintr") ? 1 : 0);
}

/** In the kernel with interrupts off, for so long that those of the timer would have come. */
function isShut({ sources, recorder }: Evidence, id: number): boolean {
	const { harts, instret } = sources.machine;
	const off = ((harts[id]?.csr(CSR.sstatus) ?? sie) & sie) === 0n;
	return off && harts[id]?.mode === 1 && instret - (recorder.lastTrap[id] ?? 0) > patience * harts.length;
}

function notTaken(evidence: Evidence, pending: readonly Device[]): Diagnosis {
	const { instret, harts } = evidence.sources.machine;
	const inScheduler = harts.every(({ id }) => evidence.callsOn(id).some(({ name }) => name === "scheduler"));
	const address = inScheduler ? evidence.symbols.symbol("scheduler") : undefined;
	const point = address === undefined ? undefined : evidence.point(address);
	return {
		kind: "no-device-interrupt",
		severity: "error",
		cause: `${capital(list(pending))} ${pending.length === 1 ? "is" : "are"} pending, and every hart keeps interrupts off (SIE in sstatus)${inScheduler ? ": scheduler() has to turn them on (intr_on) each time it looks for a process" : ""}.`,
		evidence: harts.map(({ id }) => {
			const since = instret - (evidence.recorder.lastTrap[id] ?? 0);
			return `hart ${id} has taken no interrupt for ${since.toLocaleString("en")} instructions`;
		}),
		frames: [],
		...(point ? { look: point } : {}),
		effects: effects(evidence),
		notes: [],
	};
}

type Device = (typeof devices)[number];

function heard({ sources }: Evidence, source: number, hart: number): boolean {
	const { plic, harts } = sources.machine;
	const passes = plic.enabled(source, hart) && plic.priority(source) > plic.threshold(hart);
	return passes && listens(harts[hart]);
}

const listens = (hart: Hart | undefined) => ((hart?.csr(CSR.sie) ?? 0n) & seie) !== 0n;

const list = (found: readonly Device[]) =>
	found.map(({ source, name }) => `interrupt ${source} of the ${name}`).join(" and ");

/** Who waits for it. */
function effects(evidence: Evidence): string[] {
	return evidence.look.processes.flatMap((process) => {
		if (process.state !== "SLEEPING") return [];
		const channel = evidence.sources.names.describe(process.chan) ?? hex(process.chan);
		const where = evidence.whereAsleep(process);
		return [`process ${process.pid} (${process.name}) sleeps on ${channel}${where ? ` in ${named(where)}` : ""}`];
	});
}

function notCompleted(evidence: Evidence, claimed: readonly Device[]): Diagnosis {
	const symbols = evidence.symbols;
	const complete = symbols.symbol("plic_complete");
	const handler = ["externalintr", "devintr"]
		.map((name) => symbols.symbol(name))
		.find((address) => address !== undefined);
	const point = handler === undefined ? undefined : evidence.point(handler);
	return {
		kind: "interrupt-not-completed",
		severity: "error",
		cause: `${capital(list(claimed))} ${claimed.length === 1 ? "was" : "were"} claimed and never completed, so the PLIC delivers no further one: ${complete === undefined ? "write its number back to the claim register" : "call plic_complete(irq)"} where the interrupt is handled${point?.function ? ` (${point.function})` : ""}.`,
		evidence: claimed.map(
			({ source, name }) =>
				`the PLIC has source ${source} (${name}) in service, and no hart is in the handler of a device`,
		),
		frames: [],
		...(point ? { look: point } : {}),
		effects: effects(evidence),
		notes: [],
	};
}

function notEnabled(evidence: Evidence, deaf: readonly Device[]): Diagnosis {
	const obstacles = new Map<string, Obstacle & { readonly sources: number[] }>();
	for (const { source } of deaf) {
		const obstacle = obstacleOf(evidence, source);
		const same = obstacles.get(obstacle.why);
		if (same) same.sources.push(source);
		else obstacles.set(obstacle.why, { ...obstacle, sources: [source] });
	}
	const all = [...obstacles.values()];
	const why = all.map((one) => (all.length === 1 ? one.why : `of ${one.sources.join(" and ")}, ${one.why}`)).join("; ");
	const address = evidence.symbols.symbol(all[0]?.setIn ?? "");
	const point = address === undefined ? undefined : evidence.point(address);
	return {
		kind: "no-device-interrupt",
		severity: "error",
		cause: `${capital(list(deaf))} ${deaf.length === 1 ? "is" : "are"} pending, and no hart can take ${deaf.length === 1 ? "it" : "them"}: ${why}.`,
		evidence: deaf.map(({ source, name }) => `source ${source} (${name}) is pending in the PLIC`),
		frames: [],
		...(point ? { look: point } : {}),
		effects: effects(evidence),
		notes: [],
	};
}

interface Obstacle {
	readonly why: string;
	/** The function of xv6 that writes the register. */
	readonly setIn?: string;
}

/** What keeps a pending interrupt from every hart, in the order in which it passes: PLIC specification 1.0, chapters 4 to 8, then sie. */
function obstacleOf(evidence: Evidence, source: number): Obstacle {
	const { plic, harts } = evidence.sources.machine;
	const obstacle = (setIn: string, why: string): Obstacle => ({
		why: evidence.symbols.symbol(setIn) === undefined ? why : `${why} (${setIn})`,
		setIn,
	});
	const priority = plic.priority(source);
	if (priority === 0) return obstacle("plicinit", "its priority in the PLIC is 0, which means never");
	const enabled = harts.filter(({ id }) => plic.enabled(source, id));
	if (enabled.length === 0) return obstacle("plicinithart", "it is enabled in the PLIC for no hart");
	const passed = enabled.filter(({ id }) => priority > plic.threshold(id));
	const [first] = enabled;
	if (passed.length === 0 && first) {
		const above = `its priority in the PLIC, ${priority}, is not above the threshold, ${plic.threshold(first.id)}`;
		return obstacle("plicinithart", enabled.length === 1 ? `${above}, of hart ${first.id}` : above);
	}
	if (!harts.some(listens)) return { why: "no hart has external interrupts on (SEIE in sie)" };
	const ids = passed.map(({ id }) => id);
	return {
		why: `the PLIC passes it to hart${ids.length === 1 ? "" : "s"} ${ids.join(", ")} only, where external interrupts are off (SEIE in sie)`,
	};
}

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
