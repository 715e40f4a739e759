import { Machine } from "../../src/machine/machine.ts";
import type { MachineOptions } from "../../src/machine/types.ts";
import { coreModule, smallRam } from "../support/guest.ts";
import { at, generate, type Program } from "./fuzzPrograms.ts";

/** The differential test of the translator: random programs (fuzzPrograms.ts) one way and the other, step by step. */

export interface Way {
	readonly name: string;
	readonly jit: NonNullable<MachineOptions["jit"]>;
	readonly translator?: {
		readonly hot?: number;
		readonly batch?: number;
		readonly regionsMax?: number;
		readonly modulesMax?: number;
	};
	/** Steps of one call of `run`; default: as many as are between two looks. */
	readonly pieces?: number;
}

/** Translated at once; soon, with a cache that overflows all the time; as in use but for the heat. */
export const ways: readonly Way[] = [
	{ name: "eager", jit: "eager" },
	{ name: "small cache", jit: "on", translator: { hot: 6, batch: 3, regionsMax: 60, modulesMax: 3 } },
	{ name: "soon, in pieces", jit: "on", translator: { hot: 20 }, pieces: 4099 },
];

export async function start(program: Program, way: Way): Promise<Machine> {
	const { kernel, harts, seed, tables } = program;
	return Machine.create(
		{ kernel, harts, memoryBytes: smallRam, seed: seed % 3 === 0 ? seed : 0, jit: way.jit },
		{
			core: coreModule(),
			extraImages: [{ physical: BigInt(at.tables), bytes: tables }],
			...(way.translator ? { translator: way.translator } : {}),
		},
	);
}

export interface Divergence {
	readonly seed: number;
	readonly way: string;
	/** The last look at which both were the same, and the first at which they were not. */
	readonly same: number;
	readonly different: number;
}

/** A program that patches its code all the time is compiled all the time: it has had its say after so many modules. */
const mostModules = 3000;

/** Runs a program one way and the other, and compares the state every `every` instructions. */
export async function compare(
	seed: number,
	way: Way,
	instructions: number,
	every: number,
): Promise<Divergence | number> {
	const program = generate(seed);
	const [one, other] = await Promise.all([start(program, { name: "interpreter", jit: "off" }), start(program, way)]);
	try {
		let same = 0;
		while (one.instret < instructions) {
			one.run(every);
			const target = one.instret;
			while (other.instret < target) other.run(Math.min(way.pieces ?? every, target - other.instret));
			if (other.instret !== target || one.stateHash() !== other.stateHash()) {
				return { seed, way: way.name, same, different: target };
			}
			if (target === same) break;
			same = target;
			if ((other.translation?.modules ?? 0) > mostModules) break;
		}
		return one.instret;
	} finally {
		one.dispose();
		other.dispose();
	}
}
