import { createHash } from "node:crypto";
import { chmod, mkdtemp, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { DiskCache } from "../../../src/env/node/objectCache.ts";
import { LayeredCache, MemoryCache, PrebuiltCache, packOutcome, unpackOutcome } from "../../../src/toolchain/cache.ts";
import { compileKey } from "../../../src/toolchain/cached.ts";
import type { CompileJob } from "../../../src/toolchain/types.ts";

const elf = [0x7f, 0x45, 0x4c, 0x46];
const outcome = (size: number, fill = 7) => ({
	object: Uint8Array.from({ length: size }, (_, i) => elf[i] ?? fill),
	diagnostics: [{ file: "a.c", line: 3, severity: "warning" as const, message: "ä" }],
	text: "a.c:3: ä",
	includes: ["kernel/types.h"],
});
const key = (n: number) => n.toString(16).padStart(64, "0");
const job: CompileJob = { kind: "c", source: "a.c", flags: ["-O1"], target: "riscv64" };
const bytes = (text: string) => new TextEncoder().encode(text);

describe("the key", () => {
	const inputs = new Map([
		["a.c", bytes("int x;")],
		["b.h", bytes("int y;")],
	]);
	test("does not depend on the order of the inputs", async () => {
		expect(await compileKey("1", job, new Map([...inputs].reverse()))).toBe(await compileKey("1", job, inputs));
	});
	test("changes with the version, each part of the job, and each file's name and content", async () => {
		const keys = await Promise.all([
			compileKey("1", job, inputs),
			compileKey("2", job, inputs),
			compileKey("1", { ...job, flags: ["-O2"] }, inputs),
			compileKey("1", { ...job, kind: "assembly" }, inputs),
			compileKey("1", { ...job, source: "b.c" }, inputs),
			compileKey("1", { ...job, target: "wasm32-wasi" }, inputs),
			compileKey("1", job, new Map([...inputs, ["b.h", bytes("int z;")]])),
			compileKey("1", job, new Map([...inputs, ["c.h", bytes("")]])),
			// The same bytes, cut elsewhere.
			compileKey(
				"1",
				job,
				new Map([
					["a.c", bytes("int x;int y;")],
					["b.h", bytes("")],
				]),
			),
		]);
		expect(new Set(keys).size).toBe(keys.length);
	});
});

test("an outcome survives packing", () => {
	expect(unpackOutcome(packOutcome(outcome(100)))).toEqual(outcome(100));
});

/** A block as packOutcome makes it, of any JSON and any object. */
function block(json: string, object: Uint8Array = Uint8Array.from(elf)): Uint8Array {
	const body = bytes(json);
	const all = new Uint8Array(4 + body.length + object.length);
	new DataView(all.buffer).setUint32(0, body.length, true);
	all.set(body, 4);
	all.set(object, 4 + body.length);
	return all;
}
const good = { diagnostics: [], text: "", includes: [] };
const wrong: readonly (readonly [string, Uint8Array])[] = [
	["{}", block("{}")],
	["null", block("null")],
	["no JSON", block("{")],
	["a wrong field", block(JSON.stringify({ ...good, includes: 5 }))],
	["a wrong diagnostic", block(JSON.stringify({ ...good, diagnostics: [{ file: 1 }] }))],
	["no object", block(JSON.stringify(good), new Uint8Array(0))],
	["an object that is none", block(JSON.stringify(good), bytes("not an elf"))],
	["nothing", new Uint8Array(0)],
	["a length beyond the end", Uint8Array.from([255, 255, 255, 127, 1])],
];

test.each(wrong)("an entry with %s is a miss, though its checksum is right, and goes", async (_, body) => {
	expect(unpackOutcome(body)).toBeUndefined();
	const folder = await mkdtemp(join(tmpdir(), "xv6-lab-wrong-"));
	const sum = createHash("sha256").update(key(1)).update(body).digest();
	await writeFile(join(folder, key(1)), Buffer.concat([sum, body]));
	expect(await new DiskCache(folder).get(key(1))).toBeUndefined();
	expect(await readdir(folder)).toEqual([]);
	await rm(folder, { recursive: true });
});

test("another key's entry, and a folder that others may write to, are misses", async () => {
	const folder = await mkdtemp(join(tmpdir(), "xv6-lab-wrong-"));
	await new DiskCache(folder).put(key(1), outcome(10));
	await writeFile(join(folder, key(2)), await readFile(join(folder, key(1))));
	expect(await new DiskCache(folder).get(key(1))).toEqual(outcome(10));
	expect(await new DiskCache(folder).get(key(2))).toBeUndefined();
	if (process.platform !== "win32") {
		await chmod(folder, 0o777);
		expect(await new DiskCache(folder).get(key(1))).toBeUndefined();
	}
	await rm(folder, { recursive: true });
});

test("the shipped archive gives what was packed, is the same for any order, and takes nothing in", async () => {
	const entries: [string, ReturnType<typeof outcome>][] = [
		[key(2), outcome(10, 2)],
		[key(1), outcome(500, 1)],
	];
	const archive = PrebuiltCache.pack(new Map(entries));
	expect(PrebuiltCache.pack(new Map(entries.reverse()))).toEqual(archive);
	const cache = new PrebuiltCache(archive);
	expect(await cache.get(key(1))).toEqual(outcome(500, 1));
	expect(await cache.get(key(2))).toEqual(outcome(10, 2));
	await cache.put();
	expect(await cache.get(key(3))).toBeUndefined();
});

test("layers are asked in order, and what is new goes to all: the first may not outlive a window", async () => {
	const [first, second] = [new MemoryCache(), new MemoryCache()];
	await second.put(key(1), outcome(1, 1));
	const both = new LayeredCache([first, second, new PrebuiltCache(PrebuiltCache.pack(new Map()))]);
	expect(await both.get(key(1))).toEqual(outcome(1, 1));
	await both.put(key(2), outcome(2));
	expect(await first.get(key(2))).toEqual(outcome(2));
	expect(await second.get(key(2))).toEqual(outcome(2));
});

describe("on disk", () => {
	let folder: string;
	beforeEach(async () => {
		folder = await mkdtemp(join(tmpdir(), "object-cache-"));
	});
	afterEach(() => rm(folder, { recursive: true, force: true }));

	test("what was put comes back, also in another process's cache", async () => {
		await new DiskCache(folder).put(key(1), outcome(1000));
		expect(await new DiskCache(folder).get(key(1))).toEqual(outcome(1000));
		expect(await new DiskCache(folder).get(key(2))).toBeUndefined();
	});

	test.each([
		["one bit turned", (all: Buffer) => all.fill((all.at(-5) as number) ^ 4, all.length - 5, all.length - 4)],
		["cut short", (all: Buffer) => all.subarray(0, all.length - 1)],
		["cut within the checksum", (all: Buffer) => all.subarray(0, 10)],
		["empty", () => Buffer.alloc(0)],
		["longer than it was", (all: Buffer) => Buffer.concat([all, Buffer.from("x")])],
	])("an entry that is %s is dropped and can be made anew", async (_, damage) => {
		const cache = new DiskCache(folder);
		await cache.put(key(1), outcome(1000));
		const path = join(folder, key(1));
		await writeFile(path, damage(await readFile(path)));
		expect(await cache.get(key(1))).toBeUndefined();
		expect(await readdir(folder)).toEqual([]);
		await cache.put(key(1), outcome(1000));
		expect(await cache.get(key(1))).toEqual(outcome(1000));
	});

	test("two writers and a reader at once: whole entries only, no leftovers", async () => {
		const [a, b, reader] = [new DiskCache(folder), new DiskCache(folder), new DiskCache(folder)];
		const rounds = Array.from({ length: 40 }, (_, i) => i);
		const reads: number[] = [];
		await Promise.all(
			rounds.flatMap((i) => [
				a.put(key(i % 4), outcome(20_000, 1)),
				b.put(key(i % 4), outcome(30_000, 2)),
				reader.get(key(i % 4)).then((found) => {
					if (found) reads.push(found.object?.length ?? 0);
				}),
			]),
		);
		for (let i = 0; i < 4; i++) {
			const found = await reader.get(key(i));
			expect([outcome(20_000, 1), outcome(30_000, 2)]).toContainEqual(found);
		}
		expect(reads.every((length) => length === 20_000 || length === 30_000)).toBe(true);
		expect((await readdir(folder)).sort()).toEqual([0, 1, 2, 3].map(key));
	});

	test("past its bound the least recently used entries go", async () => {
		const before = new DiskCache(folder);
		for (let i = 0; i < 6; i++) {
			await before.put(key(i), outcome(10_000));
			await utimes(join(folder, key(i)), 1000 + i, 1000 + i);
		}
		await before.get(key(0));
		await expect
			.poll(async () => (await import("node:fs")).statSync(join(folder, key(0))).mtimeMs)
			.toBeGreaterThan(2e6);
		// One write in sixteen trims, by its key.
		const small = new DiskCache(folder, 35_000);
		await small.put(key(6), outcome(10_000));
		expect((await readdir(folder)).length).toBe(7);
		await utimes(join(folder, key(6)), 3e6, 3e6);
		await small.put(key(16), outcome(10_000));
		expect((await readdir(folder)).sort()).toEqual([0, 6, 16].map(key).sort());
	});

	test("a folder that cannot be made is a slow cache, no failure", async () => {
		await writeFile(join(folder, "file"), "");
		const cache = new DiskCache(join(folder, "file"));
		await cache.put(key(1), outcome(10));
		expect(await cache.get(key(1))).toBeUndefined();
	});
});
