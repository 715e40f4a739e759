import { elfOf } from "../../src/common/elf.ts";
import { type Assembled, assemble } from "../support/assembler.ts";

/**
 * The bare-metal image that runs conformance cases, one after another, in machine mode, and sends what each did to the
 * architectural state over the UART. One boot runs a whole suite, so that QEMU is started once per suite.
 */

/** Layout of the image in RAM; the case programs refer to these by name. */
export const layout = {
	ram: 0x80000000n,
	/** 512 bytes that loads and stores of cases work on; set to a pattern before each case, reported after it. */
	data: 0x80100000n,
	dataBytes: 512,
	/** A case's own bytes to report, `reportBytes` of them. */
	report: 0x80104000n,
	save: 0x80108000n,
	root: 0x80110000n,
	level1: 0x80111000n,
	level0: 0x80112000n,
	/** Starts with an ecall, so that fetching from a page that maps it ends in a known trap; data from byte 64. */
	target: 0x80120000n,
	/** Code that S and U mode run for a probe through a mapped page. */
	cases: 0x80200000n,
	/** Where user mode sees RAM when `satp` is `pagedSatp`: the same offset from here. */
	userRam: 0x40000000n,
} as const;

export const pagedSatp = (8n << 60n) | (layout.root >> 12n);

export interface Case {
	/** Says what is tried, unique in its suite. */
	readonly name: string;
	/** Runs in `mode` until its first trap that reaches machine mode; an ebreak is appended. */
	readonly code: string;
	/** Runs first, in machine mode with translation off; may use every register but ra. */
	readonly setup?: string;
	/** Mode that `code` runs in; default machine (3). User and paged supervisor code runs where page tables put it. */
	readonly mode?: 0 | 1 | 3;
	/** Bits of mstatus besides MPP and FS = dirty. */
	readonly mstatus?: bigint;
	/** Clears FS, so that floating-point instructions are illegal. */
	readonly floatOff?: boolean;
	readonly satp?: bigint;
	readonly medeleg?: bigint;
	readonly mideleg?: bigint;
	readonly fcsr?: bigint;
	/** x1..x31 then f0..f31; missing ones are 0. */
	readonly registers?: readonly bigint[];
	/** Bytes of the report area that the case fills. */
	readonly reportBytes?: number;
	/** Bytes of the report, by index, that the machine fills otherwise than the recorded processor, on purpose. */
	readonly onPurpose?: ReadonlyMap<number, number>;
}

export interface SuiteImage {
	readonly elf: Uint8Array;
	readonly cases: readonly Case[];
	readonly assembled: readonly Assembled[];
}

const symbols = Object.entries(layout)
	.map(([name, value]) => `.equ ${name}, ${value}`)
	.join("\n");

const saveRegisters = (skip: readonly number[]) =>
	Array.from({ length: 31 }, (_, i) => i + 1)
		.filter((n) => !skip.includes(n))
		.map((n) => `sd x${n}, ${8 * n}(sp)`)
		.join("\n");
const floats = (line: (n: number) => string) => Array.from({ length: 32 }, (_, n) => line(n)).join("\n");

/** Offsets in the save area: x0..x31, f0..f31, then what the trap left in CSRs, then the harness's own variables. */
const savedCsrs = ["mstatus", "mcause", "mepc", "mtval", "scause", "sepc", "stval", "fcsr", "satp", "mip"];
const csrOffset = (name: string) => 512 + 8 * savedCsrs.indexOf(name);
const variables = 768;

/** Bytes of a case descriptor: see `descriptor`. */
const descriptorBytes = 80;

