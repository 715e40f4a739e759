import type { ProgressListener } from "../common/cancellation.ts";
import type { Diagnostic } from "../common/diagnostic.ts";
import type { SourceTree } from "../common/sourceTree.ts";
import type { NetworkOptions } from "../machine/network/types.ts";
import type { Toolchain, WasiToolchain } from "../toolchain/types.ts";

export interface BuildRequest {
	readonly tree: SourceTree;
	readonly toolchain: Toolchain;
	/** Compiles and runs the tree's mkfs; the same object as `toolchain` when that is the bundled one. */
	readonly wasi: WasiToolchain;
	/** Most jobs at once; default: what the toolchain says. */
	readonly jobs?: number;
	/** Variables that override the Makefile's, as in `make CPUS=1`. */
	readonly makeVariables?: Readonly<Record<string, string>>;
	/** Only one of the two images is made; the other one comes out empty. Default: both. */
	readonly only?: "kernel" | "disk";
	/** The debug build: -O0 for what the Makefile says. */
	readonly unoptimized?: boolean;
	readonly onProgress?: ProgressListener;
	readonly signal?: AbortSignal;
}

/** What the tree says about the machine it wants; the user may override each. */
export interface MachineWish {
	readonly harts: number;
	readonly memoryBytes: number;
	readonly virtio: "modern" | "legacy";
	readonly timer: "clint" | "sstc";
	/** false when the tree's start code sets no PMP entry (trees from before QEMU enforced it). */
	readonly pmp: boolean;
	/** The kernel has a driver for QEMU's e1000, and the peer of its lab is this one. */
	readonly network?: NetworkOptions;
	/** The kernel looks at the board's real-time clock: what it shows at power-on, in seconds since 1970. */
	readonly rtc?: number;
	/** Contradictions that the tree itself shows, in words for the student. */
	readonly warnings: readonly string[];
}

export interface UserProgram {
	/** Name in the file system: `prodcons1`. */
	readonly name: string;
	/** Source that holds `main`, for example `user/prodcons1.c`. */
	readonly source: string;
	readonly elf: Uint8Array;
}

export interface BuildOutput {
	readonly kernel: Uint8Array;
	readonly disk: Uint8Array;
	readonly programs: readonly UserProgram[];
	readonly wish: MachineWish;
}

export interface BuildResult {
	/** Absent when the build failed; the diagnostics say why. */
	readonly output?: BuildOutput;
	readonly diagnostics: readonly Diagnostic[];
	readonly stats: {
		readonly compiled: number;
		readonly reused: number;
		readonly linked: number;
		readonly cpuMs: number;
		readonly wallMs: number;
		readonly toolchain: string;
	};
}
