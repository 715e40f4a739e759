import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { causeName, decodeCause, exceptions, findCause, interrupts } from "../../../src/riscv/causes.ts";
import { csrName, csrNumber, csrs, findCsr } from "../../../src/riscv/csr.ts";
import { floatRegister, floatRegisters, integerRegister, integerRegisters } from "../../../src/riscv/registers.ts";
import { buildSuite, parseOutcomes } from "../../conformance/harness.ts";
import { readRecording } from "../../conformance/recorded.ts";
import { suites } from "../../conformance/suites/index.ts";

test("the CSR table is what QEMU's machine has, with its privileges", () => {
	const suite = suites.find(({ name }) => name === "csr")!;
	const cases = suite.cases();
	const outcomes = parseOutcomes(readRecording(suite, buildSuite(cases)), cases);
	const illegal = 2;
	const wrong: string[] = [];
	cases.forEach((one, index) => {
		const [, access, first, mode] = /^(read|write) CSRs (0x\w+)\.\. from ([MSU])$/.exec(one.name) ?? [];
		if (!first) return;
		const level = { M: 3, S: 1, U: 0 }[mode as "M"];
		outcomes[index]!.report.forEach((result, offset) => {
			const csr = findCsr(Number(first) + offset);
			// Performance counters below machine mode depend on mcounteren, stimecmp on menvcfg.
			if (csr && level < 3 && /^hpmcounter|^stimecmp/.test(csr.name)) return;
			const expected = csr !== undefined && level >= csr.privilege && !(access === "write" && csr.readOnly);
			if (expected !== (result !== illegal)) wrong.push(`${access} ${csrName(Number(first) + offset)} from ${mode}`);
		});
	});
	expect(wrong).toEqual([]);
});

test("names and numbers of CSRs are inverse", () => {
	for (const { name, number } of csrs) expect(csrNumber(name)).toBe(number);
	expect(new Set(csrs.map(({ name }) => name)).size).toBe(csrs.length);
	expect(csrName(0x7ff)).toBe("0x7ff");
});

test("the core's numbers of CSRs are the table's", () => {
	const core = readFileSync(join(import.meta.dirname, "../../../src/machine/core/csr.ts"), "utf8");
	const constants = [...core.matchAll(/^const ([A-Z]\w*): u32 = (0x[0-9a-f]+);/gm)].map(([, name = "", number]) => [
		name.toLowerCase(),
		Number(number),
	]);
	expect(constants.length).toBeGreaterThan(35);
	// Triggers that are absent, as a read of 0 says; QEMU's CPU has some.
	const absent = new Set<unknown>(["tselect", "tdata1"]);
	const wrong = constants.filter(([name, number]) => !absent.has(name) && csrNumber(String(name)) !== number);
	expect(wrong).toEqual([]);
});

test("registers answer to ABI names, numbers, and fp", () => {
	integerRegisters.forEach((name, n) => {
		expect([integerRegister(name), integerRegister(`x${n}`)]).toEqual([n, n]);
	});
	floatRegisters.forEach((name, n) => {
		expect([floatRegister(name), floatRegister(`f${n}`)]).toEqual([n, n]);
	});
	expect(integerRegister("fp")).toBe(8);
	expect(integerRegister("f0")).toBeUndefined();
});

test("causes have a name and a sentence each; reserved ones are named as such", () => {
	for (const { code, name } of exceptions) expect(causeName(code, false)).toBe(name);
	for (const { code, name } of interrupts) expect(causeName(code, true)).toBe(name);
	for (const { explanation } of [...exceptions, ...interrupts]) expect(explanation).toMatch(/^\S.+\.$/);
	expect(causeName(10, false)).toBe("reserved exception 10");
	expect(findCause(15, false)?.tval).toBe("address");
	expect(decodeCause((1n << 63n) | 9n)).toEqual({ code: 9, interrupt: true });
});
