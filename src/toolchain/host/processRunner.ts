interface ProcessResult {
	readonly exitCode: number;
	readonly stdout: string;
	readonly stderr: string;
	readonly cpuMs: number;
}

/** Stands in an argument for the folder that the program runs in. */
export const scratchFolder = "{scratch}";

export interface RunOptions {
	readonly signal?: AbortSignal | undefined;
	readonly sandboxed?: boolean;
}

/** Runs programs of this machine in scratch folders; implemented in env/node. */
export interface ProcessRunner {
	/**
	 * Runs a program in a fresh folder that holds `files`, whose name replaces {@link scratchFolder}; reads `outputs` back.
	 * `sandboxed`: it sees that folder, the system's programs and libraries, and nothing else. Rejects with `cancelled` when
	 * aborted, with `limit-reached` when it takes too long or writes too much.
	 */
	run(
		program: string,
		args: readonly string[],
		files: ReadonlyMap<string, Uint8Array>,
		outputs: readonly string[],
		options?: RunOptions,
	): Promise<ProcessResult & { readonly files: ReadonlyMap<string, Uint8Array> }>;
	/** Absolute path of a program on PATH, or of the path itself; undefined when there is none. */
	find(program: string): Promise<string | undefined>;
	readonly parallelism: number;
	/** What shuts a program of this machine in; undefined: nothing here can. */
	sandbox(): Promise<"bubblewrap" | "sandbox-exec" | undefined>;
}
