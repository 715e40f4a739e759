import { UserError } from "../common/errors.ts";
import { inBytes, limits } from "../common/limits.ts";

/** Of parentheses and blocks; real scripts have three or four. */
const deepest = 100;
/** Characters that a call or an element of a list counts for, so that those without a text end, too. */
const stepCost = 100;

type Value = string | readonly string[];

interface Token {
	readonly kind: "name" | "variable" | "string" | "number" | "symbol";
	readonly text: string;
	/** A "…" string: variables in it are filled in. */
	readonly interpolates: boolean;
	readonly line: number;
}

type Statement = (scope: Map<string, Value>) => void;
type Expression = (scope: Map<string, Value>) => Value;

/**
 * Runs the small perl that usys.pl is written in: print, sub with shift, my, if on strings, foreach over a list,
 * here-documents. Returns what it prints.
 */
export function runPerlScript(source: string, file: string): string {
	return new PerlScript(source, file).run();
}

class PerlScript {
	private readonly tokens: Token[];
	private at = 0;
	private readonly subs = new Map<string, Statement[]>();
	private output = "";
	private depth = 0;
	private nesting = 0;
	private spent = 0;

	constructor(
		source: string,
		private readonly file: string,
	) {
		this.tokens = tokenize(source, (line, what) => this.fail(line, what));
	}

	run(): string {
		const statements: Statement[] = [];
		while (this.at < this.tokens.length) statements.push(this.statement());
		const scope = new Map<string, Value>();
		for (const statement of statements) statement(scope);
		return this.output;
	}

	private fail(line: number, what: string): never {
		throw new UserError(
			"makefile-not-understood",
			`${what}: xv6 Lab reads only simple perl here (print, sub, entry("name"))`,
			'Keep this script to entry("name"); lines, or commit the file that it makes and drop its rule.',
			{ file: this.file, line },
		);
	}

	/** Counts a value that was made, so that a script that doubles its texts or its calls ends. */
	private spend<T extends Value>(value: T, line: number): T {
		this.spent +=
			1 + (typeof value === "string" ? value.length : value.reduce((sum, one) => sum + stepCost + one.length, 0));
		if (this.spent > limits.expandedText)
			throw new UserError(
				"limit-reached",
				`Running this script takes too much work: the limit is ${inBytes(limits.expandedText)} of text`,
				"Look for a loop or a call that doubles its text each time.",
				{ file: this.file, line },
			);
		return value;
	}

	private peek(offset = 0): Token | undefined {
		return this.tokens[this.at + offset];
	}

	private is(text: string, offset = 0): boolean {
		const token = this.peek(offset);
		return token !== undefined && token.text === text && token.kind !== "string";
	}

	private next(): Token {
		const token = this.tokens[this.at++];
		return token ?? this.fail(this.tokens.at(-1)?.line ?? 1, "The script ends too early");
	}

	/** The last statement of the script or of a block needs no semicolon (perlsyn, "Simple Statements"). */
	private endStatement(): void {
		if (this.at < this.tokens.length && !this.is("}")) this.expect(";");
	}

	private expect(text: string): void {
		const token = this.next();
		if (token.text === text) return;
		// What is missing at the end of a statement is missing there, not where the next one begins.
		const before = this.tokens[this.at - 2];
		if (text === ";" && before) this.fail(before.line, "A ';' is missing at the end of this line");
		this.fail(token.line, `'${text}' is expected before '${token.text}'`);
	}

	private accept(text: string): boolean {
		if (!this.is(text)) return false;
		this.at++;
		return true;
	}

	private block(): Statement[] {
		this.expect("{");
		const body: Statement[] = [];
		while (!this.accept("}")) body.push(this.statement());
		return body;
	}

	private statement(): Statement {
		return this.nested(() => this.oneStatement());
	}

	private oneStatement(): Statement {
		if (this.accept(";")) return () => {};
		const first = this.peek() ?? this.fail(this.tokens.at(-1)?.line ?? 1, "A '}' is missing at the end of this script");
		if (first.kind === "name") {
			switch (first.text) {
				case "use":
				case "no":
					while (!this.accept(";")) this.next();
					return () => {};
				case "sub": {
					this.next();
					const name = this.next().text;
					this.subs.set(name, this.block());
					return () => {};
				}
				case "print":
				case "printf":
					return this.print(first);
				case "if":
				case "unless":
					return this.conditional();
				case "foreach":
				case "for":
					return this.loop(first);
				case "my":
				case "our":
					return this.declaration();
				case "return":
				case "exit":
					while (!this.accept(";")) this.next();
					return () => {};
			}
			return this.callStatement();
		}
		if (first.kind === "variable" && this.is("=", 1)) {
			this.next();
			return this.assignment([first.text]);
		}
		if (first.text === "&") {
			this.next();
			return this.callStatement();
		}
		return this.fail(first.line, `'${first.text}' is not understood`);
	}

