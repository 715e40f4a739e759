import { Random } from "../../support/random.ts";
import { type Case, layout, pagedSatp } from "../harness.ts";

/** A field of pmpcfg. */
const L = 0x80;
const modes = { OFF: 0, TOR: 0x08, NA4: 0x10, NAPOT: 0x18 } as const;

/** Addresses tried around the protected 64 bytes at `data + 0x400` (or the 4 bytes there). */
const offsets = [-8, -4, -1, 0, 1, 3, 4, 7, 8, 32, 56, 60, 61, 63, 64, 68];

const napot = (address: bigint, bytes: bigint) => (address >> 2n) | ((bytes >> 3n) - 1n);
const place = layout.data + 0x400n;

/** Writes a pmpcfg byte of entry n (0..7) and its address register. */
function entry(n: number, address: bigint): string {
	return `li t0, ${address}\ncsrw pmpaddr${n}, t0\n`;
}

/**
 * Each access of one kind at `offsets`, from one mode; a byte each: the cause, or 16.
 * Entries: 0 a TOR bottom, 1 the one under test, 7 everything allowed.
 */
function probe(name: string, setup: string, mode: 0 | 1 | 3, access: string, more: Partial<Case> = {}): Case {
	const instruction = {
		"byte load": "lbu a2, (a1)",
		load: "ld a2, (a1)",
		"word load": "lw a2, (a1)",
		store: "sd a3, (a1)",
		"byte store": "sb a3, (a1)",
		amo: "amoor.w a2, zero, (a1)",
		fetch: "jr a1",
	}[access];
	const tries =
		access === "fetch"
			? offsets.filter((o) => o % 4 === 0)
			: access === "amo"
				? offsets.filter((o) => o % 4 === 0)
				: offsets;
	const status = mode === 3 ? 0n : (1n << 17n) | (BigInt(mode) << 11n);
	const go =
		access === "fetch"
			? `csrw mepc, a1\nli t0, ${BigInt(mode) << 11n}\ncsrs mstatus, t0\nmret`
			: `li t0, ${status}\ncsrs mstatus, t0\n${instruction}\nli t0, 0x20000\ncsrc mstatus, t0\nli a0, 16`;
	return {
		name,
		reportBytes: tries.length,
		code: `li t1, 64
			li t2, ${place - 64n}
			li t3, 0x73            # ecall everywhere, to fetch
		5:	sw t3, (t2)
			addi t2, t2, 4
			addi t1, t1, -1
			bnez t1, 5b
			fence.i
			${setup}
			sfence.vma
			la t0, sweep_trap
			csrw mtvec, t0
			li s4, report
			${tries
				.map(
					(offset) => `li t0, 0x1800
			csrc mstatus, t0
			la s11, 2f
			li a1, ${place + BigInt(offset)}
			${go}
		2:	sb a0, (s4)
			addi s4, s4, 1`,
				)
				.join("\n")}
			la t0, trap
			csrw mtvec, t0
			li a0, 0
			li a2, 0`,
		...more,
	};
}

const accesses = ["byte load", "load", "store", "byte store", "amo", "fetch"];
const allowAll = (cfg: number) =>
	`${entry(7, (1n << 54n) - 1n)}li t0, ${(0x1fn << 56n) | (BigInt(cfg) << 8n)}\ncsrw pmpcfg0, t0\n`;

