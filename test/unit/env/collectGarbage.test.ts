import { setTimeout } from "node:timers/promises";
import { expect, test } from "vitest";
import { collectGarbage } from "../../../src/env/node/collectGarbage.ts";

test("what nobody holds any more is gone, and what is held stays", async () => {
	let dropped: object | undefined = { bytes: new Uint8Array(1000) };
	const held = { bytes: new Uint8Array(1000) };
	const [first, second] = [new WeakRef(dropped), new WeakRef(held)];
	dropped = undefined;
	// A WeakRef keeps its target until the turn is over.
	await setTimeout(0);
	collectGarbage();
	await setTimeout(0);
	expect(first.deref()).toBeUndefined();
	expect(second.deref()).toBe(held);
});
