import { expect, test } from "vitest";
import * as layout from "../../../../src/machine/core/layout.ts";
import { hartBase } from "../../../../src/machine/coreAbi.ts";
import { TestCore } from "./harness.ts";

const counting = `
	la t0, data
	li a1, 0
loop:
	addi a1, a1, 1
here:
	sd a1, 8(t0)
	ld a2, (t0)
	j loop
	.align 12
data: .zero 16
`;

test("a breakpoint stops before its instruction, each time round, and costs no step", () => {
	const core = new TestCore(counting);
	core.exports.addBreakpoint(core.symbol("here"));
	for (let turn = 1n; turn <= 3n; turn++) {
		expect(core.run(1000)).toBe(layout.STOP_BREAKPOINT);
		expect(core.pc()).toBe(core.symbol("here"));
		expect(core.register("a1")).toBe(turn);
		expect(core.word(core.symbol("data") + 8n)).toBe(turn - 1n);
	}
	core.exports.removeBreakpoint(core.symbol("here"));
	expect(core.run(1000)).toBe(layout.STOP_BUDGET);
});

test("a run with breakpoints ends in the same state as one without", () => {
	const plain = new TestCore(counting);
	plain.run(10_000);
	const stopped = new TestCore(counting);
	stopped.exports.addBreakpoint(stopped.symbol("here"));
	let stops = 0;
	while (stopped.steps < 10_000) {
		if (stopped.run(10_000 - stopped.steps) === layout.STOP_BREAKPOINT) stops++;
	}
	expect(stops).toBeGreaterThan(2400);
	expect(stopped.state().equals(plain.state())).toBe(true);
});

test("a watchpoint stops after the access, on the bytes and the kind it watches", () => {
	const core = new TestCore(counting);
	core.run(100);
	const data = core.symbol("data");
	core.exports.addWatchpoint(data + 8n, data + 12n, layout.WATCH_WRITE, 0);
	expect(core.run(1000)).toBe(layout.STOP_WATCHPOINT);
	expect(core.view.getBigUint64(layout.T_STOP_PC, true)).toBe(core.symbol("here"));
	expect(core.view.getBigUint64(layout.T_STOP_ADDRESS, true)).toBe(data + 8n);
	expect(core.word(data + 8n)).toBe(core.register("a1"));
	core.exports.removeWatchpoint(data + 8n, data + 12n, layout.WATCH_WRITE, 0);
	core.exports.addWatchpoint(data + 4n, data + 8n, layout.WATCH_WRITE, 0);
	expect(core.run(1000)).toBe(layout.STOP_BUDGET);
	core.exports.addWatchpoint(data, data + 1n, layout.WATCH_READ, 0);
	expect(core.run(1000)).toBe(layout.STOP_WATCHPOINT);
	expect(core.view.getBigUint64(layout.T_STOP_ADDRESS, true)).toBe(data);
});

test("traps are reported to listeners only, with what happened", () => {
	const seen: unknown[] = [];
	const source = `
		la t0, trap
		csrw mtvec, t0
		li t0, 0x123
		ld t1, (t0)
		.align 2
	trap: j trap
	`;
	const listener = (self: TestCore, hart: number) => {
		const h = hartBase(hart);
		seen.push([
			self.view.getBigUint64(h + layout.V_TRAP_CAUSE, true),
			self.view.getBigUint64(h + layout.V_TRAP_TVAL, true),
			self.view.getUint32(h + layout.V_TRAP_FROM, true),
			self.view.getUint32(h + layout.V_TRAP_TO, true),
		]);
	};
	new TestCore(source, { onTrap: listener }).run(100);
	expect(seen).toEqual([]);
	const core = new TestCore(source, { onTrap: listener });
	core.exports.setEventMask(layout.EVENT_TRAP);
	core.run(100);
	expect(seen).toEqual([[5n, 0x120n, 3, 3]]);
});

test("a listener may stop the run at the trap", () => {
	const core = new TestCore("la t0, trap\ncsrw mtvec, t0\necall\nnop\n.align 2\ntrap: nop\n1: j 1b", {
		onTrap: (self) => self.exports.requestStop(),
	});
	core.exports.setEventMask(layout.EVENT_TRAP);
	expect(core.run(100)).toBe(layout.STOP_REQUESTED);
	expect(core.pc()).toBe(core.symbol("trap"));
});

test("a trap loop leaves its evidence", () => {
	const core = new TestCore("csrw mtvec, zero\necall");
	expect(core.run(1000)).toBe(layout.STOP_BUDGET);
	expect(core.view.getUint32(hartBase(0) + layout.V_TRAP_STREAK, true)).toBeGreaterThan(900);
});
