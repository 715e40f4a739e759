import type { DebugProtocol } from "@vscode/debugprotocol";
import { UserError } from "../common/errors.ts";
import { plain, type Type } from "../debuginfo/types.ts";
import { csrNumber } from "../riscv/csr.ts";
import { integerRegisters } from "../riscv/registers.ts";
import type { Contexts, Thread } from "./contexts.ts";
import { csrFields, csrText, fieldValue, shownCsrs } from "./csrFields.ts";
import { memoryReference, writeMemory } from "./references.ts";
import type { Frame } from "./stack.ts";
import {
	addressOf,
	childCount,
	childrenOf,
	format,
	inMemory,
	isFloat,
	numberOf,
	pteType,
	sizeOf,
	typeText,
	type Value,
} from "./values.ts";

/** One row of the Variables view. */
interface Row {
	readonly name: string;
	readonly text: string;
	readonly type?: string;
	/** What is below it. */
	readonly children?: Container;
	readonly value?: Value;
	/** C that names it, for watches. */
	readonly expression?: string;
	write?(value: bigint): void;
}

interface Container {
	rows(start: number, count: number, hex: boolean): Row[];
	/** Of an array: how many there are. */
	readonly indexed?: number;
}

/** Most rows given at once: a client asks for the rest. */
const mostRows = 4096;

/** What the Variables view shows, by reference; all references end when the machine moves. */
export class Variables {
	private readonly containers = new Map<number, Container>();
	private next = 1;

	constructor(private readonly contexts: Contexts) {}

	/** References start from 1 again; old ones are not found any more, rather than mean something else. */
	clear(): void {
		this.containers.clear();
	}

	private reference(container: Container): number {
		const reference = this.next++;
		this.containers.set(reference, container);
		return reference;
	}

	scopes(frame: Frame, thread: Thread): DebugProtocol.Scope[] {
		const scopes: DebugProtocol.Scope[] = [];
		const add = (name: string, container: Container, more: Partial<DebugProtocol.Scope> = {}) => {
			scopes.push({ name, variablesReference: this.reference(container), expensive: false, ...more });
		};
		if (frame.function) add("Locals", this.locals(frame), { presentationHint: "locals" });
		if (frame.symbols?.info?.empty === false) add("Globals", this.globals(frame), { expensive: true });
		add("Registers", this.registers(frame, thread), { presentationHint: "registers" });
		const hart = thread.hart;
		if (hart && frame.isTop) add(`CSRs of hart ${hart.id}`, this.csrs(thread), { presentationHint: "registers" });
		const { process } = thread;
		const procType = this.contexts.procType();
		if (process && procType) add("struct proc", this.struct(process.address, procType));
		const trapframe = this.contexts.trapframeType();
		if (process?.trapframe !== undefined && trapframe) add("Trap frame", this.struct(process.trapframe, trapframe));
		return scopes;
	}

	private locals(frame: Frame): Container {
		return {
			rows: (_start, _count, hex) => {
				const info = frame.symbols?.info;
				if (!info || !frame.function) return [];
				const seen = new Set<string>();
				return info.localsOf(frame.function, frame.at).flatMap((local) => {
					// The innermost of a name is the one that C means.
					if (seen.has(local.name)) return [];
					seen.add(local.name);
					const value: Value = {
						type: local.type,
						space: frame.space,
						location: local.locate(frame.context),
						context: frame.context,
						info,
						at: frame.at,
					};
					return [this.row(local.name, value, hex, local.name)];
				});
			},
		};
	}

	private globals(frame: Frame): Container {
		return {
			rows: (_start, _count, hex) => {
				const info = frame.symbols?.info;
				if (!info) return [];
				const isKernel = frame.symbols === this.contexts.kernel;
				const space = isKernel ? this.contexts.kernelSpace() : frame.space;
				return info.variables.flatMap((name) => {
					const variable = info.variable(name);
					if (!variable) return [];
					const value = inMemory(
						{ space, context: frame.context, info, at: frame.at },
						variable.type,
						BigInt(variable.address),
					);
					return [this.row(name, value, hex, name)];
				});
			},
		};
	}

