import { Cursor, splitTop } from "./cursor.ts";
import type { IrModule } from "./irModule.ts";
import { readType } from "./types.ts";
import { globalAs, readValue } from "./values.ts";

const fields = (names: string): ReadonlySet<string> => new Set(names.split(/\s+/));

/** Fields of debug metadata that LLVM 13 knows. */
const knownFields = new Map<string, ReadonlySet<string>>([
	["DILocation", fields("line column scope inlinedAt isImplicitCode")],
	["DISubrange", fields("count lowerBound upperBound stride")],
	["DIEnumerator", fields("name value isUnsigned")],
	["DIBasicType", fields("tag name size align encoding flags")],
	["DIDerivedType", fields("tag name file line scope baseType size align offset flags extraData dwarfAddressSpace")],
	[
		"DICompositeType",
		fields(
			"tag name file line scope baseType size align offset flags elements runtimeLang vtableHolder identifier discriminator",
		),
	],
	["DISubroutineType", fields("flags cc types")],
	["DIFile", fields("filename directory checksumkind checksum source")],
	[
		"DICompileUnit",
		fields(
			`language file producer isOptimized flags runtimeVersion splitDebugFilename emissionKind enums retainedTypes globals
			imports macros dwoId splitDebugInlining debugInfoForProfiling nameTableKind rangesBaseAddress sysroot sdk`,
		),
	],
	[
		"DISubprogram",
		fields(
			`scope name linkageName file line type scopeLine containingType virtualIndex thisAdjustment flags spFlags unit
			declaration retainedNodes`,
		),
	],
	["DILexicalBlock", fields("scope file line column")],
	["DILexicalBlockFile", fields("scope file discriminator")],
	["DILocalVariable", fields("name arg scope file line type flags align")],
	["DIGlobalVariable", fields("scope name linkageName file line type isLocal isDefinition declaration align")],
	["DIGlobalVariableExpression", fields("var expr")],
	["DILabel", fields("scope name file line")],
	["DIMacro", fields("type line name value")],
	["DIMacroFile", fields("type line file nodes")],
]);

/** String literals have debug variables without a name, which LLVM 13 refuses: they and their expressions go. */
export function dropUnnamedVariables(m: IrModule, lines: readonly string[]): void {
	const metadata = lines.filter((line) => line.startsWith("!"));
	const unnamed = new Set(
		metadata.flatMap((line) => /^(!\d+) = distinct !DIGlobalVariable\((?!.*\bname: )/.exec(line)?.[1] ?? []),
	);
	if (unnamed.size === 0) return;
	for (const id of unnamed) m.dropped.add(id);
	for (const line of metadata) {
		const [, id, variable] = /^(!\d+) = !DIGlobalVariableExpression\(var: (!\d+)/.exec(line) ?? [];
		if (id !== undefined && variable !== undefined && unnamed.has(variable)) m.dropped.add(id);
	}
}

/** A line of metadata; undefined leaves it out. */
export function rewriteMetadata(m: IrModule, line: string): string | undefined {
	const [, id, distinct = "", kind, body] = /^(!\d+) = (distinct )?!(DI\w+)\((.*)\)$/.exec(line) ?? [];
	if (id === undefined || kind === undefined || body === undefined) return rewriteNode(m, line);
	if (kind === "DIAssignID" || m.dropped.has(id)) return `${id} = !{}`;
	const known = knownFields.get(kind);
	// DIExpression and the like have no fields.
	if (!known) return line;
	const kept = splitTop(body)
		.filter((field) => known.has(field.slice(0, field.indexOf(":"))))
		.map((field) => (/^language: DW_LANG_C[12]/.test(field) ? "language: DW_LANG_C11" : field));
	return `${id} = ${distinct}!${kind}(${kept.join(", ")})`;
}

/** Lists, module flags and named metadata. */
function rewriteNode(m: IrModule, line: string): string | undefined {
	if (line.startsWith("!llvm.errno.tbaa")) return undefined;
	// Merge behaviour 8 (the smallest wins) is newer than LLVM 13.
	const node = line.replace(/= !\{i32 8, /, "= !{i32 7, ");
	const [, id, distinct = "", ids] = /^(!\d+) = (distinct )?!\{(!\d+(?:, !\d+)*)\}$/.exec(node) ?? [];
	if (m.dropped.size > 0 && ids !== undefined) {
		const kept = ids.split(", ").filter((each) => !m.dropped.has(each));
		return `${id} = ${distinct}!{${kept.join(", ")}}`;
	}
	return node
		.replace(
			/\bptr (@(?:"[^"]*"|[-\w$.]+))/g,
			(_, global: string) => `i8* ${globalAs(m, global, "i8*", new Cursor(node))}`,
		)
		.replace(/\bptr null\b/g, "i8* null");
}

/** Locations that LLVM 13 cannot express. */
const newExpression = /DW_OP_LLVM_(extract_bits|poison|implicit_)/;

/** `#dbg_value(…)` and its like as a call of the intrinsic that it replaced. */
export function rewriteDebugRecord(m: IrModule, line: string): string {
	const c = new Cursor(line);
	const record = c.take(/#dbg_\w+/y, "debug record").slice("#dbg_".length);
	const [value = "", variable = "", expression = "", ...others] = splitTop(c.group().slice(1, -1));
	const location = `, !dbg ${others.at(-1) ?? (expression || variable)}`;
	if (record === "label") {
		m.debugIntrinsics.add("label");
		return `call void @llvm.dbg.label(metadata ${value})${location}`;
	}
	// dbg_assign carries a value too.
	const intrinsic = record === "declare" ? "declare" : "value";
	m.debugIntrinsics.add(intrinsic);
	const [place, how] = debugLocation(m, value, expression);
	return `call void @llvm.dbg.${intrinsic}(metadata ${place}, metadata ${variable}, metadata ${how})${location}`;
}

/** Where a variable is. A location that LLVM 13 cannot express ends the variable's range: undef. */
function debugLocation(m: IrModule, value: string, expression: string): readonly [string, string] {
	if (value.startsWith("!DIArgList(") || newExpression.test(expression)) {
		const fragment = /DW_OP_LLVM_fragment, \d+, \d+/.exec(expression)?.[0] ?? "";
		return ["i64 undef", `!DIExpression(${fragment})`];
	}
	if (value.startsWith("!")) return [value, expression];
	const c = new Cursor(value);
	const type = readType(m, c);
	const text = readValue(m, c, type);
	const twin = m.twins.get(text);
	if (twin) return [`${twin.type} ${twin.name}`, expression];
	return [`${type} ${text === "poison" ? "undef" : text}`, expression];
}
