import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { build, catalog, closeToolchains, repository } from "../support/lab.ts";
import { comparable, consoleOfOurs } from "../support/xv6Console.ts";

afterAll(closeToolchains);

/** Recorded under QEMU by qemu.test.ts, which compares it to the byte where QEMU is installed. */
const golden = readFileSync(join(repository, "test/golden/usertests-console.txt"), "utf8");

test.each([1, 3])(
	"the bundled kernel passes its usertests with %i harts, and says what it says in QEMU",
	async (harts) => {
		const text = await consoleOfOurs(await build(await catalog.workspace(undefined)), harts, "usertests -q");
		expect(text).toMatch(/ALL TESTS PASSED\s*\$ $/);
		expect(text.match(/^hart \d+ starting/gm) ?? []).toHaveLength(harts - 1);
		expect(comparable(text).trimEnd()).toBe(golden.trimEnd());
	},
);
