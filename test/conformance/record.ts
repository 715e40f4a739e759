/**
 * Runs every suite in QEMU and stores what it sent: needs qemu-system-riscv64 of `recordedVersion`.
 *   npx esbuild test/conformance/record.ts --bundle --platform=node --format=esm --outfile=dist/record.mjs
 *   node dist/record.mjs
 */
import { mkdirSync } from "node:fs";
import { buildSuite, parseOutcomes } from "./harness.ts";
import { cpu, installedVersion, recordedVersion, runInQemu } from "./qemu.ts";
import { recordedFolder, writeRecording } from "./recorded.ts";
import { suites } from "./suites/index.ts";

const version = installedVersion();
if (version !== recordedVersion)
	throw new Error(`QEMU ${recordedVersion} is wanted, ${version ?? "none"} is installed`);
mkdirSync(recordedFolder, { recursive: true });

const recordings = [];
for (const suite of suites) {
	const cases = suite.cases();
	const image = buildSuite(cases);
	const output = await runInQemu(image.elf, suite);
	const again = await runInQemu(image.elf, suite);
	if (!Buffer.from(output).equals(again)) throw new Error(`${suite.name}: QEMU itself does not repeat its results`);
	const done = parseOutcomes(output, cases).length;
	if (done !== cases.length) throw new Error(`${suite.name}: stopped at "${cases[done]?.name}"`);
	process.stdout.write(`${suite.name}: ${done} cases\n`);
	recordings.push({ suite, image, output });
}
writeRecording(`QEMU ${version} virt, -cpu ${cpu}`, recordings);