	private print(keyword: Token): Statement {
		this.next();
		if (keyword.text === "printf") this.fail(keyword.line, "'printf' is not understood");
		if (this.is("STDOUT")) this.next();
		const parts = this.list();
		this.endStatement();
		return (scope) => {
			for (const part of parts) this.output += textOf(part(scope));
		};
	}

	private declaration(): Statement {
		this.next();
		if (this.accept("(")) {
			const names: string[] = [];
			while (!this.accept(")")) {
				const token = this.next();
				if (token.kind === "variable") names.push(token.text);
			}
			return this.assignment(names, true);
		}
		const name = this.next().text;
		if (this.accept(";")) return (scope) => void scope.set(name, "");
		return this.assignment([name]);
	}

	private assignment(names: readonly string[], spread = false): Statement {
		this.expect("=");
		const parts = this.list();
		this.endStatement();
		return (scope) => {
			const values = parts.map((part) => part(scope));
			if (names[0]?.startsWith("@")) {
				scope.set(names[0], values.flat());
				return;
			}
			const flat = spread ? values.flat() : values;
			for (const [i, name] of names.entries()) scope.set(name, flat[i] ?? "");
		};
	}

	private conditional(): Statement {
		const negated = this.next().text === "unless";
		const condition = this.condition();
		const yes = this.block();
		let no: Statement[] = [];
		if (this.is("elsif")) no = [this.conditional()];
		else if (this.accept("else")) no = this.block();
		return (scope) => {
			for (const statement of condition(scope) !== negated ? yes : no) statement(scope);
		};
	}

	private condition(): (scope: Map<string, Value>) => boolean {
		this.expect("(");
		const test = this.expression();
		this.expect(")");
		return (scope) => !["", "0"].includes(textOf(test(scope)));
	}

	private loop(keyword: Token): Statement {
		this.next();
		this.accept("my");
		const name = this.is("(") ? "$_" : this.next().text;
		this.expect("(");
		const parts = this.is(")") ? [] : this.list();
		if (!this.accept(")")) this.fail(keyword.line, "This loop is not understood");
		const body = this.block();
		return (scope) => {
			for (const item of parts.flatMap((part) => part(scope))) {
				scope.set(name, item);
				for (const statement of body) statement(scope);
			}
		};
	}

	private callStatement(): Statement {
		const call = this.call();
		this.endStatement();
		return (scope) => void call(scope);
	}

	private call(): Expression {
		const name = this.next();
		const bracketed = this.accept("(");
		const args = this.is(")") || this.is(";") ? [] : this.list();
		if (bracketed) this.expect(")");
		return (scope) => {
			const body = this.subs.get(name.text) ?? this.fail(name.line, `There is no sub '${name.text}'`);
			if (++this.depth > 100) this.fail(name.line, "This script does not end");
			this.spent += stepCost;
			this.spend("", name.line);
			const inner = new Map(scope);
			inner.set(
				"@_",
				args.flatMap((arg) => arg(scope)),
			);
			for (const statement of body) statement(inner);
			this.depth--;
			return "";
		};
	}

	private list(): Expression[] {
		const parts = [this.expression()];
		while (this.accept(",")) {
			if (this.is(")") || this.is(";")) break;
			parts.push(this.expression());
		}
		return parts;
	}

	private expression(): Expression {
		const left = this.sum();
		const operator = this.peek()?.text;
		if (operator === "eq" || operator === "==" || operator === "ne" || operator === "!=") {
			this.next();
			const right = this.sum();
			const wanted = operator === "eq" || operator === "==";
			return (scope) => ((textOf(left(scope)) === textOf(right(scope))) === wanted ? "1" : "");
		}
		return left;
	}

	private sum(): Expression {
		const parts = [this.primary()];
		while (this.accept(".")) parts.push(this.primary());
		const [only] = parts;
		if (parts.length === 1 && only) return only;
		return (scope) => parts.map((part) => textOf(part(scope))).join("");
	}

	private primary(): Expression {
		const line = this.peek()?.line ?? 1;
		const operand = this.nested(() => this.operand());
		return (scope) => this.spend(operand(scope), line);
	}

	/** Each level of parentheses or blocks is one of this parser's own stack. */
	private nested<T>(parse: () => T): T {
		if (++this.nesting > deepest) this.fail(this.peek()?.line ?? 1, `This nests more than ${deepest} deep`);
		const parsed = parse();
		this.nesting--;
		return parsed;
	}

