import { afterAll, beforeAll, expect, test } from "vitest";
import { RealEngine } from "./realEngine.ts";

/** A run saved by one engine and done again by another, in the real worker. */
let engine: RealEngine;

beforeAll(async () => {
	engine = new RealEngine();
	await engine.boot("hw5-anonymous-mmap", "2b", { harts: 3 });
	await engine.printed("$ ");
}, 120_000);

afterAll(() => engine.close());

const request: RealEngine["client"]["request"] = (kind, params) => engine.client.request(kind, params);

test("a failing run that was saved is opened in the same state, and continues from there", async () => {
	const failed = await request("runCommand", { command: "prodcons3" });
	expect(failed.verdict?.outcome).toBe("failed");
	await request("pause", undefined);
	await engine.until("a pause", () => engine.state === "paused");
	const { bytes, title } = await request("saveRun", undefined);
	expect(title).toBe("prodcons3");
	const before = engine.text.replaceAll("\r", "");
	const from = engine.text.length;
	const opened = await request("openRun", { bytes });
	expect(opened).toMatchObject({ title: "prodcons3", harts: 3, same: true, isBuilt: true });
	// The console shows the run once more, and the machine stands.
	await engine.until("the replayed console", () => engine.text.slice(from).includes("total = 673720320"));
	expect(engine.text.slice(from).replaceAll("\r", "").trimEnd()).toBe(before.trimEnd());
	expect(engine.state).toBe("paused");
	// What was saved of it is the same run again.
	const again = await request("saveRun", undefined);
	expect(await request("openRun", { bytes: again.bytes })).toMatchObject({
		same: true,
		instructions: opened.instructions,
	});
	const alive = engine.text.length;
	await request("resume", undefined);
	await engine.type("echo alive\n");
	await engine.until("the echo", () => /\nalive\r?\n\$ $/.test(engine.text.slice(alive)));
	const longer = await request("saveRun", undefined);
	expect(await request("openRun", { bytes: longer.bytes })).toMatchObject({ same: true });
}, 120_000);

test("what is no recorded run is refused, and the machine stays", async () => {
	const bytes = new TextEncoder().encode("nothing of the kind");
	await expect(request("openRun", { bytes })).rejects.toMatchObject({ code: "recording-damaged" });
	expect((await request("saveRun", undefined)).bytes.length).toBeGreaterThan(1000);
});
