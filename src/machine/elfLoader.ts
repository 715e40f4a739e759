import { UserError } from "../common/errors.ts";
import { board } from "./virtBoard.ts";

const headerBytes = 64;
const programHeaderBytes = 56;
const PT_LOAD = 1;
const EM_RISCV = 243;
const SHT_SYMTAB = 2;

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
	if (file.length < 4 || file[0] !== 0x7f || file[1] !== 0x45 || file[2] !== 0x4c || file[3] !== 0x46) {
		throw new UserError("kernel-not-elf", "The kernel is not an ELF file", checkKernel);
	}
	if (file.length < headerBytes) throw damaged(`it has ${file.length} bytes, its header alone has ${headerBytes}`);
	const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
	checkMachine(view);
	const entry = view.getBigUint64(24, true);
	const offset = Number(view.getBigUint64(32, true));
	const count = view.getUint16(56, true);
	if (offset + count * programHeaderBytes > file.length)
		throw damaged("its program headers are past the end of the file");
	const segments: Segment[] = [];
	for (let i = 0; i < count; i++) {
		const at = offset + i * programHeaderBytes;
		if (view.getUint32(at, true) === PT_LOAD) segments.push(readSegment(file, view, at, ramBytes));
	}
	if (segments.length === 0) throw damaged("it has nothing to load");
	const ramEnd = BigInt(board.ram.base) + BigInt(ramBytes);
	if (entry < BigInt(board.ram.base) || entry >= ramEnd) {
		const where = `0x${entry.toString(16)}`;
		throw new UserError(
			"kernel-outside-ram",
			`The kernel starts at ${where}, which is not RAM`,
			"Check its linker script.",
		);
	}
	return { entry, segments, symbols: findSymbols(file, view, symbols) };
}

function checkMachine(view: DataView): void {
	const wrong = (what: string) =>
		new UserError("kernel-wrong-machine", `The kernel is ${what}`, "Build it for RV64, little endian (riscv64).");
	if (view.getUint8(4) !== 2) throw wrong("for a 32-bit machine");
	if (view.getUint8(5) !== 1) throw wrong("big endian");
	if (view.getUint16(18, true) !== EM_RISCV) throw wrong("for another processor than RISC-V");
}

function readSegment(file: Uint8Array, view: DataView, at: number, ramBytes: number): Segment {
	const offset = view.getBigUint64(at + 8, true);
	const physical = view.getBigUint64(at + 24, true);
	const fileSize = view.getBigUint64(at + 32, true);
	const memorySize = view.getBigUint64(at + 40, true);
	if (offset + fileSize > BigInt(file.length)) throw damaged("a segment is past the end of the file");
	if (fileSize > memorySize) throw damaged("a segment is larger in the file than in memory");
	const base = BigInt(board.ram.base);
	if (physical < base || physical + memorySize > base + BigInt(ramBytes)) {
		const range = `0x${physical.toString(16)} to 0x${(physical + memorySize).toString(16)}`;
		const ram = `0x${base.toString(16)} to 0x${(base + BigInt(ramBytes)).toString(16)}`;
		const next = "Check its linker script, or give the machine more memory.";
		throw new UserError("kernel-outside-ram", `A segment of the kernel is at ${range}, RAM at ${ram}`, next);
	}
	const start = Number(offset);
	return { physical, bytes: file.subarray(start, start + Number(fileSize)), memorySize: Number(memorySize) };
}

/** Symbols are a convenience (`tohost`): a table that makes no sense is no table. */
function findSymbols(file: Uint8Array, view: DataView, wanted: readonly string[]): Map<string, bigint> {
	const found = new Map<string, bigint>();
	if (wanted.length === 0) return found;
	const offset = Number(view.getBigUint64(40, true));
	const size = view.getUint16(58, true);
	const count = view.getUint16(60, true);
	if (size !== 64 || offset + count * size > file.length) return found;
	const section = (index: number) => {
		const at = offset + index * size;
		return {
			type: view.getUint32(at + 4, true),
			offset: Number(view.getBigUint64(at + 24, true)),
			size: Number(view.getBigUint64(at + 32, true)),
			link: view.getUint32(at + 40, true),
		};
	};
	for (let i = 0; i < count; i++) {
		const table = section(i);
		if (table.type !== SHT_SYMTAB || table.link >= count) continue;
		const strings = section(table.link);
		if (table.offset + table.size > file.length || strings.offset + strings.size > file.length) continue;
		const text = new TextDecoder("latin1").decode(file.subarray(strings.offset, strings.offset + strings.size));
		for (let at = table.offset; at + 24 <= table.offset + table.size; at += 24) {
			const start = view.getUint32(at, true);
			// Linkers share tails: `tohost` may be the end of `write_tohost`.
			const name = wanted.find((each) => text.startsWith(`${each}\0`, start));
			if (name !== undefined) found.set(name, view.getBigUint64(at + 8, true));
		}
	}
	return found;
}
