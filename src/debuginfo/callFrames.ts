import { hex } from "../common/bytes.ts";
import { type ByteReader, damaged } from "./byteReader.ts";
import { type ExpressionContext, evaluate } from "./expression.ts";
import type { DebugSections } from "./unit.ts";

/** How the caller's value of a register is found. */
type Rule =
	| { readonly kind: "same" }
	| { readonly kind: "undefined" }
	| { readonly kind: "offset"; readonly offset: number }
	| { readonly kind: "valueOffset"; readonly offset: number }
	| { readonly kind: "register"; readonly register: number }
	| { readonly kind: "expression" | "valueExpression"; readonly expression: Uint8Array };

type CfaRule = { readonly register: number; readonly offset: number } | { readonly expression: Uint8Array };

interface Row {
	cfa: CfaRule | undefined;
	rules: Map<number, Rule>;
}

interface Cie {
	readonly codeAlign: number;
	readonly dataAlign: number;
	readonly returnRegister: number;
	readonly initial: ByteReader;
	/** Pointer encoding of .eh_frame; undefined in .debug_frame. */
	readonly encoding: number | undefined;
	readonly augmented: boolean;
}

interface Fde {
	readonly cie: Cie;
	readonly low: number;
	readonly high: number;
	readonly program: ByteReader;
}

interface CallerRegisters {
	readonly cfa: bigint;
	readonly returnAddress: bigint;
	register(index: number): bigint | undefined;
}

/** Call-frame information of .debug_frame (DWARF 6.4), or of .eh_frame where there is none. */
export class CallFrames {
	private entries: readonly Fde[] | undefined;

	constructor(private readonly sections: DebugSections) {}

	private get fdes(): readonly Fde[] {
		this.entries ??= [...this.read(".debug_frame", false), ...this.read(".eh_frame", true)];
		return this.entries;
	}

	/** There is call-frame information for the code at `pc`. */
	covers(pc: bigint): boolean {
		const address = Number(pc);
		return this.fdes.some((entry) => address >= entry.low && address < entry.high);
	}

	private read(name: string, eh: boolean): Fde[] {
		const reader = this.sections.optional(name)?.from(0);
		const sectionAddress = this.sections.elf.section(name)?.address ?? 0;
		const cies = new Map<number, Cie>();
		const found: Fde[] = [];
		while (reader?.more) {
			const start = reader.at;
			const { is64, body } = reader.unit();
			if (!body.more) {
				if (eh) break;
				continue;
			}
			const idAt = body.at;
			const id = body.offset(is64);
			const isCie = eh ? id === 0 : id === (is64 ? 2 ** 64 : 0xffffffff);
			if (isCie) {
				const cie = readCie(body, eh);
				if (cie) cies.set(start, cie);
				continue;
			}
			const cie = cies.get(eh ? idAt - id : id);
			if (!cie) continue;
			const low = readPointer(body, cie.encoding, sectionAddress);
			const length = readPointer(body, cie.encoding === undefined ? undefined : cie.encoding & 0x0f, 0);
			if (cie.augmented) body.skip(body.uleb());
			found.push({ cie, low, high: low + length, program: body });
		}
		return found;
	}

	/** The caller's registers, as the information for `pc` tells; undefined when there is none for it. */
	unwind(pc: bigint, context: ExpressionContext): CallerRegisters | undefined {
		const address = Number(pc);
		const fde = this.fdes.find((entry) => address >= entry.low && address < entry.high);
		if (!fde) return undefined;
		const row = rowAt(fde, address);
		const cfa = cfaOf(row, context);
		if (cfa === undefined) return undefined;
		const register = (index: number): bigint | undefined => {
			const rule = row.rules.get(index);
			if (!rule || rule.kind === "same") return index === 2 ? cfa : context.register(index);
			switch (rule.kind) {
				case "undefined":
					return undefined;
				case "offset":
					return context.memory(cfa + BigInt(rule.offset), 8);
				case "valueOffset":
					return cfa + BigInt(rule.offset);
				case "register":
					return context.register(rule.register);
				default: {
					const place = evaluate(rule.expression, context, [cfa]);
					if (place.kind === "memory")
						return rule.kind === "expression" ? context.memory(place.address, 8) : place.address;
					return place.kind === "value" ? place.value : undefined;
				}
			}
		};
		const returnAddress = register(fde.cie.returnRegister);
		return returnAddress === undefined ? undefined : { cfa, returnAddress, register };
	}
}

function cfaOf(row: Row, context: ExpressionContext): bigint | undefined {
	if (!row.cfa) return undefined;
	if ("expression" in row.cfa) {
		const place = evaluate(row.cfa.expression, context);
		return place.kind === "memory" ? place.address : place.kind === "value" ? place.value : undefined;
	}
	const base = context.register(row.cfa.register);
	return base === undefined ? undefined : BigInt.asUintN(64, base + BigInt(row.cfa.offset));
}

