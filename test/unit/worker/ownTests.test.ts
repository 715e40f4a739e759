import { afterAll, beforeAll, expect, test } from "vitest";
import type { TreeInfo } from "../../../src/protocol/engine.ts";
import type { Verdict } from "../../../src/protocol/verdict.ts";
import { catalog } from "../../support/lab.ts";
import { RealEngine } from "./realEngine.ts";

/** What the Test Explorer does with usertests, in the real worker: a lab's starter, whose own tests are others. */

let engine: RealEngine;
let tree: TreeInfo;
const verdicts: Verdict[] = [];
const machine = { harts: 1, translator: true };

beforeAll(async () => {
	engine = new RealEngine();
	await engine.boot("hw5-anonymous-mmap", undefined, {
		// One of them finds a defect.
		edits: { "kernel/sysfile.c": (text) => text.replaceAll("O_TRUNC", "0") },
	});
	tree = await engine.client.request("sync", { changed: [], removed: [] });
	engine.client.on("verdict", (verdict) => verdicts.push(verdict));
}, 120_000);

afterAll(() => engine.close());

test("usertests' own tests are listed beside the lab's, each at its function", async () => {
	const own = tree.programTests?.find(({ program }) => program === "usertests");
	expect(own?.tests.length).toBeGreaterThan(50);
	const source = new TextDecoder().decode((await catalog.workspace(undefined)).get("user/usertests.c")).split("\n");
	for (const { title, line } of own?.tests ?? []) expect(source[(line ?? 0) - 1]).toMatch(new RegExp(`\\b${title}\\b`));
	const lab = tree.lab?.tests.map(({ id }) => id) ?? [];
	expect(lab.length).toBeGreaterThan(10);
	expect(lab).not.toContain("usertests pipe");
});

test("some of them are run together with the lab's, each with its own verdict", async () => {
	const tests = ["usertests pipes", "usertests truncate", "private"];
	await engine.client.request("runTests", { tests, seeds: [0], machine });
	const outcomes = Object.fromEntries(verdicts.map(({ test, outcome }) => [test, outcome]));
	expect(outcomes).toMatchObject({ "usertests pipes": "passed", "usertests truncate": "failed" });
	expect(verdicts).toHaveLength(3);
	expect(["failed", "not-begun"]).toContain(outcomes.private);
}, 120_000);

test("one of them is run in the terminal, and judged", async () => {
	const test = "usertests pipes";
	const { verdict } = await engine.client.request("runTest", { test, seed: 0, machine });
	expect(verdict).toMatchObject({ test, outcome: "passed", command: test });
	expect(engine.text).toContain("ALL TESTS PASSED");
}, 120_000);
