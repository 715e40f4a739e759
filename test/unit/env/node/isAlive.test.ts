import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "vitest";
import { isAlive } from "../../../../src/env/node/isAlive.ts";

test("this process runs, and one with a number that nobody has does not", () => {
	expect(isAlive(process.pid)).toBe(true);
	expect(isAlive(2 ** 30)).toBe(false);
});

test.runIf(process.platform === "linux")(
	"a process that has ended and that nobody waited for does not run",
	async () => {
		// The child ends after the shell has become another sleep, which never asks for it.
		const shell = spawn("sh", ["-c", "sleep 1 & echo $!; exec sleep 60"], { stdio: ["ignore", "pipe", "ignore"] });
		try {
			const [printed] = (await once(shell.stdout, "data")) as [Buffer];
			const pid = Number(printed.toString());
			await expect.poll(() => isAlive(pid), { timeout: 10_000 }).toBe(false);
			expect(process.kill(pid, 0)).toBe(true);
		} finally {
			shell.kill("SIGKILL");
		}
	},
);
