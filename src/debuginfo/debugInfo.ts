import { CallFrames } from "./callFrames.ts";
import { DW_AT, DW_TAG } from "./dwarf.ts";
import { ElfFile } from "./elf.ts";
import { type ExpressionContext, evaluate, type Location } from "./expression.ts";
import { LineIndex, type LinePosition } from "./lineIndex.ts";
import { type LineTable, readLineTable } from "./lines.ts";
import { plain, type StructType, type Type, TypeReader } from "./types.ts";
import { type AddressRange, DebugSections, type Die, Unit } from "./unit.ts";

interface GlobalVariable {
	readonly name: string;
	readonly address: number;
	readonly type: Type | undefined;
}

export interface LocalVariable {
	readonly name: string;
	readonly type: Type | undefined;
	readonly parameter: boolean;
	/** Line of its declaration; 0: not told. */
	readonly line: number;
	/** Where it is at the pc that was asked for. */
	locate(context: ExpressionContext): Location;
	/** Registers that hold it anywhere in its function: where the compiler forgets it, one of them may still have its last value. */
	registers(): readonly number[];
}

const DW_OP_reg0 = 0x50;
const DW_OP_reg31 = 0x6f;

function registersOf(die: Die): readonly number[] {
	const found = new Set<number>();
	die.unit.eachLocation(die, DW_AT.location, (_, __, expression) => {
		const [op = 0] = expression;
		if (expression.length === 1 && op >= DW_OP_reg0 && op <= DW_OP_reg31) found.add(op - DW_OP_reg0);
	});
	return [...found];
}

/** One function that holds a pc; an inlined one says from where it is called. */
export interface FunctionFrame {
	readonly name: string;
	readonly inlined: boolean;
	/** Of an inlined function: the call's place. */
	readonly call?: { readonly file: string; readonly line: number };
	readonly die: Die;
}

/** A function of the program, as its definition tells. */
interface FunctionDefinition {
	readonly name: string;
	readonly range: AddressRange;
	/** Undefined for assembly. */
	readonly file?: string;
	readonly line?: number;
}

interface UnitCode {
	readonly unit: Unit;
	readonly ranges: readonly AddressRange[];
}

/** Debug information of one ELF file; everything is read at the first use of it. */
export class DebugInfo {
	readonly elf: ElfFile;
	readonly frames: CallFrames;
	readonly lines: LineIndex;
	private readonly sections: DebugSections;
	private readonly units: readonly Unit[];
	private readonly types: TypeReader;
	private readonly lineTables = new Map<number, LineTable>();
	private unitCode: readonly UnitCode[] | undefined;
	private names: Map<string, Die> | undefined;
	private functionList: readonly FunctionDefinition[] | undefined;
	private enumerators: Map<string, number> | undefined;

	/** Throws UserError `debug-info-damaged`; so may every later question. */
	constructor(elf: Uint8Array | ElfFile) {
		this.elf = elf instanceof ElfFile ? elf : new ElfFile(elf);
		this.sections = new DebugSections(this.elf);
		this.units = Unit.all(this.sections);
		this.types = new TypeReader((offset) => this.die(offset));
		this.frames = new CallFrames(this.sections);
		this.lines = new LineIndex(
			() => this.units.flatMap((unit) => this.tableOf(unit)?.rows ?? []),
			(pc) => this.functionsAt(pc),
		);
	}

	/** The program was built without -g. */
	get empty(): boolean {
		return this.units.length === 0;
	}

	private die(offset: number): Die | undefined {
		return this.units.find((unit) => offset >= unit.offset && offset < unit.end)?.die(offset);
	}

	/** Top-level definitions by kind and name: `struct proc`, `variable kmem`. A definition wins over a declaration. */
	private definition(kind: "struct" | "typedef" | "variable" | "function", name: string): Die | undefined {
		this.names ??= this.indexNames();
		return this.names.get(`${kind} ${name}`);
	}

	private indexNames(): Map<string, Die> {
		const names = new Map<string, Die>();
		for (const unit of this.units) {
			for (const die of unit.root.children) {
				const kind = topLevelKinds[die.tag];
				if (!kind || die.attributes.has(DW_AT.declaration)) continue;
				const name = this.nameOf(die);
				const key = `${kind} ${name}`;
				if (name !== "" && !names.has(key)) names.set(key, die);
			}
		}
		return names;
	}

	/** Name, of the entry itself or of the declaration that it completes. */
	private nameOf(die: Die): string {
		return this.origin(die, (from) => from.unit.text(from, DW_AT.name)) ?? "";
	}

