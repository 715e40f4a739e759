import { afterEach, expect, test } from "vitest";
import { toDisposable } from "../../../src/common/disposable.ts";
import { RunController, type RunHost, type StateChange, type TimeLine } from "../../../src/session/runController.ts";
import { boot, type Guest } from "../../support/guest.ts";

/** The real machine under the controller, and a clock that the test turns. */

/** Counts in s0, prints a dot each 100,000 rounds. */
const counter = `
	li s1, UART
	li s2, 100000
	li s3, 46
1:	li s0, 0
2:	addi s0, s0, 1
	bne s0, s2, 2b
	sb s3, (s1)
	j 1b`;

/** Waits for a timer 100 ms from now, prints a dot, and again. */
const sleeper = `
	li s1, UART
	li s2, CLINT
	li t0, 0xbff8
	add s3, s2, t0
	li t0, 0x4000
	add s4, s2, t0
	li t0, 128
	csrw mie, t0
1:	ld t0, (s3)
	li t1, 1000000
	add t0, t0, t1
	sd t0, (s4)
	wfi
	li t0, 46
	sb t0, (s1)
	j 1b`;

class Clock implements RunHost {
	ms = 0;
	readonly timers: { at: number; callback: () => void }[] = [];
	breaths = 0;
	/** Does what a message would do, at this breath. */
	readonly messages = new Map<number, () => void>();

	now(): number {
		// A slice of the loop is over after two looks at the clock.
		this.ms += 5;
		return this.ms;
	}

	async breathe(): Promise<void> {
		this.messages.get(++this.breaths)?.();
		await new Promise(setImmediate);
	}

	after(ms: number, callback: () => void) {
		const timer = { at: this.ms + ms, callback };
		this.timers.push(timer);
		return toDisposable(() => this.timers.splice(this.timers.indexOf(timer), 1));
	}

	/** The next timer's time has come. */
	ring(): void {
		const next = this.timers[0];
		if (!next) throw new Error("no timer is set");
		this.ms = Math.max(this.ms, next.at);
		next.callback();
	}
}

let guest: Guest;
let controller: RunController;
let clock: Clock;
let states: StateChange[];

async function controlled(kernel: string): Promise<void> {
	guest = await boot({ kernel });
	clock = new Clock();
	controller = new RunController(guest.machine, clock);
	states = [];
	controller.onState((change) => states.push(change));
}

afterEach(() => {
	controller.dispose();
	guest.machine.dispose();
});

const breaths = async (count: number) => {
	for (let i = 0; i < count; i++) await new Promise(setImmediate);
};

test("it runs by itself, pauses, stands still, and continues", async () => {
	await controlled(counter);
	controller.start();
	await breaths(5);
	controller.pause();
	const { instret } = guest.machine;
	expect(instret).toBeGreaterThan(0);
	await breaths(5);
	expect(guest.machine.instret).toBe(instret);
	controller.resume();
	await breaths(5);
	expect(guest.machine.instret).toBeGreaterThan(instret);
	expect(states.map(({ state, stop }) => [state, stop?.kind])).toEqual([
		["running", undefined],
		["paused", "asked"],
		["running", undefined],
	]);
});

test("a guest that waits costs nothing until its timer, in the person's time; a job need not wait", async () => {
	await controlled(sleeper);
	controller.start();
	await breaths(6);
	expect([guest.text(), clock.timers.length]).toEqual(["", 1]);
	const { instret } = guest.machine;
	await breaths(6);
	expect(guest.machine.instret).toBe(instret);
	clock.ring();
	await breaths(6);
	expect([guest.text(), clock.timers.length]).toEqual([".", 1]);
	await controller.own(() =>
		controller.run({ step: () => 100_000, look: () => (guest.text().length >= 5 ? true : undefined) }),
	);
	expect(guest.text().length).toBeGreaterThanOrEqual(5);
});

