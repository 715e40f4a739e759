import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { fasterToolchain } from "../../../src/env/node/toolchainChoice.ts";
import { FakeToolchain } from "../../support/fakeToolchain.ts";

let folder: string;
let file: string;
beforeEach(() => {
	folder = mkdtempSync(join(tmpdir(), "choice-"));
	file = join(folder, "deep/faster.json");
	vi.useFakeTimers({ toFake: ["performance"] });
});
afterEach(() => {
	vi.useRealTimers();
	rmSync(folder, { recursive: true, force: true });
});

/** Takes the given times for its compilations, the last one for all that follow. */
function toolchain(version: string, ...times: number[]): FakeToolchain {
	const made = new FakeToolchain();
	made.version = version;
	made.onCompile = () => {
		vi.advanceTimersByTime((times.length > 1 ? times.shift() : times[0]) as number);
	};
	return made;
}

test("the faster one is taken, by its second run: the first one may load the compiler", async () => {
	const host = toolchain("gcc 12", 100, 60);
	const bundled = toolchain("clang 22", 2000, 200);
	expect(await fasterToolchain(host, bundled, file)).toEqual({ faster: host, slower: bundled });
	const slow = toolchain("gcc 12", 10, 300);
	expect((await fasterToolchain(slow, toolchain("clang 23", 9000, 200), file)).faster.version).toBe("clang 23");
});

test("a measurement is kept until one of the two compilers changes", async () => {
	await fasterToolchain(toolchain("gcc 12", 60), toolchain("clang 22", 200), file);
	// Another day, another load: the same choice, without measuring.
	const host = toolchain("gcc 12", 5000);
	const bundled = toolchain("clang 22", 1);
	expect((await fasterToolchain(host, bundled, file)).faster).toBe(host);
	expect([...host.compiled, ...bundled.compiled]).toEqual([]);
	const newer = toolchain("gcc 13", 5000);
	expect((await fasterToolchain(newer, bundled, file)).faster).toBe(bundled);
	expect(JSON.parse(readFileSync(file, "utf8"))).toEqual({
		host: "gcc 13",
		bundled: "clang 22",
		hostMs: 5000,
		bundledMs: 1,
	});
});

test.each(["", "{", '{"host":"gcc 12","bundled":"clang 22"}', "null"])(
	"a damaged record %j is made anew",
	async (text) => {
		await fasterToolchain(toolchain("gcc 12", 1), toolchain("clang 22", 2), file);
		writeFileSync(file, text);
		const host = toolchain("gcc 12", 9);
		expect((await fasterToolchain(host, toolchain("clang 22", 2), file)).slower).toBe(host);
	},
);

test("where nothing can be kept the measurement is still made", async () => {
	writeFileSync(join(folder, "taken"), "");
	const host = toolchain("gcc 12", 1);
	expect((await fasterToolchain(host, toolchain("clang 22", 2), join(folder, "taken/faster.json"))).faster).toBe(host);
});