	/** Asks the entry, then what it is an instance or the completion of. */
	private origin<T>(die: Die, ask: (die: Die) => T | undefined): T | undefined {
		let current: Die | undefined = die;
		for (let i = 0; current && i < 8; i++) {
			const answer = ask(current);
			if (answer !== undefined) return answer;
			const next: unknown = (
				current.attributes.get(DW_AT.abstract_origin) ?? current.attributes.get(DW_AT.specification)
			)?.value;
			current = typeof next === "number" ? this.die(next) : undefined;
		}
		return undefined;
	}

	struct(name: string): StructType | undefined {
		const die = this.definition("struct", name);
		const type = die && this.types.read(die);
		return type?.kind === "struct" || type?.kind === "union" ? type : undefined;
	}

	typedef(name: string): Type | undefined {
		const die = this.definition("typedef", name);
		return die && this.types.read(die);
	}

	/** A global or file-static variable with a fixed address. */
	variable(name: string): GlobalVariable | undefined {
		const die = this.definition("variable", name);
		if (!die) return undefined;
		const expression = die.unit.location(die, DW_AT.location, 0);
		const location = expression && evaluate(expression, this.noContext(die.unit));
		const address = location?.kind === "memory" ? Number(location.address) : this.elf.symbol(name)?.address;
		if (address === undefined) return undefined;
		return { name, address, type: this.origin(die, (from) => this.types.typeOf(from)) };
	}

	/** Names of all global and file-static variables, in the order of the units. */
	get variableNames(): readonly string[] {
		this.names ??= this.indexNames();
		return [...this.names.keys()].flatMap((key) =>
			key.startsWith("variable ") ? [key.slice("variable ".length)] : [],
		);
	}

	/** Names of the global and file-static variables that are a structure of this name, or an array of them. */
	variablesOfStruct(name: string): string[] {
		this.names ??= this.indexNames();
		const found: string[] = [];
		for (const [key, die] of this.names) {
			if (!key.startsWith("variable ")) continue;
			const type = plain(this.origin(die, (from) => this.types.typeOf(from)));
			const element = type?.kind === "array" ? plain(type.element) : type;
			if (element?.kind === "struct" && element.name === name) found.push(key.slice("variable ".length));
		}
		return found;
	}

	private noContext(unit: Unit): ExpressionContext {
		return this.inUnit(unit, { register: () => undefined, memory: () => undefined });
	}

	/** What an expression of a unit may ask, beside what the stopped program answers. */
	private inUnit(unit: Unit, context: ExpressionContext): ExpressionContext {
		return {
			...context,
			indexedAddress: (index) => unit.indexedAddress(index),
			baseType: (offset) => {
				const die = unit.die(unit.offset + offset);
				const type = die && plain(this.types.read(die));
				return type?.kind === "base" ? type : undefined;
			},
		};
	}

	private unitAt(pc: number): Unit | undefined {
		this.unitCode ??= this.units.map((unit) => ({ unit, ranges: unit.ranges(unit.root) }));
		return this.unitCode.find(({ ranges }) => ranges.some(({ low, high }) => pc >= low && pc < high))?.unit;
	}

	/** Entries with code that hold a pc, the function first, then blocks and inlined functions inwards. */
	private scopesAt(pc: number): Die[] {
		const unit = this.unitAt(pc);
		const scopes: Die[] = [];
		let level: readonly Die[] = unit?.root.children ?? [];
		for (;;) {
			const next = level.find((die) => scopeTags.has(die.tag) && this.holds(die, pc));
			if (!next) return scopes;
			scopes.push(next);
			level = next.children;
		}
	}

	private holds(die: Die, pc: number): boolean {
		return die.unit.ranges(die).some(({ low, high }) => pc >= low && pc < high);
	}

	/** The functions that hold a pc, innermost first: inlined ones, then the one that has the frame. */
	functionsAt(pc: number): FunctionFrame[] {
		const frames: FunctionFrame[] = [];
		for (const die of this.scopesAt(pc)) {
			if (die.tag === DW_TAG.lexical_block) continue;
			const inlined = die.tag === DW_TAG.inlined_subroutine;
			const file = die.attributes.get(DW_AT.call_file)?.value;
			const line = die.attributes.get(DW_AT.call_line)?.value;
			const callFile = typeof file === "number" ? this.tableOf(die.unit)?.fileName(file) : undefined;
			frames.push({
				name: this.nameOf(die),
				inlined,
				...(inlined && callFile !== undefined && typeof line === "number" ? { call: { file: callFile, line } } : {}),
				die,
			});
		}
		return frames.reverse();
	}

	/** Variables that a reader of the source sees at a pc, the innermost scope's first. */
	localsAt(pc: number): LocalVariable[] {
		return this.localsOfScopes(this.scopesAt(pc), 0, pc);
	}

