import type { Diagnostic } from "../common/diagnostic.ts";

/** Files of one job by relative path: everything a unit may include is offered through this. */
export interface JobFiles {
	read(path: string): Uint8Array | undefined;
}

export interface CompileJob {
	readonly kind: "c" | "assembly";
	/** Path of the source in the tree. */
	readonly source: string;
	/** Flags as the Makefile has them, in gcc's spelling; unknown ones are dropped by a known list, never silently. */
	readonly flags: readonly string[];
	readonly target: "riscv64" | "wasm32-wasi";
}

export interface CompileResult {
	/** ELF relocatable, absent when there were errors. */
	readonly object?: Uint8Array;
	readonly diagnostics: readonly Diagnostic[];
	/** The tool's own text, with carets. */
	readonly text: string;
	/** Tree paths of all headers that were read. */
	readonly includes: readonly string[];
	readonly cpuMs: number;
	readonly cached: boolean;
}

export interface LinkJob {
	/** GNU ld flags as the Makefile has them (`-z max-page-size=4096 -N -e main -Ttext 0`, `-T script`). */
	readonly flags: readonly string[];
	readonly objects: readonly { readonly path: string; readonly bytes: Uint8Array }[];
	/** Path and text of the linker script, when a `-T file` names one. */
	readonly script?: { readonly path: string; readonly text: string };
	readonly output: "elf" | "binary";
	readonly target: "riscv64" | "wasm32-wasi";
}

export interface LinkResult {
	readonly image?: Uint8Array;
	readonly diagnostics: readonly Diagnostic[];
	readonly text: string;
	/** Nothing was linked: the same objects had been linked before. */
	readonly cached?: boolean;
}

/** C and assembly to ELF. The bundled and the host tools both stand behind this. Safe to call concurrently. */
export interface Toolchain {
	readonly id: "bundled" | "host";
	/** For people: `clang 22 (bundled)`, `riscv64-unknown-elf-gcc 12.2.0 at /usr/bin/…`. */
	readonly description: string;
	/** Changes whenever the same job could give another object; part of cache keys. */
	readonly version: string;
	/** How many jobs are worth running at once. */
	readonly parallelism: number;
	compile(job: CompileJob, files: JobFiles, signal?: AbortSignal): Promise<CompileResult>;
	link(job: LinkJob, signal?: AbortSignal): Promise<LinkResult>;
	dispose(): void;
}

/** A linked wasm32-wasi program and what it may see; everything happens in memory. */
export interface WasiRun {
	readonly image: Uint8Array;
	/** Whole argument vector, the program's name first. */
	readonly args: readonly string[];
	/** Files of its working folder by relative path. */
	readonly files: ReadonlyMap<string, Uint8Array>;
	/** Paths that it is expected to write; those that exist afterwards come back. */
	readonly outputs: readonly string[];
}

export interface WasiRunResult {
	readonly exitCode: number;
	/** Standard output and standard error as they came. */
	readonly text: string;
	readonly files: ReadonlyMap<string, Uint8Array>;
}

/** What only the bundled tools can do: build for wasm32-wasi and run it, as the tree's own mkfs needs. */
export interface WasiToolchain extends Toolchain {
	runWasi(run: WasiRun, signal?: AbortSignal): Promise<WasiRunResult>;
	/** A compile is likely soon: what takes long to load is loaded now. Answers at once. */
	warm(): void;
}