test.each([
	["the loop of a kernel that has panicked is no stall", "panic: lost", 0],
	["a trap that faults again and again is one", "dapic: lost", 1],
])("%s", async (_name, text, stalls) => {
	const print = [...`${text}\n`].map((character) => `li t0, ${character.charCodeAt(0)}\n sb t0, (s1)`);
	await controlled(`\n li s1, UART\n ${print.join("\n ")}\n csrw mtvec, zero\n ecall`);
	const told: string[] = [];
	controller.onStall(({ message }) => told.push(message));
	const until = 11_000_000;
	await controller.run({
		step: () => 1_000_000,
		look: () => (guest.machine.instret >= until || clock.breaths > 40 ? true : undefined),
	});
	expect(told.length).toBe(stalls);
});

test("a stop that an observer asks for is exact, with its reason, and a job's slice is finished after it", async () => {
	await controlled(
		"li t0, 0x80000000\nla t1, handler\ncsrw mtvec, t1\n1:\naddi s0, s0, 1\necall\nj 1b\nhandler:\ncsrr t0, mepc\naddi t0, t0, 4\ncsrw mepc, t0\nmret",
	);
	const looks: number[] = [];
	const running = controller.run({
		step: () => 1000,
		look: () => {
			looks.push(guest.machine.instret);
			return looks.length === 3 || undefined;
		},
	});
	const stop = await controller.runTo((found) => guest.machine.onTrap(() => found({ kind: "fault" })));
	expect(stop).toEqual({ kind: "fault" });
	expect([controller.state, looks]).toEqual(["paused", []]);
	expect(guest.machine.harts[0]?.register(8)).toBe(1n);
	controller.resume();
	await running;
	// As without the pause.
	expect(looks).toEqual([1000, 2000, 3000]);
});

test("a job can be cancelled while the machine is paused, and the next one runs", async () => {
	await controlled(counter);
	const given = new AbortController();
	const first = controller.run({ step: () => 1000, look: () => undefined, signal: given.signal });
	await breaths(2);
	controller.pause();
	given.abort();
	await expect(first).rejects.toMatchObject({ code: "cancelled" });
	const next = controller.run({ step: () => 1000, look: () => "done" });
	await breaths(3);
	controller.resume();
	expect(await next).toBe("done");
});

test("owners of the machine come one after the other, and nothing runs between their jobs", async () => {
	await controlled(counter);
	controller.start();
	const order: string[] = [];
	const work = (name: string) =>
		controller.own(async () => {
			await controller.run({ step: () => 1000, look: () => true });
			const { instret } = guest.machine;
			await breaths(5);
			order.push(`${name} ${guest.machine.instret - instret}`);
		});
	await Promise.all([work("a"), work("b")]);
	expect(order).toEqual(["a 0", "b 0"]);
});

test("a reader that is behind holds the machine, whatever else happens", async () => {
	await controlled(counter);
	controller.start();
	await breaths(3);
	const go = controller.hold();
	await breaths(2);
	const { instret } = guest.machine;
	controller.pause();
	controller.resume();
	controller.type(new TextEncoder().encode("x"));
	await breaths(5);
	expect(guest.machine.instret).toBe(instret);
	go();
	await breaths(5);
	expect(guest.machine.instret).toBeGreaterThan(instret);
});

test("the guest's end is told once, with its code, and nothing runs after it", async () => {
	await controlled("li t0, FINISHER\nli t1, 0x73333\nsw t1, (t0)\nj .");
	controller.start();
	await breaths(5);
	controller.start();
	controller.powerOff("late");
	expect(states.filter(({ state }) => state === "dead" || state === "off")).toEqual([
		{ state: "dead", stop: { kind: "halt", code: 7 } },
	]);
	await expect(controller.run({ step: () => 1, look: () => true })).rejects.toMatchObject({ code: "cancelled" });
});

test("a slice is as long as its time, and a stop that is asked for within it ends it", async () => {
	await controlled(counter);
	const ends: number[] = [];
	controller.onSlice(() => ends.push(guest.machine.instret));
	controller.start();
	await breaths(3);
	// The clock lets two pieces of half a million pass.
	expect(ends.slice(0, 2)).toEqual([1_000_000, 2_000_000]);
	guest.machine.console.onData(() => controller.requestStop({ kind: "fault" }));
	const { instret } = guest.machine;
	await breaths(3);
	expect(states.at(-1)).toEqual({ state: "paused", stop: { kind: "fault" } });
	// The console's listeners are told when a piece is over; no second one follows.
	expect(guest.machine.instret - instret).toBe(500_000);
});

