import { assemble } from "../support/assembler.ts";
import { elfOf, ramBase } from "../support/guest.ts";
import { Random } from "../support/random.ts";
import { statement } from "./suites/random.ts";
import { rows } from "./suites/values.ts";

/**
 * Random programs for the differential test of the translator: functions with loops and calls that machine, supervisor and
 * user mode run for ever under two page tables, with traps of every kind, interrupts, atomics, code that writes code, and
 * page tables that change. Nothing is compared with QEMU here; translator and interpreter must agree to the last bit.
 */

/** Where things are in RAM. Code begins at its start. */
export const at = {
	leaves: 0x80020000,
	areas: 0x80022000,
	stacks: 0x80030000,
	data: 0x80038000,
	shared: 0x80040000,
	tables: 0x80050000,
};
const sharedPages = 8;
/** Supervisor and user mode see shared pages and leaves here, each page with flags of its own. */
const window = { first: 4, pages: 8, leafPages: 2 };
const tablePages = 3;
/** User mode sees RAM here. */
const userRam = 0x40000000;
/** Timer interrupts after which a call is given up: some never end. */
const fuel = 3;
const callCount = 32;
const wordCount = 32;

export interface Program {
	readonly seed: number;
	readonly harts: number;
	readonly kernel: Uint8Array;
	readonly tables: Uint8Array;
	/** Source line at each address of the code. */
	readonly lines: ReadonlyMap<bigint, string>;
}

/** Registers that statements leave alone: stack, hart, bases of data, loop counters, those of the trap handlers. */
const reserved = /^\S+ (ra|sp|tp|s0|s2|s3|s4|s9|s10|s11)\b/;
const plain = rows((row) => ["integer", "multiply", "float", "branch", "load", "store", "atomic"].includes(row.kind));
const light = rows((row) => ["integer", "multiply"].includes(row.kind));
const floating = rows((row) => row.kind === "float");
const straight = rows((row) => ["integer", "multiply", "float"].includes(row.kind));
const temporaries = [
	"a0",
	"a1",
	"a2",
	"a3",
	"a4",
	"a5",
	"a6",
	"a7",
	"t0",
	"t1",
	"t2",
	"t3",
	"t4",
	"t5",
	"t6",
	"s5",
	"s6",
];

class Generator {
	private readonly random: Random;
	private labels = 0;
	private patches: string[] = [];
	private readonly functionCount: number;
	private readonly leafCount = 12;
	/** Share of statements that trap or change tables or code, one in so many. */
	private readonly wildness: number;

	constructor(readonly seed: number) {
		this.random = new Random(seed);
		this.functionCount = 8 + this.random.below(10);
		this.wildness = this.random.pick([6, 12, 30, 100]);
	}

	program(): Program {
		const harts = this.random.pick([1, 1, 2, 3]);
		const functions = Array.from({ length: this.functionCount }, (_, n) => this.functionText(n)).join("\n");
		const leaves = Array.from({ length: this.leafCount }, (_, n) => this.leafText(n)).join("\n");
		const source = `${this.monitor()}\n${functions}\n${this.wordTable()}\n${this.callTable()}\n.org ${at.leaves}\n${leaves}\n`;
		const { bytes, lines } = assemble(source, ramBase);
		return { seed: this.seed, harts, kernel: elfOf(bytes), tables: this.tables(), lines };
	}

	private label(): string {
		return `L${this.labels++}`;
	}

	private temporary(): string {
		return this.random.pick(temporaries);
	}

	// ---- the monitor: start, choice of the next call, traps ----------------------------------------------------------

