import { expect, test } from "vitest";
import { failureLine } from "../../../src/extension/failureLine.ts";
import type { VerdictData } from "../../../src/protocol/engine.ts";

const source = "user/prodcons1.c";
const frame = (file: string, line?: number) => ({ name: "f", address: "0x0", file, ...(line ? { line } : {}) });
const verdict = (stack: VerdictData["stack"], actual = "") => ({ stack, actual }) as unknown as VerdictData;

test("a failure is about the innermost line of its program that the debug information names", () => {
	const stack = [frame("kernel/trap.c", 70), frame(source, 12), frame(source, 30)];
	expect(failureLine(verdict(stack, "line 5: not true: x\n"), source)).toBe(12);
});

test("else about the line that the program itself names, and else about none", () => {
	expect(failureLine(verdict([frame("user/ulib.c", 3)], "4 mmaptests\nline 37: not true: p\n"), source)).toBe(37);
	expect(failureLine(verdict([frame(source)], "inline 37: is not the word\n"), source)).toBeUndefined();
});
