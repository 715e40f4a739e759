import { Cursor, token } from "./cursor.ts";
import type { IrModule } from "./irModule.ts";

/** One instruction while it is rewritten. */
export interface Statement {
	readonly module: IrModule;
	/** Behind the opcode. */
	readonly cursor: Cursor;
	readonly opcode: string;
	/** Name of the result; empty without one. */
	readonly name: string;
	/** `%3 = ` or nothing. */
	readonly result: string;
	/** `, !dbg !7` or nothing: the only attachment that llc needs. */
	readonly debug: string;
	/** Statements that must stand before it and after it. */
	readonly before: string[];
	readonly after: string[];
}

/** Rewrites one kind of instruction; undefined leaves it out. */
export type Rewrite = (statement: Statement) => string | undefined;

/** The largest alignment that LLVM 13 takes; `*(int *)0` has a larger one. */
const mostAlignment = "536870912";

export function readStatement(module: IrModule, line: string): Statement {
	const end = startOfAttachments(line);
	const debug = /, !dbg !\d+/.exec(line.slice(end))?.[0] ?? "";
	const text = line.slice(0, end);
	const cursor = new Cursor(text.replace(/, align (\d{10,})/, `, align ${mostAlignment}`));
	let name = "";
	if (cursor.peek() === "%") {
		name = cursor.name();
		cursor.expect("=");
	}
	const opcode = cursor.match(token.word) ?? "";
	const result = name === "" ? "" : `${name} = `;
	return { module, cursor, opcode, name, result, debug, before: [], after: [] };
}

/** Where `, !dbg !7, !tbaa !8` begins with which a line may end; looked for from there, since a string may hold such text as well. */
function startOfAttachments(line: string): number {
	let end = line.length;
	for (;;) {
		const at = end === 0 ? -1 : line.lastIndexOf(", !", end - 1);
		if (at < 0 || !/^, ![\w.]+ ![\w()]+$/.test(line.slice(at, end))) return end;
		end = at;
	}
}

/** What the rewrite does not touch, and the debug location. */
export const ending = ({ cursor, debug }: Statement) => cursor.rest() + debug;
