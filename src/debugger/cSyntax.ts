import { UserError } from "../common/errors.ts";
import { startOfTail } from "../common/tail.ts";

/** C expressions as a person types them in watches, conditions and the console: no assignment, no calls. */
export type Expression =
	| { readonly kind: "number"; readonly value: bigint; readonly unsigned: boolean; readonly long: boolean }
	| { readonly kind: "char"; readonly value: number }
	| { readonly kind: "name"; readonly name: string }
	/** `$a0`, `$pc`, `$scause`, `$sstatus.SPP`. */
	| { readonly kind: "register"; readonly name: string; readonly field: string | undefined }
	| { readonly kind: "unary"; readonly operator: string; readonly operand: Expression }
	| { readonly kind: "binary"; readonly operator: string; readonly left: Expression; readonly right: Expression }
	| { readonly kind: "choice"; readonly test: Expression; readonly yes: Expression; readonly no: Expression }
	| { readonly kind: "member"; readonly of: Expression; readonly name: string; readonly arrow: boolean }
	| { readonly kind: "index"; readonly of: Expression; readonly index: Expression }
	| { readonly kind: "cast"; readonly type: TypeName; readonly operand: Expression }
	| { readonly kind: "sizeof"; readonly type?: TypeName; readonly operand?: Expression };

/** `struct proc **`: a name and how many pointers. */
export interface TypeName {
	readonly name: string;
	readonly pointers: number;
}

interface Token {
	readonly kind: "number" | "char" | "name" | "register" | "operator" | "end";
	readonly text: string;
	readonly at: number;
}

const longest = 2000;
const deepest = 100;
const tokenPattern =
	/\s*(?:(0[xX][0-9a-fA-F]+[uUlL]*|0[bB][01]+[uUlL]*|\d+[uUlL]*)|('(?:[^'\\]|\\[0-7]{1,3}|\\x[0-9a-fA-F]{1,2}|\\.)')|(\$[A-Za-z_][A-Za-z0-9_]*)|([A-Za-z_][A-Za-z0-9_]*)|(->|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^~!<>()[\].?:,=]))/y;

export function notUnderstood(what: string): UserError {
	return new UserError(
		"expression-not-understood",
		what,
		"Write a C expression of variables, members and registers ($a0), without calls or assignments.",
	);
}

function tokens(text: string): Token[] {
	if (text.length > longest)
		throw notUnderstood(`The expression has ${text.length} characters; ${longest} are the most`);
	const found: Token[] = [];
	tokenPattern.lastIndex = 0;
	let at = 0;
	while (at < text.length) {
		tokenPattern.lastIndex = at;
		const match = tokenPattern.exec(text);
		if (!match) {
			const rest = text.slice(at).trim();
			if (rest === "") break;
			throw notUnderstood(`\`${rest.slice(0, 20)}\` is not C`);
		}
		const [, number, char, register, name, operator] = match;
		at = tokenPattern.lastIndex;
		if (number !== undefined) {
			if (/^[\w.]/.test(text.slice(at))) throw notUnderstood(`\`${number}${text[at]}\` is not a number`);
			found.push({ kind: "number", text: number, at });
		} else if (char !== undefined) found.push({ kind: "char", text: char, at });
		else if (register !== undefined) found.push({ kind: "register", text: register.slice(1), at });
		else if (name !== undefined) found.push({ kind: "name", text: name, at });
		else found.push({ kind: "operator", text: operator as string, at });
	}
	found.push({ kind: "end", text: "the end", at });
	return found;
}

const binaryPower: Readonly<Record<string, number>> = {
	"||": 2,
	"&&": 3,
	"|": 4,
	"^": 5,
	"&": 6,
	"==": 7,
	"!=": 7,
	"<": 8,
	">": 8,
	"<=": 8,
	">=": 8,
	"<<": 9,
	">>": 9,
	"+": 10,
	"-": 10,
	"*": 11,
	"/": 11,
	"%": 11,
};
const choicePower = 1;
const prefix = new Set(["*", "&", "-", "+", "!", "~"]);
const typeWords = new Set([
	"struct",
	"union",
	"enum",
	"unsigned",
	"signed",
	"char",
	"short",
	"int",
	"long",
	"void",
	"const",
	"volatile",
]);