	private monitor(): string {
		const { random } = this;
		// Any exception but a breakpoint, which ends a call, may be the supervisor's.
		const medeleg = (random.chance(4) ? random.below(0x10000) : 0xb1ff) & 0xb3f7;
		return `
	.equ AREAS, ${at.areas}
	.equ STACKS, ${at.stacks}
	.equ DATA, ${at.data}
	.equ SHARED, ${at.shared}
	csrr tp, mhartid
	li t0, AREAS
	slli t1, tp, 9
	add t0, t0, t1
	csrw mscratch, t0
	addi t1, tp, ${random.below(1000)}
	sd t1, (t0)
	li t1, ${fuel}
	sd t1, 32(t0)
	la t0, mtrap
	csrw mtvec, t0
	la t0, strap
	csrw stvec, t0
	li t0, -1
	csrw pmpaddr0, t0
	li t0, 0x1f
	csrw pmpcfg0, t0
	li t0, ${medeleg}
	csrw medeleg, t0
	li t0, 0x222
	csrw mideleg, t0
	csrw sie, t0
	li t0, 0x2aa
	csrw mie, t0
	li t0, ${1n << 63n}
	csrw menvcfg, t0
	li t0, 7
	csrw mcounteren, t0
	csrw scounteren, t0
	li t0, 0x6000
	csrs mstatus, t0
	csrr t0, time
	addi t0, t0, 50
	csrw stimecmp, t0
outer:
	csrr t0, mscratch
	ld t1, (t0)
	li t2, 6364136223846793005
	mul t1, t1, t2
	addi t1, t1, 1442
	sd t1, (t0)
	srli t2, t1, 40
	andi t2, t2, ${callCount - 1}
	slli t2, t2, 5
	la t3, calls
	add t3, t3, t2
	ld a5, (t3)
	ld a6, 8(t3)
	ld t4, 16(t3)
	csrw satp, t4
	srli t2, t1, 50
	andi t2, t2, 1
	bnez t2, nofence
	sfence.vma
nofence:
	csrr t2, time
	srli t3, t1, 20
	andi t3, t3, 511
	add t2, t2, t3
	slli t3, tp, 3
	li t5, 0x2004000
	add t3, t3, t5
	sd t2, (t3)
	la t2, enter
	li t3, 3
	beq a6, t3, 1f
	bnez a6, 1f
	li t5, ${0x80000000 - userRam}
	sub t2, t2, t5
1:
	csrw mepc, t2
	li t5, 0x21800
	csrc mstatus, t5
	slli t5, a6, 11
	addi t5, t5, 0x80
	csrs mstatus, t5
	li t5, 0x6000
	csrs mstatus, t5
	fsrm zero
	mret
enter:
	la s0, ${at.data + 256}
	la sp, ${at.stacks + 4096}
	slli s1, tp, 12
	add sp, sp, s1
	la s2, SHARED
	addi s1, a6, -3
	beqz s1, 1f
	li s2, ${window.first << 12}
1:
	la s1, ${0x80000000}
	add s1, s1, a5
	jalr s1
	ebreak

	.align 2
mtrap:
	csrrw sp, mscratch, sp
	sd s10, 16(sp)
	sd s11, 24(sp)
	csrr s10, mcause
	bltz s10, minterrupt
	${["mcause", "mtval", "mepc", "mstatus"].map(hash).join("\n")}
	csrr s10, mcause
	li s11, 3
	beq s10, s11, leave
	li s11, 12
	beq s10, s11, mfetch
	addi s10, s10, -1
	blez s10, mfetch
	addi s10, s10, -1
	bnez s10, mnext
	csrr s10, mtval
	beqz s10, mfetch
mnext:
	csrr s10, mepc
	addi s10, s10, 4
	csrw mepc, s10
mback:
	ld s10, 16(sp)
	ld s11, 24(sp)
	csrrw sp, mscratch, sp
	mret
mfetch:
	csrw mepc, ra
	j mback
minterrupt:
	slli s10, s10, 1
	srli s10, s10, 1
	addi s10, s10, -3
	beqz s10, msoft
	csrr s11, mhartid
	slli s11, s11, 3
	li s10, 0x2004000
	add s11, s11, s10
	csrr s10, time
	addi s10, s10, ${10 + random.below(300)}
	sd s10, (s11)
	ld s10, 32(sp)
	addi s10, s10, -1
	sd s10, 32(sp)
	bnez s10, mback
	j leave
msoft:
	csrr s11, mhartid
	slli s11, s11, 2
	li s10, 0x2000000
	add s11, s11, s10
	sw zero, (s11)
	csrsi mip, 2
	j mback
leave:
	li s10, ${fuel}
	sd s10, 32(sp)
	csrrw sp, mscratch, sp
	j outer

	.align 2
strap:
	${["scause", "stval", "sepc", "sstatus"].map(hash).join("\n")}
	csrr s10, scause
	bltz s10, sinterrupt
	li s11, 12
	beq s10, s11, sfetch
	addi s10, s10, -1
	blez s10, sfetch
	addi s10, s10, -1
	bnez s10, snext
	csrr s10, stval
	beqz s10, sfetch
snext:
	csrr s10, sepc
	addi s10, s10, 4
	csrw sepc, s10
	sret
sfetch:
	csrw sepc, ra
	sret
sinterrupt:
	slli s10, s10, 1
	srli s10, s10, 1
	addi s10, s10, -5
	bnez s10, ssoft
	csrr s10, time
	andi s11, s9, 255
	add s10, s10, s11
	addi s10, s10, 2
	csrw stimecmp, s10
	sret
ssoft:
	csrci sip, 2
	sret
`;
	}

