import { expect, test } from "vitest";
import { coverageTable, toLcov } from "../../../src/lab/coverage/lcov.ts";
import type { CoverageReport } from "../../../src/protocol/coverage.ts";

const report: CoverageReport = {
	files: [
		{
			file: "kernel/vm.c",
			lines: [
				{ line: 3, executed: true },
				{ line: 4, executed: false },
			],
			functions: [{ name: "walk", line: 2, executed: true }],
			jumps: [
				{ line: 3, executed: true, taken: true, passed: false },
				{ line: 3, executed: false, taken: false, passed: false },
			],
		},
	],
};

test("a tracefile has a section for each part, with counts of 0 and 1", () => {
	expect(toLcov([{ name: "mmap-failures", report }], (file) => `/tree/${file}`)).toBe(
		`TN:mmap_failures
SF:/tree/kernel/vm.c
FN:2,walk
FNDA:1,walk
FNF:1
FNH:1
BRDA:3,0,0,1
BRDA:3,0,1,0
BRDA:3,1,0,-
BRDA:3,1,1,-
BRF:4
BRH:1
DA:3,1
DA:4,0
LF:2
LH:1
end_of_record
`,
	);
});

test("the table has a row for each file, and the sums of kernel and programs", () => {
	const rows = coverageTable(report).split("\n");
	expect(rows[1]).toMatch(/^kernel\/vm\.c +1\/2 +50 % +1\/4 +25 % +1\/1 +100 %$/);
	expect(rows[2]).toMatch(/^kernel +1\/2/);
	expect(rows[3]).toMatch(/^user programs +- +- +-$/);
});
