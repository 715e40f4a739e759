import { expect, test } from "vitest";
import { boot } from "../../support/guest.ts";

const M = 1_000_000;

/** Enters supervisor mode at `supervisor`; with a PMP entry for everything unless told otherwise. */
const enter = (body: string, pmp = true) => `
	${pmp ? "li t0, -1\nsrli t0, t0, 10\ncsrw pmpaddr0, t0\nli t0, 15\ncsrw pmpcfg0, t0" : ""}
	la t0, machine_trap
	csrw mtvec, t0
	li t0, 0x800
	csrs mstatus, t0
	la t0, supervisor
	csrw mepc, t0
	mret
	.align 2
machine_trap:
	mret
	.align 2
supervisor:
${body}
`;

test("a start without a PMP entry is said before anything else, with what to do", async () => {
	const guest = await boot({ kernel: enter("j .", false) }, { symbolize: () => "main" });
	guest.machine.run(M);
	expect(guest.stalls.map(({ kind }) => kind)).toEqual(["pmp-denied"]);
	expect(guest.stalls[0]?.message).toMatch(/start\.c sets no PMP entry.*w_pmpcfg0\(0xf\).*--pmp off/);
	expect(guest.stalls[0]?.message).toContain("(main)");
});

test("with PMP off the same kernel runs", async () => {
	const guest = await boot({ kernel: enter("li s0, 1\nloop:\naddi s1, s1, 1\nj loop", false), pmp: false });
	guest.machine.run(M);
	expect([guest.stalls, guest.machine.harts[0]?.register(8), guest.machine.harts[0]?.mode]).toEqual([[], 1n, 1]);
});

test("a jump to nowhere before a vector is set", async () => {
	const guest = await boot({ kernel: "li t0, 0x40000000\njr t0" });
	guest.machine.run(M);
	expect(guest.stalls.map(({ kind }) => kind)).toEqual(["no-entry"]);
	expect(guest.stalls[0]?.message).toMatch(/mtvec is 0/);
});

test("a handler whose first instruction traps", async () => {
	const guest = await boot({ kernel: "la t0, handler\ncsrw mtvec, t0\necall\n.align 2\nhandler:\n.word 0" });
	guest.machine.run(M);
	expect(guest.stalls.map(({ kind }) => kind)).toEqual(["trap-loop"]);
	expect(guest.stalls[0]?.harts).toEqual([{ hart: 0, pc: expect.any(BigInt), mode: 3 }]);
});

test("a handler that faults itself, each time at another address", async () => {
	const guest = await boot({
		kernel:
			"la t0, handler\ncsrw mtvec, t0\nli sp, 0x70000000\nj fall\n.align 2\nhandler:\naddi sp, sp, -8\nfall:\nsd ra, 0(sp)\nmret",
	});
	for (let i = 0; i < 12; i++) guest.machine.run(5 * M);
	expect(guest.stalls.map(({ kind }) => kind)).toEqual(["trap-loop"]);
	expect(guest.stalls[0]?.message).toMatch(
		/where its trap handler begins: the stack pointer leads to memory that is not mapped/,
	);
});

test("a handler that faults where it saves registers, which is not its stack", async () => {
	const guest = await boot({
		kernel:
			"la t0, handler\ncsrw mtvec, t0\nli s0, 0x70000000\nj fall\n.align 2\nhandler:\naddi s0, s0, -8\nfall:\nsd ra, 0(s0)\nmret",
	});
	for (let i = 0; i < 12; i++) guest.machine.run(5 * M);
	expect(guest.stalls[0]?.message).toMatch(/where its trap handler begins: the memory where it saves registers is not/);
});

test("a fault that the handler does not repair is named with its address", async () => {
	const guest = await boot({
		kernel:
			"la t0, handler\ncsrw mtvec, t0\nli t1, 0x50000000\nlw t2, (t1)\nj .\n.align 2\nhandler:\naddi s0, s0, 1\nmret",
	});
	for (let i = 0; i < 12; i++) guest.machine.run(5 * M);
	expect(guest.stalls.map(({ kind }) => kind)).toEqual(["trap-loop"]);
	expect(guest.stalls[0]?.message).toMatch(/0x50000000.*without having made the access possible/);
});