function regions(): Case[] {
	const cases: Case[] = [];
	const shapes: [string, string, number][] = [
		["TOR", entry(0, place >> 2n) + entry(1, (place + 64n) >> 2n), modes.TOR],
		["NA4", entry(1, place >> 2n), modes.NA4],
		["NAPOT 8", entry(1, napot(place, 8n)), modes.NAPOT],
		["NAPOT 64", entry(1, napot(place, 64n)), modes.NAPOT],
	];
	for (const [shape, setup, mode] of shapes) {
		for (let rights = 0; rights < 8; rights++) {
			const letters = [rights & 1 ? "r" : "-", rights & 2 ? "w" : "-", rights & 4 ? "x" : "-"].join("");
			for (const access of accesses) {
				for (const privilege of [3, 1, 0] as const) {
					// Machine mode is not held by unlocked entries: two kinds of access show it.
					if (privilege === 3 && access !== "load" && access !== "store") continue;
					// Write without read is reserved; QEMU faults an AMO there as a load.
					if (access === "amo" && (rights & 3) === 2) continue;
					if (privilege === 0 && rights % 2 === 0 && access !== "load") continue;
					const name = `${shape} ${letters}: ${access} in ${["U", "S", "", "M"][privilege]}`;
					cases.push(probe(name, setup + allowAll(mode | rights), privilege, access));
				}
			}
		}
	}
	return cases;
}

function directed(): Case[] {
	const cases: Case[] = [];
	const off = "csrw pmpcfg0, zero\n";
	for (const access of accesses) {
		for (const mode of [3, 1, 0] as const) {
			cases.push(probe(`no entry at all: ${access} in ${["U", "S", "", "M"][mode]}`, off, mode, access));
			cases.push(
				probe(
					`an entry elsewhere only: ${access} in ${["U", "S", "", "M"][mode]}`,
					`${entry(1, napot(layout.report, 64n))}li t0, 0x1f00\ncsrw pmpcfg0, t0\n`,
					mode,
					access,
				),
			);
		}
	}
	cases.push(
		probe(
			"the lowest matching entry decides",
			`${entry(0, napot(place, 16n))}${entry(1, napot(place, 64n))}${entry(7, (1n << 54n) - 1n)}li t0, ${(0x1fn << 56n) | 0x1918n}\ncsrw pmpcfg0, t0\n`,
			1,
			"byte load",
		),
		probe(
			"TOR with its bottom above its top matches nothing",
			`${entry(0, (place + 64n) >> 2n)}${entry(1, place >> 2n)}${allowAll(modes.TOR)}`,
			1,
			"byte load",
		),
		probe(
			"TOR entry 0 starts at address 0",
			`${entry(0, (place + 8n) >> 2n)}${entry(7, (1n << 54n) - 1n)}li t0, ${(0x1fn << 56n) | 0x08n}\ncsrw pmpcfg0, t0\n`,
			1,
			"byte load",
		),
		probe(
			"the smallest page-table walk through a forbidden table faults",
			`${entry(1, napot(layout.root, 4096n))}${allowAll(modes.NAPOT)}li t0, ${pagedSatp}\ncsrw satp, t0\n`,
			1,
			"byte load",
		),
		probe(
			"a walk through a read-only table",
			`${entry(1, napot(layout.root, 4096n))}${allowAll(modes.NAPOT | 1)}li t0, ${pagedSatp}\ncsrw satp, t0\n`,
			1,
			"byte store",
		),
	);
	// S-mode code whose own region is forbidden: the fault comes at its first instruction (older xv6 start.c).
	cases.push({ name: "S-mode entry without any PMP entry", mode: 1, setup: "csrw pmpcfg0, zero", code: "li a0, 1" });
	cases.push({ name: "U-mode entry without any PMP entry", mode: 0, setup: "csrw pmpcfg0, zero", code: "li a0, 1" });
	cases.push({
		name: "as current xv6 does: pmpaddr0 of all ones, TOR rwx",
		mode: 1,
		setup: "li t0, 0x3fffffffffffff\ncsrw pmpaddr0, t0\nli t0, 0xf\ncsrw pmpcfg0, t0",
		code: "li a1, data\nld a0, (a1)\nsd a0, 8(a1)",
	});
	return cases;
}

