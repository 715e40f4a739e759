import { UserError } from "../common/errors.ts";
import { findMember, plain, type Type, typeName as typeText } from "../debuginfo/types.ts";
import { csrNumber } from "../riscv/csr.ts";
import { integerRegister } from "../riscv/registers.ts";
import type { Contexts } from "./contexts.ts";
import { type Expression, notUnderstood, parseExpression, type TypeName } from "./cSyntax.ts";
import { csrFields, fieldValue } from "./csrFields.ts";
import type { Frame } from "./stack.ts";
import {
	addressOf,
	computed,
	dereference,
	elementOf,
	inMemory,
	isFloat,
	memberOf,
	numberOf,
	type Value,
	whyUnknown,
} from "./values.ts";

const base = (name: string, size: number, signed: boolean, char = false): Type => ({
	kind: "base",
	name,
	size,
	signed,
	char,
});
const int = base("int", 4, true);
const unsignedInt = base("unsigned int", 4, false);
const long = base("long", 8, true);
const unsignedLong = base("unsigned long", 8, false);
/** C's own types (C11 6.7.2), by those of their words that make a difference, in this order; and xv6's names for them. */
const basicTypes: Readonly<Record<string, Type>> = {
	char: base("char", 1, false, true),
	"signed char": base("signed char", 1, true, true),
	"unsigned char": base("unsigned char", 1, false, true),
	short: base("short", 2, true),
	"unsigned short": base("unsigned short", 2, false),
	int,
	"unsigned int": unsignedInt,
	long,
	"long long": long,
	"unsigned long": unsignedLong,
	"unsigned long long": unsignedLong,
	uint: unsignedInt,
	uint8: base("uint8", 1, false, true),
	uint16: base("uint16", 2, false),
	uint32: base("uint32", 4, false),
	uint64: base("uint64", 8, false),
};

const wordsOfTypes = /^(?:(?:signed|unsigned|char|short|int|long)(?: |$))+$/;

/** `long unsigned int`, `int short`: the words may stand in any order, and some may be left out. */
function basicType(name: string): Type | undefined {
	if (!wordsOfTypes.test(name)) return basicTypes[name];
	const words = name.split(" ");
	const size = words.filter((word) => word === "char" || word === "short" || word === "long").join(" ") || "int";
	const sign = words.includes("unsigned") ? "unsigned " : words.includes("signed") && size === "char" ? "signed " : "";
	return basicTypes[sign + size];
}

/** What a debugger's expression may ask: names as one frame sees them. */
export interface Scope {
	readonly contexts: Contexts;
	readonly frame: Frame;
}

/** Parses and evaluates. Throws UserError `expression-not-understood`; a value that is not known is a value all the same. */
export function evaluateExpression(scope: Scope, text: string): Value {
	return evaluate(
		scope,
		parseExpression(text, (name) => typeNamed(scope, name) !== undefined),
	);
}

/** A condition: not zero. Undefined: its value is not known here. */
export function evaluateCondition(scope: Scope, expression: Expression): boolean | undefined {
	const value = numberOf(evaluate(scope, expression));
	return value === undefined ? undefined : value !== 0n;
}

export function parse(scope: Scope, text: string): Expression {
	return parseExpression(text, (name) => typeNamed(scope, name) !== undefined);
}

const infoOf = ({ frame }: Scope) => frame.symbols?.info;
const origin = (scope: Scope) => ({
	space: scope.frame.space,
	context: scope.frame.context,
	info: infoOf(scope),
	at: scope.frame.at,
});

function typeNamed(scope: Scope, name: string): Type | undefined {
	const basic = basicType(name);
	if (basic) return basic;
	const own = scope.frame.symbols?.attempt(() => infoOf(scope)?.typeNamed(name));
	return own ?? scope.contexts.kernel.attempt(() => scope.contexts.kernel.info?.typeNamed(name));
}

function resolveType(scope: Scope, { name, pointers }: TypeName): Type | undefined {
	const words = name === "void" ? undefined : typeNamed(scope, name);
	if (!words && name !== "void")
		throw notUnderstood(`There is no type \`${name}\` in ${scope.frame.symbols?.name ?? "this program"}`);
	let type = words;
	for (let i = 0; i < pointers; i++) type = { kind: "pointer", size: 8, target: type };
	return type;
}