const program = `
${symbols}
.equ uart, 0x10000000
.equ finisher, 0x100000
.equ clint, 0x2000000
start:
	csrr t0, mhartid
	bnez t0, park
	la t0, descriptors
	ld s1, (t0)           # next descriptor
	ld s2, 8(t0)          # cases left
	li s0, save
	sd zero, ${variables + 16}(s0)
next_case:
	beqz s2, finish
	li s0, save
	sd s1, ${variables}(s0)
	sd s2, ${variables + 8}(s0)
	la t0, trap
	csrw mtvec, t0
	csrw mie, zero
	csrw mip, zero
	li t0, 0x6000
	csrw mstatus, t0
	csrw satp, zero
	csrw medeleg, zero
	csrw mideleg, zero
	li t0, 7
	csrw mcounteren, t0
	csrw scounteren, t0
	li t0, -1
	csrw menvcfg, t0      # Sstc on, to reach stimecmp
	csrw stimecmp, t0
	csrw menvcfg, zero
	csrw senvcfg, zero
	la t0, supervisor_trap
	csrw stvec, t0
	csrw scause, zero
	csrw sepc, zero
	csrw stval, zero
	csrw sscratch, zero
	csrw mcause, zero
	csrw mtval, zero
	csrw mepc, zero
	li t0, 0x1f
	csrw pmpcfg0, t0
	csrw pmpcfg2, zero
	li t0, -1
	csrw pmpaddr0, t0
${Array.from({ length: 15 }, (_, n) => `csrw pmpaddr${n + 1}, zero`).join("\n")}
	li t1, clint
	sw zero, (t1)
	li t1, clint + 0x4000
	sd t0, (t1)
	# the data area's pattern: byte i is 0x9d * i + 0x35
	li t0, data
	li t1, ${layout.dataBytes}
	li t2, 0x35
1:	sb t2, (t0)
	addi t2, t2, 0x9d
	addi t0, t0, 1
	addi t1, t1, -1
	bnez t1, 1b
	ld t1, 64(s1)
	li t0, report
1:	beqz t1, 2f
	sb zero, (t0)
	addi t0, t0, 1
	addi t1, t1, -1
	j 1b
2:	# page tables: root[0] -> level1, level1[0] -> level0, RAM at userRam for U and at its own address for S
	li t0, root
	li t1, level1
	li t2, level0
	li t3, 16
1:	sd zero, (t0)
	sd zero, (t1)
	sd zero, (t2)
	addi t0, t0, 8
	addi t1, t1, 8
	addi t2, t2, 8
	addi t3, t3, -1
	bnez t3, 1b
	li t0, root
	li t1, ${(layout.level1 >> 2n) | 1n}
	sd t1, (t0)
	li t1, ${(layout.ram >> 2n) | 0xdfn}
	sd t1, 8(t0)
	li t1, ${(layout.ram >> 2n) | 0xcfn}
	sd t1, 16(t0)
	li t0, level1
	li t1, ${(layout.level0 >> 2n) | 1n}
	sd t1, (t0)
	li t0, target
	li t1, 0x73           # ecall
	sw t1, (t0)
	li t1, 0x1122334455667788
	sd t1, 64(t0)
	sfence.vma
	fence.i
	ld t0, (s1)
	beqz t0, 1f
	jalr t0
1:	li sp, save
	csrw mscratch, sp
	ld gp, ${variables}(sp)
	ld t0, 48(gp)
	csrw fcsr, t0
	ld tp, 56(gp)
	${floats((n) => `fld f${n}, ${248 + 8 * n}(tp)`)}
	ld t0, 16(gp)
	csrw mstatus, t0
	ld t0, 24(gp)
	csrw satp, t0
	ld t0, 32(gp)
	csrw medeleg, t0
	ld t0, 40(gp)
	csrw mideleg, t0
	ld t0, 8(gp)
	csrw mepc, t0
	sfence.vma
	fence.i
	mv x1, tp
	${Array.from({ length: 30 }, (_, i) => `ld x${i + 2}, ${8 * (i + 1)}(x1)`).join("\n")}
	ld x1, (x1)
	mret

.align 2
trap:
	csrrw sp, mscratch, sp
	csrrw t0, sscratch, t0
	li t0, 0x20000        # clear MPRV before the first store
	csrrc t0, mstatus, t0
	sd t0, ${csrOffset("mstatus")}(sp)
	csrr t0, sscratch
	${saveRegisters([2])}
	csrr t0, mscratch
	sd t0, 16(sp)
	li t0, 0x6000
	csrs mstatus, t0
	${floats((n) => `fsd f${n}, ${256 + 8 * n}(sp)`)}
	${savedCsrs
		.slice(1)
		.map((name) => `csrr t0, ${name}; sd t0, ${csrOffset(name)}(sp)`)
		.join("\n")}
	csrw satp, zero
	sfence.vma
	mv s0, sp
	li a0, 0xa5
	jal send_byte
	ld a0, ${variables + 16}(s0)
	addi a1, a0, 1
	sd a1, ${variables + 16}(s0)
	jal send
	# changed registers: x1..x31, f0..f31 against the case's table
	ld s1, ${variables}(s0)
	ld s3, 56(s1)
	addi s4, s0, 8
	li s5, 63
	jal send_changes
	addi s3, s0, 512
	li s5, ${savedCsrs.length}
1:	ld a0, (s3)
	jal send
	addi s3, s3, 8
	addi s5, s5, -1
	bnez s5, 1b
	# changed words of the data area against its pattern
	la s3, pattern
	li s4, data
	li s5, ${layout.dataBytes / 8}
	jal send_changes
	ld s5, 64(s1)
	li s4, report
1:	beqz s5, 2f
	lbu a0, (s4)
	jal send_byte
	addi s4, s4, 1
	addi s5, s5, -1
	j 1b
2:	ld s1, ${variables}(s0)
	ld s2, ${variables + 8}(s0)
	addi s1, s1, ${descriptorBytes}
	addi s2, s2, -1
	j next_case

# sends a mask of the words in s4[0..s5) that differ from s3[0..s5), then those words
send_changes:
	mv s7, ra
	li s6, 0
	li t0, 0
	mv t1, s3
	mv t2, s4
1:	ld t3, (t1)
	ld t4, (t2)
	beq t3, t4, 2f
	li t5, 1
	sll t5, t5, t0
	or s6, s6, t5
2:	addi t0, t0, 1
	addi t1, t1, 8
	addi t2, t2, 8
	bne t0, s5, 1b
	mv a0, s6
	jal send
1:	beqz s6, 3f
	andi t0, s6, 1
	beqz t0, 2f
	ld a0, (s4)
	jal send
2:	srli s6, s6, 1
	addi s4, s4, 8
	j 1b
3:	jr s7

send:
	mv s8, ra
	mv s9, a0
	li s10, 8
1:	andi a0, s9, 0xff
	jal send_byte
	srli s9, s9, 8
	addi s10, s10, -1
	bnez s10, 1b
	jr s8

send_byte:
	li t5, uart
1:	lbu t6, 5(t5)
	andi t6, t6, 0x20
	beqz t6, 1b
	sb a0, (t5)
	ret

finish:
	li t0, finisher
	li t1, 0x5555
	sw t1, (t0)
1:	j 1b

# A trap delegated to S-mode is reported through an ecall, which is never delegated.
.align 2
supervisor_trap:
	ecall
	j supervisor_trap

# Sweeps try one access after another without leaving the case: mtvec = sweep_trap, s11 = where to go on.
# a0 becomes the cause.
.align 2
sweep_trap:
	li t0, 0x20000
	csrc mstatus, t0
	csrr a0, mcause
	jr s11

# The second hart waits for the address of a routine in mailbox, runs it, and clears the mailbox.
park:
	la s0, mailbox
1:	ld t0, (s0)
	beqz t0, 1b
	fence
	jalr t0
	fence
	sd zero, (s0)
	j 1b

.align 3
mailbox: .dword 0
pattern: .zero ${layout.dataBytes}
descriptors: .dword cases, 0
end:
`;