function readCie(body: ByteReader, eh: boolean): Cie | undefined {
	const version = body.u8();
	const augmentation = body.string();
	if (version >= 4) body.skip(2);
	const codeAlign = body.uleb();
	const dataAlign = body.sleb();
	const returnRegister = version === 1 ? body.u8() : body.uleb();
	const augmented = augmentation.startsWith("z");
	// An unknown augmentation without a size cannot be stepped over.
	if (augmentation !== "" && !augmented) return undefined;
	let encoding: number | undefined = eh ? 0 : undefined;
	if (augmented) {
		const length = body.uleb();
		const inside = body.from(body.at, length);
		for (const letter of augmentation.slice(1)) {
			if (letter === "R") encoding = inside.u8();
			else if (letter === "L") inside.u8();
			else if (letter === "P") readPointer(inside, inside.u8(), 0);
		}
		body.skip(length);
	}
	return { codeAlign, dataAlign, returnRegister, initial: body, encoding, augmented };
}

/** DW_EH_PE encodings as far as RISC-V tools use them: absolute and pc-relative, 2, 4 or 8 bytes. */
function readPointer(reader: ByteReader, encoding: number | undefined, sectionAddress: number): number {
	if (encoding === undefined) return reader.u64();
	const at = sectionAddress + reader.at;
	const format = encoding & 0x0f;
	let value: number;
	if (format === 0x0b) value = reader.u32() | 0;
	else if (format === 0x03) value = reader.u32();
	else if (format === 0x0a) value = (reader.u16() << 16) >> 16;
	else if (format === 0x02) value = reader.u16();
	else if (format === 0x0c) value = Number(reader.s64());
	else if (format === 0x00 || format === 0x04) value = reader.u64();
	else throw damaged(`pointer encoding ${hex(encoding)}`);
	return (encoding & 0x70) === 0x10 ? at + value : value;
}

function rowAt(fde: Fde, pc: number): Row {
	const row: Row = { cfa: undefined, rules: new Map() };
	execute(fde.cie.initial, fde, row, undefined, new Map());
	execute(fde.program, fde, row, pc, new Map(row.rules));
	return row;
}

/**
 * Runs a call-frame program up to the row that holds `pc`, all of it where that is undefined. Every instruction takes at least a byte, so
 * it ends.
 */
function execute(
	program: ByteReader,
	fde: Fde,
	row: Row,
	pc: number | undefined,
	initial: ReadonlyMap<number, Rule>,
): void {
	const { codeAlign, dataAlign } = fde.cie;
	const reader = program.from(program.at);
	const stack: Row[] = [];
	let location = fde.low;
	const set = (register: number, rule: Rule) => row.rules.set(register, rule);
	const restore = (register: number) => {
		const rule = initial.get(register);
		if (rule) row.rules.set(register, rule);
		else row.rules.delete(register);
	};
	const register = () => (row.cfa && "register" in row.cfa ? row.cfa.register : 2);
	while (reader.more) {
		const op = reader.u8();
		const low = op & 0x3f;
		let advance: number | undefined;
		if (op >> 6 === 1) advance = low;
		else if (op >> 6 === 2) set(low, { kind: "offset", offset: reader.uleb() * dataAlign });
		else if (op >> 6 === 3) restore(low);
		else
			switch (op) {
				case 0x00:
					break;
				case 0x01:
					location = reader.u64();
					advance = 0;
					break;
				case 0x02:
					advance = reader.u8();
					break;
				case 0x03:
					advance = reader.u16();
					break;
				case 0x04:
					advance = reader.u32();
					break;
				case 0x05:
				case 0x11: {
					const index = reader.uleb();
					set(index, { kind: "offset", offset: (op === 0x11 ? reader.sleb() : reader.uleb()) * dataAlign });
					break;
				}
				case 0x06:
					restore(reader.uleb());
					break;
				case 0x07:
					set(reader.uleb(), { kind: "undefined" });
					break;
				case 0x08:
					set(reader.uleb(), { kind: "same" });
					break;
				case 0x09: {
					const index = reader.uleb();
					set(index, { kind: "register", register: reader.uleb() });
					break;
				}
				case 0x0a:
					if (stack.length < 64) stack.push({ cfa: row.cfa, rules: new Map(row.rules) });
					break;
				case 0x0b: {
					const saved = stack.pop();
					if (saved) {
						row.cfa = saved.cfa;
						row.rules = saved.rules;
					}
					break;
				}
				case 0x0c:
				case 0x12: {
					const index = reader.uleb();
					row.cfa = { register: index, offset: op === 0x12 ? reader.sleb() * dataAlign : reader.uleb() };
					break;
				}
				case 0x0d:
					row.cfa = { register: reader.uleb(), offset: row.cfa && "offset" in row.cfa ? row.cfa.offset : 0 };
					break;
				case 0x0e:
					row.cfa = { register: register(), offset: reader.uleb() };
					break;
				case 0x13:
					row.cfa = { register: register(), offset: reader.sleb() * dataAlign };
					break;
				case 0x0f:
					row.cfa = { expression: reader.block(reader.uleb()) };
					break;
				case 0x10:
				case 0x16: {
					const index = reader.uleb();
					const expression = reader.block(reader.uleb());
					set(index, { kind: op === 0x10 ? "expression" : "valueExpression", expression });
					break;
				}
				case 0x14:
				case 0x15: {
					const index = reader.uleb();
					set(index, { kind: "valueOffset", offset: (op === 0x15 ? reader.sleb() : reader.uleb()) * dataAlign });
					break;
				}
				default:
					throw damaged(`call-frame instruction ${hex(op)}`);
			}
		if (advance === undefined || pc === undefined) continue;
		location += advance * codeAlign;
		if (location > pc) return;
	}
}
