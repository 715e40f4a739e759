import { afterAll, beforeAll, expect, test } from "vitest";
import type { Verdict } from "../../../src/protocol/verdict.ts";
import { RealEngine } from "./realEngine.ts";

/** What the Test Explorer's profiles ask of the engine, in the real worker. */

let engine: RealEngine;
const verdicts: Verdict[] = [];
let progress = 0;

beforeAll(async () => {
	engine = new RealEngine();
	await engine.boot("hw5-anonymous-mmap", "3b");
	engine.client.on("verdict", (verdict) => verdicts.push(verdict));
	engine.client.on("testProgress", () => progress++);
}, 120_000);

afterAll(() => engine.close());

const machine = { harts: 1, translator: true };

test("coverage is told by test and together, for files of the tree", async () => {
	const { passed, coverage } = await engine.client.request("runTests", {
		...{ tests: ["prodcons1"], seeds: [0], machine, coverage: true },
	});
	expect(passed).toBe(1);
	expect(coverage?.parts.map(({ name }) => name)).toEqual(["boot", "prodcons1"]);
	const executed = (part: number, file: string) =>
		coverage?.parts[part]?.report.files.find((one) => one.file === file)?.lines.filter((line) => line.executed).length;
	expect(executed(0, "user/prodcons1.c")).toBe(0);
	expect(executed(1, "user/prodcons1.c")).toBeGreaterThan(5);
	expect(executed(0, "kernel/main.c")).toBeGreaterThan(10);
	expect(executed(1, "kernel/main.c")).toBe(0);
	const files = coverage?.together.files.map(({ file }) => file) ?? [];
	expect(files).toContain("kernel/vm.c");
	expect(files).not.toContain("user/usys.S");
}, 120_000);

test("every kalloc fails once: one verdict of the kernel, with progress", async () => {
	verdicts.length = 0;
	const { passed, failed } = await engine.client.request("runTests", {
		...{ tests: ["prodcons1"], seeds: [0], machine, everyKallocFails: true },
	});
	expect([passed, failed]).toEqual([1, 0]);
	expect(verdicts.map(({ outcome }) => outcome)).toEqual(["passed"]);
	expect(progress).toBeGreaterThan(10);
}, 120_000);

test("a sweep is cancelled where it is", async () => {
	verdicts.length = 0;
	const running = engine.client.request("runTests", { tests: [], seeds: [0], machine, everyKallocFails: true });
	setTimeout(() => void engine.client.request("cancel", undefined), 1500);
	await expect(running).rejects.toMatchObject({ code: "cancelled" });
}, 120_000);