	/** Offset of the function, mode, satp. */
	private callTable(): string {
		const { random } = this;
		const calls = Array.from({ length: callCount }, () => {
			const mode = random.pick([3, 1, 1, 0, 0]);
			const table = random.chance(6) ? random.below(2) : mode === 0 ? 0 : 1;
			const root = (at.tables >>> 12) + table * tablePages;
			const satp = (8n << 60n) | (BigInt(random.below(3)) << 44n) | BigInt(root);
			const target = this.random.below(this.functionCount);
			return `.dword f${target} - ${0x80000000}, ${mode}, ${mode === 3 && random.chance(2) ? 0n : satp}, 0`;
		});
		return `.align 3\ncalls:\n${calls.join("\n")}\nfunctions:\n${Array.from({ length: 8 }, () => `.dword f${this.functionCount - 1 - random.below(4)} - ${0x80000000}`).join("\n")}`;
	}

	/** Instructions that patches choose from. */
	private wordTable(): string {
		const words = Array.from({ length: wordCount }, () => {
			if (this.random.chance(10)) return this.random.pick([".word 0xffffffff", "ecall", "csrr a0, instret", "fence.i"]);
			return this.guarded(straight);
		});
		return `.align 2\nwords:\n${words.join("\n")}`;
	}

	// ---- functions ---------------------------------------------------------------------------------------------------

	private functionText(n: number): string {
		const { random } = this;
		const last = n >= this.functionCount - 4;
		const frame = "addi sp, sp, -32\nsd ra, (sp)\nsd s3, 8(sp)\nsd s4, 16(sp)";
		const unframe = "ld ra, (sp)\nld s3, 8(sp)\nld s4, 16(sp)\naddi sp, sp, 32\nret";
		const body = Array.from({ length: 4 + random.below(10) }, () => this.piece(n, last, 0)).join("\n");
		return `f${n}:\n${frame}\n${body}\n${unframe}`;
	}

	/** Called through the window too, so it stays inside its page and calls nothing. */
	private leafText(n: number): string {
		const body = Array.from({ length: 3 + this.random.below(8) }, () => this.guarded(plain)).join("\n");
		return `.org ${at.leaves + (n < this.leafCount / 2 ? 0 : 0x1000) + (n % (this.leafCount / 2)) * 0x200}\nleaf${n}:\n${body}\n${this.patch()}\nret`;
	}

	private patch(): string {
		const name = `patch${this.patches.length}`;
		this.patches.push(name);
		return `.align 2\n${name}: ${this.guarded(straight)}`;
	}