/** Parses one expression. `isType` says which names are types. Throws UserError `expression-not-understood`. */
export function parseExpression(text: string, isType: (name: string) => boolean): Expression {
	const list = tokens(text);
	let at = 0;
	let depth = 0;
	const peek = () => list[at] as Token;
	const next = () => list[at++] as Token;
	const isOperator = (text: string) => peek().kind === "operator" && peek().text === text;
	const expect = (text: string) => {
		if (!isOperator(text)) throw notUnderstood(`Here \`${text}\` is missing: before \`${peek().text}\``);
		next();
	};
	const startsType = (token: Token) => token.kind === "name" && (typeWords.has(token.text) || isType(token.text));

	function typeName(): TypeName {
		const words: string[] = [];
		while (peek().kind === "name" && (startsType(peek()) || /^(struct|union|enum)$/.test(words.at(-1) ?? ""))) {
			const { text: word } = next();
			if (word !== "const" && word !== "volatile") words.push(word);
		}
		let pointers = 0;
		while (isOperator("*")) {
			next();
			pointers++;
		}
		return { name: words.join(" "), pointers };
	}

	function primary(): Expression {
		const token = next();
		switch (token.kind) {
			case "number":
				return numberOf(token.text);
			case "char":
				return { kind: "char", value: charOf(token.text) };
			case "register": {
				const named = { kind: "register" as const, name: token.text };
				if (!isOperator(".")) return { ...named, field: undefined };
				next();
				const field = next();
				if (field.kind !== "name") throw notUnderstood(`\`$${token.text}.${field.text}\` names no field`);
				return { ...named, field: field.text };
			}
			case "name":
				if (token.text === "sizeof") return sizeOf();
				return { kind: "name", name: token.text };
			case "end":
				throw notUnderstood(text.trim() === "" ? "There is no expression" : "The expression ends too early");
			default:
		}
		if (token.text === "(") {
			if (startsType(peek())) {
				const type = typeName();
				expect(")");
				return { kind: "cast", type, operand: unary() };
			}
			const inner = expression(0);
			expect(")");
			return inner;
		}
		if (prefix.has(token.text)) return { kind: "unary", operator: token.text, operand: unary() };
		throw notUnderstood(`\`${token.text}\` cannot stand here`);
	}

	function sizeOf(): Expression {
		if (isOperator("(") && startsType(list[at + 1] as Token)) {
			next();
			const type = typeName();
			expect(")");
			return { kind: "sizeof", type };
		}
		return { kind: "sizeof", operand: unary() };
	}

	function unary(): Expression {
		if (++depth > deepest) throw notUnderstood("The expression is nested too deeply");
		let left = primary();
		for (;;) {
			if (isOperator(".") || isOperator("->")) {
				const arrow = next().text === "->";
				const name = next();
				if (name.kind !== "name") throw notUnderstood(`\`${name.text}\` names no member`);
				left = { kind: "member", of: left, name: name.text, arrow };
			} else if (isOperator("[")) {
				next();
				const index = expression(0);
				expect("]");
				left = { kind: "index", of: left, index };
			} else if (isOperator("(")) throw notUnderstood("The guest's functions cannot be called");
			else break;
		}
		depth--;
		return left;
	}

	function expression(power: number): Expression {
		if (++depth > deepest) throw notUnderstood("The expression is nested too deeply");
		let left = unary();
		for (;;) {
			const token = peek();
			if (token.kind !== "operator") break;
			if (token.text === "?" && power <= choicePower) {
				next();
				const yes = expression(0);
				expect(":");
				left = { kind: "choice", test: left, yes, no: expression(choicePower) };
				continue;
			}
			const binds = binaryPower[token.text];
			if (binds === undefined || binds <= power) break;
			next();
			left = { kind: "binary", operator: token.text, left, right: expression(binds) };
		}
		depth--;
		return left;
	}

	const whole = expression(0);
	if (peek().kind !== "end") {
		if (peek().text === "=") throw notUnderstood("`=` changes nothing here: use Set Value, or `==` to compare");
		throw notUnderstood(`\`${peek().text}\` is too much`);
	}
	return whole;
}

function numberOf(text: string): Expression {
	const end = startOfTail(text, /[uUlL]/);
	const digits = text.slice(0, end);
	const suffix = text.slice(end).toLowerCase();
	if (!/^(?:u?l{0,2}|l{1,2}u)$/.test(suffix) || /^0\d*[89]/.test(digits))
		throw notUnderstood(`\`${text}\` is not a number`);
	const octal = /^0[0-7]+$/.test(digits);
	const value = BigInt(octal ? `0o${digits.slice(1)}` : digits);
	// C11 6.4.4.1: the first type that has the value; only what is not decimal, or ends in u, may be unsigned.
	const isUnsigned = suffix.includes("u");
	const mayBeUnsigned = isUnsigned || octal || /^0[xXbB]/.test(digits);
	const long = suffix.includes("l") || value > (mayBeUnsigned ? 0xffff_ffffn : 0x7fff_ffffn);
	return {
		kind: "number",
		value: BigInt.asUintN(64, value),
		unsigned: isUnsigned || (mayBeUnsigned && value > (long ? 0x7fff_ffff_ffff_ffffn : 0x7fff_ffffn)),
		long,
	};
}

function charOf(text: string): number {
	const inner = text.slice(1, -1);
	if (!inner.startsWith("\\")) return inner.charCodeAt(0);
	const short: Readonly<Record<string, number>> = { n: 10, t: 9, r: 13, "0": 0, a: 7, b: 8, f: 12, v: 11 };
	const rest = inner.slice(1);
	if (rest.startsWith("x")) return Number.parseInt(rest.slice(1), 16);
	if (/^[0-7]+$/.test(rest)) return Number.parseInt(rest, 8);
	return short[rest] ?? rest.charCodeAt(0);
}
