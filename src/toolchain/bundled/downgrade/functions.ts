import { readAttributes } from "./attributes.ts";
import { type Cursor, token } from "./cursor.ts";
import type { IrModule } from "./irModule.ts";
import { readType } from "./types.ts";
import { linkageWords } from "./vocabulary.ts";

interface Signature {
	/** Types of the parameters, `...` among them. */
	readonly types: readonly string[];
	/** Parameters as they are written in LLVM 13. */
	readonly parameters: readonly string[];
}

/** `(ptr noundef %0, ...)` */
export function readSignature(m: IrModule, c: Cursor): Signature {
	const types: string[] = [];
	const parameters: string[] = [];
	c.expect("(");
	c.list(")", () => {
		if (c.skip("...")) {
			types.push("...");
			parameters.push("...");
			return;
		}
		const type = readType(m, c);
		const attributes = readAttributes(m, c).text;
		types.push(type);
		parameters.push(`${type} ${attributes}${c.match(token.name) ?? ""}`.trim());
	});
	return { types, parameters };
}

interface FunctionHead {
	readonly keyword: string;
	/** Linkage, calling convention and attributes of the result. */
	readonly lead: string;
	readonly result: string;
	readonly name: string;
	readonly signature: Signature;
}

export const functionType = ({ result, signature }: FunctionHead) => `${result} (${signature.types.join(", ")})`;

const conventions = new Set(["ccc", "fastcc", "coldcc"]);

/** `define` or `declare` up to the end of the parameters. */
export function readFunctionHead(m: IrModule, c: Cursor): FunctionHead {
	const keyword = c.word();
	// A declaration may have debug information, which LLVM 13 does not read there.
	while (c.skip("!")) {
		c.word();
		c.take(token.metadataId, "metadata");
	}
	let lead = "";
	for (let word = c.peekWord(); linkageWords.has(word) || conventions.has(word); word = c.peekWord()) {
		c.at += word.length;
		if (word !== "dso_preemptable") lead += `${word} `;
	}
	lead += readAttributes(m, c).text;
	const result = readType(m, c);
	const name = c.name();
	return { keyword, lead, result, name, signature: readSignature(m, c) };
}

/** What stands between the parameters and the body, with `!dbg` as the only attachment. */
export function readFunctionTail(m: IrModule, c: Cursor): string {
	let text = "";
	for (;;) {
		const next = c.peek();
		if (next === "") return text.trimEnd();
		if (c.skip("{")) return `${text.trimEnd()} {`;
		if (c.skip("!")) {
			const kind = c.word();
			const id = c.take(token.metadataId, "metadata");
			if (kind === "dbg") text += ` !dbg ${id}`;
			continue;
		}
		const before = c.at;
		text += ` ${tailWord(m, c)}`;
		if (c.at === before) c.fail("function suffix");
	}
}

function tailWord(m: IrModule, c: Cursor): string {
	const word = c.peekWord();
	switch (word) {
		case "unnamed_addr":
		case "local_unnamed_addr":
			c.at += word.length;
			return word;
		case "section":
		case "gc":
			c.at += word.length;
			return `${word} ${c.string()}`;
		case "align":
			c.at += word.length;
			return `align ${c.number()}`;
		case "comdat":
			c.at += word.length;
			return c.peek() === "(" ? `comdat${c.group()}` : "comdat";
		default:
			return readAttributes(m, c).text.trim();
	}
}
