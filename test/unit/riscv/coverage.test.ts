import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { coveragePage, page } from "../../../scripts/isaCoverage.ts";

test("the ISA coverage page is what the tables say: run scripts/isaCoverage.ts", () => {
	expect(readFileSync(page, "utf8")).toBe(coveragePage());
});
