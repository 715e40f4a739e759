/**
 * Rewrites LLVM 22's textual IR (opaque pointers, debug records, new attributes) into IR that LLVM 13's `llc` accepts (typed
 * pointers, llvm.dbg.* calls).
 *
 * Every `ptr` becomes `i8*`, so that a name of a function always has type i8*. Instructions that need a typed pointer get a
 * `bitcast` in front of them, those that give one (alloca, getelementptr) get a `bitcast` after.
 *
 * C only: no exceptions of C++, no callbr (asm goto), no scalable vectors.
 */
import { attributeGroup } from "./attributes.ts";
import { intrinsicName, isDroppedIntrinsic } from "./calls.ts";
import { Cursor } from "./cursor.ts";
import { dropUnnamedVariables, rewriteDebugRecord, rewriteMetadata } from "./debugInfo.ts";
import { functionType, readFunctionHead, readFunctionTail } from "./functions.ts";
import { declareGlobal, rewriteGlobal } from "./globals.ts";
import { rewriteInstruction } from "./instructions.ts";
import { IrModule } from "./irModule.ts";
import { readType } from "./types.ts";

/** LLVM 22 IR text as LLVM 13's `llc` reads it. Throws an Error that shows the line with the construct that it does not know. */
export function downgrade(text: string): string {
	const lines = text.split("\n");
	const module = new IrModule();
	declare(module, lines);
	const out: string[] = [];
	let inFunction = false;
	for (const line of lines) {
		if (inFunction) {
			inFunction = line !== "}";
			out.push(...(inFunction ? rewriteBodyLine(module, line) : [line]));
			continue;
		}
		out.push(...rewriteTopLine(module, line));
		inFunction = line.startsWith("define ");
		if (inFunction) module.twins = new Map();
	}
	for (const name of ["declare", "value"] as const) {
		if (module.debugIntrinsics.has(name)) out.push(`declare void @llvm.dbg.${name}(metadata, metadata, metadata)`);
	}
	if (module.debugIntrinsics.has("label")) out.push("declare void @llvm.dbg.label(metadata)");
	return `${out.join("\n")}\n`;
}

/** Types of structs and globals, and debug nodes that must go: all may be used before they are defined. */
function declare(module: IrModule, lines: readonly string[]): void {
	for (const line of lines) {
		if (line.startsWith("%") && line.includes(" = type ")) declareStruct(module, line);
		else if (line.startsWith("@")) declareGlobal(module, line);
		else if (isFunction(line)) {
			const head = readFunctionHead(module, new Cursor(line));
			module.globals.set(head.name, functionType(head));
		}
	}
	dropUnnamedVariables(module, lines);
}

const isFunction = (line: string) => /^(define|declare) /.test(line);

function declareStruct(module: IrModule, line: string): void {
	const c = new Cursor(line);
	const name = c.name();
	c.expect("=");
	c.expect("type");
	const fields = c.skipWord("opaque") ? null : (module.composites.get(readType(module, c))?.fields ?? []);
	module.structs.set(name, fields);
}

function rewriteTopLine(module: IrModule, line: string): string[] {
	if (line === "" || line.startsWith(";")) return [];
	if (line.startsWith("target datalayout")) return [line.replace("-n32:64-", "-n64-")];
	if (line.startsWith("%")) return [rewriteStruct(module, line)];
	if (line.startsWith("@")) return [rewriteGlobal(module, line)];
	if (line.startsWith("!")) return defined(rewriteMetadata(module, line));
	if (line.startsWith("attributes ")) return [attributeGroup(line)];
	if (isFunction(line)) return defined(rewriteFunctionLine(module, line));
	// source_filename, target triple, module asm, comdats.
	return [line];
}

const defined = (line: string | undefined) => (line === undefined ? [] : [line]);

function rewriteStruct(module: IrModule, line: string): string {
	const name = new Cursor(line).name();
	const fields = module.structs.get(name);
	if (!fields) return `${name} = type opaque`;
	const body = `{ ${fields.join(", ")} }`;
	return `${name} = type ${line.includes("<{") ? `<${body}>` : body}`;
}

/** A declaration, or the first line of a definition. */
function rewriteFunctionLine(module: IrModule, line: string): string | undefined {
	const c = new Cursor(line);
	const { keyword, lead, result, name, signature } = readFunctionHead(module, c);
	const isDeclaration = keyword === "declare";
	if (isDeclaration && (isDroppedIntrinsic(name) || /^@llvm\.(dbg\.|threadlocal)/.test(name))) return undefined;
	const isShortLifetime = name.startsWith("@llvm.lifetime.") && signature.parameters.length === 1;
	const parameters = isShortLifetime ? ["i64", ...signature.parameters] : signature.parameters;
	const tail = readFunctionTail(module, c);
	const suffix = isDeclaration ? tail.replace(/ !dbg !\d+/, "") : tail;
	return `${keyword} ${lead}${result} ${intrinsicName(name)}(${parameters.join(", ")})${suffix}`;
}

/** A line of a function's body, by its indentation: labels have none, records and the cases of a switch have four. */
function rewriteBodyLine(module: IrModule, line: string): string[] {
	if (line === "" || line.startsWith(";")) return [];
	if (!line.startsWith(" ")) return [(line.split(";", 1)[0] as string).trimEnd()];
	if (line.startsWith("    #dbg_")) return [`  ${rewriteDebugRecord(module, line)}`];
	if (line.startsWith("    ")) return [line];
	if (line.startsWith("  ]")) return [`  ]${/, !dbg !\d+/.exec(line)?.[0] ?? ""}`];
	return rewriteInstruction(module, line.slice(2)).map((statement) => `  ${statement}`);
}
