import { csrs } from "../../../src/riscv/csr.ts";
import { Random } from "../../support/random.ts";
import type { Case } from "../harness.ts";

const modeName = { 0: "U", 1: "S", 3: "M" } as const;
const modes = [3, 1, 0] as const;

/** The recorded processor has no trigger CSRs; ours says by zeros that it has no triggers, as kernels look for it (debug spec, 5.6). */
const ecallFromM = 11;
const noTriggers = new Map([
	[0x7a0 - 0x700, ecallFromM],
	[0x7a1 - 0x700, ecallFromM],
]);

/**
 * Runs `csrrs a1, N, zero` (a read) or `csrrs a1, N, t1` with t1 = 0 (a write that changes nothing) for 256 CSR numbers in
 * one mode; read-only numbers are written by `csrrw a1, N, t1`, since QEMU 7.2 lets the other form pass there; one byte per CSR says how it ended: 2 illegal, 8 9 11 the ecall behind it.
 */
function sweep(first: number, mode: 0 | 1 | 3, write: boolean, prepare: string, label: string): Case {
	return {
		name: `${write ? "write" : "read"} CSRs 0x${first.toString(16)}.. from ${modeName[mode]}${label}`,
		reportBytes: 256,
		...(first === 0x700 && mode === 3 ? { onPurpose: noTriggers } : {}),
		code: `${prepare}
			la t0, sweep_trap
			csrw mtvec, t0
			la s11, 2f
			la s10, 3f
			li s2, ${first}
			li s3, 256
			li s4, report
			li s5, ${(write && first >= 0xc00 ? 0x15f3 : 0x25f3) | (write ? 6 << 15 : 0)}
		1:	slli t2, s2, 20
			or t2, t2, s5
			sw t2, (s10)
			fence.i
			li t0, 0x1800
			csrc mstatus, t0
			li t0, ${mode << 11}
			csrs mstatus, t0
			csrw mepc, s10
			li t1, 0
			mret
		2:	sb a0, (s4)
			addi s4, s4, 1
			addi s2, s2, 1
			addi s3, s3, -1
			bnez s3, 1b
			li a1, 0
			la t0, trap
			csrw mtvec, t0
			csrw satp, zero
			ebreak
		3:	nop
			ecall`,
	};
}

function legality(): Case[] {
	const cases: Case[] = [];
	// Everything that mcounteren and scounteren could close is open by default.
	for (const mode of modes) {
		for (let first = 0; first < 4096; first += 256) {
			// QEMU 7.2 shows vstimecmp although H is off.
			if (first === 0x200) continue;
			cases.push(sweep(first, mode, false, "", ""));
			cases.push(sweep(first, mode, true, "", ""));
		}
	}
	for (const mode of modes) {
		const close = [
			["mcounteren = 0", "csrw mcounteren, zero"],
			["mcounteren = 2", "li t0, 2\ncsrw mcounteren, t0"],
			["scounteren = 0", "csrw scounteren, zero"],
			["scounteren = 5", "li t0, 5\ncsrw scounteren, t0"],
		] as const;
		for (const [label, prepare] of close) cases.push(sweep(0xc00, mode, false, prepare, `, ${label}`));
		cases.push(sweep(0x100, mode, false, "li t0, -1\ncsrw menvcfg, t0", ", STCE"));
		cases.push(sweep(0x100, mode, true, "li t0, -1\ncsrw menvcfg, t0\ncsrw mcounteren, zero", ", STCE, TM clear"));
		cases.push(sweep(0x100, mode, true, "li t0, 0x100000\ncsrs mstatus, t0", ", TVM"));
	}
	return cases;
}

/** Counters move by themselves, PMP is tried in its own suite, identification differs between makers. */
const moving = /^(m?cycle|time|m?instret|m?hpmcounter\d+|mhpmevent\d+|pmp.*|mvendorid|marchid|mimpid)$/;
const restore = "la t0, trap\ncsrw mtvec, t0\nli t0, save\ncsrw mscratch, t0\ncsrw satp, zero\ncsrw mie, zero";

const low32 = 0xffffffffn;

/**
 * Values without bits that QEMU 7.2 lets software set although the extension behind them is off (H, V, Zicbom, Svpbmt,
 * Sscofpmf, RV32 in UXL and SXL, Sv48, Sv57), bit 0 of an
 * exception pc, and more bits than a 32-bit register has. Our machine keeps those read-only.
 */
