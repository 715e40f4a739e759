// What modules of translated code import, and how they are put together.

import type { CoreExports } from "../coreAbi.ts";
import { type FunctionBody, f64, i32, i64, type ModuleShape, writeModule } from "./wasmWriter.ts";

const types = {
	region: { parameters: [i32, i32, i64, i32], result: i32 },
	integer: { parameters: [i64, i64], result: i64 },
	record: { parameters: [i32, i32], result: i32 },
	double: { parameters: [f64, f64], result: f64 },
	fused: { parameters: [f64, f64, f64], result: f64 },
} as const;

/** Helpers that regions call: exports of the core (core/index.ts), in the order of their function indices. */
const helpers = {
	mulHigh: "integer",
	mulHighSignedUnsigned: "integer",
	mulHighUnsigned: "integer",
	floatHelper: "record",
	exactSum: "double",
	exactDifference: "double",
	exactProduct: "double",
	exactQuotient: "double",
	exactRoot: "double",
	exactFused: "fused",
	fusedMultiplyAdd: "fused",
} as const;

type Helper = keyof typeof helpers;

const names = Object.keys(helpers) as Helper[];
const typeNames = Object.keys(types);

export function helper(name: Helper): number {
	return names.indexOf(name);
}

/** What modules import from "e". */
export function importsOf(core: CoreExports, memory: WebAssembly.Memory): WebAssembly.Imports {
	const e: WebAssembly.ModuleImports = { memory, table: core.table };
	for (const name of names) e[name] = core[name] as WebAssembly.ImportValue;
	return { e };
}

const shape: Omit<ModuleShape, "table"> = {
	types: Object.values(types),
	imports: names.map((name) => ({ name, type: typeNames.indexOf(helpers[name]) })),
};

/** `chained`: the bodies continue in other regions by the core's table. */
export function assembleModule(bodies: readonly FunctionBody[], chained: boolean): Uint8Array {
	return writeModule({ ...shape, table: chained }, bodies);
}
