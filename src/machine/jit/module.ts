// What modules of translated code import, and how they are put together.

import { i32, i64, type ModuleShape, writeModule } from "./wasmWriter.ts";

/** Function indices of the helpers that regions call: exports of the core (core/index.ts). */
export const helper = { mulHigh: 0, mulHighSignedUnsigned: 1, mulHighUnsigned: 2, bulk: 3, float: 4 } as const;

const shape: Omit<ModuleShape, "table"> = {
	types: [
		{ parameters: [i32, i32, i64, i32], result: i32 },
		{ parameters: [i64, i64], result: i64 },
		{ parameters: [i32, i32, i32], result: i32 },
		{ parameters: [i32, i32], result: i32 },
	],
	imports: [
		{ name: "mulHigh", type: 1 },
		{ name: "mulHighSignedUnsigned", type: 1 },
		{ name: "mulHighUnsigned", type: 1 },
		{ name: "bulk", type: 2 },
		{ name: "floatHelper", type: 3 },
	],
};

/** `chained`: the bodies go on in other regions by the core's table. */
export function assembleModule(bodies: readonly Uint8Array[], chained: boolean): Uint8Array {
	return writeModule({ ...shape, table: chained }, bodies);
}