export function evaluate(scope: Scope, expression: Expression): Value {
	switch (expression.kind) {
		case "number":
			return computed(origin(scope), numberType(expression), expression.value);
		case "char":
			return computed(origin(scope), int, BigInt(expression.value));
		case "name":
			return named(scope, expression.name);
		case "register":
			return register(scope, expression.name, expression.field);
		case "unary":
			return unary(scope, expression.operator, expression.operand);
		case "binary":
			return binary(scope, expression.operator, expression.left, expression.right);
		case "choice":
			return choice(scope, known(evaluate(scope, expression.test)) !== 0n, expression.yes, expression.no);
		case "member":
			return member(evaluate(scope, expression.of), expression.name);
		case "index":
			return index(evaluate(scope, expression.of), known(evaluate(scope, expression.index)));
		case "cast":
			return cast(resolveType(scope, expression.type), evaluate(scope, expression.operand));
		case "sizeof": {
			const type = expression.type
				? resolveType(scope, expression.type)
				: expression.operand && evaluate(scope, expression.operand).type;
			return computed(origin(scope), unsignedLong, BigInt(plain(type)?.size ?? 1));
		}
	}
}

function numberType({ unsigned, long: isLong }: { unsigned: boolean; long: boolean }): Type {
	if (isLong) return unsigned ? unsignedLong : long;
	return unsigned ? unsignedInt : int;
}

/** The number of an operand. Throws when it is not known, or none. */
function known(value: Value): bigint {
	const number = numberOf(value);
	if (number !== undefined) return number;
	const type = plain(value.type);
	if (isFloat(type)) throw notUnderstood(`A ${typeText(value.type)} is shown, but nothing is computed with it`);
	if (type?.kind === "struct" || type?.kind === "union") throw notUnderstood(`A ${typeText(value.type)} is no number`);
	throw notUnderstood(`A value is not known here: ${whyUnknown(value)}`);
}

/** A local variable, else a global one of the frame's program, a constant, a function, and last what the kernel calls so. */
function named(scope: Scope, name: string): Value {
	const { frame, contexts } = scope;
	const { symbols } = frame;
	const own = symbols?.attempt(() => local(scope, name) ?? global(scope, name));
	if (own) return own;
	if (symbols !== contexts.kernel) {
		const { kernel } = contexts;
		const space = contexts.kernelSpace();
		const inKernel = { ...scope, frame: { ...frame, symbols: kernel, space } };
		const found = kernel.attempt(() => global(inKernel, name));
		if (found) return found;
	}
	throw notUnderstood(`There is no \`${name}\` here`);
}

function local(scope: Scope, name: string): Value | undefined {
	const { frame } = scope;
	const info = infoOf(scope);
	if (!info || !frame.function) return undefined;
	const found = info.localsOf(frame.function, frame.at).find((variable) => variable.name === name);
	return found && { ...origin(scope), type: found.type, location: found.locate(frame.context) };
}

function global(scope: Scope, name: string): Value | undefined {
	const { frame } = scope;
	const info = infoOf(scope);
	const variable = info?.variable(name);
	if (variable) return inMemory(origin(scope), variable.type, BigInt(variable.address));
	const constant = info?.enumerator(name);
	if (constant !== undefined) return computed(origin(scope), int, BigInt(constant));
	const address = frame.symbols?.symbol(name);
	if (address === undefined) return undefined;
	return inMemory(origin(scope), { kind: "function", size: 0 }, BigInt(address));
}

function register(scope: Scope, name: string, field: string | undefined): Value {
	const { frame } = scope;
	const lower = name.toLowerCase();
	if (lower === "pc")
		return computed(origin(scope), { kind: "pointer", size: 8, target: { kind: "function", size: 0 } }, frame.pc);
	const index = integerRegister(lower);
	if (index !== undefined) {
		if (field !== undefined) throw notUnderstood(`$${name} has no fields`);
		return { ...origin(scope), type: unsignedLong, location: { kind: "register", register: index } };
	}
	const number = csrNumber(lower);
	const { csr } = frame.context;
	if (number === undefined) throw notUnderstood(`There is no register $${name}`);
	const bits = csr?.(number);
	if (bits === undefined) throw notUnderstood(`$${name} belongs to a hart, and this frame is on none`);
	if (field === undefined) return computed(origin(scope), unsignedLong, bits);
	const found = csrFields[lower]?.find((one) => one.name.toLowerCase() === field.toLowerCase());
	if (!found) throw notUnderstood(`$${name} has no field ${field}`);
	return computed(origin(scope), unsignedLong, fieldValue(bits, found));
}