	private piece(n: number, last: boolean, depth: number): string {
		const { random } = this;
		if (random.chance(this.wildness)) return this.wild();
		switch (random.below(13)) {
			case 0:
				if (depth < 2) return this.loop(n, last, depth);
				return this.guarded(plain);
			case 1:
				return depth === 0 && !last ? this.call(n) : this.skip();
			case 2:
				return this.patch();
			case 3:
			case 4:
				return this.access();
			case 5:
				return this.skip();
			case 6:
				return this.leafCall();
			case 7:
				return random.chance(2) ? this.status() : this.guarded(plain);
			default:
				return Array.from({ length: 1 + random.below(6) }, () => this.guarded(plain)).join("\n");
		}
	}

	private guarded(from: ReturnType<typeof rows>): string {
		for (;;) {
			const text = statement(this.random.pick(from), this.random);
			if (!text.split("\n").some((line) => reserved.test(line))) return text;
		}
	}

	private loop(n: number, last: boolean, depth: number): string {
		const { random } = this;
		if (random.chance(6)) return this.byteLoop();
		const counter = depth === 0 ? "s3" : "s4";
		const head = this.label();
		const count = random.pick(depth === 0 ? [2, 5, 20, 60] : [2, 3, 9]);
		const body = Array.from({ length: 1 + random.below(5) }, () => this.piece(n, last, depth + 1)).join("\n");
		const out = this.label();
		const exit = random.chance(3) ? `andi s1, ${this.temporary()}, ${random.pick([63, 255])}\nbeqz s1, ${out}` : "";
		return `li ${counter}, ${count}\n${head}:\n${body}\n${exit}\naddi ${counter}, ${counter}, -1\nbnez ${counter}, ${head}\n${out}:`;
	}

	/** memset and memcpy as compilers write them. */
	private byteLoop(): string {
		const { random } = this;
		const head = this.label();
		const count = random.pick([3, 40, 300]);
		const from = random.below(3 * 4096);
		const to = random.below(3 * 4096);
		const setup = `li t0, ${from}\nadd t0, t0, s2\nli t1, ${to}\nadd t1, t1, s2\nli t2, ${count}\nadd t2, t2, t1`;
		const body = random.chance(2)
			? "lbu t3, (t0)\naddi t0, t0, 1\naddi t1, t1, 1\nsb t3, -1(t1)"
			: "sb t3, (t1)\naddi t1, t1, 1";
		return `${setup}\n${head}:\n${body}\nbne t1, t2, ${head}`;
	}

	private call(n: number): string {
		const { random } = this;
		if (random.chance(4)) {
			// One of the last functions, by a register.
			return `andi s1, ${this.temporary()}, 7\nslli s1, s1, 3\nla t5, functions\nadd s1, s1, t5\nld s1, (s1)\nla t5, ${0x80000000}\nadd s1, s1, t5\njalr s1`;
		}
		return `jal ra, f${Math.min(n + 1 + random.below(4), this.functionCount - 1)}`;
	}

	private leafCall(): string {
		const { random } = this;
		const leaf = random.below(this.leafCount);
		if (random.chance(4)) return `la s1, leaf${leaf}\naddi s1, s1, ${random.below(2)}\njalr s1`;
		if (random.chance(2)) return `jal ra, leaf${leaf}`;
		// Through the window, where it may not be executable; in machine mode that is no memory at all.
		const half = this.leafCount / 2;
		const page = window.first + window.pages + (leaf < half ? 0 : 1);
		return `li s1, ${(page << 12) + (leaf % half) * 0x200}\njalr s1`;
	}

