import { hex } from "../common/bytes.ts";
import {
	bytesAt,
	EM_RISCV,
	entryOf,
	fileHeaderBytes,
	identityOf,
	isElf,
	type ProgramHeader,
	PT_LOAD,
	programHeadersOf,
	SHT_SYMTAB,
	sectionHeadersOf,
	stringAt,
	symbolsOf,
} from "../common/elf.ts";
import { UserError } from "../common/errors.ts";
import { board } from "./virtBoard.ts";

export interface Segment {
	readonly physical: bigint;
	readonly bytes: Uint8Array;
	/** Size in memory; what is beyond the bytes is zero. */
	readonly memorySize: number;
}

export interface LoadedElf {
	readonly entry: bigint;
	readonly segments: readonly Segment[];
	/** Addresses of the symbols asked for, as far as the file has them. */
	readonly symbols: ReadonlyMap<string, bigint>;
}

const checkKernel = "Give the kernel that the build made (kernel/kernel).";

function damaged(what: string): UserError {
	return new UserError("kernel-truncated", `The kernel's ELF file is cut or damaged: ${what}`, "Build it again.");
}

/** Checks and reads a kernel. Throws UserError for every way in which it cannot be run in `ramBytes` of RAM. */
export function loadElf(file: Uint8Array, ramBytes: number, symbols: readonly string[] = []): LoadedElf {
	checkMachine(file);
	const headers = programHeadersOf(file);
	if (!headers) throw damaged("its program headers are past the end of the file");
	const segments = headers.filter(({ type }) => type === PT_LOAD).map((header) => readSegment(file, header, ramBytes));
	if (segments.length === 0) throw damaged("it has nothing to load");
	const entry = entryOf(file);
	const ramEnd = BigInt(board.ram.base) + BigInt(ramBytes);
	if (entry < BigInt(board.ram.base) || entry >= ramEnd) {
		const where = hex(entry);
		throw new UserError(
			"kernel-outside-ram",
			`The kernel starts at ${where}, which is not RAM`,
			"Check its linker script.",
		);
	}
	return { entry, segments, symbols: findSymbols(file, symbols) };
}

function checkMachine(file: Uint8Array): void {
	if (!isElf(file)) throw new UserError("kernel-not-elf", "The kernel is not an ELF file", checkKernel);
	const identity = identityOf(file);
	if (!identity) throw damaged(`it has ${file.length} bytes, its header alone has ${fileHeaderBytes}`);
	const wrong = (what: string) =>
		new UserError("kernel-wrong-machine", `The kernel is ${what}`, "Build it for RV64, little endian (riscv64).");
	if (identity.bits !== 64) throw wrong("for a 32-bit machine");
	if (!identity.littleEndian) throw wrong("big endian");
	if (identity.machine !== EM_RISCV) throw wrong("for another processor than RISC-V");
}

function readSegment(file: Uint8Array, header: ProgramHeader, ramBytes: number): Segment {
	const { offset, physical, fileSize, memorySize } = header;
	const bytes = bytesAt(file, offset, fileSize);
	if (!bytes) throw damaged("a segment is past the end of the file");
	if (fileSize > memorySize) throw damaged("a segment is larger in the file than in memory");
	const base = BigInt(board.ram.base);
	if (physical < base || physical + memorySize > base + BigInt(ramBytes)) {
		const range = `${hex(physical)} to ${hex(physical + memorySize)}`;
		const ram = `${hex(base)} to ${hex(base + BigInt(ramBytes))}`;
		const next = "Check its linker script, or give the machine more memory.";
		throw new UserError("kernel-outside-ram", `A segment of the kernel is at ${range}, RAM at ${ram}`, next);
	}
	return { physical, bytes, memorySize: Number(memorySize) };
}

/** Symbols are a convenience (`tohost`): a table that makes no sense is no table. */
function findSymbols(file: Uint8Array, wanted: readonly string[]): Map<string, bigint> {
	const found = new Map<string, bigint>();
	if (wanted.length === 0) return found;
	const sections = sectionHeadersOf(file) ?? [];
	for (const table of sections) {
		const strings = table.type === SHT_SYMTAB ? sections[table.link] : undefined;
		const names = strings && bytesAt(file, strings.offset, strings.size);
		if (!names) continue;
		for (const { name, value } of symbolsOf(file, table) ?? []) {
			const text = stringAt(names, name);
			if (wanted.includes(text)) found.set(text, value);
		}
	}
	return found;
}
