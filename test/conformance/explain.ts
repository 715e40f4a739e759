import { causeName, decodeCause } from "../../src/riscv/causes.ts";
import { disassemble } from "../../src/riscv/disassemble.ts";
import { integerRegisters } from "../../src/riscv/registers.ts";
import type { Assembled } from "../support/assembler.ts";
import type { Case, Outcome } from "./harness.ts";

const hex = (value: bigint | undefined) => (value === undefined ? "unchanged" : `0x${value.toString(16)}`);

function differences<K>(
	expected: ReadonlyMap<K, bigint>,
	actual: ReadonlyMap<K, bigint>,
	show: (key: K) => string,
	detail: (key: K, value: bigint) => string = () => "",
): string[] {
	const keys = [...new Set([...expected.keys(), ...actual.keys()])];
	return keys
		.filter((key) => expected.get(key) !== actual.get(key))
		.map((key) => {
			const side = (map: ReadonlyMap<K, bigint>) => {
				const value = map.get(key);
				return hex(value) + (value === undefined ? "" : detail(key, value));
			};
			return `  ${show(key)}: expected ${side(expected)}, got ${side(actual)}`;
		});
}

function registerName(name: string): string {
	return name.startsWith("x") ? (integerRegisters[Number(name.slice(1))] as string) : name;
}

/** The words of a case, disassembled, for the reader of a failure. */
function listing(assembled: Assembled): string[] {
	const lines: string[] = [];
	const { bytes, origin } = assembled;
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	for (let at = 0; at + 2 <= bytes.length && lines.length < 60; ) {
		const word = at + 4 <= bytes.length ? view.getUint32(at, true) : view.getUint16(at, true);
		const { text, length } = disassemble(word, origin + BigInt(at));
		lines.push(`  ${(origin + BigInt(at)).toString(16)}: ${text}`);
		at += length;
	}
	return lines;
}

/** What a mismatch means, in assembly text: the case, its start, and each expected and actual value. */
export function explain(test: Case, assembled: Assembled, expected: Outcome, actual: Outcome | undefined): string {
	if (!actual)
		return `${test.name}: the machine did not come to the end of this case\n${listing(assembled).join("\n")}`;
	const cause = (key: string, value: bigint) => {
		if (!key.endsWith("cause")) return "";
		const { code, interrupt } = decodeCause(value);
		return ` (${causeName(code, interrupt)})`;
	};
	const report: string[] = [];
	expected.report.forEach((byte, index) => {
		if (byte !== actual.report[index] && report.length < 12) {
			report.push(`  report[${index}]: expected ${byte}, got ${actual.report[index]}`);
		}
	});
	const used = [...new Set((test.code.match(/\b[xf]\d+|\b[ast]\d+\b/g) ?? []).slice(0, 40))];
	const start = used.flatMap((name) => {
		const number = /^x\d/.test(name) ? Number(name.slice(1)) : integerRegisters.indexOf(name);
		const value = /^f\d/.test(name) ? test.registers?.[31 + Number(name.slice(1))] : test.registers?.[number - 1];
		return value === undefined ? [] : [`${name}=${hex(value)}`];
	});
	return [
		`${test.name} (mode ${test.mode ?? 3}${test.fcsr ? `, fcsr ${hex(test.fcsr)}` : ""})`,
		...differences(expected.registers, actual.registers, registerName),
		...differences(expected.csrs, actual.csrs, (key) => key, cause),
		...differences(expected.data, actual.data, (offset) => `data+0x${offset.toString(16)}`),
		...report,
		start.length ? `  start: ${start.join(" ")}` : "",
		...listing(assembled),
	]
		.filter((line) => line !== "")
		.join("\n");
}
