import { hex } from "../../common/bytes.ts";
import type { Diagnosis } from "../../protocol/diagnosis.ts";
import { CSR } from "../../riscv/csr.ts";
import type { Evidence } from "./evidence.ts";

const pmpcfg0 = 0x3a0;
const pmpcfg2 = 0x3a2;
/** The A field of each of the eight entries of a register: 0 is off (privileged ISA, 3.7.1). */
const modes = 0x1818181818181818n;

const fetchAccessFault = 1n;

const advice = "Add w_pmpaddr0(0x3fffffffffffffull) and w_pmpcfg0(0xf) to start().";

function startOf(evidence: Evidence) {
	const start = evidence.symbols.symbol("start");
	return start === undefined ? undefined : evidence.point(start);
}

/** The first fetch in supervisor mode was denied, and the trap went to machine mode, which has no handler yet. */
export function pmpDenied(evidence: Evidence): Diagnosis | undefined {
	// Where faults are delegated the trap goes to supervisor mode, which may not fetch its handler either; the watchdog has seen that.
	const wasSeen = evidence.end.report?.kind === "pmp-denied";
	const hart = evidence.sources.machine.harts.find(
		({ mode, csr }) =>
			(wasSeen || (mode === 3 && csr(CSR.mcause) === fetchAccessFault)) && isOff(csr(pmpcfg0)) && isOff(csr(pmpcfg2)),
	);
	// A hart that never came to supervisor mode: the kernel has set up nothing.
	if (!hart || evidence.look.processes.length > 0) return undefined;
	const point = startOf(evidence);
	return {
		kind: "no-pmp",
		severity: "error",
		cause: `start()${point ? ` (${point.file}:${point.line})` : ""} gives supervisor mode no PMP entry that matches memory, so that the hart may not fetch its first instruction after mret. ${advice}`,
		hart: hart.id,
		evidence: [
			wasSeen
				? `all PMP entries of hart ${hart.id} are off, and supervisor mode was denied its fetches`
				: `all PMP entries of hart ${hart.id} are off, and its fetch at ${hex(hart.csr(CSR.mepc) ?? 0n)} was denied (mcause 1)`,
		],
		frames: [],
		...(point ? { look: point } : {}),
		effects: [],
		notes: [],
	};
}

const isOff = (config: bigint | undefined) => config !== undefined && (config & modes) === 0n;

/** A kernel in supervisor mode without a PMP entry: machines that enforce PMP, as QEMU has since 2022, let it touch nothing. */
export function noPmp(evidence: Evidence): Diagnosis | undefined {
	const hart = evidence.sources.machine.harts.find((candidate) => candidate.mode !== 3);
	const config = [pmpcfg0, pmpcfg2].map((number) => hart?.csr(number));
	if (!hart || config[0] === undefined || config.some((value) => ((value ?? 0n) & modes) !== 0n)) return undefined;
	const point = startOf(evidence);
	return {
		kind: "no-pmp",
		severity: "note",
		cause: `start()${point ? ` (${point.file}:${point.line})` : ""} gives supervisor mode no PMP entry: this kernel hangs at its first instruction after mret on machines that enforce PMP, such as QEMU from 7.0 on. ${advice}`,
		evidence: [`all PMP entries of hart ${hart.id} are off`],
		frames: [],
		...(point ? { look: point } : {}),
		effects: [],
		notes: ["PMP is not enforced in this run"],
	};
}