	/** Of one function that holds a pc, inlined or not, without those of the functions around it. */
	localsOf(frame: FunctionFrame, pc: number): LocalVariable[] {
		const scopes = this.scopesAt(pc);
		const first = scopes.indexOf(frame.die);
		if (first < 0) return [];
		const next = scopes.findIndex((scope, i) => i > first && scope.tag !== DW_TAG.lexical_block);
		return this.localsOfScopes(next < 0 ? scopes : scopes.slice(0, next), first, pc);
	}

	private localsOfScopes(scopes: readonly Die[], first: number, pc: number): LocalVariable[] {
		const subprogram = scopes[0];
		const locals: LocalVariable[] = [];
		for (const scope of scopes.slice(first).reverse()) {
			for (const die of scope.children) {
				const parameter = die.tag === DW_TAG.formal_parameter;
				if (!parameter && die.tag !== DW_TAG.variable) continue;
				const name = this.nameOf(die);
				if (name === "") continue;
				locals.push({
					name,
					parameter,
					line: this.origin(die, (from) => numberOf(from, DW_AT.decl_line)) ?? 0,
					type: this.origin(die, (from) => this.types.typeOf(from)),
					locate: (context) => this.locate(die, subprogram as Die, pc, context),
					registers: () => registersOf(die),
				});
			}
		}
		return locals;
	}

	private locate(die: Die, subprogram: Die, pc: number, context: ExpressionContext): Location {
		const constant = this.origin(die, (from) => from.attributes.get(DW_AT.const_value)?.value);
		if (typeof constant === "number" || typeof constant === "bigint") return { kind: "value", value: BigInt(constant) };
		const expression = die.unit.location(die, DW_AT.location, pc);
		if (!expression || expression.length === 0) return { kind: "unknown", why: "it was optimized out" };
		const base = subprogram.unit.location(subprogram, DW_AT.frame_base, pc);
		return evaluate(expression, {
			...this.inUnit(die.unit, context),
			frameBase: () => {
				const place = base && evaluate(base, context);
				if (place?.kind === "memory") return place.address;
				return place?.kind === "register" ? context.register(place.register) : undefined;
			},
		});
	}

	/** Where the object is that an implicit pointer points to, at a pc of the function that holds it. */
	locateEntry(offset: number, pc: number, context: ExpressionContext): { type: Type | undefined; location: Location } {
		const die = this.die(offset);
		const subprogram = this.scopesAt(pc)[0];
		if (!die || !subprogram) return { type: undefined, location: { kind: "unknown", why: "it was optimized out" } };
		const type = this.origin(die, (from) => this.types.typeOf(from));
		return { type, location: this.locate(die, subprogram, pc, context) };
	}

	/**
	 * What a register held when the function was entered that returns to `returnAddress`, as the call's site tells (DWARF 3.4); `context` is
	 * the caller's.
	 */
	entryValue(returnAddress: number, register: number, context: ExpressionContext): bigint | undefined {
		const scopes = this.scopesAt(returnAddress - 1);
		for (const scope of scopes.reverse()) {
			const site = scope.children.find(
				(die) =>
					(die.tag === DW_TAG.call_site && die.unit.address(die, DW_AT.call_return_pc) === returnAddress) ||
					(die.tag === DW_TAG.GNU_call_site && die.unit.address(die, DW_AT.low_pc) === returnAddress),
			);
			for (const parameter of site?.children ?? []) {
				const place = parameter.attributes.get(DW_AT.location)?.value;
				if (!(place instanceof Uint8Array) || place.length !== 1 || place[0] !== 0x50 + register) continue;
				const value =
					parameter.unit.location(parameter, DW_AT.call_value, returnAddress - 1) ??
					parameter.unit.location(parameter, DW_AT.GNU_call_site_value, returnAddress - 1);
				const found = value && evaluate(value, this.inUnit(parameter.unit, context));
				if (found?.kind === "register") return context.register(found.register);
				return found?.kind === "memory" ? found.address : found?.kind === "value" ? found.value : undefined;
			}
		}
		return undefined;
	}

	private tableOf(unit: Unit): LineTable | undefined {
		const offset = unit.root.attributes.get(DW_AT.stmt_list)?.value;
		if (typeof offset !== "number") return undefined;
		let table = this.lineTables.get(offset);
		if (!table) {
			table = readLineTable(this.sections, offset);
			this.lineTables.set(offset, table);
		}
		return table;
	}

	/** Where a breakpoint on a function belongs; undefined: there is no such function in this program. */
	functionStart(name: string): number | undefined {
		const range = this.functionRange(name);
		return range && this.lines.pastPrologue(range.low);
	}

	/** How many parameters a function of this name is defined with. */
	parameterCount(name: string): number | undefined {
		const die = this.definition("function", name);
		return die?.children.filter(({ tag }) => tag === DW_TAG.formal_parameter).length;
	}

