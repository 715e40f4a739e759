import { hex } from "../common/bytes.ts";
import { type Disposable, DisposableStore } from "../common/disposable.ts";
import { PF_W, SHF_EXECINSTR } from "../common/elf.ts";
import { UserError } from "../common/errors.ts";
import { ElfFile } from "../debuginfo/elf.ts";
import { GuestMemory, pageBytes } from "../kernelview/guestMemory.ts";
import { canonical, rootOf, translate } from "../kernelview/sv39.ts";
import type { Hart, MachineSurface, ReadonlyBytes, Trap } from "../machine/types.ts";
import { isFork } from "../protocol/calls.ts";
import { CSR } from "../riscv/csr.ts";
import { a0, a1, a2 } from "../riscv/registers.ts";

/** A program as the build made it and mkfs put it on the disk. */
export interface DiskProgram {
	readonly name: string;
	readonly elf: Uint8Array;
}

/** What programs did in user mode during one command. */
export interface RunReport {
	/** Names of those that made a system call from their own text. */
	readonly programs: ReadonlySet<string>;
	/** What these programs wrote to files 1 and 2, from their memory at the moment of the call. */
	written(programs: readonly string[]): string;
	calls(program: string, call: string): number;
	/** Page faults in user mode. */
	faults(program: string): number;
	/** How the kernel made a program do what it does not do by itself; a sentence. */
	readonly tampering: string | undefined;
}

const ecall = 8;
const pageFaults: ReadonlySet<number> = new Set([12, 13, 15]);
const ecallBytes = 4;
/** ra, sp, s0, s1, s2: a system call and an interrupt leave them alone. */
const kept = [1, 2, 8, 9, 18] as const;
const longestStub = 24;
const mostWritten = 400_000;
const mostPerCall = 8192;

/** What a program does not change of one of its pages: bytes from an offset on. */
interface Text {
	readonly from: number;
	readonly bytes: Uint8Array;
}

/** Whether memory, where the page lies at `at`, holds a page's text between two offsets. */
function same({ from, bytes: text }: Text, bytes: ReadonlyBytes, at: number, low: number, high: number): boolean {
	for (let i = Math.max(from, low); i < Math.min(from + text.length, high); i++)
		if (bytes[at + i] !== text[i - from]) return false;
	return true;
}

/**
 * By page: the segments that cannot be written, and of one that can (`ld -N` makes one of all, as xv6 did until 2021) the sections of code;
 * of a page with two of these the first.
 */
function textOf(elf: ElfFile, file: Uint8Array): ReadonlyMap<number, Text> {
	const pages = new Map<number, Text>();
	const add = (address: number, bytes: Uint8Array) => {
		for (let at = 0; at < bytes.length; ) {
			const from = (address + at) % pageBytes;
			const end = Math.min(bytes.length, at + pageBytes - from);
			if (!pages.has(address + at - from)) pages.set(address + at - from, { from, bytes: bytes.subarray(at, end) });
			at = end;
		}
	};
	for (const { flags, address, offset, fileSize } of elf.segments) {
		if ((flags & PF_W) === 0) add(address, file.subarray(offset, offset + fileSize));
		else
			for (const section of elf.sections)
				if (
					(section.flags & SHF_EXECINSTR) !== 0n &&
					section.address >= address &&
					section.address < address + fileSize
				)
					add(section.address, file.subarray(section.offset, section.offset + section.size));
	}
	return pages;
}

/** Text of a program, by which a process is recognised; whatever the kernel says it runs. */
class Image {
	readonly name: string;
	readonly entry: number;
	private readonly pages: ReadonlyMap<number, Text>;
	private readonly elf: ElfFile;
	private readonly names = new Map<number, string>();

	constructor({ name, elf }: DiskProgram) {
		this.name = name;
		this.elf = new ElfFile(elf);
		this.entry = this.elf.entry;
		this.pages = textOf(this.elf, elf);
	}

	/** Whether the process with this page table has this program's text, wherever it has a page of it. */
	fits(memory: GuestMemory, bytes: ReadonlyBytes, root: number, pc: number): boolean {
		if (!this.pages.has(pc - (pc % pageBytes))) return false;
		for (const [va, text] of this.pages) {
			const physical = translate(memory, root, va);
			if (physical !== undefined && !same(text, bytes, physical - memory.base, 0, pageBytes)) return false;
		}
		return true;
	}

	/** A quick look at the place where it is. */
	fitsAt(memory: GuestMemory, bytes: ReadonlyBytes, root: number, pc: number): boolean {
		const text = this.pages.get(pc - (pc % pageBytes));
		const physical = translate(memory, root, pc);
		if (!text || physical === undefined) return false;
		const at = pc % pageBytes;
		return same(text, bytes, physical - memory.base - at, at - 16, at + 16);
	}

	/** Name of the stub that a system call comes from: usys.S has one for each. */
	callAt(pc: number): string {
		let name = this.names.get(pc);
		if (name === undefined) {
			// A stub is a label without a size, and two or three instructions.
			const before = this.elf.symbols.filter(({ address }) => address <= pc && pc - address < longestStub);
			name = before.sort((a, b) => b.address - a.address)[0]?.name ?? "?";
			this.names.set(pc, name);
		}
		return name;
	}
}

/** An address space, from its last trap out of user mode. */
interface Space {
	image: Image | undefined;
	/** Where it has to continue. */
	pc: number;
	readonly registers: Int32Array;
}

/** Program names, ELF files and images: made once for a build. */
const imagesOf = new WeakMap<readonly DiskProgram[], readonly Image[]>();

