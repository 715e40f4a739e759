import type { Cursor } from "./cursor.ts";
import type { IrModule } from "./irModule.ts";

/** Every pointer is one to bytes until an instruction says what it moves. */
export const bytePointer = "i8*";

export const pointerTo = (type: string) => `${type}*`;

const typeWord = /(?:void|i\d+|ptr|half|bfloat|float|double|fp128|x86_fp80|metadata|label|token)\b/y;

/** Whether a type word (not a bracket or a name) stands exactly here. */
export const seesTypeWord = (c: Cursor) => c.sees(typeWord);

export function seesType(c: Cursor): boolean {
	const next = c.peek();
	return seesTypeWord(c) || (next !== "" && "%[{<".includes(next));
}

/** Reads a type and gives it in LLVM 13's spelling; the parts of composites are kept for {@link indexed}. */
export function readType(m: IrModule, c: Cursor): string {
	const word = c.match(typeWord);
	if (word === "ptr") {
		if (c.skipWord("addrspace")) c.fail("address spaces");
		return bytePointer;
	}
	if (word !== undefined) return word;
	if (c.peek() === "%") return c.name();
	if (c.skip("[")) {
		const count = c.number();
		c.expect("x");
		const element = readType(m, c);
		c.expect("]");
		return known(m, `[${count} x ${element}]`, { element });
	}
	if (c.skip("<{")) {
		const fields = c.list("}", () => readType(m, c));
		c.expect(">");
		return known(m, `<{ ${fields.join(", ")} }>`, { fields });
	}
	if (c.skip("{")) {
		const fields = c.list("}", () => readType(m, c));
		return known(m, `{ ${fields.join(", ")} }`, { fields });
	}
	if (c.skip("<")) {
		const count = c.number();
		c.expect("x");
		const element = readType(m, c);
		c.expect(">");
		return known(m, `<${count} x ${element}>`, { element, lanes: Number(count) });
	}
	return c.fail("type expected");
}

function known(m: IrModule, type: string, parts: Parameters<IrModule["composites"]["set"]>[1]): string {
	m.composites.set(type, parts);
	return type;
}

/** Type that the indices of a getelementptr lead to; the first index, which steps over whole objects, is left out. */
export function indexed(m: IrModule, type: string, indices: readonly string[], c: Cursor): string {
	let at = type;
	for (const index of indices) {
		const parts = at.startsWith("%") ? { fields: m.structs.get(at) ?? undefined } : m.composites.get(at);
		const next = parts && ("element" in parts ? parts.element : parts.fields?.[Number(index)]);
		at = next ?? c.fail(`cannot index type ${at}`);
	}
	return at;
}