	/** Every place of a function by name: its own code, and each place that it is inlined at. */
	functionPlaces(name: string): number[] {
		const found = new Set<number>();
		const own = this.functionStart(name);
		if (own !== undefined) found.add(own);
		for (const unit of this.units)
			for (const die of unit.dies)
				if (die.tag === DW_TAG.inlined_subroutine && this.nameOf(die) === name) {
					const low = unit.address(die, DW_AT.low_pc) ?? unit.ranges(die)[0]?.low;
					const entry = unit.ranges(die).length > 0 ? low : undefined;
					if (entry !== undefined) found.add(entry);
				}
		return [...found].sort((a, b) => a - b);
	}

	/** Functions of the program that have code, C and assembly, by address. */
	get functions(): readonly FunctionDefinition[] {
		this.functionList ??= this.findFunctions();
		return this.functionList;
	}

	private findFunctions(): FunctionDefinition[] {
		const found = new Map<number, FunctionDefinition>();
		for (const unit of this.units) {
			for (const die of unit.root.children) {
				const range = die.tag === DW_TAG.subprogram ? unit.ranges(die)[0] : undefined;
				if (!range) continue;
				const file = this.origin(die, (from) => {
					const index = numberOf(from, DW_AT.decl_file);
					return index === undefined ? undefined : this.tableOf(from.unit)?.fileName(index);
				});
				const line = this.origin(die, (from) => numberOf(from, DW_AT.decl_line));
				found.set(range.low, {
					name: this.nameOf(die),
					range,
					...(file !== undefined && line !== undefined ? { file, line } : {}),
				});
			}
		}
		for (const symbol of this.elf.symbols) {
			if (found.has(symbol.address) || symbol.kind === "object" || !this.lines.lineAt(symbol.address)) continue;
			const place = this.lines.lineAt(symbol.address) as LinePosition;
			const reach = symbol.size > 0 ? symbol.address + symbol.size : this.elf.nextSymbol(symbol.address);
			found.set(symbol.address, {
				name: symbol.name,
				range: { low: symbol.address, high: reach ?? symbol.address },
				file: place.file,
				line: place.line,
			});
		}
		return [...found.values()].sort((a, b) => a.range.low - b.range.low);
	}

	/** Constant of an enumeration by its name. */
	enumerator(name: string): number | undefined {
		if (!this.enumerators) {
			this.enumerators = new Map();
			for (const unit of this.units)
				for (const die of unit.dies) {
					if (die.tag !== DW_TAG.enumerator) continue;
					const value = numberOf(die, DW_AT.const_value);
					const text = unit.text(die, DW_AT.name);
					if (text !== undefined && value !== undefined) this.enumerators.set(text, value);
				}
		}
		return this.enumerators.get(name);
	}

	/** A type by how C names it: `struct proc`, `uint64`, `enum procstate`. */
	typeNamed(name: string): Type | undefined {
		const match = /^(struct|union|enum)\s+(\w+)$/.exec(name);
		if (match?.[1] === "enum") return this.firstType(DW_TAG.enumeration_type, match[2] as string);
		if (match) return this.struct(match[2] as string);
		return this.typedef(name) ?? this.firstType(DW_TAG.base_type, name);
	}

	private firstType(tag: number, name: string): Type | undefined {
		for (const unit of this.units)
			for (const die of unit.root.children)
				if (die.tag === tag && unit.text(die, DW_AT.name) === name) return this.types.read(die);
		return undefined;
	}

	/** Global and file-static variables, by name. */
	get variables(): readonly string[] {
		this.names ??= this.indexNames();
		return [...this.names.keys()]
			.filter((key) => key.startsWith("variable "))
			.map((key) => key.slice("variable ".length))
			.sort();
	}

	/** Code of a function by name. */
	functionRange(name: string): AddressRange | undefined {
		const die = this.definition("function", name);
		const range = die && this.origin(die, (from) => from.unit.ranges(from)[0]);
		if (range) return range;
		const symbol = this.elf.symbol(name);
		return symbol && { low: symbol.address, high: symbol.address + Math.max(1, symbol.size) };
	}
}

function numberOf(die: Die, attribute: number): number | undefined {
	const value = die.attributes.get(attribute)?.value;
	return typeof value === "number" ? value : undefined;
}

const topLevelKinds: Readonly<Record<number, "struct" | "typedef" | "variable" | "function">> = {
	[DW_TAG.structure_type]: "struct",
	[DW_TAG.union_type]: "struct",
	[DW_TAG.typedef]: "typedef",
	[DW_TAG.variable]: "variable",
	[DW_TAG.subprogram]: "function",
};
const scopeTags: ReadonlySet<number> = new Set([DW_TAG.subprogram, DW_TAG.inlined_subroutine, DW_TAG.lexical_block]);
