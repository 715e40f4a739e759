import { afterEach, expect, test } from "vitest";
import type { EngineEvents } from "../../../src/protocol/engine.ts";
import { LiveMachine } from "../../../src/worker/liveMachine.ts";
import type { EngineParts } from "../../../src/worker/parts.ts";
import { boot, type Guest } from "../../support/guest.ts";

/** The machine of the terminal with a small guest; its surroundings are a clock that the test turns, and what the host would hear. */

let guest: Guest;
let live: LiveMachine;
let heard: { [K in keyof EngineEvents]?: EngineEvents[K][] };

async function liveMachine(kernel: string): Promise<void> {
	guest = await boot({ kernel });
	heard = {};
	let ms = 0;
	const parts: Pick<EngineParts, "emit" | "breathe" | "now" | "after"> = {
		emit: (kind, event) => {
			const events: unknown[] = heard[kind] ?? [];
			events.push(event);
			Object.assign(heard, { [kind]: events });
		},
		breathe: () => new Promise((resolve) => setImmediate(resolve)),
		now: () => {
			ms += 5;
			return ms;
		},
		// A guest that waits is not woken: its timer is far.
		after: () => ({ dispose: () => undefined }),
	};
	live = new LiveMachine(guest.machine, undefined, parts as EngineParts, { harts: 1, seed: 0 });
}

afterEach(() => live.dispose());

async function until(what: string, holds: () => boolean): Promise<void> {
	for (let turn = 0; !holds(); turn++) {
		if (turn > 200) throw new Error(`${what} never came`);
		await new Promise((resolve) => setImmediate(resolve));
	}
}

const text = (bytes: Uint8Array | undefined) => new TextDecoder().decode(bytes);

/** Prints `a`, works, prints `b`, and waits for what never comes. */
const worker = `
	li s1, UART
	li s0, 97
	sb s0, (s1)
	li s2, 100000
1:	addi s2, s2, -1
	bnez s2, 1b
	li s0, 98
	sb s0, (s1)
	li s2, CLINT + 0x4000
	li t0, -1
	sd t0, (s2)
	li t0, 128
	csrw mie, t0
2:	wfi
	j 2b`;

/** Between what it prints first and what it prints last. */
const midst = 100_000;

async function inThePast(): Promise<void> {
	await liveMachine(worker);
	live.keepHistory(16 << 20);
	live.start();
	await until("what it prints last", () => guest.text() === "ab");
	live.controller.pause();
	live.controller.seek(midst);
}

test("at a moment of its past the machine is as it was then, and so is the console; the present comes back whole", async () => {
	await inThePast();
	const { machine } = guest;
	expect([machine.instret, machine.history?.isPast, live.controller.state]).toEqual([midst, true, "past"]);
	expect(heard.pastConsole?.map(({ bytes }) => text(bytes))).toEqual(["a"]);
	live.controller.toPresent();
	expect([machine.history?.isPast, live.controller.state]).toEqual([false, "paused"]);
	expect(heard.pastConsole?.at(-1)).toEqual({});
});

test("a future that is cut, by a person or a debugger's write, is told with the console of that moment, which is the present then", async () => {
	await inThePast();
	live.controller.newFuture();
	expect(heard.futureCut?.map(({ bytes }) => text(bytes))).toEqual(["a"]);
	expect([guest.machine.history?.isPast, heard.state?.at(-1)?.state]).toEqual([false, "paused"]);
	live.dispose();
	await inThePast();
	guest.machine.history?.cutFuture();
	expect(heard.futureCut?.map(({ bytes }) => text(bytes))).toEqual(["a"]);
	expect(heard.state?.at(-1)?.state).toBe("paused");
});

test("the host hears of a guest that makes no progress", async () => {
	await liveMachine("csrw mtvec, zero\necall");
	live.start();
	await until("a stall", () => heard.stall !== undefined);
	expect(heard.stall).toEqual([{ message: expect.stringMatching(/./) }]);
});
