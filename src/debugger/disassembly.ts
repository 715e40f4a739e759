import type { DebugProtocol } from "@vscode/debugprotocol";
import { UserError } from "../common/errors.ts";
import type { ProgramSymbols } from "../debuginfo/symbolizer.ts";
import { disassemble } from "../riscv/disassemble.ts";
import { fields } from "../riscv/fields.ts";
import { findInstruction, instructionLength } from "../riscv/isa.ts";
import type { Contexts } from "./contexts.ts";
import { memoryReference } from "./references.ts";
import type { Space } from "./space.ts";

const mostInstructions = 2000;
/** Instructions from the address to the first one that is shown, either way: each on the way is decoded. */
const mostOffset = 20_000;

interface Line {
	readonly address: bigint;
	readonly length: number;
	readonly text: string;
	readonly bytes: string;
	readonly word: number;
}

function decode(space: Space, address: bigint, symbols: ProgramSymbols | undefined): Line | undefined {
	const bytes = space.bytes(address, 4);
	// The second half of an instruction may lie in a page that is not there.
	if (bytes.length < 2 || bytes.length < instructionLength(bytes[0] as number)) return undefined;
	const word = (bytes[0] ?? 0) | ((bytes[1] ?? 0) << 8) | ((bytes[2] ?? 0) << 16) | ((bytes[3] ?? 0) << 24);
	const { length, text } = disassemble(word >>> 0, address, { symbolize: (target) => nameOf(symbols, target) });
	const hex = [...bytes.subarray(0, length)].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
	return { address, length, text, bytes: hex, word: word >>> 0 };
}

function nameOf(symbols: ProgramSymbols | undefined, address: bigint): string | undefined {
	const symbol = symbols?.symbolAt(Number(address));
	return symbol && symbol.name + (symbol.offset ? `+0x${symbol.offset.toString(16)}` : "");
}

/** What a pair such as `auipc ra; jalr ra` calls, or `auipc a0; addi a0` points to, beside its second instruction. */
function pairText(symbols: ProgramSymbols | undefined, before: Line | undefined, line: Line): string {
	if (before?.length !== 4 || line.length !== 4 || before.address + 4n !== line.address) return "";
	if (findInstruction(before.word)?.mnemonic !== "auipc") return "";
	const mnemonic = findInstruction(line.word)?.mnemonic;
	if ((mnemonic !== "jalr" && mnemonic !== "addi") || fields.rs1.get(line.word) !== fields.rd.get(before.word))
		return "";
	const high = BigInt.asIntN(32, BigInt(fields.imm20.get(before.word)) << 12n);
	const target = BigInt.asUintN(64, before.address + high + BigInt(fields.imm12.get(line.word)));
	const name = nameOf(symbols, target);
	return ` # 0x${target.toString(16)}${name === undefined ? "" : ` <${name}>`}`;
}

/** Instructions around an address: `offset` counts instructions, and may be negative. Where there are none, lines say so. */
export function disassembleAround(
	contexts: Contexts,
	space: Space,
	symbols: ProgramSymbols | undefined,
	start: bigint,
	offset: number,
	count: number,
	source: (file: string) => DebugProtocol.Source,
): DebugProtocol.DisassembledInstruction[] {
	if (Math.abs(offset) > mostOffset)
		throw new UserError(
			"debug-request",
			`${offset} instructions from an address are too many to count`,
			"Give an address that is nearer.",
		);
	const wanted = Math.max(0, Math.min(count, mostInstructions));
	const lines: (Line | undefined)[] = [];
	let at = start;
	if (offset < 0) lines.push(...before(space, symbols, start, -offset, contexts));
	for (let skip = 0; skip < offset; skip++) at += BigInt(decode(space, at, symbols)?.length ?? 2);
	while (lines.length < wanted) {
		const line = decode(space, at, symbols);
		lines.push(line ?? { address: at, length: 2, text: "(not mapped)", bytes: "", word: 0 });
		at += BigInt(line?.length ?? 2);
	}
	return lines.slice(0, wanted).map((line, i) => {
		if (!line)
			return {
				address: `0x${(start - BigInt(2 * (lines.length - i))).toString(16)}`,
				instruction: "(unknown)",
				presentationHint: "invalid",
			};
		const text = line.text + pairText(symbols, lines[i - 1], line);
		return describe(contexts, space, symbols, { ...line, text }, source);
	});
}

function describe(
	contexts: Contexts,
	space: Space,
	symbols: ProgramSymbols | undefined,
	line: Line,
	source: (file: string) => DebugProtocol.Source,
): DebugProtocol.DisassembledInstruction {
	const at = Number(contexts.link(line.address));
	const symbol = symbols?.symbolAt(at);
	const place = symbols?.attempt(() => symbols.info?.lines.lineAt(at));
	return {
		address: memoryReference(space, line.address).replace(/^.*:/, ""),
		instructionBytes: line.bytes,
		instruction: line.text,
		...(symbol ? { symbol: symbol.offset ? `${symbol.name}+0x${symbol.offset.toString(16)}` : symbol.name } : {}),
		...(place ? { location: source(place.file), line: place.line } : {}),
	};
}

/** Instructions before an address: decoded from the symbol's start on, since lengths cannot be read backwards. */
function before(
	space: Space,
	symbols: ProgramSymbols | undefined,
	start: bigint,
	count: number,
	contexts: Contexts,
): (Line | undefined)[] {
	let found: Line[] = [];
	let end = start;
	while (found.length < count) {
		const symbol = symbols?.symbolAt(Number(contexts.link(end - 1n)));
		if (!symbol) break;
		const from = end - 1n - BigInt(symbol.offset);
		const piece: Line[] = [];
		for (let at = from; at < end; ) {
			const line = decode(space, at, symbols);
			if (!line) break;
			piece.push(line);
			at += BigInt(line.length);
		}
		if (piece.length === 0) break;
		found = [...piece, ...found];
		end = from;
	}
	const enough = found.slice(-count);
	return [...Array.from({ length: count - enough.length }, () => undefined), ...enough];
}