const legalize: Readonly<Record<string, (value: bigint) => bigint>> = {
	satp: (value) => (value & ~(0xfn << 60n)) | ((value >> 63n) << 63n),
	mstatus: (value) => status(value & ~(0xc0n << 32n)),
	sstatus: (value) => status(value),
	medeleg: (value) => value & 0xb3ffn,
	mideleg: (value) => value & 0x222n,
	mie: (value) => value & 0xaaan,
	mip: (value) => value & 0xaaan,
	mepc: (value) => value & ~1n,
	sepc: (value) => value & ~1n,
	mcounteren: (value) => value & low32,
	scounteren: (value) => value & low32,
	mcountinhibit: (value) => value & 5n,
	menvcfg: (value) => value & ((1n << 63n) | 1n),
	senvcfg: (value) => value & 1n,
};

/** UXL and SXL 64 bits, VS off, and MPP never the reserved 2. */
function status(value: bigint): bigint {
	const mpp = (value >> 11n) & 3n;
	const fixed = (value & ~(0xfn << 32n) & ~0x600n) | (0xan << 32n);
	return mpp === 2n ? fixed | 0x1800n : fixed;
}

const legal = (csr: string, value: bigint) => legalize[csr]?.(value) ?? value;

function legalValues(random: Random): Case[] {
	const cases: Case[] = [];
	for (const csr of csrs) {
		if (moving.test(csr.name) || csr.readOnly) continue;
		const patterns = [(1n << 64n) - 1n, 0n, 0xaaaaaaaaaaaaaaaan, 0x5555555555555555n, 1n << 63n];
		while (patterns.length < 9) patterns.push(random.u64());
		const adjust = (value: bigint) => legal(csr.name, value);
		const write = patterns.map((p, n) => `li t1, ${adjust(p)}\ncsrw ${csr.name}, t1\ncsrr x${16 + n}, ${csr.name}`);
		cases.push({
			name: `${csr.name} legal values`,
			code: `csrr x14, ${csr.name}\n${write.join("\n")}\ncsrr x28, mstatus\ncsrr x29, sstatus\n${restore}`,
		});
		// Clearing one bit of MPP could leave the reserved value.
		const masks = [random.u64(), random.u64()].map((mask) => adjust(csr.name === "mstatus" ? mask | 0x1800n : mask));
		cases.push({
			name: `${csr.name} set, clear and immediate forms`,
			code: `li t1, ${masks[0]}\ncsrrw x16, ${csr.name}, t1\nli t2, ${masks[1]}\ncsrrs x17, ${csr.name}, t2
				csrrc x18, ${csr.name}, t1\ncsrrs x19, ${csr.name}, zero\ncsrrsi x20, ${csr.name}, ${adjust(21n) & 31n}\ncsrrci x21, ${csr.name}, ${adjust(5n) & 31n}
				csrrwi x22, ${csr.name}, ${adjust(10n) & 31n}\ncsrrci x23, ${csr.name}, 0\ncsrw ${csr.name}, t2\ncsrrw t2, ${csr.name}, t2
				csrr x24, ${csr.name}\n${restore}`,
		});
	}
	return cases;
}