	private registers(frame: Frame, thread: Thread): Container {
		return {
			rows: (_start, _count, hex) => {
				const rows: Row[] = [{ name: "pc", text: this.code(frame.pc), expression: "$pc" }];
				for (let index = 1; index < 32; index++) {
					const name = integerRegisters[index] as string;
					const value = frame.context.register(index);
					const write = frame.isTop && thread.hart ? (to: bigint) => thread.hart?.setRegister(index, to) : undefined;
					rows.push({
						name,
						text: value === undefined ? "<lost>" : hex ? `0x${value.toString(16)}` : this.code(value),
						expression: `$${name}`,
						...(write ? { write } : {}),
					});
				}
				return rows;
			},
		};
	}

	private code(value: bigint): string {
		const hex = `0x${value.toString(16)}`;
		const symbol = this.contexts.kernel.symbolAt(Number(this.contexts.link(value)));
		return symbol ? `${hex} <${symbol.name}${symbol.offset ? `+0x${symbol.offset.toString(16)}` : ""}>` : hex;
	}

	private csrs({ hart }: Thread): Container {
		return {
			rows: () =>
				shownCsrs.flatMap((name) => {
					const number = csrNumber(name) as number;
					const bits = hart?.csr(number);
					if (bits === undefined) return [];
					const fields = csrFields[name];
					const children: Container | undefined = fields && {
						rows: () =>
							fields.map((field) => {
								const value = fieldValue(bits, field);
								const words = field.words?.(value);
								return {
									name: field.name,
									text: words ? `${value} (${words})` : `0x${value.toString(16)}`,
									expression: `$${name}.${field.name}`,
								};
							}),
					};
					const write = (to: bigint) => {
						if (!hart?.setCsr(number, to))
							throw new UserError("debug-request", `${name} cannot be written`, "It is read-only.");
					};
					return [
						{ name, text: csrText(name, bits), expression: `$${name}`, write, ...(children ? { children } : {}) },
					];
				}),
		};
	}

	private struct(address: bigint, type: Type): Container {
		const context = { register: () => undefined, memory: () => undefined };
		const value = inMemory({ space: this.contexts.physical, context, info: this.contexts.kernel.info }, type, address);
		return this.below(value, undefined);
	}

	/** Below a pointer into a program's memory stands the page-table entry that maps it. */
	private entryRow(value: Value, hex: boolean): Row[] {
		const pointer = plain(value.type)?.kind === "pointer" ? numberOf(value) : undefined;
		if (pointer === undefined || pointer === 0n) return [];
		const space = value.space.holding(pointer) ?? value.space;
		const entry = space.name.startsWith("u") ? space.entryOf(pointer) : undefined;
		if (entry === undefined) return [];
		return [
			this.row(
				"(page-table entry)",
				inMemory({ ...value, space: this.contexts.physical }, pteType, entry),
				hex,
				undefined,
			),
		];
	}

	private below(value: Value, expression: string | undefined): Container {
		const type = plain(value.type);
		return {
			rows: (start, count, hex) => [
				...childrenOf(value, start, Math.min(count, mostRows)).map((child) =>
					this.row(child.name, child.value, hex, childExpression(expression, child.name, type)),
				),
				...(start === 0 ? this.entryRow(value, hex) : []),
			],
			...(type?.kind === "array" ? { indexed: childCount(value) } : {}),
		};
	}

	private row(name: string, value: Value, hex: boolean, expression: string | undefined): Row {
		const row: Row = {
			name,
			text: format(this.contexts, value, { hex }),
			type: typeText(value),
			value,
			...(expression === undefined ? {} : { expression }),
			...(childCount(value) > 0 ? { children: this.below(value, expression) } : {}),
		};
		return row;
	}

	/** A value of an expression, as the body of an `evaluate` response has it. */
	evaluated(value: Value, hex: boolean, expression: string): DebugProtocol.EvaluateResponse["body"] {
		const row = this.row("", value, hex, expression);
		const { name: _name, value: result, ...rest } = this.variable(row);
		return { ...rest, result };
	}

	children(reference: number, start: number, count: number, hex: boolean): DebugProtocol.Variable[] {
		return this.container(reference)
			.rows(start, count, hex)
			.map((row) => this.variable(row));
	}

