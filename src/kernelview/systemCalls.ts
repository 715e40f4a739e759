import { leaving, marked } from "../protocol/calls.ts";
import type { Sources } from "./look.ts";
import { canonical, translate } from "./sv39.ts";

/** xv6's number of kill(), for a kernel whose table of calls is not known. */
const SYS_kill = 6;

/** A system call, as the log sees it. */
export interface Call {
	readonly name: string;
	readonly marked: boolean;
	readonly leaves: boolean;
}

/** System calls by the kernel's own table, and as text. */
export class SystemCalls {
	/** By number. */
	private readonly calls = new Map<number, Call>();

	constructor(private readonly sources: Sources) {}

	/** From the kernel's own table of handlers; without it the number. */
	of(number: number): Call {
		let call = this.calls.get(number);
		if (call === undefined) {
			const { memory, names } = this.sources;
			const table = names.syscalls;
			const handler = table && number > 0 && number < table.count ? memory.u64(table.address + number * 8) : undefined;
			const symbol = handler ? names.symbols.symbolAt(handler) : undefined;
			const unknown = !table && number === SYS_kill ? "kill" : `syscall ${number}`;
			const name = symbol?.offset === 0 ? symbol.name.replace(/^sys_/, "") : unknown;
			call = { name, marked: marked.has(name), leaves: leaving.has(name) };
			this.calls.set(number, call);
		}
		return call;
	}

	/** As a C call, with the arguments that say something. */
	text(call: string, hart: number, root: number): string {
		const argument = (i: number) => this.sources.machine.harts[hart]?.register(10 + i) ?? 0n;
		const hex = (i: number) => `0x${argument(i).toString(16)}`;
		const int = (i: number) => String(BigInt.asIntN(64, argument(i)));
		const { regions } = this.sources;
		switch (call) {
			case "exec":
				return `exec("${this.userText(root, argument(0))}")`;
			case "exit":
			case "sbrk":
				return `${call}(${this.sources.machine.harts[hart]?.low(10) ?? 0})`;
			case "munmap":
				return regions.haveLengths ? `munmap(${hex(0)}, ${int(1)})` : `munmap(${hex(0)})`;
			case "mmap": {
				const [address, length] = [argument(0), argument(1)];
				if (regions.described && !regions.haveLengths) return "mmap()";
				const plausible = address === 0n && length > 0n && length < 1n << 38n;
				return plausible ? `mmap(0x0, ${int(1)}, ${int(2)}, ${hex(3)})` : "mmap()";
			}
			case "mmap4":
				return `mmap(${int(0)}, ${int(1)}, ${int(2)}, ${int(3)})`;
			default:
				return `${call}()`;
		}
	}

	private userText(root: number, address: bigint): string {
		const { memory } = this.sources;
		const va = canonical(address);
		const physical = va === undefined ? undefined : translate(memory, root, va);
		return physical === undefined ? "?" : memory.text(physical, 32);
	}
}

/** What a call returned, as C would print it. */
export function resultText(call: string, value: bigint): string {
	const isAddress = call === "mmap" || call === "mmap4" || call === "sbrk";
	if (!isAddress) return String(Number(BigInt.asIntN(32, value)));
	const signed = Number(BigInt.asIntN(64, value));
	return signed > 0 ? `0x${signed.toString(16)}` : String(signed);
}