function readImages(programs: readonly DiskProgram[]): readonly Image[] {
	let images = imagesOf.get(programs);
	if (!images) {
		images = programs.flatMap((program) => {
			try {
				return [new Image(program)];
			} catch (error) {
				if (!(error instanceof UserError)) throw error;
				return [];
			}
		});
		imagesOf.set(programs, images);
	}
	return images;
}

/**
 * Watches user mode from the outside, where no kernel can hide anything: which programs' text runs, what they ask the kernel for and with
 * which bytes, and whether the kernel lets them continue where they were. A console line counts for a test only if the program wrote it.
 */
export class Witness implements Disposable {
	private readonly store = new DisposableStore();
	private readonly memory: GuestMemory;
	private readonly images: readonly Image[];
	private readonly entries: ReadonlySet<number>;
	private readonly spaces = new Map<number, Space>();
	/** Where forks return to. */
	private readonly forks = new Set<number>();
	private readonly pieces: { readonly program: string; readonly text: string }[] = [];
	private length = 0;
	private readonly counts = new Map<string, number>();
	private readonly ran = new Set<string>();
	private tampering: string | undefined;
	private readonly decoder = new TextDecoder("latin1");

	constructor(
		private readonly machine: MachineSurface,
		programs: readonly DiskProgram[],
	) {
		this.memory = new GuestMemory(machine.memory);
		this.images = readImages(programs);
		this.entries = new Set(this.images.map(({ entry }) => entry));
		this.store.add(
			machine.onTrap((trap) => {
				if (trap.fromMode === 0) this.left(trap);
			}),
		);
		this.store.add(
			machine.onTrapReturn(({ hart, pc, toMode }) => {
				if (toMode === 0) this.entered(hart, Number(pc));
			}),
		);
	}

	dispose(): void {
		this.store.dispose();
	}

	report(): RunReport {
		return {
			programs: this.ran,
			written: (programs) =>
				this.pieces
					.filter(({ program }) => programs.includes(program))
					.map(({ text }) => text)
					.join(""),
			calls: (program, call) => this.counts.get(`${program} ${call}`) ?? 0,
			faults: (program) => this.counts.get(`${program} `) ?? 0,
			tampering: this.tampering,
		};
	}

	private count(key: string): void {
		this.counts.set(key, (this.counts.get(key) ?? 0) + 1);
	}

	/** User mode was left. */
	private left(trap: Trap): void {
		const hart = this.machine.harts[trap.hart];
		const pc = canonical(trap.pc);
		if (!hart || pc === undefined) return;
		this.memory.refresh();
		const { root } = trap;
		let space = this.spaces.get(root);
		if (!space) {
			space = { image: undefined, pc: 0, registers: new Int32Array(kept.length) };
			this.spaces.set(root, space);
		}
		const isCall = trap.cause === ecall && !trap.interrupt;
		space.pc = isCall ? pc + ecallBytes : pc;
		for (const [i, register] of kept.entries()) space.registers[i] = hart.low(register);
		const bytes = this.machine.memory.bytes();
		if (isCall) {
			if (!space.image?.fitsAt(this.memory, bytes, root, pc))
				space.image = this.images.find((image) => image.fits(this.memory, bytes, root, pc));
			this.called(hart, space, root, pc, bytes);
		} else if (!trap.interrupt && pageFaults.has(trap.cause)) {
			const image = space.image ?? this.images.find((each) => each.fits(this.memory, bytes, root, pc));
			space.image = image;
			if (image) this.count(`${image.name} `);
		}
	}

	private called(hart: Hart, { image }: Space, root: number, pc: number, bytes: ReadonlyBytes): void {
		if (!image) return;
		const call = image.callAt(pc);
		this.ran.add(image.name);
		this.count(`${image.name} ${call}`);
		if (isFork(call)) this.forks.add(pc + ecallBytes);
		// Its text may have been changed after it was recognised.
		if (call === "exit" && !image.fits(this.memory, bytes, root, pc)) {
			this.tampering ??= `The text of ${image.name} in memory is not what was built: something changed the program while it ran`;
		}
		const file = hart.low(a0);
		if (call === "write" && (file === 1 || file === 2)) this.wrote(hart, image.name, root, bytes);
	}

	private wrote(hart: Hart, program: string, root: number, bytes: ReadonlyBytes): void {
		const length = Math.min(hart.low(a2), mostPerCall);
		let va = canonical(hart.register(a1));
		if (va === undefined || length <= 0 || this.length > mostWritten) return;
		let text = "";
		for (let left = length; left > 0; ) {
			const physical = translate(this.memory, root, va);
			const part = Math.min(left, pageBytes - (va % pageBytes));
			if (physical === undefined) break;
			const at = physical - this.memory.base;
			text += this.decoder.decode(bytes.subarray(at, at + part));
			va += part;
			left -= part;
		}
		this.length += text.length;
		this.pieces.push({ program, text });
	}

	/** The kernel lets a process continue: where it was, or as a new one. */
	private entered(hartId: number, pc: number): void {
		const hart = this.machine.harts[hartId];
		const satp = hart?.csr(CSR.satp);
		if (!hart || satp === undefined || this.tampering !== undefined) return;
		const space = this.spaces.get(rootOf(satp));
		if (!space?.image || this.entries.has(pc) || this.forks.has(pc)) return;
		const { name } = space.image;
		if (pc !== space.pc) {
			this.tampering = `The kernel let ${name} resume at ${hex(pc)} though it had left user mode at ${hex(space.pc)}`;
		} else if (kept.some((register, i) => hart.low(register) !== space.registers[i])) {
			this.tampering = `The kernel changed registers of ${name} that a trap has to leave alone (at ${hex(pc)})`;
		}
	}
}
