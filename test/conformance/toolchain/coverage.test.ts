import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { WasiToolchain } from "../../../src/toolchain/types.ts";
import { guestFile, levels, recordedFolder } from "./corpus.ts";
import { buildGuest, openCompiler, runGuest } from "./guest.ts";

let toolchain: WasiToolchain;
beforeAll(async () => {
	toolchain = await openCompiler();
});
afterAll(() => toolchain.dispose());

test.each(levels)("every construct gives what gcc's build gives, at %s", async (level) => {
	const unit = { path: "coverage.c", source: guestFile("coverage.c"), flags: [level, "-g"] };
	const output = await runGuest(await buildGuest(toolchain, [unit]));
	expect(output).toBe(readFileSync(join(recordedFolder, "coverage.txt"), "utf8"));
});