function views(random: Random): Case[] {
	const cases: Case[] = [];
	for (let n = 0; n < 12; n++) {
		const [mideleg, mie, mip] = [random.u64(), random.u64(), random.u64()].map((v) => v & 0xaaan);
		cases.push({
			name: `sie and sip through mideleg ${n}`,
			code: `li t0, ${mideleg}\ncsrw mideleg, t0\nli t0, ${mie}\ncsrw mie, t0\nli t0, ${mip}\ncsrw mip, t0
				csrr x16, mideleg\ncsrr x17, mie\ncsrr x18, mip\ncsrr x19, sie\ncsrr x20, sip
				li t0, ${random.u64()}\ncsrw sie, t0\ncsrr x21, sie\ncsrr x22, mie
				li t0, ${random.u64()}\ncsrw sip, t0\ncsrr x23, sip\ncsrr x24, mip\ncsrw mip, zero\ncsrw mie, zero\ncsrw mideleg, zero`,
		});
	}
	const bits = () => legal("mstatus", random.u64());
	for (let n = 0; n < 12; n++) {
		cases.push({
			name: `sstatus through mstatus ${n}`,
			code: `li t0, ${bits()}\ncsrw mstatus, t0\ncsrr x16, mstatus\ncsrr x17, sstatus
				li t0, ${bits()}\ncsrw sstatus, t0\ncsrr x18, mstatus\ncsrr x19, sstatus
				li t0, ${bits()}\ncsrw sstatus, t0\ncsrr x20, mstatus
				li t0, ${bits()}\ncsrw sstatus, t0\ncsrr x21, mstatus\nli t0, 0x6000\ncsrw mstatus, t0`,
		});
	}
	for (const value of [0x0n, 0x2000n, 0x4000n, 0x6000n]) {
		cases.push({
			name: `SD follows FS = ${value >> 13n}`,
			code: `li t0, 0x6000\ncsrc mstatus, t0\nli t0, ${value}\ncsrs mstatus, t0\ncsrr a0, mstatus\ncsrr a1, sstatus`,
		});
	}
	const ones = (1n << 64n) - 1n;
	const asS: [string, string][] = [
		["satp", "csrr a0, satp\nli a1, 0x5000000000000\ncsrw satp, a1\ncsrr a2, satp"],
		["sstatus", `li a1, ${legal("sstatus", ones)}\ncsrr a0, sstatus\ncsrw sstatus, a1\ncsrr a2, sstatus`],
		["sepc", `li a1, ${legal("sepc", ones)}\ncsrw sepc, a1\ncsrr a2, sepc`],
		["stvec", `li a1, ${legal("stvec", ones)}\ncsrr a0, stvec\ncsrw stvec, a1\ncsrr a2, stvec`],
		["scause", `li a1, ${legal("scause", ones)}\ncsrw scause, a1\ncsrr a2, scause`],
		["stval", `li a1, ${legal("stval", ones)}\ncsrw stval, a1\ncsrr a2, stval`],
		["sscratch", `li a1, ${legal("sscratch", ones)}\ncsrw sscratch, a1\ncsrr a2, sscratch`],
		["senvcfg", `li a1, ${legal("senvcfg", ones)}\ncsrw senvcfg, a1\ncsrr a2, senvcfg`],
		["scounteren", `li a1, ${legal("scounteren", ones)}\ncsrw scounteren, a1\ncsrr a2, scounteren`],
		["sie", `li a1, ${legal("sie", ones)}\ncsrw sie, a1\ncsrr a2, sie`],
		["sip", `li a1, ${legal("sip", ones)}\ncsrw sip, a1\ncsrr a2, sip`],
	];
	for (const [name, code] of asS) {
		cases.push({ name: `${name} from S`, mode: 1, code });
		cases.push({ name: `${name} from S with everything delegated`, mode: 1, mideleg: 0x222n, medeleg: 0xb1ffn, code });
	}
	cases.push({
		name: "stimecmp and mip.STIP with STCE",
		code: `li t0, -1\ncsrw menvcfg, t0\ncsrr a0, menvcfg\ncsrw stimecmp, t0\ncsrr a1, stimecmp\ncsrr a2, mip
			csrw stimecmp, zero\n1: csrr a3, mip\nbeqz a3, 1b\ncsrw mip, zero\ncsrr a4, mip\ncsrw stimecmp, t0\n2: csrr a5, mip\nbnez a5, 2b\ncsrw menvcfg, zero`,
	});
	cases.push({
		name: "counters can be written and inhibited",
		code: `li t0, 5\ncsrw mcountinhibit, t0\ncsrr a0, mcountinhibit\nli t0, 0x1234\ncsrw mcycle, t0\ncsrw minstret, t0
			csrr a1, mcycle\ncsrr a2, minstret\ncsrr a3, cycle\ncsrr a4, instret\nnop\nnop\ncsrr a5, minstret\ncsrw mcountinhibit, zero`,
	});
	cases.push({ name: "mhartid", code: "csrr a0, mhartid\ncsrr a1, misa\ncsrr a2, mconfigptr\ncsrr a3, mvendorid" });
	return cases;
}

export function csrSuite(seed = 7007): Case[] {
	const random = new Random(seed);
	return [...legality(), ...legalValues(random), ...views(random)];
}