	private operand(): Expression {
		const token = this.next();
		switch (token.kind) {
			case "string":
				return token.interpolates
					? (scope) => interpolate(token.text, scope, (part) => this.spend(part, token.line))
					: () => token.text;
			case "number":
				return () => token.text;
			case "variable":
				if (token.text === "$_" && this.accept("[")) {
					const index = this.next().text;
					this.expect("]");
					return (scope) => (scope.get("@_") as readonly string[] | undefined)?.[Number(index)] ?? "";
				}
				return (scope) => scope.get(token.text) ?? "";
			case "name":
				if (token.text === "shift") {
					if (this.accept("(")) this.expect(")");
					else if (this.is("@_")) this.next();
					return (scope) => {
						const [first = "", ...rest] = (scope.get("@_") as readonly string[] | undefined) ?? [];
						scope.set("@_", this.spend(rest, token.line));
						return first;
					};
				}
				if (token.text === "qw") {
					const words = this.next();
					return () => words.text.split(/\s+/).filter((word) => word !== "");
				}
				if (token.text === "uc" || token.text === "lc") {
					const argument = this.primary();
					return (scope) => {
						const text = textOf(argument(scope));
						return token.text === "uc" ? text.toUpperCase() : text.toLowerCase();
					};
				}
				this.at--;
				return this.call();
			case "symbol":
				if (token.text === "(") {
					const inner = this.is(")") ? [] : this.list();
					this.expect(")");
					return (scope) => inner.flatMap((part) => part(scope));
				}
		}
		return this.fail(token.line, `'${token.text}' is not understood`);
	}
}

function textOf(value: Value): string {
	return typeof value === "string" ? value : value.join(" ");
}

function interpolate(text: string, scope: Map<string, Value>, count: (part: Value) => Value): string {
	const escapes: Record<string, string> = { n: "\n", t: "\t", r: "\r", "0": "\0" };
	return text.replace(/\\(.)|\$\{(\w+)\}|\$(\w+)/gs, (_, escaped?: string, braced?: string, bare?: string) => {
		if (escaped !== undefined) return escapes[escaped] ?? escaped;
		return textOf(count(scope.get(`$${braced ?? bare}`) ?? ""));
	});
}

function tokenize(source: string, fail: (line: number, what: string) => never): Token[] {
	const tokens: Token[] = [];
	let line = 1;
	let i = 0;
	/** Here-documents announced on this line: their text starts after it. */
	let pending: { readonly end: string; readonly index: number }[] = [];
	const push = (kind: Token["kind"], text: string, interpolates = false) =>
		tokens.push({ kind, text, interpolates, line });
	while (i < source.length) {
		const c = source[i] as string;
		if (c === "\n") {
			i++;
			line++;
			for (const { end, index } of pending) {
				const from = i;
				let to = i;
				for (;;) {
					const eol = source.indexOf("\n", to);
					const text = source.slice(to, eol < 0 ? source.length : eol);
					line++;
					if (text === end) {
						tokens[index] = { ...(tokens[index] as Token), text: source.slice(from, to) };
						i = eol < 0 ? source.length : eol + 1;
						break;
					}
					if (eol < 0) fail(line, `The here-document '${end}' does not end`);
					to = eol + 1;
				}
			}
			pending = [];
			continue;
		}
		const rest = source.slice(i);
		const blank = /^(?:[ \t\r]+|#[^\n]*)/.exec(rest);
		if (blank) {
			i += blank[0].length;
			continue;
		}
		if (/^__END__\b/.test(rest)) break;
		const here = /^<<(?:"(\w+)"|'(\w+)'|(\w+))/.exec(rest);
		if (here) {
			pending.push({ end: (here[1] ?? here[2] ?? here[3]) as string, index: tokens.length });
			push("string", "", here[2] === undefined);
			i += here[0].length;
			continue;
		}
		const word = /^(?:[$@]\w+|[$@]_|[A-Za-z_]\w*|\d+)/.exec(rest);
		if (word) {
			const text = word[0];
			i += text.length;
			const quoted = /^(qw|qq|q)$/.test(text) ? /^\s*([({[/|!])/.exec(source.slice(i)) : undefined;
			if (quoted) {
				const open = quoted[1] as string;
				const close = ({ "(": ")", "{": "}", "[": "]" } as Record<string, string>)[open] ?? open;
				const start = i + quoted[0].length;
				const end = source.indexOf(close, start);
				if (end < 0) fail(line, `'${text}${open}' does not end`);
				if (text === "qw") push("name", "qw");
				push("string", source.slice(start, end), text === "qq");
				line += source.slice(start, end).split("\n").length - 1;
				i = end + 1;
			} else push(/^[$@]/.test(text) ? "variable" : /^\d/.test(text) ? "number" : "name", text);
			continue;
		}
		if (c === '"' || c === "'") {
			let end = i + 1;
			while (end < source.length && source[end] !== c) end += source[end] === "\\" ? 2 : 1;
			if (end >= source.length) fail(line, "This string does not end");
			const text = source.slice(i + 1, end);
			push("string", c === '"' ? text : text.replace(/\\(['\\])/g, "$1"), c === '"');
			line += text.split("\n").length - 1;
			i = end + 1;
			continue;
		}
		const symbol = /^(?:==|!=|=>|[=(){}[\];,.&])/.exec(rest);
		if (!symbol) fail(line, `'${c}' is not understood`);
		push("symbol", symbol[0] === "=>" ? "," : symbol[0]);
		i += symbol[0].length;
	}
	return tokens;
}
