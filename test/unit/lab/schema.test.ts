import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { toJsonSchema } from "@valibot/to-json-schema";
import { expect, test } from "vitest";
import { manifestSchema } from "../../../src/lab/manifest.ts";

const file = new URL("../../../media/lab.schema.json", import.meta.url);

/** ACCEPT=1 writes the file anew. */
test("media/lab.schema.json is the schema that the code checks with", () => {
	const schema = toJsonSchema(manifestSchema, { errorMode: "ignore" });
	const text = `${JSON.stringify({ ...schema, title: "xv6 Lab: a lab" }, undefined, "\t")}\n`;
	if (process.env.ACCEPT) writeFileSync(file, text);
	expect(existsSync(file) ? readFileSync(file, "utf8") : "").toBe(text);
});
