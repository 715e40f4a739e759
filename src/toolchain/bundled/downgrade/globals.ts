import { Cursor, splitTop } from "./cursor.ts";
import { readSignature } from "./functions.ts";
import type { IrModule } from "./irModule.ts";
import { bytePointer, pointerTo, readType } from "./types.ts";
import { readValue } from "./values.ts";
import { linkageWords } from "./vocabulary.ts";

interface GlobalHead {
	readonly name: string;
	readonly lead: string;
	readonly kind: "global" | "constant" | "alias" | "ifunc";
}

/** `@x = LINKAGE… global|constant|alias|ifunc`, up to the type. */
function readGlobalHead(c: Cursor): GlobalHead {
	const name = c.name();
	c.expect("=");
	let lead = "";
	for (;;) {
		const word = c.word();
		if (word === "global" || word === "constant" || word === "alias" || word === "ifunc")
			return { name, lead, kind: word };
		if (!linkageWords.has(word)) c.fail(`global: unexpected ${word}`);
		if (word === "dso_preemptable") continue;
		lead += word;
		if (c.line[c.at] === "(") lead += c.group();
		lead += " ";
	}
}

/** Notes a global's type, so that uses before it can be cast to it. */
export function declareGlobal(m: IrModule, line: string): void {
	const c = new Cursor(line);
	const { name } = readGlobalHead(c);
	const type = readType(m, c);
	m.globals.set(name, c.peek() === "(" ? `${type} (${readSignature(m, c).types.join(", ")})` : type);
}

/**
 * Text whose address does not matter would go to a section that lld merges, and lld orders merged text by its hash. In .rodata
 * it stays in the order of the source, as GNU ld leaves it: there are programs that look at what lies beside a literal.
 */
function isText(kind: GlobalHead["kind"], type: string): boolean {
	return kind === "constant" && /^\[\d+ x i8\]$/.test(type);
}

export function rewriteGlobal(m: IrModule, line: string): string {
	const c = new Cursor(line);
	const { name, lead, kind } = readGlobalHead(c);
	const type = readType(m, c);
	if (kind === "alias" || kind === "ifunc") {
		if (c.peek() === "(") readSignature(m, c);
		c.expect(",");
		readType(m, c);
		const target = m.globals.get(name) as string;
		return `${name} = ${lead}${kind} ${target}, ${pointerTo(target)} ${readValue(m, c, bytePointer, pointerTo(target))}`;
	}
	const next = c.peek();
	const initial = next !== "" && next !== "," ? ` ${readValue(m, c, type)}` : "";
	const suffix = splitTop(c.rest().replace(/^\s*,/, "")).filter((part) => {
		const debug = /^!dbg (!\d+)/.exec(part)?.[1];
		return debug === undefined ? /^(section|align|comdat|partition)\b/.test(part) : !m.dropped.has(debug);
	});
	const attributes = isText(kind, type) ? lead.replace("unnamed_addr ", "") : lead;
	return `${name} = ${attributes}${kind} ${[`${type}${initial}`, ...suffix].join(", ")}`;
}
