import { describe, expect, test } from "vitest";
import { utf8 } from "../../../src/common/bytes.ts";
import { MemoryCache } from "../../../src/toolchain/cache.ts";
import { compileCached, linkCached } from "../../../src/toolchain/cached.ts";
import type { CompileJob, LinkJob, LinkResult } from "../../../src/toolchain/types.ts";

const job: CompileJob = { kind: "c", source: "a.c", flags: ["-O"], target: "riscv64" };
const files = (text: string) => ({ read: (path: string) => (path === "a.c" ? utf8(text) : undefined) });
const made = (object: Uint8Array | undefined) => ({
	...(object ? { object } : {}),
	diagnostics: [],
	text: "",
	includes: [],
	cpuMs: 5,
});

test("the same job is compiled once, a changed one again", async () => {
	const cache = new MemoryCache();
	let compiled = 0;
	const compile = async () => {
		compiled++;
		return made(utf8("object"));
	};
	expect(await compileCached(cache, "1", job, files("int x;"), compile)).toMatchObject({ cached: false, cpuMs: 5 });
	expect(await compileCached(cache, "1", job, files("int x;"), compile)).toMatchObject({ cached: true, cpuMs: 0 });
	expect(compiled).toBe(1);
	await compileCached(cache, "1", job, files("int y;"), compile);
	await compileCached(cache, "2", job, files("int x;"), compile);
	expect(compiled).toBe(3);
});

test("a compilation that failed is not kept", async () => {
	const cache = new MemoryCache();
	let compiled = 0;
	const compile = async () => {
		compiled++;
		return made(undefined);
	};
	await compileCached(cache, "1", job, files("int x"), compile);
	await compileCached(cache, "1", job, files("int x"), compile);
	expect(compiled).toBe(2);
});

describe("links", () => {
	const base: LinkJob = {
		flags: ["-N"],
		objects: [
			{ path: "a.o", bytes: utf8("a") },
			{ path: "b.o", bytes: utf8("b") },
		],
		script: { path: "k.ld", text: "SECTIONS {}" },
		output: "elf",
		target: "riscv64",
	};
	const warning = { file: "", severity: "warning" as const, message: "no entry" };
	const linker = () => {
		const calls: LinkJob[] = [];
		const cache = new MemoryCache();
		const run = (each: LinkJob, result: LinkResult = { image: utf8("image"), diagnostics: [warning], text: "said" }) =>
			linkCached(cache, "1", each, async () => {
				calls.push(each);
				return result;
			});
		return { calls, run };
	};

	test("what was linked is not linked again, and its warnings stay", async () => {
		const { calls, run } = linker();
		expect((await run(base)).cached).toBeUndefined();
		expect(await run(base)).toEqual({ image: utf8("image"), diagnostics: [warning], text: "said", cached: true });
		expect(calls).toHaveLength(1);
	});

	test("every part of the job counts", async () => {
		const { calls, run } = linker();
		const [a, b] = base.objects as [LinkJob["objects"][number], LinkJob["objects"][number]];
		const jobs: LinkJob[] = [
			base,
			{ ...base, flags: ["-N", "-e", "main"] },
			{ ...base, objects: [b, a] },
			{ ...base, objects: [a, { ...b, bytes: utf8("c") }] },
			{ ...base, objects: [a, { ...b, path: "c.o" }] },
			{ ...base, script: { path: "k.ld", text: "SECTIONS { }" } },
			{ ...base, objects: [...base.objects, { path: "k.ld", bytes: utf8("SECTIONS {}") }] },
			{ ...base, output: "binary" },
			{ ...base, target: "wasm32-wasi" },
		];
		for (const each of jobs) await run(each);
		expect(calls).toEqual(jobs);
	});

	test("a link that failed is not kept", async () => {
		const { calls, run } = linker();
		await run(base, { diagnostics: [{ ...warning, severity: "error" }], text: "" });
		await run(base);
		expect(calls).toHaveLength(2);
	});
});

test("a cache in memory stays below its bound, and drops what was not used for longest", async () => {
	const cache = new MemoryCache(1000);
	const of = (size: number) => ({ object: new Uint8Array(size), diagnostics: [], text: "", includes: [] });
	const held = async () => {
		const names = ["a", "b", "c", "d"];
		const there = await Promise.all(names.map((name) => cache.get(name)));
		return names.filter((_, i) => there[i]);
	};
	await cache.put("a", of(400));
	await cache.put("b", of(400));
	await cache.get("a");
	await cache.put("c", of(400));
	expect(await held()).toEqual(["a", "c"]);
	// The same key again replaces its entry and is counted once.
	await cache.put("c", of(500));
	expect(await held()).toEqual(["a", "c"]);
	await cache.put("d", of(2000));
	expect(await held()).toEqual([]);
});
