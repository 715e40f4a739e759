import { aliases } from "../../src/riscv/aliases.ts";
import { csrNumber } from "../../src/riscv/csr.ts";
import { operandTokens, orderingSuffixes, roundingModes } from "../../src/riscv/disassemble.ts";
import { type Field, type FieldName, fields } from "../../src/riscv/fields.ts";
import { instructionNamed } from "../../src/riscv/isa.ts";
import { floatRegister, integerRegister } from "../../src/riscv/registers.ts";

/**
 * A small RV64 assembler, so that tests read as assembly text. It knows every instruction and alias of src/riscv,
 * `li` with any 64-bit constant, `la`, labels (also numeric ones, `1b` and `1f`), and the directives
 * .half .word .dword .zero .align .org .equ. Sums and differences of labels and constants are expressions.
 */
export interface Assembled {
	readonly bytes: Uint8Array;
	readonly origin: bigint;
	readonly symbols: ReadonlyMap<string, bigint>;
	/** Source text of the statement at each address. */
	readonly lines: ReadonlyMap<bigint, string>;
}

type Resolve = (expression: string) => bigint;
type Emit = (resolve: Resolve, pc: bigint) => number[];

interface Statement {
	readonly text: string;
	readonly address: bigint;
	readonly size: number;
	readonly emit: Emit;
}

const littleEndian = (value: bigint, size: number) =>
	Array.from({ length: size }, (_, i) => Number((BigInt.asUintN(64, value) >> BigInt(8 * i)) & 255n));
const word = (value: number) => littleEndian(BigInt(value >>> 0), 4);

function put(field: Field, value: bigint, what: string): number {
	const number = Number(value);
	if (number < field.min || number > field.max || number % field.step !== 0)
		throw new Error(`${what}: ${value} does not fit`);
	return field.put(number);
}

const orderingBits: Readonly<Record<string, number>> = { i: 8, o: 4, r: 2, w: 1 };

function orderingSet(text: string): number | undefined {
	if (text === "unknown") return 0;
	let set = 0;
	for (const letter of text) {
		const bit = orderingBits[letter];
		if (bit === undefined) return undefined;
		set |= bit;
	}
	return set;
}

/** Bits of one operand; undefined when the text is not of the operand's kind. */
function operandBits(token: string, text: string, resolve: Resolve, pc: bigint): number | undefined {
	const register = (number: number | undefined, name: FieldName) =>
		number === undefined ? undefined : fields[name].put(number);
	switch (token) {
		case "rd":
		case "rs1":
		case "rs2":
			return register(integerRegister(text), token);
		case "frd":
		case "frs1":
		case "frs2":
		case "frs3":
			return register(floatRegister(text), token.slice(1) as FieldName);
		case "rm?":
		case "rm0?": {
			const mode = /^rm[0-7]$/.test(text) ? Number(text[2]) : roundingModes.indexOf(text);
			return mode < 0 || Number.isNaN(mode) ? undefined : fields.rm.put(mode);
		}
		case "pred":
		case "succ":
			return register(orderingSet(text), token);
		case "csr":
			return put(fields.csr, BigInt(csrNumber(text) ?? resolve(text)), text);
		case "branch":
		case "jump":
			return put(fields[token], resolve(text) - pc, text);
		default:
			if (integerRegister(text) !== undefined || floatRegister(text) !== undefined) return undefined;
			return put(fields[token as FieldName], resolve(text), text);
	}
}

interface Form {
	readonly match: number;
	readonly format: string;
}

function formsOf(mnemonic: string): Form[] {
	const forms: Form[] = [];
	const direct = instructionNamed(mnemonic);
	if (direct) forms.push({ match: direct.match, format: direct.operands });
	for (const suffix of orderingSuffixes.slice(1)) {
		const base = mnemonic.endsWith(suffix) ? instructionNamed(mnemonic.slice(0, -suffix.length)) : undefined;
		if (base?.kind !== "atomic") continue;
		forms.push({
			match: (base.match | fields.aqrl.put(orderingSuffixes.indexOf(suffix))) >>> 0,
			format: base.operands,
		});
	}
	for (const alias of aliases) {
		if (alias.mnemonic !== mnemonic || (mnemonic === "mv" && alias.of === "add")) continue;
		let match = instructionNamed(alias.of)!.match;
		for (const [name, value] of Object.entries(alias.implied)) match |= fields[name as FieldName].put(value);
		// fmv, fneg, fabs: both sources are the one register.
		const format = /^f(mv|neg|abs)\.[sd]$/.test(mnemonic) ? "frd,frs1=2" : alias.operands;
		forms.push({ match: match >>> 0, format });
	}
	return forms;
}

