import { type Case, layout, pagedSatp } from "../harness.ts";

/** Access of a sweep: what runs with the test address in a1. */
const accesses: Readonly<Record<string, string>> = {
	load: "lw a2, (a1)",
	store: "sw a2, (a1)",
	amo: "amoadd.w a2, zero, (a1)",
	fetch: "jr a1",
};

/** Where each level's leaf is, the address that goes through it to `target`, and the physical base it maps. */
const leaves = [
	{ level: 0, entry: layout.level0 + 40n, address: 0x5000n, base: layout.target },
	{ level: 1, entry: layout.level1 + 24n, address: 0x600000n + 0x120000n, base: layout.ram },
	{ level: 2, entry: layout.root + 24n, address: 0xc0000000n + 0x120000n, base: layout.ram },
];

export interface SweepShape {
	readonly name: string;
	readonly access: string;
	/** Mode of the access; through MPRV from machine mode when `mprv`. */
	readonly mode: 0 | 1;
	readonly mprv: boolean;
	/** Bits of mstatus: SUM, MXR. */
	readonly status: bigint;
	readonly address: bigint;
	/** Physical address of the entry under test. */
	readonly entry: bigint;
	/** Entry i (0..255) is this plus i * step. */
	readonly first: bigint;
	readonly step: bigint;
}

/**
 * Tries 256 page-table entries. One byte each: bits 0..4 the cause (an ecall, 8 or 9, or 16: the access went through),
 * bit 5 the entry's A bit was set by it, bit 6 its D bit, bit 7 some other bit of it changed.
 */
export function sweepEntries(shape: SweepShape): Case {
	const { mode, mprv, access } = shape;
	// A mapped page of code for the probe itself: the user or supervisor alias of RAM that every case has.
	const alias = mode === 0 ? layout.userRam - layout.ram : 0n;
	const go = mprv
		? `li t0, ${(1n << 17n) | (BigInt(mode) << 11n)}
			csrs mstatus, t0
			${accesses[access]}
			li t0, 0x20000
			csrc mstatus, t0
			li a0, 16`
		: `la t1, 4f
			li t0, ${alias}
			add t1, t1, t0
			csrw mepc, t1
			li t0, ${BigInt(mode) << 11n}
			csrs mstatus, t0
			mret
		4:	${accesses[access]}
			ecall`;
	return {
		name: shape.name,
		reportBytes: 256,
		code: `la t0, sweep_trap
			csrw mtvec, t0
			la s11, 2f
			li s2, ${shape.first}
			li s3, 256
			li s4, report
			li s5, ${shape.entry}
			li t0, ${pagedSatp}
			csrw satp, t0
		1:	sd s2, (s5)
			sfence.vma
			li t0, 0x1800
			csrc mstatus, t0
			li t0, ${shape.status}
			csrs mstatus, t0
			li a1, ${shape.address + (access === "fetch" ? 0n : 64n)}
			${go}
		2:	ld t1, (s5)
			xor t1, t1, s2
			andi t2, t1, 0x40
			srli t2, t2, 1
			or a0, a0, t2
			andi t2, t1, 0x80
			srli t2, t2, 1
			or a0, a0, t2
			andi t1, t1, 0xc0
			ld t2, (s5)
			xor t2, t2, s2
			beq t1, t2, 3f
			ori a0, a0, 0x80
		3:	sb a0, (s4)
			addi s4, s4, 1
			li t0, ${shape.step}
			add s2, s2, t0
			addi s3, s3, -1
			bnez s3, 1b
			csrw satp, zero
			la t0, trap
			csrw mtvec, t0
			li t0, 0x20000
			csrc mstatus, t0
			li a0, 0
			li a2, 0`,
	};
}

const SUM = 1n << 18n;
const MXR = 1n << 19n;

function permissionSweeps(): Case[] {
	const cases: Case[] = [];
	for (const { level, entry, address, base } of leaves) {
		for (const access of Object.keys(accesses)) {
			for (const mode of [0, 1] as const) {
				for (const mprv of access === "fetch" ? [false] : [false, true]) {
					for (const status of [0n, SUM, MXR, SUM | MXR]) {
						const how = `${status & SUM ? " SUM" : ""}${status & MXR ? " MXR" : ""}${mprv ? " by MPRV" : ""}`;
						const name = `${access} in ${mode ? "S" : "U"}${how}: all flags of a level-${level} leaf`;
						cases.push(sweepEntries({ name, access, mode, mprv, status, address, entry, first: base >> 2n, step: 1n }));
					}
				}
			}
		}
	}
	return cases;
}