/** The bytes the data area starts with. */
export function dataPattern(): Uint8Array {
	return Uint8Array.from({ length: layout.dataBytes }, (_, i) => (0x9d * i + 0x35) & 0xff);
}

const le64 = (value: bigint) => {
	const bytes = new Uint8Array(8);
	new DataView(bytes.buffer).setBigUint64(0, BigInt.asUintN(64, value), true);
	return bytes;
};

/** mstatus of a case: FS, MPP and the case's own bits; MIE goes through MPIE, so that no interrupt comes before the mret. */
function statusOf(test: Case): bigint {
	const [mie, mpie] = [0x8n, 0x80n];
	const fs = test.floatOff ? 0n : 0x6000n;
	const own = test.mstatus ?? 0n;
	return fs | (BigInt(test.mode ?? 3) << 11n) | (own & mie ? (own & ~mie) | mpie : own);
}

/** Assembles a suite: harness, descriptors, register tables and the code of every case. */
export function buildSuite(cases: readonly Case[]): SuiteImage {
	const harness = assemble(program, layout.ram);
	const harnessSymbols = [...harness.symbols]
		.filter(([name]) => !name.startsWith("."))
		.map(([name, value]) => `.equ ${name}, ${value}`)
		.join("\n");
	const chunks: { address: bigint; bytes: Uint8Array }[] = [{ address: layout.ram, bytes: harness.bytes }];
	const pattern = harness.symbols.get("pattern") as bigint;
	chunks.push({ address: pattern, bytes: dataPattern() });
	chunks.push({ address: harness.symbols.get("descriptors") as bigint, bytes: le64(layout.cases) });
	chunks.push({ address: (harness.symbols.get("descriptors") as bigint) + 8n, bytes: le64(BigInt(cases.length)) });

	let here = layout.cases + BigInt(cases.length * descriptorBytes);
	const tables = new Map<string, bigint>();
	const place = (bytes: Uint8Array, alignment: bigint) => {
		here = ((here - 1n) | (alignment - 1n)) + 1n;
		const address = here;
		chunks.push({ address, bytes });
		here += BigInt(bytes.length);
		return address;
	};
	const code = (source: string) => {
		here = ((here - 1n) | 15n) + 1n;
		const assembled = assemble(`${harnessSymbols}\n${source}`, here);
		place(assembled.bytes, 16n);
		return assembled;
	};
	const assembled: Assembled[] = [];
	cases.forEach((test, index) => {
		try {
			const key = (test.registers ?? []).join();
			let table = tables.get(key);
			if (table === undefined) {
				const bytes = new Uint8Array(63 * 8);
				(test.registers ?? []).forEach((value, n) => {
					bytes.set(le64(value), 8 * n);
				});
				table = place(bytes, 8n);
				tables.set(key, table);
			}
			const setup = test.setup ? code(`${test.setup}\nret`).origin : 0n;
			const main = code(`${test.code}\nebreak`);
			assembled.push(main);
			const entry = test.mode === 0 && test.satp ? main.origin - layout.ram + layout.userRam : main.origin;
			const words = [
				setup,
				entry,
				statusOf(test),
				test.satp ?? 0n,
				test.medeleg ?? 0n,
				test.mideleg ?? 0n,
				test.fcsr ?? 0n,
				table,
				BigInt(test.reportBytes ?? 0),
				0n,
			];
			words.forEach((value, n) => {
				chunks.push({ address: layout.cases + BigInt(index * descriptorBytes + 8 * n), bytes: le64(value) });
			});
		} catch (error) {
			throw new Error(`${test.name}: ${(error as Error).message}`);
		}
	});
	const image = new Uint8Array(Number(here - layout.ram));
	for (const { address, bytes } of chunks) image.set(bytes, Number(address - layout.ram));
	return { elf: elfOf(image, layout.ram, { start: 4096 }), cases, assembled };
}

