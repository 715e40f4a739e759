import { expect, test } from "vitest";
import { failurePlace } from "../../../src/extension/failureLine.ts";
import type { Verdict } from "../../../src/protocol/verdict.ts";

const source = "user/prodcons1.c";
const frame = (file: string, line?: number) => ({ name: "f", address: "0x0", file, ...(line ? { line } : {}) });
const verdict = (stack: Verdict["stack"], actual = "") => ({ stack, actual }) as unknown as Verdict;

test("a failure is about the innermost line of its program that the debug information names", () => {
	const stack = [frame("kernel/trap.c", 70), frame(source, 12), frame(source, 30)];
	expect(failurePlace(verdict(stack, "user/check.h:5: not true: x\n"), source)).toEqual({ file: source, line: 12 });
});

test("else about the line that the program itself names, and else about none", () => {
	const said = (text: string) => failurePlace(verdict([frame("user/ulib.c", 3)], `4 mmaptests\n${text}\n`), source);
	expect(said("user/mmapcheck.h:19: not true: p != FAILED")).toEqual({ file: "user/mmapcheck.h", line: 19 });
	expect(said("line 37: not true: p"), "as older programs say it").toEqual({ file: source, line: 37 });
	expect(said("../../etc/passwd:1: not true: p")).toBeUndefined();
	expect(failurePlace(verdict([frame(source)], "inline 37: is not the word\n"), source)).toBeUndefined();
});