const defaultMode: Readonly<Record<string, number>> = { "rm?": 7, "rm0?": 0 };

function encodeForm(form: Form, operands: readonly string[], resolve: Resolve, pc: bigint): number | undefined {
	const twin = form.format.endsWith("=2");
	const tokens =
		(twin ? "frd,frs1" : form.format).match(operandTokens)?.filter((token) => !/^[(),]$/.test(token)) ?? [];
	const optional = tokens.at(-1)?.endsWith("?");
	if (operands.length !== tokens.length && !(optional && operands.length === tokens.length - 1)) return undefined;
	let bits = form.match;
	for (const [index, token] of tokens.entries()) {
		const text = operands[index];
		const part =
			text === undefined ? fields.rm.put(defaultMode[token] as number) : operandBits(token, text, resolve, pc);
		if (part === undefined) return undefined;
		bits |= part;
	}
	if (twin) bits |= fields.rs2.put(fields.rs1.get(bits));
	return bits >>> 0;
}

/** Words that load a 64-bit constant, as lui/addiw and shifted addi steps. */
function loadConstant(rd: number, value: bigint): number[] {
	const build = (mnemonic: string, parts: [FieldName, number][]) =>
		parts.reduce((bits, [name, field]) => bits | fields[name].put(field), instructionNamed(mnemonic)!.match) >>> 0;
	const signed = BigInt.asIntN(64, value);
	if (signed >= -2048n && signed <= 2047n) {
		return [
			build("addi", [
				["rd", rd],
				["imm12", Number(signed)],
			]),
		];
	}
	const low = Number(BigInt.asIntN(12, signed));
	if (signed >= -(1n << 31n) && signed < 1n << 31n) {
		const high = Number(((signed - BigInt(low)) >> 12n) & 0xfffffn);
		const words = [
			build("lui", [
				["rd", rd],
				["imm20", high],
			]),
		];
		if (low !== 0) {
			words.push(
				build("addiw", [
					["rd", rd],
					["rs1", rd],
					["imm12", low],
				]),
			);
		}
		return words;
	}
	let rest = (signed - BigInt(low)) >> 12n;
	let shift = 12;
	while ((rest & 1n) === 0n && shift < 63) {
		rest >>= 1n;
		shift++;
	}
	const words = loadConstant(rd, BigInt.asIntN(64 - shift, rest));
	words.push(
		build("slli", [
			["rd", rd],
			["rs1", rd],
			["shamt6", shift],
		]),
	);
	if (low !== 0) {
		words.push(
			build("addi", [
				["rd", rd],
				["rs1", rd],
				["imm12", low],
			]),
		);
	}
	return words;
}

function splitOperands(text: string): string[] {
	const parts = text.split(",").flatMap((part) => {
		const indirect = /^(.*)\(([a-z0-9]+)\)$/.exec(part.trim());
		if (!indirect) return [part.trim()];
		return [indirect[1]?.trim() ?? "", indirect[2] as string];
	});
	return text.trim() === "" ? [] : parts;
}

function encodeInstruction(mnemonic: string, rest: string, resolve: Resolve, pc: bigint): number {
	const operands = splitOperands(rest);
	for (const form of formsOf(mnemonic)) {
		const indirect = form.format.includes("(");
		if (indirect !== rest.includes("(")) continue;
		// "(sp)" stands for "0(sp)", except where the format has no offset.
		const noOffset = form.format.includes(",(");
		const given = operands.flatMap((text) => (text === "" ? (noOffset ? [] : ["0"]) : [text]));
		const bits = encodeForm(form, given, resolve, pc);
		if (bits !== undefined) return bits;
	}
	throw new Error(`no such instruction: ${mnemonic} ${rest}`);
}

class Assembler {
	private readonly statements: Statement[] = [];
	private readonly symbols = new Map<string, bigint>();
	private readonly numeric = new Map<string, bigint[]>();
	private pc: bigint;

	constructor(private readonly origin: bigint) {
		this.pc = origin;
	}

