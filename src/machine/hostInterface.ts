import type { PhysicalMemory, StopReason } from "./types.ts";

const wordBytes = 8;

/**
 * The Berkeley host-target interface, for guests whose ELF file has a symbol `tohost`: an odd value ends the run with the rest as its
 * code; device 1, command 1 sends a character. Anything else is taken and not answered.
 */
export class HostInterface {
	constructor(
		readonly address: bigint,
		private readonly host: {
			readonly memory: () => PhysicalMemory;
			put(address: bigint, bytes: Uint8Array): void;
			halt(code: number): void;
			transmit(byte: number): void;
		},
	) {}

	get end(): bigint {
		return this.address + BigInt(wordBytes);
	}

	has(address: bigint): boolean {
		return address >= this.address && address < this.end;
	}

	/** The guest stored there. Undefined: the run continues. */
	stored(): StopReason | undefined {
		const { host } = this;
		const value = host.memory().readU64(this.address) ?? 0n;
		if (value === 0n) return undefined;
		const device = value >> 56n;
		if (device === 0n && (value & 1n) === 1n) {
			const code = Number((value >> 1n) & 0xffffn);
			host.halt(code);
			return { kind: "halt", code, by: "tohost" };
		}
		if (device === 1n && ((value >> 48n) & 0xffn) === 1n) host.transmit(Number(value & 0xffn));
		host.put(this.address, new Uint8Array(wordBytes));
		return undefined;
	}
}
