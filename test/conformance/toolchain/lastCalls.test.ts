import { afterAll, beforeAll, expect, test } from "vitest";
import type { WasiToolchain } from "../../../src/toolchain/types.ts";
import { guestFile } from "./corpus.ts";
import { buildGuest, openCompiler, runGuest } from "./guest.ts";

let toolchain: WasiToolchain;
beforeAll(async () => {
	toolchain = await openCompiler();
});
afterAll(() => toolchain.dispose());

/** What gcc 12's build prints at these levels; from -O2 on it makes jumps of last calls, and so does clang. */
const expected = `caller calls
frames 1
`;

test.each(["-O0", "-O", "-O1"])(
	"a function that ends in a call stands in the stack, and recursion grows it, at %s",
	async (level) => {
		const unit = { path: "lastCalls.c", source: guestFile("lastCalls.c"), flags: [level, "-g"] };
		expect(await runGuest(await buildGuest(toolchain, [unit]))).toBe(expected);
	},
);
