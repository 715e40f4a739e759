import { expect, test } from "vitest";
import { definitionLine } from "../../../src/extension/definition.ts";

const source = `// syscalls by number; usertrap() calls syscall().
extern int fetch(int n);

static int (*syscalls[])(void) = {
};

int
fetch(int n)
{
  return syscalls[n]();
}
`;

test("a name is found where it is defined: not where it is declared, used or spoken of", () => {
	expect(definitionLine(source, "syscalls")).toBe(4);
	expect(definitionLine(source, "fetch")).toBe(8);
});

test("a name without a definition is found where it first is, and one that is not there nowhere", () => {
	expect(definitionLine(source, "usertrap")).toBe(1);
	expect(definitionLine(source, "call")).toBeUndefined();
	expect(definitionLine(source, "a(b")).toBeUndefined();
});
