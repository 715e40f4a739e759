import { describe, expect, test } from "vitest";
import { csrFields, csrText, fieldValue, shownCsrs } from "../../../src/debugger/csrFields.ts";
import { csrNumber } from "../../../src/riscv/csr.ts";

describe("a CSR in words", () => {
	test.each([
		// Exceptions and interrupts: the privileged ISA's tables of scause and mcause.
		["scause", 8n, "0x8 (environment call from U-mode)"],
		["scause", 15n, "0xf (store/AMO page fault)"],
		["scause", 10n, "0xa"],
		["scause", (1n << 63n) | 5n, "0x8000000000000005 (supervisor timer interrupt)"],
		["scause", (1n << 63n) | 9n, "0x8000000000000009 (supervisor external interrupt)"],
		["scause", (1n << 63n) | 13n, "0x800000000000000d"],
		["mcause", (1n << 63n) | 7n, "0x8000000000000007 (machine timer interrupt)"],
		["mcause", 2n, "0x2 (illegal instruction)"],
		// Single bits by their names, the others with their values.
		["sstatus", 0n, "0x0"],
		["sstatus", 1n << 1n, "0x2 (SIE)"],
		["sstatus", (1n << 5n) | (1n << 18n), "0x40020 (SPIE SUM)"],
		["sstatus", 1n << 8n, "0x100 (SPP=supervisor)"],
		["sstatus", 1n << 13n, "0x2000 (FS=initial)"],
		["sstatus", 3n << 13n, "0x6000 (FS=dirty)"],
		["mstatus", 3n << 11n, "0x1800 (MPP=machine)"],
		["mstatus", (1n << 11n) | (1n << 7n) | (1n << 3n), "0x888 (MIE MPIE MPP=supervisor)"],
		["mstatus", 2n << 11n, "0x1000 (MPP=2)"],
		["sie", (1n << 1n) | (1n << 5n) | (1n << 9n), "0x222 (SSIE STIE SEIE)"],
		["sip", 1n << 5n, "0x20 (STIP)"],
		["sip", 1n << 7n, "0x80"],
		["mie", (1n << 3n) | (1n << 11n), "0x808 (MSIE MEIE)"],
		["mip", 1n << 7n, "0x80 (MTIP)"],
		// Where the handler is says its address; only another mode than `direct` is told.
		["stvec", 0x80005b80n, "0x80005b80"],
		["stvec", 0x80005b81n, "0x80005b81 (MODE=vectored)"],
		["mtvec", 0x80000003n, "0x80000003 (MODE=3)"],
		["satp", 0n, "0x0"],
		["satp", (8n << 60n) | 0x87fffn, "0x8000000000087fff (MODE=Sv39 PPN=root 0x87fff000)"],
		["satp", (8n << 60n) | (7n << 44n) | 1n, "0x8000700000000001 (MODE=Sv39 ASID=7 PPN=root 0x1000)"],
		["satp", 9n << 60n, "0x9000000000000000 (MODE=9)"],
		// A number, and nothing else.
		["sepc", 0x1234n, "0x1234"],
		["mhartid", 2n, "0x2"],
	])("%s = %s: %s", (name, bits, text) => {
		expect(csrText(name, bits)).toBe(text);
	});
});

test.each(Object.entries(csrFields))("the fields of %s lie side by side, each with its own bits", (name, fields) => {
	const pattern = 0xa5c3_96e7_1b2d_784fn;
	let seen = 0n;
	for (const field of fields) {
		const mask = ((1n << BigInt(field.width)) - 1n) << BigInt(field.low);
		expect(seen & mask, `${name}.${field.name} and those before it`).toBe(0n);
		seen |= mask;
		expect(fieldValue(mask, field)).toBe((1n << BigInt(field.width)) - 1n);
		expect(fieldValue(~mask, field)).toBe(0n);
		expect(fieldValue(pattern, field)).toBe((pattern & mask) >> BigInt(field.low));
	}
	expect(new Set(fields.map((field) => field.name)).size).toBe(fields.length);
});

test("what is shown exists, once each, and what has fields exists", () => {
	expect(new Set(shownCsrs).size).toBe(shownCsrs.length);
	for (const name of [...shownCsrs, ...Object.keys(csrFields)]) expect(csrNumber(name), name).toBeDefined();
});
