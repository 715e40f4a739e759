import { Random } from "../../support/random.ts";
import { type Case, layout, pagedSatp } from "../harness.ts";
import { statement } from "./random.ts";
import { registers, rows } from "./values.ts";

/** Virtual pages 4..11 map the data area's page with flags of their own. */
const firstPage = 4;
const pageCount = 8;

/**
 * Supervisor handler that notes a trap in s9 (a running hash of scause, stval, sstatus, sepc) and goes on behind the
 * instruction, or at ra when it could not be fetched. Only it uses s9, s10 and s11.
 */
const handler = `
2:	${["scause", "stval", "sstatus", "sepc"]
	.map((csr) => `slli s11, s9, 5\nsub s9, s11, s9\ncsrr s10, ${csr}\nadd s9, s9, s10`)
	.join("\n")}
	csrr s11, scause
	addi s11, s11, -12
	beqz s11, 4f
	addi s11, s11, 11
	beqz s11, 4f
	li s11, 0x40000
	csrs sstatus, s11
	lhu s11, (s10)
	andi s11, s11, 3
	addi s11, s11, -3
	addi s10, s10, 2
	bnez s11, 3f
	addi s10, s10, 2
3:	csrw sepc, s10
	sret
4:	mv s10, ra
	j 3b`;

const accesses = [
	"lb",
	"lhu",
	"lw",
	"ld",
	"sb",
	"sh",
	"sw",
	"sd",
	"fld",
	"fsw",
	"amoadd.d",
	"amoor.w",
	"amoswap.d",
	"amomaxu.w",
];

function access(random: Random): string {
	const op = random.pick(accesses);
	const page = BigInt(firstPage + random.below(pageCount)) << 12n;
	const align = op.endsWith(".w") ? 4 : 8;
	const offset = op.startsWith("amo")
		? random.below(512 / align) * align
		: random.pick([random.below(500), random.below(500), 0xffd]);
	const value = op.startsWith("f") ? `f${random.below(32)}` : random.pick(["a0", "a1", "t3", "zero", "s4"]);
	const address = random.chance(12) ? random.u64() : page + BigInt(offset);
	if (op.startsWith("amo"))
		return `li s1, ${address & ~7n}\n${op} ${random.pick(["a2", "a3", "zero"])}, ${value}, (s1)`;
	return `li s1, ${address}\n${op} ${value}, (s1)`;
}

const plain = rows((row) => ["integer", "multiply", "float", "load", "store"].includes(row.kind));

function supervisorStatement(random: Random): string {
	return random.pick([
		() => `li s1, ${random.pick(["0x40000", "0x80000", "0xc0000"])}\ncsr${random.pick(["s", "c"])} sstatus, s1`,
		() => `csrrw a4, sscratch, ${random.pick(["a0", "a5", "t3"])}`,
		() => "sfence.vma",
		() => `csrr a5, ${random.pick(["satp", "sstatus", "stvec", "scause", "stval", "sepc", "sie", "scounteren"])}`,
		() => `csrw ${random.pick(["scause", "stval", "senvcfg"])}, zero`,
		() => `csrr a6, ${random.pick(["mstatus", "mepc", "0x7c0", "pmpcfg0"])}`,
		() =>
			`li s1, level0 + ${8 * (firstPage + random.below(pageCount))}\nli s2, ${1 + random.below(255)}\nld s3, (s1)\nxor s3, s3, s2\nsd s3, (s1)\nsfence.vma`,
	])();
}

function step(random: Random, mode: 0 | 1): string {
	const kind = random.below(10);
	if (kind < 4) return access(random);
	if (kind < 7) return guarded(random);
	if (kind === 7) {
		if (mode === 1 && random.chance(2)) return supervisorStatement(random);
		const illegal = [".word 0xffffffff", ".half 0", ".half 0x9c41", "mret", "csrw cycle, a0", "csrr a5, mstatus"];
		// In S-mode an ecall ends the case, and sret and wfi do something.
		return random.pick(mode === 1 ? illegal : [...illegal, "ecall", "sret", "wfi", "csrr a5, sstatus", "sfence.vma"]);
	}
	if (kind === 8) {
		const nowhere = random.pick([0x4000n, 0x100000n, 1n << 40n, 0xfffffffff0000000n]);
		return `la ra, 1f\nli s1, ${nowhere}\njr s1\n1:`;
	}
	return `fsflags a7, zero`;
}

/** A plain statement that writes no register of the handler, nor ra, nor s0. */
function guarded(random: Random): string {
	for (;;) {
		const text = statement(random.pick(plain), random);
		if (!/^\S+ (ra|s9|s10|s11|s0)\b/.test(text)) return text;
	}
}

/** Random programs in S and U mode under Sv39 whose traps a supervisor handler takes and returns from. */
export function journeysSuite(seed = 9009): Case[] {
	const random = new Random(seed);
	return Array.from({ length: 500 }, (_, n) => {
		const mode = (n % 2) as 0 | 1;
		const base = mode === 0 ? layout.data - layout.ram + layout.userRam : layout.data;
		const entries = Array.from({ length: pageCount }, (_, page) => {
			// Mostly usable by the mode, never executable: the pages hold data.
			const usable = random.chance(3) ? random.below(256) : 0x07 | (random.below(4) << 6);
			const flags = (random.chance(4) ? usable : (usable & ~0x10) | (mode === 0 ? 0x10 : 0)) & ~8;
			return `li t1, ${(layout.data >> 2n) | BigInt(flags)}\nsd t1, ${8 * (firstPage + page)}(t0)`;
		});
		const values = registers(random, base);
		return {
			name: `journey ${n} in ${mode ? "S" : "U"}`,
			mode,
			satp: pagedSatp,
			medeleg: 0xb1f7n,
			mstatus: BigInt(random.below(2)) << 19n,
			setup: `li t0, level0\n${entries.join("\n")}\nla t0, 2f\ncsrw stvec, t0\nret\n.align 2\n${handler}`,
			registers: values,
			code: Array.from({ length: 15 + random.below(25) }, () => step(random, mode)).join("\n"),
		};
	});
}
