import { readAttributes } from "./attributes.ts";
import { type Cursor, token } from "./cursor.ts";
import type { IrModule } from "./irModule.ts";
import { bytePointer, indexed, pointerTo, readType } from "./types.ts";
import { binaryOperators, casts, droppedFlags, keptFlags } from "./vocabulary.ts";

/** Flags of an instruction or constant expression, those that LLVM 13 knows. */
export function readFlags(c: Cursor): string[] {
	const kept: string[] = [];
	for (;;) {
		const word = c.peekWord();
		if (keptFlags.has(word)) kept.push(word);
		else if (!droppedFlags.has(word)) return kept;
		c.at += word.length;
	}
}

/** The same as text, each flag followed by a space. */
export const flagText = (c: Cursor) =>
	readFlags(c)
		.map((flag) => `${flag} `)
		.join("");

/** A global as a constant of the pointer type `want`. */
export function globalAs(m: IrModule, name: string, want: string, c: Cursor): string {
	const type = m.globals.get(name);
	if (type === undefined) return c.fail(`unknown global ${name}`);
	return pointerTo(type) === want ? name : `bitcast (${pointerTo(type)} ${name} to ${want})`;
}

const plainWords = new Set(["null", "undef", "poison", "zeroinitializer", "true", "false", "none"]);

/** A value of the (LLVM 13) type; `want` is the pointer type that a constant shall have instead. */
export function readValue(m: IrModule, c: Cursor, type: string, want = type): string {
	const next = c.peek();
	if (next === "@") return globalAs(m, c.name(), want, c);
	if (next === "%") return c.name();
	if (c.skip("[")) return `[${c.list("]", () => readTyped(m, c)).join(", ")}]`;
	if (c.skip("<{")) return `<{ ${c.list("}>", () => readTyped(m, c)).join(", ")} }>`;
	if (c.skip("{")) return `{ ${c.list("}", () => readTyped(m, c)).join(", ")} }`;
	if (c.skip("<")) return `< ${c.list(">", () => readTyped(m, c)).join(", ")} >`;
	if (c.skip('c"')) {
		c.at--;
		return `c${c.string()}`;
	}
	const number = c.match(token.number);
	if (number !== undefined) return number;
	const word = c.word();
	return plainWords.has(word) ? word : readExpression(m, c, word, type, want);
}

/** Constants that begin with a word and have operands. */
function readExpression(m: IrModule, c: Cursor, word: string, type: string, want: string): string {
	switch (word) {
		case "splat": {
			c.expect("(");
			const element = readTyped(m, c);
			c.expect(")");
			const lanes = m.composites.get(type)?.lanes ?? c.fail("splat of no vector");
			return `<${Array(lanes).fill(element).join(", ")}>`;
		}
		case "no_cfi":
		case "dso_local_equivalent":
			return globalAs(m, c.name(), want, c);
		case "blockaddress": {
			c.expect("(");
			const [of, block] = c.list(")", () => c.name());
			return `blockaddress(${of}, ${block})`;
		}
		case "getelementptr": {
			const inbounds = inboundsFlag(c);
			if (c.skipWord("inrange")) c.group();
			c.expect("(");
			const { text, result } = readElementPointer(m, c, undefined);
			c.expect(")");
			const constant = `getelementptr ${inbounds}(${text})`;
			return pointerTo(result) === want ? constant : `bitcast (${pointerTo(result)} ${constant} to ${want})`;
		}
	}
	if (casts.has(word)) {
		readFlags(c);
		c.expect("(");
		const { text, target } = readCast(m, c);
		c.expect(")");
		const constant = `${castName(word)} (${text})`;
		return target === bytePointer && want !== bytePointer ? `bitcast (i8* ${constant} to ${want})` : constant;
	}
	if (binaryOperators.has(word)) {
		const flags = flagText(c);
		c.expect("(");
		return `${word} ${flags}(${c.list(")", () => readTyped(m, c)).join(", ")})`;
	}
	return c.fail(`value expected, got ${word}`);
}

/** `TYPE VALUE` */
export function readTyped(m: IrModule, c: Cursor): string {
	const type = readType(m, c);
	return `${type} ${readValue(m, c, type)}`;
}

/** `TYPE VALUE to TYPE` */
export function readCast(m: IrModule, c: Cursor): { readonly text: string; readonly target: string } {
	const value = readTyped(m, c);
	if (!c.skipWord("to")) c.fail("expected 'to'");
	const target = readType(m, c);
	return { text: `${value} to ${target}`, target };
}

/** LLVM 13 has no `ptrtoaddr`; without address spaces it is the same. */
export const castName = (word: string) => (word === "ptrtoaddr" ? "ptrtoint" : word);

export const inboundsFlag = (c: Cursor) => (readFlags(c).includes("inbounds") ? "inbounds " : "");

/** `ptr VALUE` as a pointer to `element`. Where statements may be put before, a name of the function is cast there. */
export function readPointer(m: IrModule, c: Cursor, element: string, before: string[] | undefined): string {
	if (readType(m, c) !== bytePointer) c.fail("pointer operand expected");
	readAttributes(m, c);
	return readPointerValue(m, c, element, before);
}

export function readPointerValue(m: IrModule, c: Cursor, element: string, before: string[] | undefined): string {
	const want = pointerTo(element);
	const value = readValue(m, c, bytePointer, want);
	if (!value.startsWith("%") || want === bytePointer) return `${want} ${value}`;
	const twin = m.twins.get(value);
	if (twin?.type === want) return `${want} ${twin.name}`;
	if (!before) return c.fail("local in constant expression");
	const cast = m.temporary();
	before.push(`${cast} = bitcast i8* ${value} to ${want}`);
	return `${want} ${cast}`;
}

/** `TYPE, ptr VALUE, INDEX…` and the type that it leads to. */
export function readElementPointer(
	m: IrModule,
	c: Cursor,
	before: string[] | undefined,
): { readonly text: string; readonly result: string } {
	const type = readType(m, c);
	c.expect(",");
	const pointer = readPointer(m, c, type, before);
	const indices: { readonly type: string; readonly value: string }[] = [];
	while (c.skip(",")) {
		const indexType = readType(m, c);
		indices.push({ type: indexType, value: readValue(m, c, indexType) });
	}
	const text = [type, pointer, ...indices.map((index) => `${index.type} ${index.value}`)].join(", ");
	const inner = indices.slice(1).map(({ value }) => value);
	return { text, result: indexed(m, type, inner, c) };
}
