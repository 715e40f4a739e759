import * as layout from "../machine/core/layout.ts";
import type { Machine } from "../machine/machine.ts";
import { exceptions } from "../riscv/causes.ts";

const interruptNames: Record<number, string> = {
	1: "supervisor software",
	3: "machine software",
	5: "supervisor timer",
	7: "machine timer",
	9: "supervisor external",
	11: "machine external",
};

/** `--stats`, on standard error. */
export function printStatistics(machine: Machine, seconds: number): void {
	const count = (address: number) => machine.statistic(address);
	const rows: [string, string][] = [
		["instructions", machine.instret.toLocaleString("en")],
		["seconds", seconds.toFixed(2)],
		["speed", `${(machine.instret / seconds / 1e6).toFixed(0)} MIPS`],
		["in bulk (fill, copy, compare)", count(layout.S_BULK_STEPS).toLocaleString("en")],
		["TLB misses", count(layout.S_TLB_MISSES).toLocaleString("en")],
		["page-table walks", count(layout.S_WALKS).toLocaleString("en")],
		["device accesses", count(layout.S_DEVICE_ACCESSES).toLocaleString("en")],
	];
	for (let cause = 0; cause < 16; cause++) {
		const taken = count(layout.S_EXCEPTIONS + 8 * cause);
		const name = exceptions.find((exception) => exception.code === cause)?.name ?? `cause ${cause}`;
		if (taken > 0) rows.push([`trap: ${name}`, taken.toLocaleString("en")]);
	}
	for (let cause = 0; cause < 16; cause++) {
		const taken = count(layout.S_INTERRUPTS + 8 * cause);
		if (taken > 0) rows.push([`interrupt: ${interruptNames[cause] ?? cause}`, taken.toLocaleString("en")]);
	}
	const width = Math.max(...rows.map(([name]) => name.length));
	process.stderr.write(`\n${rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`).join("\n")}\n`);
}