	private container(reference: number): Container {
		const container = this.containers.get(reference);
		if (!container)
			throw new UserError(
				"debug-request",
				"These variables are of an earlier stop",
				"Ask for the stack and scopes again.",
			);
		return container;
	}

	private variable(row: Row): DebugProtocol.Variable {
		const address = row.value && referenceOf(row.value);
		return {
			name: row.name,
			value: row.text,
			...(row.type === undefined ? {} : { type: row.type }),
			variablesReference: row.children ? this.reference(row.children) : 0,
			...(row.children?.indexed ? { indexedVariables: row.children.indexed } : {}),
			...(row.expression === undefined ? {} : { evaluateName: row.expression }),
			...(address === undefined ? {} : { memoryReference: address }),
		};
	}

	find(reference: number, name: string): Value | undefined {
		return this.container(reference)
			.rows(0, mostRows, false)
			.find((row) => row.name === name)?.value;
	}

	/** Changes a variable; the text of its new value. */
	set(reference: number, name: string, to: Value, hex: boolean): DebugProtocol.Variable {
		const container = this.container(reference);
		const row = container.rows(0, mostRows, hex).find((one) => one.name === name);
		if (!row) throw new UserError("debug-request", `There is no ${name} here`, "Ask for the variables again.");
		const number = numberOf(to);
		if (number === undefined)
			throw new UserError(
				"debug-request",
				"The new value is no number",
				"Write a number or an expression that has one.",
			);
		if (row.write) row.write(BigInt.asUintN(64, number));
		else if (row.value) this.write(row.value, number);
		else throw new UserError("debug-request", `${name} cannot be changed`, "It is computed.");
		const again = container.rows(0, mostRows, hex).find((one) => one.name === name);
		return this.variable(again ?? row);
	}

	/** Stores a number where a value lies. */
	write(value: Value, number: bigint): void {
		const type = plain(value.type);
		if (type?.kind === "function") throw new UserError("debug-request", "A function cannot be set", "Set a pointer.");
		if (type?.kind === "struct" || type?.kind === "union" || type?.kind === "array")
			throw new UserError("debug-request", "A whole structure cannot be set", "Set its members.");
		const address = addressOf(value);
		if (address === undefined)
			throw new UserError(
				"debug-request",
				"It is in a register, or nowhere: it cannot be changed",
				"Set the register itself, in the innermost frame, or use the debug build.",
			);
		if (isFloat(type))
			throw new UserError("debug-request", `A ${typeText(value)} cannot be set`, "Write its bytes in the memory view.");
		const size = sizeOf(value);
		const bytes = new Uint8Array(size);
		let whole = number;
		if (value.bits) {
			const mask = ((1n << BigInt(value.bits.size)) - 1n) << BigInt(value.bits.offset);
			const before = value.space.holding(address)?.read(address, size) ?? 0n;
			whole = (before & ~mask) | ((whole << BigInt(value.bits.offset)) & mask);
		}
		for (let i = 0; i < size; i++) bytes[i] = Number((whole >> BigInt(8 * i)) & 255n);
		if (writeMemory(this.contexts, value.space, address, bytes) < size)
			throw new UserError("debug-request", `0x${address.toString(16)} is not mapped`, "It cannot be written.");
	}
}

/** Where it lies, or what it points to. */
function referenceOf(value: Value): string | undefined {
	const type = plain(value.type);
	if (type?.kind === "pointer") {
		const target = numberOf(value);
		return target === undefined || target === 0n
			? undefined
			: memoryReference(value.space.holding(target) ?? value.space, target);
	}
	const address = addressOf(value);
	return address === undefined ? undefined : memoryReference(value.space.holding(address) ?? value.space, address);
}

function childExpression(parent: string | undefined, name: string, type: ReturnType<typeof plain>): string | undefined {
	if (parent === undefined || name.startsWith("(")) return undefined;
	const whole = /^[\w$.[\]>-]+$/.test(parent) ? parent : `(${parent})`;
	if (name === "*") return `*${whole}`;
	if (name.startsWith("[")) return whole + name;
	return `${whole}${type?.kind === "pointer" ? "->" : "."}${name}`;
}
