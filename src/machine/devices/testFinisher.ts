// SiFive test finisher: a guest ends its run by writing to it.
import type { Device } from "../device.ts";

const PASS = 0x5555;
const FAIL = 0x3333;
const RESET = 0x7777;

export class TestFinisher implements Device {
	readonly name = "test finisher";

	/** `onFinish` gets the guest's exit code: 0 for PASS and RESET, the upper 16 bits for FAIL. */
	constructor(private readonly onFinish: (code: number) => void) {}

	read(): number {
		return 0;
	}

	write(offset: number, _size: number, value: number): void {
		if (offset !== 0) return;
		const command = value & 0xffff;
		if (command === PASS || command === RESET) this.onFinish(0);
		else if (command === FAIL) this.onFinish((value >>> 16) & 0xffff);
	}
}
