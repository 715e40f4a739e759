import { expect, test } from "vitest";
import { finisherStateBytes, TestFinisher } from "../../../../src/machine/devices/testFinisher.ts";

function finisher() {
	const calls: string[] = [];
	const state = new DataView(new ArrayBuffer(finisherStateBytes));
	const config = { state, onHalt: () => calls.push("halt"), onRestart: () => calls.push("restart") };
	return { device: new TestFinisher(config), state, calls, config };
}

test.each([
	["pass", 0x5555, { code: 0, by: "finisher" }],
	["fail with its code", 0x3333 | (7 << 16), { code: 7, by: "finisher" }],
	["fail with the highest code", 0xffff3333, { code: 65535, by: "finisher" }],
])("%s ends the run", (_name, word, halted) => {
	const { device, calls } = finisher();
	device.write(0, 4, word >>> 0);
	expect([device.halted, calls]).toEqual([halted, ["halt"]]);
});

test("reset asks for a restart and ends nothing", () => {
	const { device, calls } = finisher();
	device.write(0, 4, 0x7777);
	expect([device.halted, calls]).toEqual([undefined, ["restart"]]);
});

test("other words and places do nothing", () => {
	const { device, calls } = finisher();
	device.write(0, 4, 0x1234);
	device.write(4, 4, 0x5555);
	expect([device.halted, calls, device.read()]).toEqual([undefined, [], 0]);
});

test("the end lives in the machine's state", () => {
	const { device, config } = finisher();
	device.halt(3, "tohost");
	expect(new TestFinisher(config).halted).toEqual({ code: 3, by: "tohost" });
});
