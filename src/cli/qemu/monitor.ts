import type { Hart, MachineSurface } from "../../machine/types.ts";
import { CSR } from "../../riscv/csr.ts";
import { floatRegisters, integerRegisters } from "../../riscv/registers.ts";

const hex = (value: bigint) => value.toString(16).padStart(16, "0");

/** As QEMU's `info mem` prints it: virtual range, physical start, flags. */
export function pageTableText(machine: MachineSurface): string {
	const hart = machine.harts.find(({ mode }) => mode !== 3) ?? machine.harts[0];
	const root = hart && machine.spaceOf(hart.id);
	if (root === undefined) return "No translation or protection";
	const rows: { va: bigint; pa: bigint; size: bigint; flags: bigint }[] = [];
	const walk = (table: bigint, level: number, base: bigint) => {
		for (let i = 0n; i < 512n; i++) {
			const pte = machine.memory.readU64(table + 8n * i) ?? 0n;
			if ((pte & 1n) === 0n) continue;
			const va = base | (i << BigInt(12 + 9 * level));
			const pa = ((pte >> 10n) & 0xfffffffffffn) << 12n;
			if ((pte & 14n) === 0n) {
				if (level > 0) walk(pa, level - 1, va);
				continue;
			}
			const size = 1n << BigInt(12 + 9 * level);
			const last = rows.at(-1);
			if (last && last.va + last.size === va && last.pa + last.size === pa && last.flags === (pte & 0xffn))
				last.size += size;
			else if (rows.length < 10_000) rows.push({ va, pa, size, flags: pte & 0xffn });
		}
	};
	walk(root, 2, 0n);
	const flags = (bits: bigint) =>
		[..."rwxugad"].map((letter, i) => ((bits >> BigInt(i + 1)) & 1n ? letter : "-")).join("");
	return [
		"vaddr            paddr            size             attr",
		"---------------- ---------------- ---------------- -------",
		...rows.map(({ va, pa, size, flags: bits }) => `${hex(va)} ${hex(pa)} ${hex(size)} ${flags(bits)}`),
	].join("\n");
}

const shownCsrs = [
	"mhartid",
	"mstatus",
	"mip",
	"mie",
	"mideleg",
	"medeleg",
	"mtvec",
	"stvec",
	"mepc",
	"sepc",
	"mcause",
	"scause",
	"mtval",
	"stval",
	"mscratch",
	"sscratch",
	"satp",
] as const;

/** As QEMU's `info registers -a` prints it, without the hypervisor's CSRs, which this machine does not have. */
export function registersText(machine: MachineSurface): string {
	return machine.harts.map(hartText).join("\n\n");
}

function hartText(hart: Hart): string {
	const csrs = shownCsrs.map((name) => ` ${name.padEnd(8)} ${hex(hart.csr(CSR[name]) ?? 0n)}`);
	const four = (letter: string, names: readonly string[], read: (index: number) => bigint) => {
		const cells = names.map((name, i) => ` ${`${letter}${i}/${name}`.padEnd(8)} ${hex(read(i))}`);
		return Array.from({ length: cells.length / 4 }, (_, row) => cells.slice(4 * row, 4 * row + 4).join(""));
	};
	return [
		`CPU#${hart.id}`,
		` pc       ${hex(hart.pc)}`,
		...csrs,
		...four("x", integerRegisters, (i) => hart.register(i)),
		...four("f", floatRegisters, (i) => hart.floatRegister(i)),
	].join("\n");
}

interface MonitorHost {
	readonly machine: MachineSurface;
	/** The machine does not run now. */
	readonly stands: boolean;
	stop(): void;
	cont(): void;
	quit(): void;
}

const help = `cont|c          resume emulation
help|?          this help
info mem        the page table in use: virtual range, physical start, flags
info registers  registers of every hart
info status     whether the machine runs
quit|q          exit
stop|s          stop emulation`;

/** The answer to one line typed at the monitor. */
export function monitorCommand(host: MonitorHost, line: string): string {
	const words = line.trim().split(/\s+/);
	const command = words.join(" ");
	switch (command) {
		case "":
			return "";
		case "help":
		case "?":
			return help;
		case "q":
		case "quit":
			host.quit();
			return "";
		case "s":
		case "stop":
			host.stop();
			return "";
		case "c":
		case "cont":
			host.cont();
			return "";
		case "info status":
			return `VM status: ${host.stands ? "paused" : "running"}`;
		case "info mem":
			return pageTableText(host.machine);
		case "info registers":
		case "info registers -a":
			return registersText(host.machine);
		default:
			return `unknown command: '${command}' (this monitor has few; 'help' lists them)`;
	}
}
