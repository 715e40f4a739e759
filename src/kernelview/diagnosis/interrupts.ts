import type { Diagnosis } from "../../protocol/diagnosis.ts";
import { CSR } from "../../riscv/csr.ts";
import { type Evidence, named } from "./evidence.ts";

/** Interrupt sources of the virt board that xv6 uses: the UART, and the disk in virtio slot 0. */
const devices = [
	{ source: 1, name: "disk (virtio)" },
	{ source: 10, name: "console (UART)" },
] as const;
const seie = 1n << 9n;
/** A hart that is in one of these may complete it yet. */
const inHandler = /plic|devintr|externalintr|uartintr|virtio_disk_intr|consoleintr/;

/** Devices whose interrupts do not come through: claimed and never completed, or enabled nowhere. */
export function interrupts(evidence: Evidence): Diagnosis | undefined {
	const { plic, harts } = evidence.sources.machine;
	const busy = harts.some(({ id }) => evidence.callsOn(id).some(({ name }) => inHandler.test(name)));
	const claimed = devices.filter(({ source }) => plic.claimed(source));
	if (claimed.length > 0 && !busy) return notCompleted(evidence, claimed);
	const deaf = devices.filter(
		({ source }) => plic.pending(source) && !harts.some(({ id }) => heard(evidence, source, id)),
	);
	return deaf.length > 0 ? notEnabled(evidence, deaf) : undefined;
}

type Device = (typeof devices)[number];

function heard({ sources }: Evidence, source: number, hart: number): boolean {
	const { plic, harts } = sources.machine;
	return plic.reaches(source, hart) && ((harts[hart]?.csr(CSR.sie) ?? 0n) & seie) !== 0n;
}

const list = (found: readonly Device[]) =>
	found.map(({ source, name }) => `interrupt ${source} of the ${name}`).join(" and ");

/** Who waits for it. */
function effects(evidence: Evidence): string[] {
	return evidence.look.processes.flatMap((process) => {
		if (process.state !== "SLEEPING") return [];
		const channel = evidence.sources.names.describe(process.chan) ?? `0x${process.chan.toString(16)}`;
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
				`the PLIC has source ${source} (${name}) in service, and no hart is in an interrupt handler`,
		),
		frames: [],
		...(point ? { look: point } : {}),
		effects: effects(evidence),
		notes: [],
	};
}

function notEnabled(evidence: Evidence, deaf: readonly Device[]): Diagnosis {
	const { plic, harts } = evidence.sources.machine;
	const inPlic = deaf.some(({ source }) => harts.some(({ id }) => plic.reaches(source, id)));
	const address = ["plicinithart", "plicinit"]
		.map((name) => evidence.symbols.symbol(name))
		.find((known) => known !== undefined);
	const point = address === undefined || inPlic ? undefined : evidence.point(address);
	const why = inPlic
		? "no hart has external interrupts on (SEIE in sie)"
		: "the PLIC passes it to no hart: its priority is 0 (plicinit), it is not enabled (plicinithart), or the threshold is too high";
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

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
