import { expect, test } from "vitest";
import { Uart16550, uartStateBytes } from "../../../../src/machine/devices/uart16550.ts";
import { DeviceBench } from "../../../support/deviceBench.ts";

const [RBR, IER, IIR, LCR, MCR, LSR, MSR, SCR] = [0, 1, 2, 3, 4, 5, 6, 7];
const irq = 10;

function uart(typed = "") {
	const bench = new DeviceBench();
	const sent: number[] = [];
	const waiting = [...new TextEncoder().encode(typed)];
	const device = new Uart16550(bench, {
		irq,
		state: new DataView(new ArrayBuffer(uartStateBytes)),
		onByte: (byte) => sent.push(byte),
		nextByte: () => waiting.shift(),
	});
	const write = (register: number, value: number) => device.write(register, 1, value);
	return {
		bench,
		device,
		sent,
		waiting,
		write,
		read: (register: number) => device.read(register),
		level: () => bench.levels.get(irq),
	};
}

test("a fresh UART says that it can send and has nothing", () => {
	const { read } = uart();
	expect([read(LSR), read(IIR), read(MSR), read(IER)]).toEqual([0x60, 0x01, 0xb0, 0]);
});

test("OUT2 is set after a reset", () => {
	expect(uart().read(MCR)).toBe(8);
});

test("bytes go out at once, and the line status stays ready", () => {
	const { write, read, sent } = uart();
	for (const byte of [104, 105]) write(RBR, byte);
	expect(sent).toEqual([104, 105]);
	expect(read(LSR)).toBe(0x60);
});

test("the divisor hides data and interrupt enable while DLAB is set, as xv6's uartinit uses it", () => {
	const { write, read, sent } = uart();
	write(LCR, 0x80);
	write(RBR, 3);
	write(IER, 1);
	expect([read(RBR), read(IER)]).toEqual([3, 1]);
	write(LCR, 3);
	expect([read(LCR), read(IER), sent.length]).toEqual([3, 0, 0]);
});

test("input arrives at slice ends only, and raises the receive interrupt at the trigger level", () => {
	const { device, write, read, level } = uart("abc");
	write(IIR, 0x07);
	write(IER, 1);
	expect([read(LSR) & 1, level()]).toEqual([0, false]);
	device.sliceEnd();
	expect([read(LSR) & 1, level(), read(IIR)]).toEqual([1, true, 0xc4]);
	expect([read(RBR), read(RBR), read(RBR)]).toEqual([97, 98, 99]);
	expect([read(LSR) & 1, level(), read(IIR)]).toEqual([0, false, 0xc1]);
});

test("input below a higher trigger level is told as a timeout", () => {
	const { device, write, read } = uart("abc");
	write(IIR, 0xc1);
	write(IER, 1);
	device.sliceEnd();
	expect(read(IIR)).toBe(0xcc);
});

test("no more is taken from the line than fits, and a long paste loses nothing", () => {
	const text = Array.from({ length: 10_000 }, (_, i) => String.fromCharCode(32 + (i % 90))).join("");
	const { device, write, read, waiting } = uart(text);
	write(IIR, 0x01);
	device.sliceEnd();
	expect(text.length - waiting.length).toBe(16);
	let got = "";
	while (read(LSR) & 1) {
		got += String.fromCharCode(read(RBR));
		device.sliceEnd();
	}
	expect(got).toBe(text);
});

test("without FIFOs one byte is held at a time", () => {
	const { device, read, waiting } = uart("xy");
	device.sliceEnd();
	expect(waiting.length).toBe(1);
	expect(read(RBR)).toBe(120);
	device.sliceEnd();
	expect(read(RBR)).toBe(121);
});

test("reading a byte asks for another look at the line", () => {
	const { bench, device, read } = uart("x");
	device.sliceEnd();
	const before = bench.sliceEnds;
	read(RBR);
	expect(bench.sliceEnds).toBe(before + 1);
});

test("the transmit interrupt comes with its enabling and with each byte, and reading IIR takes it away", () => {
	const { write, read, level } = uart();
	write(IER, 2);
	expect(level()).toBe(true);
	expect(read(IIR)).toBe(0x02);
	expect([read(IIR), level()]).toEqual([0x01, false]);
	write(RBR, 65);
	expect(level()).toBe(true);
	write(IER, 0);
	expect(level()).toBe(false);
});

test("received data comes before an empty transmitter", () => {
	const { device, write, read } = uart("x");
	write(IIR, 0x01);
	write(IER, 3);
	device.sliceEnd();
	expect(read(IIR)).toBe(0xc4);
	read(RBR);
	expect(read(IIR)).toBe(0xc2);
});

test("clearing the receiver's FIFO drops what it held", () => {
	const { device, write, read } = uart("abc");
	write(IIR, 0x01);
	device.sliceEnd();
	write(IIR, 0x03);
	expect([read(LSR) & 1, read(RBR)]).toEqual([0, 0]);
});

test("loopback returns what is sent, cuts the line off, and mirrors the modem's outputs", () => {
	const { device, write, read, sent, waiting } = uart("k");
	write(MCR, 0x1b);
	write(RBR, 77);
	device.sliceEnd();
	expect([read(RBR), sent.length, waiting.length, read(MSR)]).toEqual([77, 0, 1, 0xb0]);
	write(MCR, 0x10);
	expect(read(MSR)).toBe(0);
	write(MCR, 0);
	device.sliceEnd();
	expect(read(RBR)).toBe(107);
});

test("the scratch register keeps a byte", () => {
	const { write, read } = uart();
	write(SCR, 0x1a5);
	expect(read(SCR)).toBe(0xa5);
});

test("status registers cannot be written, and there is nothing beyond them", () => {
	const { write, read } = uart();
	write(LSR, 0);
	write(MSR, 0);
	expect([read(LSR), read(MSR), read(8)]).toEqual([0x60, 0xb0, 0]);
});
