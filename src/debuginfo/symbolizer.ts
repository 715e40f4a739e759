import { UserError } from "../common/errors.ts";
import { DebugInfo } from "./debugInfo.ts";
import { ElfFile } from "./elf.ts";

/** Where an address lies in the sources, as far as the program tells. */
export interface Place {
	readonly address: number;
	/** `usertrap`, with the offset in bytes. */
	readonly symbol?: string;
	readonly offset?: number;
	/** Innermost function, inlined or not. */
	readonly function?: string;
	readonly file?: string;
	readonly line?: number;
	/** Functions that inlined it, innermost first, each with the place that it is at. */
	readonly inlinedInto?: readonly { readonly function: string; readonly file: string; readonly line: number }[];
}

/**
 * Names and lines of one program. Damaged debug information does not stop it: what can be read is used, the rest is in `problem`,
 * and symbols are all that is left.
 */
export class ProgramSymbols {
	/** Undefined: there are symbols only. */
	readonly info: DebugInfo | undefined;
	/** What is wrong with its debug information, in words. */
	problem: string | undefined;
	/** Undefined: it cannot be read. */
	readonly elf: ElfFile | undefined;
	private readonly places = new Map<number, Place>();

	constructor(
		readonly name: string,
		bytes: Uint8Array,
	) {
		this.elf = this.attempt(() => new ElfFile(bytes));
		const { elf } = this;
		this.info = elf && this.attempt(() => new DebugInfo(elf));
		if (this.info?.empty) this.problem = `${name} was built without debug information (-ggdb)`;
	}

	/** Runs a question to the debug information; undefined when it is damaged. */
	attempt<T>(ask: () => T): T | undefined {
		try {
			return ask();
		} catch (error) {
			if (!(error instanceof UserError)) throw error;
			this.problem = error.message;
			return undefined;
		}
	}

	symbol(name: string): number | undefined {
		return this.attempt(() => this.elf?.symbol(name)?.address);
	}

	symbolAt(address: number): { name: string; offset: number } | undefined {
		const symbol = this.attempt(() => this.elf?.symbolAt(address));
		return symbol && { name: symbol.name, offset: address - symbol.address };
	}

	/** Loadable parts, for telling text from data. */
	get segments() {
		return this.elf?.segments ?? [];
	}

	section(name: string) {
		return this.elf?.section(name);
	}

	place(address: number): Place {
		let place = this.places.get(address);
		if (!place) {
			place = this.find(address);
			if (this.places.size > 10_000) this.places.clear();
			this.places.set(address, place);
		}
		return place;
	}

	private find(address: number): Place {
		const symbol = this.symbolAt(address);
		const line = this.attempt(() => this.info?.lines.lineAt(address));
		const functions = this.attempt(() => this.info?.functionsAt(address)) ?? [];
		const inlinedInto: { function: string; file: string; line: number }[] = [];
		for (const [i, frame] of functions.entries()) {
			const outer = functions[i + 1];
			if (frame.call && outer) inlinedInto.push({ function: outer.name, ...frame.call });
		}
		const name = functions[0]?.name ?? symbol?.name;
		// Code that the compiler made up (line 0) inside an inlined function: the call's line is the nearest one.
		const nearest = line ?? inlinedInto[0];
		return {
			address,
			...(symbol ? { symbol: symbol.name, offset: symbol.offset } : {}),
			...(name !== undefined ? { function: name } : {}),
			...(nearest ? { file: nearest.file, line: nearest.line } : {}),
			...(inlinedInto.length > 0 ? { inlinedInto } : {}),
		};
	}
}

/** `usertrap+0x1c (kernel/trap.c:52)`. */
export function describePlace(place: Place): string {
	const hex = `0x${place.address.toString(16)}`;
	const name = place.symbol ? place.symbol + (place.offset ? `+0x${place.offset.toString(16)}` : "") : hex;
	return place.file ? `${name} (${place.file}:${place.line})` : name;
}

/** Which program's names count for an address: the kernel's, or those of the program in an address space. */
export class Symbolizer {
	private readonly programs = new Map<string, ProgramSymbols>();

	constructor(
		readonly kernel: ProgramSymbols,
		private readonly elfOf: (program: string) => Uint8Array | undefined,
		/** User programs lie below the kernel's image. */
		private readonly kernelBase: number,
	) {}

	program(name: string): ProgramSymbols | undefined {
		let found = this.programs.get(name);
		if (!found) {
			const elf = this.elfOf(name);
			if (!elf) return undefined;
			found = new ProgramSymbols(name, elf);
			this.programs.set(name, found);
		}
		return found;
	}

	place(pc: bigint, program: string | undefined): Place | undefined {
		const address = Number(pc);
		if (address >= this.kernelBase && address < 2 ** 38) {
			const place = this.kernel.place(address);
			return place.symbol || place.file ? place : undefined;
		}
		return program === undefined ? undefined : this.program(program)?.place(address);
	}
}
