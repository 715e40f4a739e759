import { readAttributes } from "./attributes.ts";
import type { Cursor } from "./cursor.ts";
import { readSignature } from "./functions.ts";
import type { IrModule } from "./irModule.ts";
import type { Rewrite, Statement } from "./statement.ts";
import { bytePointer, pointerTo, readType } from "./types.ts";
import { flagText, globalAs, readPointerValue, readValue } from "./values.ts";

/** Intrinsics that are hints, or that have no counterpart in LLVM 13 and no effect. */
export const isDroppedIntrinsic = (name: string) =>
	/^@llvm\.(assume|experimental\.noalias\.scope\.decl|fake\.use|allow\.\w+\.check)\b/.test(name);

/** Their names spell the types of their pointers. */
const spellsPointer =
	/^@llvm\.(memcpy|memmove|memset|memcpy\.inline|lifetime\.(?:start|end)|prefetch|objectsize|ptrmask|frameaddress|invariant\.(?:start|end)|masked\.\w+)\./;

export function intrinsicName(name: string): string {
	const known = name.replace(/^@llvm\.memset\.inline\./, "@llvm.memset.");
	if (!known.startsWith("@llvm.")) return known;
	return known.replace(/\.p0(?=\.|$)/g, spellsPointer.test(known) ? ".p0i8" : "");
}

interface Arguments {
	readonly texts: readonly string[];
	readonly types: readonly string[];
}

const conventions = /(?:ccc|fastcc|coldcc|tailcc|preserve_\w+cc|cc)\b/y;
const assemblyWords = new Set(["sideeffect", "alignstack", "inteldialect", "unwind"]);

function readConvention(c: Cursor): string {
	let text = "";
	for (let word = c.match(conventions); word !== undefined; word = c.match(conventions)) {
		text += word === "cc" ? `cc ${c.number()} ` : `${word} `;
	}
	return text;
}

function readArguments({ module, cursor, before }: Statement, toAssembly: boolean): Arguments {
	const texts: string[] = [];
	const types: string[] = [];
	cursor.expect("(");
	cursor.list(")", () => {
		if (cursor.skipWord("metadata")) {
			texts.push(`metadata ${cursor.take(/[^,)]+/y, "metadata")}`);
			types.push("metadata");
			return;
		}
		const type = readType(module, cursor);
		const attributes = readAttributes(module, cursor);
		if (toAssembly && attributes.elementType !== undefined) {
			texts.push(readPointerValue(module, cursor, attributes.elementType, before));
			types.push("");
			return;
		}
		texts.push(`${type} ${attributes.text}${readValue(module, cursor, type)}`);
		types.push(type);
	});
	return { texts, types };
}

/** `asm sideeffect "text", "constraints"` */
function readAssembly(c: Cursor): string {
	const words = c.words(assemblyWords);
	const text = c.string();
	c.expect(",");
	return `asm ${words}${text}, ${c.string()}`;
}

/** `call`, with what stands before the word in `prefix`. */
function rewriteCall(s: Statement, prefix: string): string | undefined {
	const { module, cursor, result, debug } = s;
	const head = `${prefix}call ${flagText(cursor)}${readConvention(cursor)}${readAttributes(module, cursor).text}`;
	const returned = readType(module, cursor);
	const written = cursor.peek() === "(" ? `${returned} (${readSignature(module, cursor).types.join(", ")})` : undefined;
	const assembly = cursor.skipWord("asm") ? readAssembly(cursor) : undefined;
	const isName = cursor.peek() === "%" || cursor.peek() === "@";
	const callee = assembly ?? (isName ? cursor.name() : readValue(module, cursor, bytePointer));
	const given = readArguments(s, assembly !== undefined);
	const tail = ` ${readAttributes(module, cursor).text}`.trimEnd();
	// Operand bundles are hints only.
	if (cursor.skip("[")) cursor.rest();
	const emit = (text: string, args = given.texts) => `${result}${head}${text}(${args.join(", ")})${tail}${debug}`;
	if (assembly !== undefined) return emit(`${returned} ${assembly}`);
	if (callee.startsWith("@llvm.")) return callIntrinsic(s, callee, written ?? returned, given.texts, emit);
	const type = written ?? `${returned} (${given.types.join(", ")})`;
	if (callee.startsWith("@")) {
		const target = globalAs(module, callee, pointerTo(type), cursor);
		return emit(target === callee ? `${written ?? returned} ${target}` : `${type} ${target}`);
	}
	return emit(
		`${type} ${isName ? castLocal(module, s, callee, type) : `bitcast (i8* ${callee} to ${pointerTo(type)})`}`,
	);
}

function castLocal(module: IrModule, { before }: Statement, name: string, type: string): string {
	const cast = module.temporary();
	before.push(`${cast} = bitcast i8* ${name} to ${pointerTo(type)}`);
	return cast;
}

function callIntrinsic(
	{ result }: Statement,
	name: string,
	type: string,
	args: readonly string[],
	emit: (text: string, args?: readonly string[]) => string,
): string | undefined {
	if (isDroppedIntrinsic(name)) return undefined;
	// The size that LLVM 13 wants first: -1 is unknown.
	if (name.startsWith("@llvm.lifetime.") && args.length === 1)
		return emit(`void ${intrinsicName(name)}`, ["i64 -1", ...args]);
	if (name.startsWith("@llvm.threadlocal.address")) {
		const address = (args[0] ?? "").replace(/ (noundef|nonnull|align \d+)/g, "");
		return `${result}bitcast ${address} to ${bytePointer}`;
	}
	return emit(`${type} ${intrinsicName(name)}`);
}

const call: Rewrite = (s) => rewriteCall(s, "");

const markedCall: Rewrite = (s) => {
	s.cursor.expect("call");
	return rewriteCall(s, `${s.opcode} `);
};

export const callRewrites = { call, tail: markedCall, musttail: markedCall, notail: markedCall };
