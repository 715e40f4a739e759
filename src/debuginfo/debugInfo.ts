import { CallFrames } from "./callFrames.ts";
import { DW_AT, DW_TAG } from "./dwarf.ts";
import { ElfFile } from "./elf.ts";
import { type ExpressionContext, evaluate, type Location } from "./expression.ts";
import { type LineRow, type LineTable, readLineTable } from "./lines.ts";
import { plain, type StructType, type Type, TypeReader } from "./types.ts";
import { type AddressRange, DebugSections, type Die, Unit } from "./unit.ts";

export interface LinePosition {
	readonly file: string;
	readonly line: number;
	readonly column: number;
}

export interface GlobalVariable {
	readonly name: string;
	readonly address: number;
	readonly type: Type | undefined;
}

export interface LocalVariable {
	readonly name: string;
	readonly type: Type | undefined;
	readonly parameter: boolean;
	/** Where it is at the pc that was asked for. */
	locate(context: ExpressionContext): Location;
}

/** One function that holds a pc; an inlined one says from where it is called. */
export interface FunctionFrame {
	readonly name: string;
	readonly inlined: boolean;
	/** Of an inlined function: the call's place. */
	readonly call?: { readonly file: string; readonly line: number };
	readonly die: Die;
}

interface UnitCode {
	readonly unit: Unit;
	readonly ranges: readonly AddressRange[];
}

/** Debug information of one ELF file; everything is read at the first use of it. */
export class DebugInfo {
	readonly elf: ElfFile;
	readonly frames: CallFrames;
	private readonly sections: DebugSections;
	private readonly units: readonly Unit[];
	private readonly types: TypeReader;
	private readonly lineTables = new Map<number, LineTable>();
	private unitCode: readonly UnitCode[] | undefined;
	private names: Map<string, Die> | undefined;
	private sortedRows: readonly LineRow[] | undefined;

	/** Throws UserError `debug-info-damaged`; so may every later question. */
	constructor(elf: Uint8Array | ElfFile) {
		this.elf = elf instanceof ElfFile ? elf : new ElfFile(elf);
		this.sections = new DebugSections(this.elf);
		this.units = Unit.all(this.sections);
		this.types = new TypeReader((offset) => this.die(offset));
		this.frames = new CallFrames(this.sections);
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
		return {
			register: () => undefined,
			memory: () => undefined,
			indexedAddress: (index) => unit.indexedAddress(index),
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
		const scopes = this.scopesAt(pc);
		const subprogram = scopes[0];
		const locals: LocalVariable[] = [];
		for (const scope of [...scopes].reverse()) {
			for (const die of scope.children) {
				const parameter = die.tag === DW_TAG.formal_parameter;
				if (!parameter && die.tag !== DW_TAG.variable) continue;
				const name = this.nameOf(die);
				if (name === "") continue;
				locals.push({
					name,
					parameter,
					type: this.origin(die, (from) => this.types.typeOf(from)),
					locate: (context) => this.locate(die, subprogram as Die, pc, context),
				});
			}
		}
		return locals;
	}

	private locate(die: Die, subprogram: Die, pc: number, context: ExpressionContext): Location {
		const constant = die.attributes.get(DW_AT.const_value)?.value;
		if (typeof constant === "number") return { kind: "value", value: BigInt(Math.trunc(constant)) };
		const expression = die.unit.location(die, DW_AT.location, pc);
		if (!expression || expression.length === 0) return { kind: "unknown", why: "it was optimized out" };
		const base = subprogram.unit.location(subprogram, DW_AT.frame_base, pc);
		return evaluate(expression, {
			...context,
			indexedAddress: (index) => die.unit.indexedAddress(index),
			frameBase: () => {
				const place = base && evaluate(base, context);
				if (place?.kind === "memory") return place.address;
				return place?.kind === "register" ? context.register(place.register) : undefined;
			},
		});
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

	/** All rows of all units, by address; at one address an end of a sequence comes before the next sequence's start. */
	private get rows(): readonly LineRow[] {
		this.sortedRows ??= this.units
			.flatMap((unit) => this.tableOf(unit)?.rows ?? [])
			.map((row, order) => ({ row, order }))
			.sort((a, b) => a.row.address - b.row.address || Number(b.row.end) - Number(a.row.end) || a.order - b.order)
			.map(({ row }) => row);
		return this.sortedRows;
	}

	/** Source line of an instruction. */
	lineAt(pc: number): LinePosition | undefined {
		const { rows } = this;
		let low = 0;
		let high = rows.length;
		while (low < high) {
			const middle = (low + high) >> 1;
			if ((rows[middle] as LineRow).address <= pc) low = middle + 1;
			else high = middle;
		}
		// A row with line 0 belongs to no line: the compiler made the code up.
		const row = rows[low - 1];
		if (!row || row.end || row.line === 0) return undefined;
		return { file: row.file, line: row.line, column: row.column };
	}

	/** Where code of a line begins: the first address of each stretch that is marked as a statement. */
	addressesOf(file: string, line: number): number[] {
		const found: number[] = [];
		const empty: number[] = [];
		let inside = false;
		for (const [i, row] of this.rows.entries()) {
			const matches = !row.end && row.line === line && sameFile(row.file, file);
			// Optimized code has rows without an instruction: the next row takes their address over.
			const hasCode = this.rows[i + 1]?.address !== row.address;
			if (matches && row.statement && !hasCode) empty.push(row.address);
			if (matches && hasCode && !inside) found.push(row.address);
			if (hasCode) inside = matches;
		}
		return found.length > 0 ? found : empty;
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

const topLevelKinds: Readonly<Record<number, "struct" | "typedef" | "variable" | "function">> = {
	[DW_TAG.structure_type]: "struct",
	[DW_TAG.union_type]: "struct",
	[DW_TAG.typedef]: "typedef",
	[DW_TAG.variable]: "variable",
	[DW_TAG.subprogram]: "function",
};
const scopeTags: ReadonlySet<number> = new Set([DW_TAG.subprogram, DW_TAG.inlined_subroutine, DW_TAG.lexical_block]);

/** Names agree when one ends with the other at a folder's edge: builds record relative and absolute ones. */
export function sameFile(a: string, b: string): boolean {
	return a === b || a.endsWith(`/${b}`) || b.endsWith(`/${a}`);
}
