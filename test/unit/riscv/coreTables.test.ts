import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { files } from "../../../scripts/coreTables.ts";

test.each(Object.entries(files))(
	"%s is what the table of the instruction set says: run scripts/coreTables.ts",
	(path, text) => {
		expect(readFileSync(path, "utf8")).toBe(text());
	},
);
