import { readFileSync } from "node:fs";
import { join } from "node:path";
import { elfOf as elf64 } from "../../src/common/elf.ts";
import { Machine, type MachineParts } from "../../src/machine/machine.ts";
import type { MachineOptions, StallReport } from "../../src/machine/types.ts";
import { assemble } from "./assembler.ts";

export const ramBase = 0x80000000n;
/** Room for small programs; the least that machines take. */
export const smallRam = 1024 * 1024;

/** Names that every guest program in tests may use. */
const prelude = `
.equ UART, 0x10000000
.equ FINISHER, 0x100000
.equ CLINT, 0x2000000
.equ PLIC, 0xc000000
.equ VIRTIO, 0x10001000
`;

export interface ImageOptions {
	readonly symbols?: Readonly<Record<string, bigint>>;
	readonly memorySize?: number;
}

/** An ELF64 with one segment at the start of RAM, and a symbol table when symbols are given. */
export function elfOf(bytes: Uint8Array, options: ImageOptions = {}): Uint8Array {
	const names = Object.keys(options.symbols ?? {});
	const text = stringTable(names);
	const strings = new TextEncoder().encode(text);
	const program = elf64(bytes, ramBase, { memorySize: options.memorySize ?? bytes.length });
	const symbolsAt = (program.length + 7) & ~7;
	const stringsAt = symbolsAt + 24 * (names.length + 1);
	const sectionsAt = (stringsAt + strings.length + 7) & ~7;
	const file = new Uint8Array(sectionsAt + 3 * 64);
	file.set(program);
	const view = new DataView(file.buffer);
	view.setBigUint64(40, BigInt(sectionsAt), true);
	view.setUint16(58, 64, true);
	view.setUint16(60, 3, true);
	file.set(strings, stringsAt);
	names.forEach((name, i) => {
		const at = symbolsAt + 24 * (i + 1);
		view.setUint32(at, text.indexOf(`${name}\0`), true);
		view.setBigUint64(at + 8, options.symbols?.[name] ?? 0n, true);
	});
	section(view, sectionsAt + 64, 2, symbolsAt, 24 * (names.length + 1), 2);
	section(view, sectionsAt + 128, 3, stringsAt, strings.length, 0);
	return file;
}

/** Names that are the end of others share their bytes, as linkers do. */
function stringTable(names: readonly string[]): string {
	let text = "\0";
	for (const name of names.toSorted((a, b) => b.length - a.length))
		if (!text.includes(`${name}\0`)) text += `${name}\0`;
	return text;
}

function section(view: DataView, at: number, type: number, offset: number, size: number, link: number): void {
	view.setUint32(at + 4, type, true);
	view.setBigUint64(at + 24, BigInt(offset), true);
	view.setBigUint64(at + 32, BigInt(size), true);
	view.setUint32(at + 40, link, true);
}

/** A kernel from assembly text; it starts at its first line in machine mode on every hart. Labels become symbols if named. */
export function kernelOf(source: string, symbols: readonly string[] = []): Uint8Array {
	const { bytes, symbols: known } = assemble(`${prelude}${source}`, ramBase);
	return elfOf(bytes, { symbols: Object.fromEntries(symbols.map((name) => [name, known.get(name) ?? 0n])) });
}

let core: WebAssembly.Module | undefined;

export function coreModule(): WebAssembly.Module {
	core ??= new WebAssembly.Module(readFileSync(join(import.meta.dirname, "../../dist/machine/core.wasm")));
	return core;
}

export interface Guest {
	readonly machine: Machine;
	/** Everything sent over the UART so far. */
	readonly text: () => string;
	readonly stalls: readonly StallReport[];
	readonly errors: readonly string[];
	type(text: string): void;
}

export async function boot(
	options: Omit<MachineOptions, "kernel"> & { readonly kernel: Uint8Array | string },
	parts: Omit<MachineParts, "core"> = {},
): Promise<Guest> {
	const kernel = typeof options.kernel === "string" ? kernelOf(options.kernel) : options.kernel;
	const machine = await Machine.create(
		{ memoryBytes: smallRam, jit: "off", ...options, kernel },
		{ core: coreModule(), ...parts },
	);
	let text = "";
	const decoder = new TextDecoder("latin1");
	machine.console.onData((bytes) => {
		text += decoder.decode(bytes);
	});
	const stalls: StallReport[] = [];
	const errors: string[] = [];
	machine.onStall((report) => stalls.push(report));
	machine.onGuestError((error) => errors.push(error));
	return {
		machine,
		text: () => text,
		stalls,
		errors,
		type: (line) => machine.console.write(new TextEncoder().encode(line)),
	};
}
