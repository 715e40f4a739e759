// SiFive test finisher, as QEMU's hw/misc/sifive_test.c: a guest ends or restarts its run by writing to it.
import { type Device, Registers, usualAccess } from "../device.ts";

const PASS = 0x5555;
const FAIL = 0x3333;
const RESET = 0x7777;

const S_HALTED = 0;
const S_CODE = 4;
const S_BY_TOHOST = 8;
export const finisherStateBytes = 12;

interface FinisherConfig {
	readonly state: DataView;
	/** The run must stop after the present instruction: look at `halted`. */
	readonly onHalt: () => void;
	/** The run must stop after the present instruction, and the machine start again. */
	readonly onRestart: () => void;
}

/** Holds the run's end, whatever caused it, in the machine's state: the snapshot of an ended machine is an ended machine. */
export class TestFinisher implements Device {
	readonly name = "test finisher";
	readonly access = usualAccess;
	private readonly s: Registers;

	constructor(private readonly config: FinisherConfig) {
		this.s = new Registers(config.state);
	}

	read(): number {
		return 0;
	}

	write(offset: number, _size: number, value: number): void {
		if (offset !== 0) return;
		const command = value & 0xffff;
		if (command === PASS) this.halt(0, "finisher");
		else if (command === FAIL) this.halt((value >>> 16) & 0xffff, "finisher");
		else if (command === RESET) this.config.onRestart();
	}

	halt(code: number, by: "finisher" | "tohost"): void {
		this.s.set(S_HALTED, 1);
		this.s.set(S_CODE, code);
		this.s.set(S_BY_TOHOST, by === "tohost" ? 1 : 0);
		this.config.onHalt();
	}

	get halted(): { readonly code: number; readonly by: "finisher" | "tohost" } | undefined {
		if (this.s.get(S_HALTED) === 0) return undefined;
		return { code: this.s.get(S_CODE), by: this.s.get(S_BY_TOHOST) === 0 ? "finisher" : "tohost" };
	}
}
