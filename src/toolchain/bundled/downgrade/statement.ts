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
	const attachments = /(?:, ![\w.]+ ![\w()]+)+$/.exec(line);
	const debug = /, !dbg !\d+/.exec(attachments?.[0] ?? "")?.[0] ?? "";
	const text = attachments ? line.slice(0, attachments.index) : line;
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

/** What the rewrite does not touch, and the debug location. */
export const ending = ({ cursor, debug }: Statement) => cursor.rest() + debug;
