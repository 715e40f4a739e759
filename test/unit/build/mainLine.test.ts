import { expect, test } from "vitest";
import { mainLine } from "../../../src/build/mainLine.ts";

test("main is found on a line of its own, with or without its type, and not inside other names", () => {
	expect(mainLine("int\nmain(int argc, char *argv[])\n{\n")).toBe(2);
	expect(mainLine('#include "user.h"\r\n\r\nvoid main (void) {\r\n')).toBe(3);
	expect(mainLine("int domain(void);\n  main(x);\n")).toBeUndefined();
	expect(mainLine("")).toBeUndefined();
});