test("a stop that others ask of the machine itself makes it stand; a job is told of it", async () => {
	await controlled(counter);
	guest.machine.console.onData(() => guest.machine.requestStop());
	const job = controller.run({ step: () => 1_000_000, look: ({ kind }) => kind });
	expect(await job).toBe("requested");
	expect(controller.state).toBe("running");
	controller.start();
	await breaths(3);
	expect(states.at(-1)).toEqual({ state: "paused", stop: { kind: "asked" } });
});

test("in the past keys are kept from the guest, and a new future or the present takes them again", async () => {
	await controlled(counter);
	controller.start();
	await breaths(3);
	controller.pause();
	let position = 100;
	let cut = 0;
	const line: TimeLine = {
		oldest: 0,
		present: 100,
		consoleBytes: 0,
		get position() {
			return position;
		},
		seek: (to) => {
			position = to;
		},
		cut: () => cut++,
		afterRun: () => undefined,
	};
	const typed: string[] = [];
	controller.onTypedInPast((bytes) => typed.push(new TextDecoder().decode(bytes)));
	controller.attachHistory(line);
	controller.seek(40);
	expect(controller.state).toBe("past");
	controller.type(new TextEncoder().encode("k"));
	expect([typed, guest.machine.console.pending]).toEqual([["k"], 0]);
	controller.seek(1000);
	expect([controller.state, position]).toEqual(["paused", 100]);
	controller.seek(40);
	controller.newFuture();
	expect([controller.state, cut]).toEqual(["paused", 1]);
	controller.type(new TextEncoder().encode("k"));
	expect(guest.machine.console.pending).toBe(1);
});

/** A history of a hundred moments, without a machine's memory: what the controller asks of it. */
function timeLineOf() {
	const line = {
		oldest: 10,
		present: 100,
		consoleBytes: 0,
		position: 100,
		cuts: 0,
		runs: 0,
		seek: (to: number) => {
			line.position = to;
		},
		cut: () => {
			line.cuts++;
			line.present = line.position;
		},
		afterRun: () => {
			line.runs++;
		},
	};
	return line;
}

test("while a job runs the machine takes no other", async () => {
	await controlled(counter);
	const first = controller.run({ step: () => 1000, look: () => (guest.machine.instret > 5000 ? "first" : undefined) });
	await expect(controller.run({ step: () => 1000, look: () => true })).rejects.toThrow("already runs for another job");
	expect(await first).toBe("first");
	expect(await controller.run({ step: () => 1000, look: () => "second" })).toBe("second");
});

test("a job that is given up before it begins runs nothing", async () => {
	await controlled(counter);
	const given = new AbortController();
	given.abort();
	const job = controller.run({ step: () => 1000, look: () => true, signal: given.signal });
	await expect(job).rejects.toMatchObject({ code: "cancelled" });
	expect([guest.machine.instret, controller.state]).toEqual([0, "off"]);
});

test("what a job's look throws is the job's failure, and the machine takes the next", async () => {
	await controlled(counter);
	const look = () => {
		throw new Error("a look that fails");
	};
	await expect(controller.run({ step: () => 1000, look })).rejects.toThrow("a look that fails");
	expect(await controller.run({ step: () => 1000, look: () => "next" })).toBe("next");
});

test("after every slice those who listen are told, before messages are let in", async () => {
	await controlled(counter);
	let slices = 0;
	const atBreath: number[] = [];
	controller.onSlice(() => slices++);
	for (const breath of [1, 2, 3]) clock.messages.set(breath, () => atBreath.push(slices));
	controller.start();
	await breaths(5);
	expect(atBreath).toEqual([1, 2, 3]);
});

test("the past has its ends, and a history that is given up leaves the machine in the present", async () => {
	await controlled(counter);
	controller.start();
	await breaths(3);
	controller.pause();
	const line = timeLineOf();
	const history = controller.attachHistory(line);
	controller.seek(0);
	expect([line.position, controller.state]).toEqual([10, "past"]);
	controller.seek(99.5);
	expect([line.position, controller.state]).toEqual([99.5, "past"]);
	expect(states.at(-1)?.stop).toEqual({ kind: "seek", position: 99.5 });
	history.dispose();
	expect([line.position, controller.state]).toEqual([100, "paused"]);
	const count = states.length;
	controller.seek(50);
	controller.newFuture();
	expect([line.position, states.length]).toEqual([100, count]);
});

