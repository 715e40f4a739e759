import { spawn, spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { repository } from "../support/lab.ts";
import { comparable, consoleOfOurs, normalized } from "../support/xv6Console.ts";

const needed = ["make", "perl", "gcc", "riscv64-unknown-elf-gcc", "qemu-system-riscv64"];
const missing = needed.filter((tool) => spawnSync(tool, ["--version"]).status !== 0);
if (missing.length > 0) {
	console.log(
		`NOT RUN, ${missing.join(", ")} not installed. Not tested: make, and make qemu. The console is compared with a recording.`,
	);
}

const command = "usertests -q";
const golden = join(repository, "test/golden/usertests-console.txt");
const folder = mkdtempSync(join(tmpdir(), "xv6-lab-qemu-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Types the command at the guest's first prompt, and leaves QEMU (Ctrl-A x) at the second one. */
function makeQemu(cpus: number): Promise<string> {
	const child = spawn("make", ["qemu", `CPUS=${cpus}`], { cwd: folder, stdio: ["pipe", "pipe", "inherit"] });
	return new Promise((resolve, reject) => {
		let text = "";
		let prompts = 0;
		child.on("error", reject);
		child.on("close", () => resolve(text));
		child.stdout.setEncoding("utf8");
		child.stdout.on("data", (data: string) => {
			text += data;
			if (/panic/.test(text)) child.stdin.write("\u0001x");
			const seen = text.match(/^\$ /gm)?.length ?? 0;
			if (!text.endsWith("\n$ ") || seen === prompts) return;
			prompts = seen;
			child.stdin.write(prompts === 1 ? `${command}\n` : "\u0001x");
		});
	});
}

beforeAll(() => {
	if (missing.length > 0) return;
	cpSync(join(repository, "xv6"), folder, { recursive: true });
	// A disk that the next run would find changed is made anew for each.
	const made = spawnSync("make", ["-s", "kernel/kernel", "fs.img"], { cwd: folder, encoding: "utf8" });
	if (made.status !== 0) throw new Error(made.stderr);
});

test.skipIf(missing.length > 0).each([1, 3])("make qemu, %i harts: the console is ours to the byte", async (harts) => {
	const output = {
		kernel: new Uint8Array(readFileSync(join(folder, "kernel/kernel"))),
		disk: new Uint8Array(readFileSync(join(folder, "fs.img"))),
		programs: [],
		wish: { harts, memoryBytes: 128 << 20, virtio: "modern", timer: "sstc", pmp: true, warnings: [] },
	} as const;
	const ours = await consoleOfOurs(output, harts, command);
	const qemu = (await makeQemu(harts)).replace(/QEMU: Terminated\s*$/, "");
	spawnSync("make", ["-s", "-W", "mkfs/mkfs", "fs.img"], { cwd: folder });
	expect(qemu).toMatch(/ALL TESTS PASSED\s*\$ \s*$/);
	expect(normalized(ours).trimEnd()).toBe(normalized(qemu).trimEnd());
	await expect(`${comparable(qemu).trimEnd()}\n`).toMatchFileSnapshot(golden);
});
