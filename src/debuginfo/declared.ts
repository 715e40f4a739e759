import type { Declared } from "../protocol/declared.ts";
import type { DebugInfo } from "./debugInfo.ts";
import { findMember, plain, type StructType, splitDimensions, type Type, typeName } from "./types.ts";

/**
 * What the last name of a chain such as `p->trapframe->a0` or `proc[].name` means at a line (from 1) of a file: a local variable or
 * parameter of the function around it, else a global variable, and members from there on. Undefined where the debug information has none.
 */
export function declaredAt(info: DebugInfo, file: string, line: number, chain: string): Declared | undefined {
	const [first, ...rest] = [...chain.matchAll(/(->|\.)?([A-Za-z_]\w*)((?:\[\])*)/g)];
	if (!first) return undefined;
	const [, , name = "", indexed = ""] = first;
	const local = localAt(info, file, line, name);
	const global = local ? undefined : info.variable(name);
	let type = local ? local.type : global?.type;
	if (!local && !global) return undefined;
	if (rest.length === 0)
		return { text: declaration(type, name), kind: local ? (local.parameter ? "parameter" : "local") : "global" };
	type = element(type, indexed.length / 2);
	for (const [i, [, operator, member = "", index = ""]] of rest.entries()) {
		const outer = plain(operator === "->" ? element(type, 1) : type);
		if (outer?.kind !== "struct" && outer?.kind !== "union") return undefined;
		const found = findMember(outer, member);
		if (!found) return undefined;
		if (i === rest.length - 1) return { ...memberOf(outer, found.offset, found.type, member), kind: "member" };
		type = element(found.type, index.length / 2);
	}
	return undefined;
}

function memberOf(outer: StructType, offset: number, type: Type | undefined, name: string) {
	const within = { type: typeName(outer), offset, size: plain(type)?.size ?? 0 };
	return { text: declaration(type, name), within };
}

/** Of the function whose code is nearest above: a line without code of its own is one of its declarations or comments. */
function localAt(info: DebugInfo, file: string, line: number, name: string) {
	const lines = info.lines.linesWithCode(file);
	const place = lines.findLastIndex((one) => one <= line);
	for (const near of [lines[place], lines[place + 1]]) {
		if (near === undefined) continue;
		for (const pc of info.lines.addressesOf(file, near))
			for (const frame of info.functionsAt(pc)) {
				const found = info.localsOf(frame, pc).find((local) => local.name === name && local.line <= line);
				if (found) return found;
			}
	}
	return undefined;
}

function element(type: Type | undefined, times: number): Type | undefined {
	let current = plain(type);
	for (let i = 0; i < times; i++) {
		if (current?.kind === "pointer") current = plain(current.target);
		else if (current?.kind === "array") current = plain(current.element);
		else return undefined;
	}
	return current;
}

function declaration(type: Type | undefined, name: string): string {
	const [base, dimensions] = splitDimensions(typeName(type));
	return `${base}${base.endsWith("*") ? "" : " "}${name}${dimensions}`;
}