test("in a new future the console is what it was at that moment: what was printed later is forgotten, its panic, too", async () => {
	const said = [..."$ panic: lost\n"].map((character) => `li t0, ${character.charCodeAt(0)}\n sb t0, (s1)`);
	await controlled(`li s1, UART\n ${said.join("\n ")}\n j .`);
	controller.start();
	await breaths(3);
	controller.pause();
	expect([controller.console.panic, controller.console.atPrompt]).toEqual(["lost", false]);
	const line = timeLineOf();
	line.consoleBytes = 2;
	controller.attachHistory(line);
	controller.seek(50);
	const shown = () => new TextDecoder().decode(controller.consoleAt(100));
	expect(shown()).toBe("$ ");
	controller.newFuture();
	expect([controller.console.panic, controller.console.atPrompt, shown()]).toEqual([undefined, true, "$ "]);
});

test("to continue in the past goes to the present and on; a pause there changes nothing", async () => {
	await controlled(counter);
	controller.start();
	await breaths(3);
	controller.pause();
	const line = timeLineOf();
	controller.attachHistory(line);
	controller.seek(50);
	controller.pause();
	expect(controller.state).toBe("past");
	const { instret } = guest.machine;
	await breaths(3);
	expect(guest.machine.instret).toBe(instret);
	controller.resume();
	await breaths(3);
	expect([line.position, controller.state, guest.machine.instret > instret]).toEqual([100, "running", true]);
	expect(line.runs).toBeGreaterThan(0);
});

test("a machine that has ended is over in its present, not in its past, and a new future lives", async () => {
	await controlled("li t0, FINISHER\nli t1, 0x73333\nsw t1, (t0)\nj .");
	const line = timeLineOf();
	controller.attachHistory(line);
	controller.start();
	await breaths(5);
	expect([controller.state, controller.isOver]).toEqual(["dead", true]);
	controller.seek(50);
	expect(controller.state).toBe("past");
	controller.toPresent();
	expect(states.at(-1)).toEqual({ state: "dead", stop: { kind: "halt", code: 7 } });
	controller.follow({ kind: "step" }, true);
	expect(controller.state).toBe("past");
	controller.follow({ kind: "step" }, false);
	expect(states.at(-1)).toEqual({ state: "dead", stop: { kind: "halt", code: 7 } });
	controller.seek(50);
	controller.newFuture();
	expect([controller.state, controller.isOver, line.cuts]).toEqual(["paused", false, 1]);
});

test("one that was switched off is off, says why, and ends the job that it runs for", async () => {
	await controlled(counter);
	controller.attachHistory(timeLineOf());
	const job = controller.run({ step: () => 1000, look: () => undefined });
	await breaths(2);
	controller.powerOff("Closed.");
	await expect(job).rejects.toMatchObject({ code: "cancelled" });
	expect(states.at(-1)).toEqual({ state: "off", stop: { kind: "off", why: "Closed." } });
	controller.seek(50);
	controller.toPresent();
	expect(states.at(-1)).toEqual({ state: "off", stop: { kind: "off", why: "Closed." } });
});

test("a run to something ends with another stop, with the command that ran, and where there is no machine", async () => {
	await controlled(counter);
	const never = () => ({ dispose: () => undefined });
	expect(await controller.runTo(never)).toBeUndefined();
	controller.start();
	const paused = controller.runTo(never);
	await breaths(2);
	controller.pause();
	expect(await paused).toEqual({ kind: "asked" });
	let disposed = 0;
	const owned = controller.own(async () => {
		await controller.run({ step: () => 1000, look: () => (guest.machine.instret > 1_000_000 ? true : undefined) });
	});
	const during = controller.runTo(() => ({ dispose: () => disposed++ }));
	await owned;
	expect([await during, disposed]).toEqual([undefined, 1]);
});

