/** Tokens of textual IR; sticky, since a cursor tries them where it stands. */
export const token = {
	name: /[%@](?:"[^"]*"|[-\w$.]+)/y,
	word: /[A-Za-z_][\w.]*/y,
	number: /-?\d[\w.+-]*|\+0x\w+/y,
	string: /"[^"]*"/y,
	metadataId: /!\d+/y,
	attributeGroup: /#\d+/y,
} as const;

const space = 32;

/** A place in one line of IR. Reading moves it on; spaces before a token are skipped. */
export class Cursor {
	constructor(
		readonly line: string,
		public at = 0,
	) {}

	private skipSpaces(): void {
		while (this.line.charCodeAt(this.at) === space) this.at++;
	}

	/** The token if it stands here. */
	match(pattern: RegExp): string | undefined {
		this.skipSpaces();
		pattern.lastIndex = this.at;
		const found = pattern.exec(this.line);
		if (!found) return undefined;
		this.at = pattern.lastIndex;
		return found[0];
	}

	/** The token, which must stand here. */
	take(pattern: RegExp, what: string): string {
		return this.match(pattern) ?? this.fail(`${what} expected`);
	}

	name(): string {
		return this.take(token.name, "name");
	}

	word(): string {
		return this.take(token.word, "word");
	}

	number(): string {
		return this.take(token.number, "number");
	}

	string(): string {
		return this.take(token.string, "string");
	}

	/** The next word, left where it is; empty when there is none. */
	peekWord(): string {
		this.skipSpaces();
		token.word.lastIndex = this.at;
		return token.word.exec(this.line)?.[0] ?? "";
	}

	/** The next character; empty at the end. */
	peek(): string {
		this.skipSpaces();
		return this.line[this.at] ?? "";
	}

	/** Whether the pattern stands exactly here. */
	sees(pattern: RegExp): boolean {
		pattern.lastIndex = this.at;
		return pattern.test(this.line);
	}

	skip(text: string): boolean {
		this.skipSpaces();
		if (!this.line.startsWith(text, this.at)) return false;
		this.at += text.length;
		return true;
	}

	skipWord(word: string): boolean {
		if (this.peekWord() !== word) return false;
		this.at += word.length;
		return true;
	}

	expect(text: string): void {
		if (!this.skip(text)) this.fail(`expected '${text}'`);
	}

	/** All words here that are in the set, each followed by a space. */
	words(known: ReadonlySet<string>): string {
		let text = "";
		for (let word = this.peekWord(); known.has(word); word = this.peekWord()) {
			this.at += word.length;
			text += `${word} `;
		}
		return text;
	}

	/** What is left, spaces included. */
	rest(): string {
		const text = this.line.slice(this.at);
		this.at = this.line.length;
		return text;
	}

	/** Text of a group in parentheses, with them. */
	group(): string {
		this.skipSpaces();
		const start = this.at;
		let depth = 0;
		for (; this.at < this.line.length; this.at++) {
			const character = this.line[this.at];
			if (character === '"') this.at = this.line.indexOf('"', this.at + 1);
			else if (character === "(") depth++;
			else if (character === ")" && --depth === 0) {
				this.at++;
				break;
			}
		}
		return this.line.slice(start, this.at);
	}

	/** Reads items until `close`, with commas between them. */
	list<T>(close: string, item: () => T): T[] {
		const items: T[] = [];
		if (this.skip(close)) return items;
		do items.push(item());
		while (this.skip(","));
		this.expect(close);
		return items;
	}

	fail(message: string): never {
		throw new Error(`IR downgrade: ${message} at column ${this.at}: ${this.line.slice(0, 300)}`);
	}
}

/** Parts between commas that stand in no bracket and no string. */
export function splitTop(text: string): string[] {
	const parts: string[] = [];
	let depth = 0;
	let start = 0;
	for (let i = 0; i < text.length; i++) {
		const character = text[i];
		if (character === '"') i = text.indexOf('"', i + 1);
		else if (character === "(" || character === "{" || character === "[") depth++;
		else if (character === ")" || character === "}" || character === "]") depth--;
		else if (character === "," && depth === 0) {
			parts.push(text.slice(start, i).trim());
			start = i + 1;
		}
	}
	if (start < text.length) parts.push(text.slice(start).trim());
	return parts;
}