function malformedSweeps(): Case[] {
	const cases: Case[] = [];
	const flags = 0xcfn;
	for (const { level, entry, address, base } of leaves) {
		const shape = { access: "load", mode: 1 as const, mprv: true, status: 0n, address, entry };
		// Bits 54..61 one combination after another, then N, PBMT and the rest in the top byte.
		cases.push(
			sweepEntries({
				...shape,
				name: `reserved bits 54..61, level ${level}`,
				first: (base >> 2n) | flags,
				step: 1n << 54n,
			}),
			sweepEntries({ ...shape, name: `bits 56..63, level ${level}`, first: (base >> 2n) | flags, step: 1n << 56n }),
			sweepEntries({
				...shape,
				name: `software bits 8 and 9, level ${level}`,
				first: (base >> 2n) | flags,
				step: 1n << 8n,
			}),
		);
		if (level === 0) continue;
		const size = level === 1 ? 19n : 28n;
		cases.push(
			sweepEntries({
				...shape,
				name: `superpage alignment, level ${level}`,
				first: (base >> 2n) | flags,
				step: 1n << (size - 8n),
			}),
			sweepEntries({ ...shape, name: `flags of a pointer at level ${level}`, first: layout.level0 >> 2n, step: 1n }),
		);
	}
	cases.push(
		sweepEntries({
			name: "pointers to tables outside RAM",
			access: "load",
			mode: 1,
			mprv: true,
			status: 0n,
			address: 0x600000n,
			entry: layout.level1 + 24n,
			first: 1n | (0x90000000n >> 2n),
			step: 1n << 38n,
		}),
		sweepEntries({
			name: "leaves outside RAM",
			access: "store",
			mode: 1,
			mprv: true,
			status: 0n,
			address: 0x5000n,
			entry: layout.level0 + 40n,
			first: 0xcfn | (0x90000000n >> 2n),
			step: 1n << 38n,
		}),
	);
	return cases;
}

const leafSetup = (flags: number) =>
	`li t0, level0 + 40\nli t1, ${(layout.target >> 2n) | BigInt(flags)}\nsd t1, (t0)\nsfence.vma`;

