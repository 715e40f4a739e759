/**
 * Random cases that nobody has recorded: runs suites with new seeds in QEMU and on our machine, and explains differences.
 *   npx esbuild test/conformance/explore.ts --bundle --platform=node --format=esm --outfile=dist/explore.mjs
 *   node dist/explore.mjs [SUITE…] [--from SEED] [--seeds N]
 */
import { parseArgs } from "node:util";
import { explain } from "./explain.ts";
import { buildSuite, parseOutcomes } from "./harness.ts";
import { runInMachine } from "./machineHost.ts";
import { runInQemu } from "./qemu.ts";
import { suites } from "./suites/index.ts";

const seeded = ["integer", "compressed", "reserved", "random", "float", "atomics", "csr", "journeys", "loops"];
const { values, positionals } = parseArgs({
	allowPositionals: true,
	options: { from: { type: "string", default: "1" }, seeds: { type: "string", default: "5" } },
});
const wanted = positionals.length > 0 ? positionals : seeded;

let tried = 0;
let different = 0;
for (let seed = Number(values.from); seed < Number(values.from) + Number(values.seeds); seed++) {
	for (const suite of suites.filter(({ name }) => wanted.includes(name))) {
		const cases = suite.cases(seed);
		const image = buildSuite(cases);
		const theirs = parseOutcomes(await runInQemu(image.elf, suite), cases);
		const ours = parseOutcomes((await runInMachine(image.elf, suite)).output, cases);
		cases.forEach((one, index) => {
			const [expected, actual] = [theirs[index], ours[index]];
			if (!expected) return;
			tried++;
			if (actual && Buffer.from(expected.raw).equals(actual.raw)) return;
			different++;
			process.stdout.write(`seed ${seed}: ${explain(one, image.assembled[index]!, expected, actual)}\n\n`);
		});
	}
}
process.stdout.write(`${tried} cases, ${different} differ\n`);
process.exit(different > 0 ? 1 : 0);
