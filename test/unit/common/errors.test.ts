import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { errorCodes, UserError } from "../../../src/common/errors.ts";

const guide = readFileSync(new URL("../../../docs/troubleshooting.md", import.meta.url), "utf8");

test("every code has an entry in docs/troubleshooting.md, and every entry a code", () => {
	const entries = [...guide.matchAll(/^### (.+)$/gm)].map((match) => match[1]);
	expect(entries.sort()).toEqual([...errorCodes].sort());
});

test("an error says where, what and what to do, in the form that terminals link", () => {
	const position = { file: "kernel/vm.c", line: 12, column: 3 };
	const error = new UserError("compile-failed", "Expected ';'", "Add it.", position);
	expect(error.format()).toBe("kernel/vm.c:12:3: Expected ';'. Add it.");
	expect(UserError.fromData(error.toData()).format()).toBe(error.format());
});