function unary(scope: Scope, operator: string, operand: Expression): Value {
	const value = evaluate(scope, operand);
	switch (operator) {
		case "*": {
			const target = dereference(value);
			if (target) return target;
			const type = plain(value.type);
			if (type?.kind === "base" && type.size === 8)
				throw notUnderstood(`A ${typeText(value.type)} is no pointer: cast it, as in *(int *)x`);
			throw notUnderstood(
				type?.kind === "pointer"
					? `The pointer is not known here: ${whyUnknown(value)}`
					: `A ${typeText(value.type)} is no pointer`,
			);
		}
		case "&": {
			const address = addressOf(value);
			if (address === undefined) throw notUnderstood("It has no address: it is in a register, or was optimized out");
			const target = plain(value.type);
			return computed(
				value,
				{ kind: "pointer", size: 8, target: target?.kind === "array" ? target.element : value.type },
				address,
			);
		}
		case "!":
			return computed(origin(scope), int, known(value) === 0n ? 1n : 0n);
		default: {
			const type = promoted(value);
			const number = known(value);
			return fitted(scope, type, operator === "-" ? -number : operator === "~" ? ~number : number);
		}
	}
}

function binary(scope: Scope, operator: string, leftSide: Expression, rightSide: Expression): Value {
	const left = evaluate(scope, leftSide);
	if (operator === "&&" || operator === "||") {
		const first = known(left) !== 0n;
		if (operator === "&&" ? !first : first) return computed(origin(scope), int, first ? 1n : 0n);
		return computed(origin(scope), int, known(evaluate(scope, rightSide)) !== 0n ? 1n : 0n);
	}
	const right = evaluate(scope, rightSide);
	const pointed = pointerArithmetic(scope, operator, left, right);
	if (pointed) return pointed;
	const type = operator === "<<" || operator === ">>" ? promoted(left) : common(promoted(left), promoted(right));
	const a = converted(type, known(left));
	const b = operator === "<<" || operator === ">>" ? known(right) : converted(type, known(right));
	const compared = comparisons[operator];
	if (compared) return computed(origin(scope), int, compared(a, b) ? 1n : 0n);
	if ((operator === "/" || operator === "%") && b === 0n) throw notUnderstood("It divides by zero");
	const bits = 8 * type.size;
	if ((operator === "<<" || operator === ">>") && (b < 0n || b >= BigInt(bits)))
		throw notUnderstood(`A shift by ${b} of a value with ${bits} bits`);
	return fitted(scope, type, (arithmetic[operator] as (a: bigint, b: bigint) => bigint)(a, b));
}

const comparisons: Readonly<Record<string, (a: bigint, b: bigint) => boolean>> = {
	"==": (a, b) => a === b,
	"!=": (a, b) => a !== b,
	"<": (a, b) => a < b,
	">": (a, b) => a > b,
	"<=": (a, b) => a <= b,
	">=": (a, b) => a >= b,
};
const arithmetic: Readonly<Record<string, (a: bigint, b: bigint) => bigint>> = {
	"+": (a, b) => a + b,
	"-": (a, b) => a - b,
	"*": (a, b) => a * b,
	"/": (a, b) => a / b,
	"%": (a, b) => a % b,
	"&": (a, b) => a & b,
	"|": (a, b) => a | b,
	"^": (a, b) => a ^ b,
	"<<": (a, b) => a << b,
	">>": (a, b) => a >> b,
};

type BaseType = Extract<Type, { kind: "base" }>;

/** Integer promotions (C11 6.3.1.1): a bit field whose values an int has becomes one. */
function promoted({ type, bits }: Value): BaseType {
	const whole = plain(type);
	if (bits && (bits.size < 32 || (bits.size === 32 && whole?.kind === "base" && whole.signed))) return int as BaseType;
	if (whole?.kind === "pointer" || whole?.kind === "array") return unsignedLong as BaseType;
	if (whole?.kind !== "base" || whole.size < 4) return int as BaseType;
	return whole;
}

