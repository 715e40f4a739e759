import { describe, expect, test } from "vitest";
import { fromUtf8, utf8 } from "../../../src/common/bytes.ts";
import { limits } from "../../../src/common/limits.ts";
import { limitMemory } from "../../../src/toolchain/bundled/limitMemory.ts";
import { BundledToolchain, type CompilerWorker } from "../../../src/toolchain/bundled/pool.ts";
import { runWasiProgram } from "../../../src/toolchain/bundled/wasiProgram.ts";
import { MemoryCache } from "../../../src/toolchain/cache.ts";

/** `(memory min max)` with the maximum written in `width` bytes. */
function moduleWithMemory(most: number, width: number): Uint8Array {
	const number = Array.from({ length: width }, (_, i) => ((most >> (7 * i)) & 0x7f) | (i < width - 1 ? 0x80 : 0));
	return Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 5, 3 + width, 1, 1, 1, ...number]);
}

test.each([
	[65536, 3, 1024 * 1024 * 1024, 16384],
	[65536, 3, 2 * 65536, 2],
	[16, 1, 1024 * 1024 * 1024, 16],
])("a module's maximum of %i pages in %i bytes becomes at most %i bytes", async (most, width, bytes, pages) => {
	const module = moduleWithMemory(most, width);
	limitMemory(module, bytes);
	const { Module, Instance } = WebAssembly;
	expect(() => new Instance(new Module(module as BufferSource))).not.toThrow();
	expect(module).toEqual(moduleWithMemory(pages, width));
});

describe("a job that never ends", () => {
	function pool(processMs: () => number) {
		let ended = 0;
		const startWorker = (): CompilerWorker => ({
			port: { post: () => undefined, onMessage: () => ({ dispose: () => undefined }) },
			prepare: () => undefined,
			onExit: () => undefined,
			dispose: () => {
				ended++;
			},
		});
		const options = { description: "", version: "1", size: 1, cache: new MemoryCache(), startWorker, processMs };
		return { toolchain: new BundledToolchain(options), ended: () => ended };
	}

	test("is stopped at its place, and the next one gets a new worker", async () => {
		let now = 0;
		// Each look finds the whole limit gone; the wall says less, and less is what counts.
		const { toolchain, ended } = pool(() => {
			now += limits.compileMs;
			return now;
		});
		const start = performance.now();
		const spy = performance.now;
		performance.now = () => start + now;
		try {
			const job = { kind: "c", source: "user/a.c", flags: [], target: "riscv64" } as const;
			const result = await toolchain.compile(job, { read: () => undefined });
			expect(result).toMatchObject({
				diagnostics: [
					{
						file: "user/a.c",
						severity: "error",
						message: expect.stringContaining("the compiler was not done after 60 s of work and was stopped"),
					},
				],
			});
			const run = { image: new Uint8Array(), args: ["mkfs/mkfs"], files: new Map(), outputs: [] };
			await expect(toolchain.runWasi(run)).rejects.toMatchObject({
				code: "limit-reached",
				message: "mkfs was not done after 10 s of work and was stopped",
			});
			expect(ended()).toBe(2);
		} finally {
			performance.now = spy;
			toolchain.dispose();
		}
	});
});

test("what is no program is said, and nothing more", async () => {
	const run = { image: utf8("not wasm"), args: ["mkfs"], files: new Map(), outputs: [] };
	await expect(runWasiProgram(run)).rejects.toThrow(/WebAssembly/);
	expect(fromUtf8(utf8("x"))).toBe("x");
});