/** What one case did. */
export interface Outcome {
	/** Final values of registers that changed, by ABI-free name: x1..x31, f0..f31. */
	readonly registers: ReadonlyMap<string, bigint>;
	readonly csrs: ReadonlyMap<string, bigint>;
	/** Words of the data area that changed, by byte offset. */
	readonly data: ReadonlyMap<number, bigint>;
	readonly report: Uint8Array;
	/** The record's bytes as sent, for comparing quickly. */
	readonly raw: Uint8Array;
}

export const recordMark = 0xa5;

/** Reads the records that a suite sent; stops where the output ends early. */
export function parseOutcomes(output: Uint8Array, cases: readonly Case[]): Outcome[] {
	const view = new DataView(output.buffer, output.byteOffset, output.byteLength);
	const outcomes: Outcome[] = [];
	let at = 0;
	const next = () => {
		const value = view.getBigUint64(at, true);
		at += 8;
		return value;
	};
	const changes = () => {
		const mask = next();
		const values = new Map<number, bigint>();
		for (let n = 0; n < 64; n++) if ((mask >> BigInt(n)) & 1n) values.set(n, next());
		return values;
	};
	try {
		for (const [index, test] of cases.entries()) {
			const start = at;
			if (view.getUint8(at++) !== recordMark || next() !== BigInt(index)) throw new RangeError("no record");
			const registers = new Map<string, bigint>();
			for (const [n, value] of changes()) registers.set(n < 31 ? `x${n + 1}` : `f${n - 31}`, value);
			const csrs = new Map(savedCsrs.map((name) => [name, next()]));
			const data = new Map<number, bigint>();
			for (const [n, value] of changes()) data.set(8 * n, value);
			const report = output.slice(at, at + (test.reportBytes ?? 0));
			if (report.length < (test.reportBytes ?? 0)) throw new RangeError("cut off");
			at += report.length;
			outcomes.push({ registers, csrs, data, report, raw: output.slice(start, at) });
		}
	} catch (error) {
		if (!(error instanceof RangeError)) throw error;
	}
	return outcomes;
}