/** Usual arithmetic conversions (C11 6.3.1.8). */
function common(a: BaseType, b: BaseType): BaseType {
	if (a.size === b.size) return a.signed ? b : a;
	return a.size > b.size ? a : b;
}

function converted(type: BaseType, value: bigint): bigint {
	return type.signed ? BigInt.asIntN(8 * type.size, value) : BigInt.asUintN(8 * type.size, value);
}

function fitted(scope: Scope, type: BaseType, value: bigint): Value {
	return computed(origin(scope), type, converted(type, value));
}

/** The side that is taken, in the type that both have together (C11 6.5.15). */
function choice(scope: Scope, test: boolean, yes: Expression, no: Expression): Value {
	const taken = evaluate(scope, test ? yes : no);
	let other: Value;
	try {
		other = evaluate(scope, test ? no : yes);
	} catch (error) {
		// It need not have a value.
		if (error instanceof UserError) return taken;
		throw error;
	}
	if (typeText(taken.type) === typeText(other.type) || !isInteger(taken) || !isInteger(other)) return taken;
	return fitted(scope, common(promoted(taken), promoted(other)), known(taken));
}

const isInteger = ({ type }: Value) => {
	const { kind } = plain(type) ?? {};
	return (kind === "base" && !isFloat(type)) || kind === "enum";
};

function pointedTo(value: Value): { target: Type | undefined; size: bigint } | undefined {
	const type = plain(value.type);
	if (type?.kind === "pointer") return { target: type.target, size: BigInt(plain(type.target)?.size || 1) };
	return type?.kind === "array" ? { target: type.element, size: BigInt(type.element.size || 1) } : undefined;
}

function pointerArithmetic(scope: Scope, operator: string, left: Value, right: Value): Value | undefined {
	const a = pointedTo(left);
	const b = pointedTo(right);
	if (operator === "-" && a && b) return fitted(scope, long as BaseType, (known(left) - known(right)) / a.size);
	if (operator === "+" && b && !a) return pointerArithmetic(scope, operator, right, left);
	if ((operator !== "+" && operator !== "-") || !a) return undefined;
	const offset = known(right) * a.size;
	const address = BigInt.asUintN(64, operator === "+" ? known(left) + offset : known(left) - offset);
	return computed(left, { kind: "pointer", size: 8, target: a.target }, address);
}

function member(of: Value, name: string): Value {
	const isPointer = plain(of.type)?.kind === "pointer";
	// `.` and `->` are both taken for what is meant, as gdb does.
	const whole = isPointer ? dereference(of) : of;
	if (!whole) throw notUnderstood(`The pointer is not known here: ${whyUnknown(of)}`);
	const type = plain(whole.type);
	if (type?.kind !== "struct" && type?.kind !== "union") throw notUnderstood(`A ${typeText(of.type)} has no members`);
	const found = findMember(type, name);
	if (!found) throw notUnderstood(`${typeText(type)} has no member \`${name}\``);
	return memberOf(whole, found);
}

function index(of: Value, at: bigint): Value {
	const type = plain(of.type);
	if (type?.kind === "array") {
		if (of.location.kind === "memory") return elementOf(of, type.element, Number(at));
		if (at < 0n || at >= BigInt(type.count))
			throw notUnderstood(`[${at}] is outside of the array, which is not in memory`);
		return elementOf(of, type.element, Number(at));
	}
	const pointed = pointedTo(of);
	if (!pointed) throw notUnderstood(`A ${typeText(of.type)} cannot be indexed`);
	const address = BigInt.asUintN(64, known(of) + at * pointed.size);
	return inMemory({ ...of, space: of.space.holding(address) ?? of.space }, pointed.target, address);
}

function cast(type: Type | undefined, value: Value): Value {
	const target = plain(type);
	if (!target) return { ...value, type: undefined };
	if (target.kind === "struct" || target.kind === "union" || target.kind === "array") {
		if (value.location.kind !== "memory")
			throw notUnderstood(`It cannot be cast to ${typeText(type)}: cast a pointer instead`);
		return { ...value, type };
	}
	return computed(value, type, BigInt.asUintN(8 * (target.size || 8), known(value)));
}
