import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { visible } from "../common/visible.ts";
import type { CoverageCollector } from "../lab/coverage/collector.ts";
import { onlyFiles } from "../lab/coverage/coverage.ts";
import { coverageTable, toLcov } from "../lab/coverage/lcov.ts";
import { writeReport } from "./reportFile.ts";

/** The tracefile, and on stderr what all parts together reached. `dir`: the tree. */
export async function reportCoverage(file: string, collector: CoverageCollector, dir: string): Promise<void> {
	const pathOf = (path: string) => resolve(dir, path);
	const has = (path: string) => existsSync(pathOf(path));
	const parts = collector.reports().map(({ name, report }) => ({ name, report: onlyFiles(report, has) }));
	await writeReport(file, toLcov(parts, pathOf));
	process.stderr.write(`${visible(coverageTable(onlyFiles(collector.together(), has)))}`);
}
