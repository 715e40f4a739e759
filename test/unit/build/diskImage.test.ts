import { afterAll, expect, test } from "vitest";
import { rootNames } from "../../../src/build/diskImage.ts";
import { build, catalog, closeToolchains } from "../../support/lab.ts";

afterAll(closeToolchains);

test("the names in a disk's root directory are those that mkfs was given", async () => {
	const { disk, programs } = await build(await catalog.workspace(undefined, undefined));
	const names = rootNames(disk);
	expect(names).toContain("README");
	for (const { name } of programs) expect(names).toContain(name);
	expect(new Set(names).size).toBe(names.length);
	expect(rootNames(new Uint8Array(0))).toEqual([]);
	expect(rootNames(disk.slice(0, 40_000)).length).toBeLessThanOrEqual(names.length);
	// Damaged: no name is better than one that is made of other data.
	const damaged = disk.slice();
	damaged.fill(0xff, 1024 + 24, 1024 + 28);
	expect(rootNames(damaged)).toEqual([]);
}, 60_000);