test("a stop that is asked for between two runs takes effect at once, and only of a machine that runs", async () => {
	await controlled(counter);
	controller.requestStop({ kind: "fault" });
	expect(states).toEqual([]);
	controller.start();
	controller.requestStop({ kind: "fault" });
	expect(states.at(-1)).toEqual({ state: "paused", stop: { kind: "fault" } });
	controller.requestStop({ kind: "asked" });
	expect(states).toHaveLength(2);
});

test("a debugger may start it standing; its breakpoints stop it with their place", async () => {
	await controlled("addi s0, s0, 1\naddi s0, s0, 1\naddi s0, s0, 1\nj .");
	controller.start("paused");
	await breaths(3);
	expect([guest.machine.instret, controller.state]).toEqual([0, "paused"]);
	guest.machine.addBreakpoint(0x80000008n);
	controller.resume();
	await breaths(3);
	expect(states.at(-1)?.stop).toMatchObject({ kind: "breakpoint", hart: 0, pc: 0x80000008n });
	expect(guest.machine.harts[0]?.register(8)).toBe(2n);
});

test("what is typed ends a rest, and is known to be unread until the guest has read it", async () => {
	await controlled(
		"li s1, UART\nli s2, 0x10000005\n1: lbu t0, (s2)\nandi t0, t0, 1\nbeqz t0, 1b\nlbu t0, (s1)\nsb t0, (s1)\nj 1b",
	);
	controller.start("paused");
	controller.type(new TextEncoder().encode("k"));
	expect([controller.isTyping, guest.text()]).toEqual([true, ""]);
	controller.resume();
	await breaths(4);
	expect([controller.isTyping, guest.text()]).toEqual([false, "k"]);
});

test("a job for a person waits in the person's time, and one that ends while the guest waits sets no timer", async () => {
	await controlled(sleeper);
	const job = controller.run({
		step: () => 1_000_000,
		look: () => (guest.text().length >= 2 ? guest.text() : undefined),
		paced: true,
	});
	for (const text of ["", "."]) {
		await breaths(6);
		expect([guest.text(), clock.timers.length]).toEqual([text, 1]);
		const { instret } = guest.machine;
		await breaths(6);
		expect(guest.machine.instret).toBe(instret);
		clock.ring();
	}
	expect(await job).toBe("..");
	expect(clock.timers).toEqual([]);
	const next = controller.run({ step: () => 1_000_000, look: (stop) => stop.kind, paced: true });
	expect([await next, clock.timers]).toEqual(["waiting", []]);
});

test("a panic ends a machine that runs for a person; of one that runs for jobs each job decides", async () => {
	const panics = `
		li s1, UART
		la s2, text
	1:	lbu s0, (s2)
		beqz s0, 2f
		sb s0, (s1)
		addi s2, s2, 1
		j 1b
	2:	j 2b
	text: .dword 0x77203a63696e6170
		.dword 0x0a6b6c61`;
	await controlled(panics);
	const look = () => controller.console.panic;
	await controller.own(() => controller.run({ step: () => 100_000, look }));
	expect([controller.console.panic, controller.isOver]).toEqual(["walk", false]);
	controller.start();
	await controller.own(() => controller.run({ step: () => 100_000, look }));
	expect(controller.isOver).toBe(true);
	expect(states.at(-1)).toEqual({ state: "dead", stop: { kind: "panic", message: "walk" } });
});

test("what a kernel prints after its panic, a backtrace, is on the console before the machine is said to be over", async () => {
	const print = (text: string) => [...text].map((letter) => `li t0, ${letter.charCodeAt(0)}\n sb t0, (s1)`).join("\n");
	// Longer than a slice, and shorter than the controller waits.
	const pause = "li s2, 600000\n 1: addi s2, s2, -1\n bnez s2, 1b";
	await controlled(`li s1, UART\n ${print("panic: walk\n")}\n ${pause}\n ${print("backtrace")}\n j .`);
	let atEnd: string | undefined;
	controller.onState(({ state }) => {
		if (state === "dead") atEnd = guest.text();
	});
	controller.start();
	await breaths(8);
	expect(atEnd).toBe("panic: walk\nbacktrace");
});
