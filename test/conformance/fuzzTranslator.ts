/**
 * The differential test of the translator for as long as one likes, and the place of a difference.
 *   npx esbuild test/conformance/fuzzTranslator.ts --bundle --platform=node --format=esm --outfile=dist/test/fuzzTranslator.mjs
 *   node dist/test/fuzzTranslator.mjs [--from SEED] [--instructions N] [--each N] [--seed SEED]
 */
import { parseArgs } from "node:util";
import type { Machine } from "../../src/machine/machine.ts";
import { generate } from "./fuzzPrograms.ts";
import { compare, type Divergence, start, type Way, ways } from "./translatorFuzz.ts";

const { values } = parseArgs({
	options: {
		from: { type: "string", default: "1" },
		instructions: { type: "string", default: "1e9" },
		each: { type: "string", default: "2000000" },
		look: { type: "string", default: "50021" },
		seed: { type: "string" },
	},
});
const each = Number(values.each);
const look = Number(values.look);

let total = 0;
let different = 0;
const started = performance.now();
const only = values.seed === undefined ? undefined : Number(values.seed);
for (let seed = only ?? Number(values.from); total < Number(values.instructions); seed++) {
	const way = ways[seed % ways.length] as Way;
	for (const one of only === undefined ? [way] : ways) {
		const result = await compare(seed, one, each, look);
		if (typeof result === "number") total += result;
		else {
			different++;
			await locate(result, one);
		}
	}
	if (seed % 20 === 0) tell(`seed ${seed}: `);
	if (only !== undefined) break;
}
tell("");
process.exit(different > 0 ? 1 : 0);

function tell(prefix: string): void {
	const seconds = (performance.now() - started) / 1000;
	process.stdout.write(
		`${prefix}${total.toLocaleString("en")} instructions agree, ${different} programs differ, ${seconds.toFixed(0)} s\n`,
	);
}

/** The first instruction count at which the two differ, by halving; each try runs from the start, caches and all. */
async function locate({ seed, way, same, different: end }: Divergence, how: Way): Promise<void> {
	const program = generate(seed);
	const run = async (one: Way, count: number) => {
		const machine = await start(program, one);
		for (let at = look; at <= same; at += look) machine.run(look);
		while (machine.instret < count) machine.run(Math.min(how.pieces ?? count, count - machine.instret));
		return machine;
	};
	const interpreter: Way = { name: "interpreter", jit: "off" };
	let [low, high] = [same, end];
	while (high - low > 1) {
		const middle = Math.floor((low + high) / 2);
		const [a, b] = [await run(interpreter, middle), await run(how, middle)];
		if (a.stateHash() === b.stateHash()) low = middle;
		else high = middle;
	}
	process.stdout.write(`seed ${seed}, ${way}, ${program.harts} harts: the same at ${low}, different at ${high}\n`);
	const before = await run(interpreter, low);
	const [a, b] = [await run(interpreter, high), await run(how, high)];
	for (const hart of before.harts) {
		process.stdout.write(
			`  hart ${hart.id} at ${hart.pc.toString(16)} mode ${hart.mode}: ${lineAt(program.lines, hart.pc)}\n`,
		);
		for (const line of registersOf(a, hart.id))
			if (!registersOf(b, hart.id).includes(line)) process.stdout.write(`    expected ${line}\n`);
		for (const line of registersOf(b, hart.id))
			if (!registersOf(a, hart.id).includes(line)) process.stdout.write(`    actual   ${line}\n`);
	}
}

/** The code is in RAM at 0x80000000, user mode sees it 1 GiB lower. */
function lineAt(lines: ReadonlyMap<bigint, string>, pc: bigint): string {
	return lines.get((pc & 0x3fffffffn) | 0x80000000n) ?? "";
}

function registersOf(machine: Machine, id: number): string[] {
	const hart = machine.harts[id];
	if (!hart) return [];
	const numbers = Array.from({ length: 32 }, (_, n) => n);
	const csrs = [0x003, 0x100, 0x141, 0x142, 0x143, 0x144, 0x180, 0x300, 0x341, 0x342, 0x343, 0x344];
	return [
		`pc ${hart.pc.toString(16)} mode ${hart.mode} instret ${hart.instret}`,
		...numbers.map((n) => `x${n} ${hart.register(n).toString(16)}`),
		...numbers.map((n) => `f${n} ${hart.floatRegister(n).toString(16)}`),
		...csrs.map((csr) => `csr ${csr.toString(16)} ${hart.csr(csr)?.toString(16)}`),
	];
}
