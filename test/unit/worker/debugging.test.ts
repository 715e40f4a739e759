import { afterAll, beforeAll, expect, test } from "vitest";
import { explaining } from "../../../src/worker/debugging.ts";
import type { KernelObserver } from "../../../src/worker/parts.ts";
import { boot, type Guest } from "../../support/guest.ts";

/** What a debug session is told of why the machine stopped. */
let guest: Guest;

beforeAll(async () => {
	guest = await boot({ kernel: "1: addi s0, s0, 1\nj 1b" });
	guest.machine.keepHistory();
	guest.machine.run(1000);
});

afterAll(() => guest.machine.dispose());

test("the observer's causes are the session's, but not in the past: its log knows of later", () => {
	const observer = {
		diagnose: ({ kind }: { kind: string }) => [{ cause: `because of a ${kind}` }],
	} as unknown as KernelObserver;
	const { diagnose } = explaining(observer, guest.machine);
	const end = { kind: "panic", message: "walk" } as const;
	expect(diagnose?.(end)).toEqual(["because of a panic"]);
	guest.machine.history?.seek(500);
	expect(diagnose?.(end)).toEqual([]);
	guest.machine.history?.toPresent();
});

test("a kernel that is not known explains nothing", () => {
	expect(explaining(undefined, guest.machine)).toEqual({});
});
