import { Cursor, token } from "./cursor.ts";
import type { IrModule } from "./irModule.ts";
import { readType, seesTypeWord } from "./types.ts";
import { keptAttributes, valueWords } from "./vocabulary.ts";

export interface Attributes {
	/** The kept ones, each followed by a space. */
	readonly text: string;
	/** What an operand of inline assembly points to. */
	readonly elementType?: string;
}

/** Attributes up to the next type, value or punctuation. */
export function readAttributes(m: IrModule, c: Cursor): Attributes {
	let text = "";
	let elementType: string | undefined;
	for (;;) {
		const next = c.peek();
		if (next === '"') {
			text += `${pair(c)} `;
			continue;
		}
		if (next === "#") {
			text += `${c.take(token.attributeGroup, "attribute group")} `;
			continue;
		}
		const word = c.peekWord();
		const isCharacters = next === "c" && c.line[c.at + 1] === '"';
		if (word === "" || valueWords.has(word) || isCharacters || seesTypeWord(c)) break;
		c.at += word.length;
		let argument = "";
		if (c.line[c.at] === "(") argument = c.group();
		else if (word === "align") argument = ` ${c.number()}`;
		if (word === "elementtype") elementType = readType(m, new Cursor(argument, 1));
		if (keptAttributes.has(word)) text += `${word}${argument} `;
	}
	return elementType === undefined ? { text } : { text, elementType };
}

/** `"name"` or `"name"="value"`. */
function pair(c: Cursor): string {
	const name = c.string();
	return c.skip("=") ? `${name}=${c.string()}` : name;
}

/** The extensions that llc generates code for; it does not know the ones that clang writes down. */
const targetFeatures = '"target-features"="+m,+a,+f,+d,+c"';

/** `attributes #0 = { nounwind "name"="value" }` */
export function attributeGroup(line: string): string {
	const [, head, body] = /^(attributes #\d+ = \{ )(.*) \}$/.exec(line) ?? [];
	if (head === undefined || body === undefined) return new Cursor(line).fail("attribute group");
	const strings: string[] = [];
	const words: string[] = [];
	const c = new Cursor(body);
	for (let next = c.peek(); next !== ""; next = c.peek()) {
		if (next === '"') {
			const text = pair(c);
			strings.push(text.startsWith('"target-features"') ? targetFeatures : text);
			continue;
		}
		const word = c.word();
		let argument = "";
		if (c.line[c.at] === "(") argument = c.group();
		else if (c.skip("=")) argument = `=${c.number()}`;
		if (keptAttributes.has(word)) words.push(word + argument);
	}
	return `${head}${[...words, ...strings].join(" ")} }`;
}