test("faults at one place that are repaired are no loop", async () => {
	const guest = await boot({
		kernel:
			"la t0, handler\ncsrw mtvec, t0\nli t1, 0x50000000\n1:\nlw t2, (t1)\naddi t1, t1, 8\nj 1b\n.align 2\nhandler:\ncsrr t0, mepc\naddi t0, t0, 4\ncsrw mepc, t0\nmret",
	});
	for (let i = 0; i < 12; i++) guest.machine.run(5 * M);
	expect(guest.stalls).toEqual([]);
});

test("wfi with nothing that could wake", async () => {
	const guest = await boot({ kernel: "1:\nwfi\nj 1b", harts: 2 });
	expect(guest.machine.run(M)).toEqual({ kind: "idle" });
	expect(guest.stalls.map(({ kind }) => kind)).toEqual(["wfi-forever"]);
	guest.machine.run(M);
	expect(guest.stalls.length).toBe(1);
});

test("a wait for keys is no stall", async () => {
	const guest = await boot({
		kernel: `
			li t0, UART
			li t1, 1
			sb t1, 1(t0)
			li t0, PLIC
			sw t1, 40(t0)
			li t0, PLIC+0x2000
			li t1, 0x400
			sw t1, (t0)
			li t0, 0x800
			csrw mie, t0
			1:
			wfi
			j 1b`,
	});
	expect(guest.machine.run(M)).toEqual({ kind: "idle" });
	expect(guest.stalls).toEqual([]);
});

/** xv6's acquire on a lock that is held for ever. */
const acquire = `
	la s0, lock
	li t1, 1
1:
	mv t2, t1
	amoswap.w.aq t2, t2, (s0)
	bnez t2, 1b
	j .
	.align 3
lock:
	.word 1
`;

test.each([1, 3])("%i harts that spin on a lock nobody gives back", async (harts) => {
	const guest = await boot({ kernel: enter(acquire), harts }, { symbolize: () => "acquire" });
	for (let i = 0; i < 90 && guest.stalls.length === 0; i++) guest.machine.run(5 * M);
	expect(guest.stalls.map(({ kind }) => kind)).toEqual(["lock-spin"]);
	expect(guest.stalls[0]?.harts.length).toBe(harts);
	expect(guest.stalls[0]?.message).toContain("(acquire)");
});

test("a long loop that gets on, with interrupts off, is no stall", async () => {
	const guest = await boot({ kernel: enter("loop:\naddi s0, s0, 1\nmul s1, s0, s0\nj loop") });
	for (let i = 0; i < 80; i++) guest.machine.run(5 * M);
	expect(guest.stalls).toEqual([]);
});

test("a short loop that somebody steps through is no stall, and one when it goes on by itself", async () => {
	const guest = await boot({ kernel: enter("j .") });
	for (let i = 0; i < 5000; i++) guest.machine.run(1);
	expect(guest.stalls).toEqual([]);
	for (let i = 0; i < 100; i++) guest.machine.run(5 * M);
	expect(guest.stalls.map(({ kind }) => kind)).toEqual(["lock-spin"]);
});

test("a guest that spins for ever ends with its budget, and the host is free between", async () => {
	const guest = await boot({ kernel: enter("loop:\naddi s0, s0, 1\nj loop") });
	expect(guest.machine.run(20 * M)).toEqual({ kind: "budget" });
	expect(guest.machine.instret).toBe(20 * M);
});

test.each([
	["a hart that traps for ever", "li t0, 0x40000000\njr t0", M],
	["a hart that waits for ever", "wait:\nwfi\nj wait", M],
])(
	"a listener that asks for a stop because of %s ends this run, and not the next one too",
	async (_, kernel, budget) => {
		const { machine } = await boot({ kernel });
		machine.onStall(() => machine.requestStop());
		expect(machine.run(budget)).toEqual({ kind: "requested" });
		expect(machine.run(budget).kind).not.toBe("requested");
	},
);
