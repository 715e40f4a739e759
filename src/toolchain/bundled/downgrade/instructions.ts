import { callRewrites } from "./calls.ts";
import { binary, cast, computationRewrites } from "./computation.ts";
import type { IrModule } from "./irModule.ts";
import { memoryRewrites } from "./memory.ts";
import { type Rewrite, readStatement } from "./statement.ts";
import { binaryOperators, casts } from "./vocabulary.ts";

const rewrites = new Map<string, Rewrite>([
	...[...binaryOperators].map((opcode) => [opcode, binary] as const),
	...[...casts].map((opcode) => [opcode, cast] as const),
	...Object.entries({ ...memoryRewrites, ...computationRewrites, ...callRewrites }),
]);

/** No pointer operands, and spelled alike in both versions. */
const unchanged = new Set(["", "br", "switch", "unreachable", "fence"]);

/** One instruction, and what must stand around it, each without indentation. */
export function rewriteInstruction(module: IrModule, line: string): string[] {
	const statement = readStatement(module, line);
	const { opcode, debug, before, after, cursor } = statement;
	if (unchanged.has(opcode)) return [cursor.line + debug];
	const rewrite = rewrites.get(opcode) ?? cursor.fail(`unsupported instruction ${opcode}`);
	const text = rewrite(statement);
	return text === undefined ? [...before, ...after] : [...before, text, ...after];
}