function legalValues(): Case[] {
	const random = new Random(8008);
	const cases: Case[] = [];
	for (let n = 0; n < 10; n++) {
		const values = Array.from({ length: 5 }, () => random.u64() & 0x7f7f7f7f7f7f7f7fn);
		const body = (csr: string, from: number) =>
			values.map((v, i) => `li t1, ${v}\ncsrw ${csr}, t1\ncsrr x${from + i}, ${csr}`);
		cases.push({
			name: `pmpcfg legal values ${n}`,
			code: `${[...body("pmpcfg0", 16), ...body("pmpcfg2", 22)].join("\n")}\nli t1, 0x1f\ncsrw pmpcfg0, t1\ncsrw pmpcfg2, zero`,
		});
	}
	for (let byte = 0; byte < 128; byte += 8) {
		const values = Array.from({ length: 8 }, (_, i) => byte + i);
		cases.push({
			name: `pmpcfg byte values ${byte}..${byte + 7}`,
			code: `csrw pmpcfg2, zero\n${values.map((v, i) => `li t1, ${v}\ncsrw pmpcfg2, t1\ncsrr x${16 + i}, pmpcfg2`).join("\n")}\ncsrw pmpcfg2, zero`,
		});
	}
	for (const n of [0, 1, 7, 8, 15]) {
		const values = [(1n << 64n) - 1n, 0n, 0xaaaaaaaaaaaaaaaan, 1n << 53n, 1n << 54n, random.u64()];
		cases.push({
			name: `pmpaddr${n} legal values`,
			code: `${values.map((v, i) => `li t1, ${v}\ncsrw pmpaddr${n}, t1\ncsrr x${16 + i}, pmpaddr${n}`).join("\n")}\nli t1, -1\ncsrw pmpaddr0, t1`,
		});
	}
	return cases;
}

export function pmpSuite(): Case[] {
	return [...regions(), ...directed(), ...legalValues()];
}

/** Locked entries stay until reset, so that these cases come in an order and have a boot of their own: entry 15 first. */
export function pmpLockSuite(): Case[] {
	const cases: Case[] = [];
	let n = 15;
	const locked = (
		name: string,
		rights: number,
		mode: number,
		address: bigint,
		access: string,
		privilege: 0 | 1 | 3,
		below = "",
	) => {
		const shift = BigInt((n % 8) * 8);
		const csr = n < 8 ? "pmpcfg0" : "pmpcfg2";
		const setup = `csrw pmpcfg0, zero\n${below}${entry(n, address)}li t0, ${BigInt(L | mode | rights) << shift}\ncsrs ${csr}, t0\n`;
		cases.push(probe(name, setup, privilege, access));
		cases.push({
			name: `${name}: writes are ignored`,
			code: `csrr a0, ${csr}\ncsrw ${csr}, zero\ncsrr a1, ${csr}\ncsrr a2, pmpaddr${n}\ncsrw pmpaddr${n}, zero\ncsrr a3, pmpaddr${n}
				csrw pmpaddr${n - 1}, zero\ncsrr a4, pmpaddr${n - 1}\nli a5, -1\ncsrw pmpaddr${n - 1}, a5\ncsrr a6, pmpaddr${n - 1}\ncsrw pmpaddr${n - 1}, zero
				li t1, 0x1f\ncsrw pmpcfg0, t1`,
		});
		n--;
	};
	locked("a locked read-only NA4 holds machine mode", 1, modes.NA4, (place + 0x40n) >> 2n, "store", 3);
	locked("a locked NAPOT without rights holds machine mode", 0, modes.NAPOT, napot(place, 8n), "load", 3);
	locked("a locked execute-only NAPOT", 4, modes.NAPOT, napot(place + 32n, 8n), "byte load", 3);
	locked("a locked writable entry", 3, modes.NAPOT, napot(place + 16n, 16n), "byte store", 3);
	locked("a locked OFF entry", 7, modes.OFF, place >> 2n, "load", 3);
	n = 9;
	locked(
		"a locked TOR locks the address below it",
		1,
		modes.TOR,
		(place + 68n) >> 2n,
		"byte store",
		3,
		entry(8, (place + 4n) >> 2n),
	);
	return cases;
}
