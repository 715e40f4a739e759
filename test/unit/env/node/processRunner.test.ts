import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { expect, test } from "vitest";
import { nodeProcessRunner } from "../../../../src/env/node/processRunner.ts";

test.skipIf(process.platform === "win32")("a program that is cancelled ends with all that it has started", async () => {
	const folder = mkdtempSync(join(tmpdir(), "xv6-lab-runner-"));
	const scratch = () => readdirSync(tmpdir()).filter((name) => name.startsWith("xv6-lab-cc-"));
	const before = new Set(scratch());
	try {
		const cancel = new AbortController();
		// As gcc does: the one that was started waits for another one, which holds its output open.
		const script = `mkfifo never; { echo > ${folder}/started; cat never; } & wait`;
		const running = nodeProcessRunner.run("/bin/sh", ["-c", script], new Map(), [], { signal: cancel.signal });
		while (!existsSync(join(folder, "started"))) await setImmediate();
		const mine = scratch().filter((name) => !before.has(name));
		cancel.abort();
		await expect(running).rejects.toMatchObject({ code: "cancelled" });
		expect(scratch().filter((name) => mine.includes(name))).toEqual([]);
	} finally {
		rmSync(folder, { recursive: true });
	}
});

test.skipIf(process.platform === "win32")("a program in the folder where the user stands is not found", async () => {
	const folder = mkdtempSync(join(tmpdir(), "xv6-lab-path-"));
	const { PATH } = process.env;
	const here = process.cwd();
	try {
		writeFileSync(join(folder, "xv6-own-gcc"), "#!/bin/sh\n", { mode: 0o755 });
		process.chdir(folder);
		for (const path of ["", ".", `:${PATH}`, `.:${PATH}`, `${PATH}:`]) {
			process.env.PATH = path;
			expect(await nodeProcessRunner.find("xv6-own-gcc"), path).toBeUndefined();
		}
		process.env.PATH = `.:${folder}`;
		expect(await nodeProcessRunner.find("xv6-own-gcc")).toBe(join(folder, "xv6-own-gcc"));
	} finally {
		process.chdir(here);
		process.env.PATH = PATH;
		rmSync(folder, { recursive: true });
	}
});
