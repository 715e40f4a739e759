import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { gunzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { consoleWriter } from "../../../src/cli/consoleWriter.ts";

const cli = resolve(import.meta.dirname, "../../../dist/cli/xv6-lab.mjs");
const golden = resolve(import.meta.dirname, "../../golden/kernelview");

test("a reader that went away ends the command with 141 and without a word", async () => {
	const child = spawn(process.execPath, [cli, "help"], { stdio: ["ignore", "pipe", "pipe"] });
	child.stdout.destroy();
	let said = "";
	child.stderr.on("data", (bytes) => {
		said += bytes;
	});
	const code = await new Promise((done) => child.on("close", done));
	expect(said).toBe("");
	expect(code).toBe(141);
});

test.each(["pipe", "ignore"] as const)("`boot` ends where standard input (%s) is at its end", async (stdin) => {
	const folder = mkdtempSync(join(tmpdir(), "xv6-lab stdin-"));
	try {
		for (const name of ["kernel-3b", "disk"])
			writeFileSync(join(folder, name), gunzipSync(readFileSync(join(golden, `${name}.gz`))));
		const args = [cli, "boot", "--kernel", join(folder, "kernel-3b"), "--disk", join(folder, "disk")];
		const child = spawn(process.execPath, args, { stdio: [stdin, "pipe", "pipe"] });
		child.stdin?.end();
		let said = "";
		child.stderr?.on("data", (bytes) => {
			said += bytes;
		});
		child.stdout?.resume();
		expect(await new Promise((done) => child.on("close", done)), said).toBe(0);
		expect(said).toContain("the input has ended");
	} finally {
		rmSync(folder, { recursive: true, force: true });
	}
});

test("an error shows what it quotes, and obeys none of it", () => {
	const { status, stderr } = spawnSync(process.execPath, [cli, "x\u001b]0;title\u0007\u202e"], { encoding: "utf8" });
	expect(stderr).toContain("there is no command 'x^[]0;title^G<U+202E>'");
	expect(stderr).not.toMatch(/[\u001b\u0007\u202e]/);
	expect(status).toBe(2);
});

test("a person's terminal gets no title and no clipboard, a pipe gets every byte", () => {
	const bytes = new TextEncoder().encode("a\u001b]52;c;aGk=\u0007b");
	const written: (string | Uint8Array)[] = [];
	const stream = (isTTY: boolean) =>
		({
			isTTY,
			write: (text: string | Uint8Array) => {
				written.push(text);
				return true;
			},
		}) as NodeJS.WriteStream;
	consoleWriter(stream(true))(bytes);
	consoleWriter(stream(false))(bytes);
	expect(written).toEqual(["ab", bytes]);
});