function directed(): Case[] {
	const cases: Case[] = [];
	for (const mode of [0, 1] as const) {
		const flags = 0xcf | (mode === 0 ? 0x10 : 0);
		const addresses = [
			0x4000000000n,
			0x3ffffffff8n,
			0xffffffc000000000n,
			0xffffffbffffffff8n,
			0x8000000000005040n,
			(1n << 39n) + 0x5040n,
			(1n << 63n) + 0x80000000n,
			0xfffffffffffff000n,
		];
		for (const address of addresses) {
			for (const [access, code] of [
				["load", "ld a0, (a1)"],
				["store", "sd a0, (a1)"],
				["fetch", "jr a1"],
			] as const) {
				cases.push({
					name: `${access} at 0x${address.toString(16)} in ${mode ? "S" : "U"}`,
					mode,
					satp: pagedSatp,
					setup: leafSetup(flags),
					code: `li a1, ${address}\n${code}`,
				});
			}
		}
		for (const [what, at] of [
			["whose second half is in a missing page", 0x5ffe],
			["whose second half is in the page behind", 0x4ffe],
		] as const) {
			cases.push({
				name: `an instruction ${what} in ${mode ? "S" : "U"}`,
				mode,
				satp: pagedSatp,
				setup: `${leafSetup(flags)}\nli t1, ${(layout.data >> 2n) | BigInt(flags)}\nsd t1, -8(t0)
					li t1, 0x0513\nli t2, target + 0xffe\nsh t1, (t2)\nli t2, data + 0xffe\nsh t1, (t2)
					li t1, 0x00730123\nli t2, target\nsw t1, (t2)\nfence.i`,
				code: `li a1, ${at}\njr a1`,
			});
		}
		cases.push({
			name: `A and D are set by a store, A by a load in ${mode ? "S" : "U"}`,
			mode,
			satp: pagedSatp,
			setup: `${leafSetup(flags & 0x1f)}\nli t1, ${(layout.target >> 2n) | BigInt(flags & 0x1f)}\nsd t1, 8(t0)`,
			code: `li a1, 0x5040\nsd a0, (a1)\nli a1, 0x6040\nld a2, (a1)\n${
				mode
					? "li a3, level0 + 40\nld a4, (a3)\nld a5, 8(a3)"
					: "li a3, level0 + 40 - ram + userRam\nld a4, (a3)\nld a5, 8(a3)"
			}`,
		});
	}
	cases.push(
		{
			name: "a remap takes effect after sfence.vma",
			mode: 1,
			satp: pagedSatp,
			setup: leafSetup(0xcf),
			code: `li a1, 0x5040\nld a2, (a1)\nli a3, level0 + 40\nli a4, ${(layout.data >> 2n) | 0xcfn}\nsd a4, (a3)\nsfence.vma\nld a5, (a1)`,
		},
		{
			name: "a table that maps itself loses that mapping by a store through it",
			mode: 1,
			satp: pagedSatp,
			setup: `li t0, level0 + 48\nli t1, ${(layout.level0 >> 2n) | 0xcfn}\nsd t1, (t0)\nsfence.vma`,
			code: `li a1, 0x6030\nld a2, (a1)\nli a3, ${(layout.data >> 2n) | 0xcfn}\nsd a3, (a1)\nsfence.vma\nli a4, 77\nsd a4, (a1)\nld a5, (a1)\nli a6, level0 + 48\nld a6, (a6)`,
		},
		{
			name: "sfence.vma of one address",
			mode: 1,
			satp: pagedSatp,
			setup: leafSetup(0xcf),
			code: `li a1, 0x5040\nld a2, (a1)\nli a3, level0 + 40\nsd zero, (a3)\nsfence.vma a1\nld a5, (a1)`,
		},
		{
			name: "sfence.vma of one address space",
			mode: 1,
			satp: pagedSatp,
			setup: leafSetup(0xcf),
			code: `li a1, 0x5040\nld a2, (a1)\nli a3, level0 + 40\nsd zero, (a3)\nli a6, 0\nsfence.vma a1, a6\nld a5, (a1)`,
		},
		{
			name: "satp switched to a second root",
			mode: 1,
			satp: pagedSatp,
			setup: `${leafSetup(0xcf)}\nli t0, data + 0x1000\nli t1, ${(layout.ram >> 2n) | 0xcfn}\nsd t1, 16(t0)\nsd zero, (t0)`,
			code: `li a1, 0x5040\nld a2, (a1)\nli t0, ${(8n << 60n) | ((layout.data + 0x1000n) >> 12n)}\ncsrw satp, t0\nsfence.vma\nld a5, (a1)`,
		},
		{
			name: "satp switched off in S",
			mode: 1,
			satp: pagedSatp,
			setup: leafSetup(0xcf),
			code: "li a1, 0x5040\nld a2, (a1)\ncsrw satp, zero\nsfence.vma\nli a1, target + 64\nld a5, (a1)",
		},
		{
			name: "machine mode ignores satp",
			satp: pagedSatp,
			code: "li a1, target + 64\nld a5, (a1)",
		},
		{
			name: "MPRV does not change fetches",
			satp: (8n << 60n) | ((layout.data + 0x1000n) >> 12n),
			code: "li t0, 0x800\nli t1, 0x1000\ncsrc mstatus, t1\ncsrs mstatus, t0\nli t0, 0x20000\ncsrs mstatus, t0\nli a0, 1\ncsrc mstatus, t0\nli a1, 2",
		},
		{
			name: "SUM does not let S run user pages",
			mode: 1,
			mstatus: SUM,
			satp: pagedSatp,
			setup: leafSetup(0xdf),
			code: "li a1, 0x5000\njr a1",
		},
		{
			name: "a root outside RAM",
			satp: (8n << 60n) | 0x8000n,
			mode: 1,
			code: "li a0, 1",
		},
		{
			name: "a misaligned store across two pages, the second read only, writes nothing",
			mode: 1,
			satp: pagedSatp,
			setup: `${leafSetup(0xcf)}\nli t1, ${((layout.target + 0x1000n) >> 2n) | 0xc3n}\nsd t1, 8(t0)\nli t2, target + 0xff8\nsd zero, (t2)`,
			code: "li a1, 0x5ffc\nli a2, -1\nsd a2, (a1)",
		},
	);
	return cases;
}

export function pagingSuite(): Case[] {
	return [...permissionSweeps(), ...malformedSweeps(), ...directed()];
}
