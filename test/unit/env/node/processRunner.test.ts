import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
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