	/** What kernels do to sstatus around locks and user memory; user mode traps there. */
	private status(): string {
		const { random } = this;
		if (random.chance(3)) {
			// Off or clean, used, dirty again; the code around uses floating point as well.
			const use = () => this.guarded(floating);
			const clean = random.pick(["", "li s1, 0x2000\ncsrs sstatus, s1", "li s1, 0x4000\ncsrs sstatus, s1"]);
			return `${use()}\nli s1, 0x6000\ncsrc sstatus, s1\n${clean}\n${use()}\ncsrr ${this.temporary()}, sstatus\n${use()}\nli s1, 0x6000\ncsrs sstatus, s1`;
		}
		const bits = random.pick([0x40000, 0x80000, 0xc0000, 2, 2]);
		const [one, other] = random.chance(2) ? ["csrs", "csrc"] : ["csrc", "csrs"];
		return `li s1, ${bits}\n${one} sstatus, s1\n${this.access()}\ncsrr ${this.temporary()}, sstatus\nli s1, ${bits}\n${other} sstatus, s1`;
	}

	/** A branch forward over some statements, on random registers. */
	private skip(): string {
		const { random } = this;
		const over = this.label();
		const branch = random.pick(["beq", "bne", "blt", "bge", "bltu", "bgeu"]);
		const inside = Array.from({ length: 1 + random.below(4) }, () => this.guarded(light)).join("\n");
		return `${branch} ${this.temporary()}, ${this.temporary()}, ${over}\n${inside}\n${over}:`;
	}

	/** An address that depends on data, in the window or, in machine mode, in the shared pages. */
	private access(): string {
		const { random } = this;
		const align = random.pick([0, 3, 3, 3]);
		const where = `slli s1, ${this.temporary()}, 49\nsrli s1, s1, ${49 + align}\nslli s1, s1, ${align}\nadd s1, s1, s2`;
		const value = this.temporary();
		if (random.chance(6)) {
			const size = random.pick(["w", "d"]);
			return `${where}\nlr.${size} ${value}, (s1)\n${random.chance(3) ? this.guarded(light) : ""}\nsc.${size} ${this.temporary()}, ${value}, (s1)`;
		}
		if (random.chance(6))
			return `${where}\namo${random.pick(["add", "swap", "xor", "maxu"])}.${random.pick(["w", "d"])} ${value}, ${this.temporary()}, (s1)`;
		const operation = random.pick([
			"lb",
			"lhu",
			"lw",
			"ld",
			"ld",
			"sb",
			"sh",
			"sw",
			"sd",
			"sd",
			"flw",
			"fld",
			"fsw",
			"fsd",
		]);
		return `${where}\n${operation} ${operation.startsWith("f") ? `f${random.below(32)}` : value}, ${random.pick([0, 0, 8, -8])}(s1)`;
	}

