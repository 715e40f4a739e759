import { readAttributes } from "./attributes.ts";
import { ending, type Rewrite, type Statement } from "./statement.ts";
import { bytePointer, pointerTo, readType, seesType } from "./types.ts";
import { inboundsFlag, readElementPointer, readPointer, readTyped, readValue } from "./values.ts";

const accessWords = new Set(["atomic", "volatile"]);
const exchangeWords = new Set(["weak", "volatile"]);

/** A statement that gives a typed pointer: the typed name is kept as a twin, its `i8*` gets the name itself. */
function publish({ module, name, result, after }: Statement, element: string, text: string): string {
	if (element === "i8") return result + text;
	const twin = module.temporary();
	const type = pointerTo(element);
	module.twins.set(name, { name: twin, type });
	after.push(`${name} = bitcast ${type} ${twin} to ${bytePointer}`);
	return `${twin} = ${text}`;
}

/** Type of the operand after the pointer that comes next; the cursor stays. */
function typeBehindPointer({ module, cursor }: Statement): string {
	const start = cursor.at;
	readType(module, cursor);
	readAttributes(module, cursor);
	readValue(module, cursor, bytePointer);
	cursor.expect(",");
	const type = readType(module, cursor);
	cursor.at = start;
	return type;
}

const alloca: Rewrite = (s) => {
	const { module, cursor } = s;
	cursor.skipWord("inalloca");
	const type = readType(module, cursor);
	const start = cursor.at;
	let count = "";
	// `, i64 %n` is a count, `, align 8` is none.
	if (cursor.skip(",") && seesType(cursor)) count = `, ${readTyped(module, cursor)}`;
	else cursor.at = start;
	return publish(s, type, `alloca ${type}${count}${ending(s)}`);
};

const load: Rewrite = (s) => {
	const { module, cursor, result, before } = s;
	const access = cursor.words(accessWords);
	const type = readType(module, cursor);
	cursor.expect(",");
	return `${result}load ${access}${type}, ${readPointer(module, cursor, type, before)}${ending(s)}`;
};

const store: Rewrite = (s) => {
	const { module, cursor, before } = s;
	const access = cursor.words(accessWords);
	const type = readType(module, cursor);
	const value = readValue(module, cursor, type);
	cursor.expect(",");
	return `store ${access}${type} ${value}, ${readPointer(module, cursor, type, before)}${ending(s)}`;
};

const getelementptr: Rewrite = (s) => {
	const inbounds = inboundsFlag(s.cursor);
	const { text, result } = readElementPointer(s.module, s.cursor, s.before);
	return publish(s, result, `getelementptr ${inbounds}${text}${ending(s)}`);
};

const cmpxchg: Rewrite = (s) => {
	const { module, cursor, result, before } = s;
	const words = cursor.words(exchangeWords);
	const pointer = readPointer(module, cursor, typeBehindPointer(s), before);
	cursor.expect(",");
	const expected = readTyped(module, cursor);
	cursor.expect(",");
	return `${result}cmpxchg ${words}${pointer}, ${expected}, ${readTyped(module, cursor)}${ending(s)}`;
};

const atomicrmw: Rewrite = (s) => {
	const { module, cursor, result, before, after } = s;
	const isVolatile = cursor.skipWord("volatile") ? "volatile " : "";
	const operation = cursor.word();
	const type = typeBehindPointer(s);
	const head = `atomicrmw ${isVolatile}${operation}`;
	if (type !== bytePointer) {
		const pointer = readPointer(module, cursor, type, before);
		cursor.expect(",");
		return `${result}${head} ${pointer}, ${readTyped(module, cursor)}${ending(s)}`;
	}
	// LLVM 13 exchanges no pointers: through i64.
	const pointer = readPointer(module, cursor, "i64", before);
	cursor.expect(",");
	const given = module.temporary();
	const got = module.temporary();
	before.push(`${given} = ptrtoint ${readTyped(module, cursor)} to i64`);
	after.push(`${result}inttoptr i64 ${got} to ${bytePointer}`);
	return `${got} = ${head} ${pointer}, i64 ${given}${ending(s)}`;
};

/** Instructions with a pointer whose type LLVM 13 wants to know. */
export const memoryRewrites = { alloca, load, store, getelementptr, cmpxchg, atomicrmw };