	run(source: string): Assembled {
		for (const line of source.split(/[\n;]/)) this.line(line.replace(/#.*/, "").trim());
		const bytes = new Uint8Array(Number(this.pc - this.origin));
		const lines = new Map<bigint, string>();
		for (const { text, address, size, emit } of this.statements) {
			lines.set(address, text);
			let data: number[];
			try {
				data = emit((expression) => this.evaluate(expression, address), address);
			} catch (error) {
				throw new Error(`${text}: ${(error as Error).message}`);
			}
			if (data.length !== size) throw new Error(`${text}: ${data.length} bytes instead of ${size}`);
			bytes.set(data, Number(address - this.origin));
		}
		return { bytes, origin: this.origin, symbols: this.symbols, lines };
	}

	private add(text: string, size: number, emit: Emit): void {
		this.statements.push({ text, address: this.pc, size, emit });
		this.pc += BigInt(size);
	}

	private line(line: string): void {
		const label = /^([\w.$]+):\s*(.*)$/.exec(line);
		if (label) {
			const name = label[1] as string;
			if (/^\d+$/.test(name)) this.numeric.set(name, [...(this.numeric.get(name) ?? []), this.pc]);
			else if (this.symbols.has(name)) throw new Error(`${name} is defined twice`);
			else this.symbols.set(name, this.pc);
			this.line(label[2] as string);
			return;
		}
		if (line === "") return;
		const [, mnemonic, rest] = /^(\S+)\s*(.*)$/.exec(line) as unknown as [string, string, string];
		if (mnemonic.startsWith(".")) this.directive(line, mnemonic, rest);
		else this.instruction(line, mnemonic, rest);
	}

	private directive(line: string, name: string, rest: string): void {
		const now = () => this.evaluate(rest, this.pc);
		const size = { ".byte": 1, ".half": 2, ".word": 4, ".dword": 8 }[name];
		if (size) {
			const items = rest.split(",").map((item) => item.trim());
			this.add(line, size * items.length, (resolve) => items.flatMap((item) => littleEndian(resolve(item), size)));
		} else if (name === ".zero") this.pc += now();
		else if (name === ".align") this.pc = ((this.pc - 1n) | ((1n << now()) - 1n)) + 1n;
		else if (name === ".org") this.pc = now();
		else if (name === ".equ") {
			const [symbol, value] = rest.split(",").map((part) => part.trim()) as [string, string];
			this.symbols.set(symbol, this.evaluate(value, this.pc));
		} else throw new Error(`no such directive: ${line}`);
	}

	private instruction(line: string, mnemonic: string, rest: string): void {
		const [register, expression] = rest.split(",").map((part) => part.trim());
		const rd = integerRegister(register ?? "");
		if (mnemonic === "li" && rd !== undefined && expression) {
			const words = loadConstant(rd, this.evaluate(expression, this.pc));
			this.add(line, words.length * 4, () => words.flatMap(word));
		} else if (mnemonic === "la" && rd !== undefined && expression) {
			this.add(line, 8, (resolve, pc) => {
				const offset = resolve(expression) - pc;
				const low = Number(BigInt.asIntN(12, offset));
				const high = Number(((offset - BigInt(low)) >> 12n) & 0xfffffn);
				const auipc = instructionNamed("auipc")!.match | fields.rd.put(rd) | fields.imm20.put(high);
				const addi = instructionNamed("addi")!.match | fields.rd.put(rd) | fields.rs1.put(rd) | fields.imm12.put(low);
				return [...word(auipc), ...word(addi)];
			});
		} else this.add(line, 4, (resolve, pc) => word(encodeInstruction(mnemonic, rest, resolve, pc)));
	}

	private evaluate(expression: string, pc: bigint): bigint {
		let total = 0n;
		let matched = "";
		for (const [term, sign, body] of expression.replace(/\s/g, "").matchAll(/([+-]?)([^+-]+)/g)) {
			matched += term;
			total += (sign === "-" ? -1n : 1n) * this.term(body as string, pc);
		}
		if (matched !== expression.replace(/\s/g, "")) throw new Error(`no expression: ${expression}`);
		return total;
	}

	private term(text: string, pc: bigint): bigint {
		if (/^(0x[0-9a-f]+|\d+)$/i.test(text)) return BigInt(text);
		if (text === ".") return pc;
		const numeric = /^(\d+)([bf])$/.exec(text);
		if (numeric) {
			const places = this.numeric.get(numeric[1] as string) ?? [];
			const found = numeric[2] === "b" ? places.filter((p) => p <= pc).at(-1) : places.find((p) => p > pc);
			if (found !== undefined) return found;
		}
		const value = this.symbols.get(text);
		if (value === undefined) throw new Error(`unknown symbol ${text}`);
		return value;
	}
}

export function assemble(source: string, origin = 0n): Assembled {
	return new Assembler(origin).run(source);
}