	/** What most code never does. */
	private wild(): string {
		const { random } = this;
		const table = at.tables + 4096 * (2 + tablePages * random.below(2));
		const entry = table + 8 * (window.first + random.below(window.pages + window.leafPages));
		return random.pick([
			() =>
				random.pick(["ecall", ".word 0xffffffff", "mret", "csrw cycle, a0", "csrr a5, mstatus", "csrr a5, pmpaddr0"]),
			() => `csrr ${this.temporary()}, ${random.pick(["instret", "cycle", "time", "fcsr", "fflags"])}`,
			() => `csrr ${this.temporary()}, ${random.pick(["sstatus", "sie", "sip", "scause", "sepc", "satp"])}`,
			() => `li s1, ${random.pick([0x40000, 0x80000, 0xc0000])}\ncsr${random.pick(["s", "c"])} sstatus, s1`,
			() =>
				`li s1, 0x6000\ncsrc sstatus, s1\n${this.guarded(straight)}\n${random.chance(30) ? "" : `li s1, ${random.pick([0x2000, 0x4000, 0x6000])}\ncsrs sstatus, s1`}`,
			() => `csrrw ${this.temporary()}, sscratch, ${this.temporary()}`,
			() => `fsrmi ${random.below(random.chance(20) ? 8 : 5)}`,
			() => random.pick(["sfence.vma", "sfence.vma s1, zero", "sfence.vma zero, a0", "fence", "fence.i", "wfi"]),
			() =>
				`la s1, ${entry}\nli t6, ${1 + random.below(255)}\nld t5, (s1)\nxor t5, t5, t6\nsd t5, (s1)\n${random.chance(2) ? "sfence.vma" : ""}`,
			() =>
				`la s1, words + ${4 * random.below(wordCount)}\nlw t5, (s1)\nla s1, ${random.pick(this.patches.length ? this.patches : ["words"])}\nsw t5, (s1)\n${random.chance(4) ? "" : "fence.i"}`,
			() =>
				`andi s1, ${this.temporary()}, ${4 * wordCount - 4}\nla t5, words\nadd s1, s1, t5\nlw t5, (s1)\nla s1, ${random.pick(this.patches.length ? this.patches : ["words"])}\nsw t5, (s1)`,
			() =>
				`la ra, ${this.labels}f_\nli s1, ${random.pick(["0x3000", "0x100000", String(1n << 40n)])}\njr s1\n${this.labels++}f_:`,
			() => `csrr s1, satp\nli t5, ${tablePages}\nxor s1, s1, t5\ncsrw satp, s1`,
			() => `li s1, ${0x2000000 + 4 * random.below(3)}\nli t5, 1\nsw t5, (s1)`,
			() => `li s1, 0x10000000\n${random.pick(["lbu a0, 5(s1)", "sb a1, 7(s1)", "lbu a1, 7(s1)", "sb a0, (s1)"])}`,
			() => `csrr s1, time\nli t5, ${random.below(200)}\nadd s1, s1, t5\ncsrw stimecmp, s1`,
			() => `csrsi sip, 2`,
			() => (random.chance(5) ? "sret" : "csrsi sstatus, 2"),
			() => (random.chance(5) ? "li s1, 0x20000\ncsrs mstatus, s1" : "csrci sstatus, 2"),
			() => `li s1, ${random.u64()}\n${random.pick(["ld a0, (s1)", "sd a0, (s1)", "fld fa0, (s1)"])}`,
		])();
	}

	// ---- page tables -------------------------------------------------------------------------------------------------

	private tables(): Uint8Array {
		const { random } = this;
		const bytes = new Uint8Array(2 * tablePages * 4096);
		const view = new DataView(bytes.buffer);
		const leaf = (physical: number, flags: number) => BigInt((physical >>> 12) * 1024) | BigInt(flags);
		for (const table of [0, 1]) {
			const root = table * tablePages * 4096;
			const page = (n: number) => at.tables + root + 4096 * n;
			view.setBigUint64(root, leaf(page(1), 1), true);
			view.setBigUint64(root + 8, leaf(0x80000000, 0xdf), true);
			view.setBigUint64(root + 16, leaf(0x80000000, 0xcf), true);
			view.setBigUint64(root + 4096, leaf(page(2), 1), true);
			for (let n = 0; n < window.pages + window.leafPages; n++) {
				const isLeaf = n >= window.pages;
				const physical = isLeaf ? at.leaves + 4096 * (n - window.pages) : at.shared + 4096 * random.below(sharedPages);
				// The first table is user mode's, the second the supervisor's.
				const user = (table === 0) === random.chance(6) ? 0 : 0x10;
				const usual = (isLeaf ? (random.chance(4) ? 0xcf : 0xcb) : 0xc7) | user;
				const flags = random.chance(8) ? random.below(256) : usual;
				view.setBigUint64(root + 2 * 4096 + 8 * (window.first + n), leaf(physical, flags), true);
			}
		}
		return bytes;
	}
}

function hash(csr: string): string {
	return `slli s11, s9, 5\nsub s9, s11, s9\ncsrr s11, ${csr}\nadd s9, s9, s11`;
}

export function generate(seed: number): Program {
	return new Generator(seed).program();
}
