/** One thing that is typed at the prompt of the benchmark's kernel and timed until the next prompt. */
export interface Work {
	readonly name: string;
	readonly command: string;
	readonly group: "compute" | "system" | "long";
	/** The first run counts too: what was never translated, or read from disk, is slower. */
	readonly cold?: boolean;
	/** Harts that it is run with. */
	readonly harts: readonly number[];
	/** Compute programs run natively too: the arguments of `compute`. */
	readonly native?: readonly [name: string, rounds: string];
}

const hartCounts = [1, 3, 8] as const;

function compute(name: string, title: string, rounds: number): Work {
	const native = [name, String(rounds)] as const;
	return { name: title, command: `compute ${native.join(" ")}`, group: "compute", harts: [1], native };
}

function system(name: string, command: string): Work {
	return { name, command, group: "system", cold: true, harts: hartCounts };
}

/** Sizes: about half a second each in QEMU on a small machine, so that start-up and a look at a clock do not count. */
export const works: readonly Work[] = [
	compute("sieve", "sieve", 180),
	compute("crc32", "CRC-32", 180),
	compute("matint", "matrix product, int", 1500),
	compute("matdouble", "matrix product, double", 160),
	compute("quicksort", "quicksort", 200),
	compute("strings", "strings", 180),
	compute("switch", "big switch", 2000),
	compute("hash", "hash table", 1500),
	compute("list", "linked list", 350),
	compute("collatz", "Collatz", 300),
	compute("sha256", "SHA-256", 250),
	compute("copy", "memory copy", 500),
	compute("records", "records", 2500),
	system("forktest", "forktest"),
	system("fork and wait, 300×", "storm fork 300"),
	system("fork, exec and wait, 100×", "storm exec 100"),
	system("pipe, 400 × 700 bytes", "storm pipe 400"),
	system("files of one block, 20×", "fsloop small 20"),
	system("files of 100 blocks, 1×", "fsloop big 1"),
];

/** Minutes, so only when asked for. */
export const usertests: Work = { name: "usertests -q", command: "usertests -q", group: "long", harts: [1, 3] };

/** What one session (a boot, then works in turn) measured. */
export interface SessionResult {
	/** From the start of the process to the prompt. */
	bootProcess: Times;
	/** From the start of the machine to the prompt; ours only. */
	boot?: Times;
	/** What the translator did; ours with the translator only. */
	translation?: {
		readonly modules: number;
		readonly regions: number;
		readonly bytes: number;
		readonly compileMs: number;
	};
	readonly runs: Run[];
	/** Bytes resident when the works were done, and guest RAM among them that is not zero. */
	resident?: number;
	guestTouched?: number;
	/** Median milliseconds to restore a snapshot with `restoredPages` of `allPages` pages changed. */
	restore?: { readonly ms: number; readonly restoredPages: number; readonly allPages: number };
}

/** Of the wall clock, and of all threads of the process: the second is what a busy machine does not change. */
export interface Times {
	readonly seconds: number;
	/** NaN where the system does not tell it of other processes. */
	readonly cpu: number;
}

export interface Run extends Times {
	readonly name: string;
	/** 0 is the cold run. */
	readonly turn: number;
	/** Instructions of all harts; ours only. */
	readonly instructions?: number;
	/** What it printed: must be the same everywhere. */
	readonly text: string;
}

/** The typed lines of a session: every work twice if its first run is to count on its own. */
export function turnsOf(list: readonly Work[]): { readonly work: Work; readonly turn: number }[] {
	return list.flatMap((work) =>
		(work.cold ? [0, 1] : work.group === "long" ? [1] : [0, 1]).map((turn) => ({ work, turn })),
	);
}

/** What a command printed: the echo of the line and the prompt are not its output. */
export function outputOf(text: string, command: string): string {
	return text.slice(text.indexOf(command) + command.length, -2).trim();
}

export function median(values: readonly number[]): number {
	const sorted = [...values].sort((a, b) => a - b);
	const middle = sorted.length >> 1;
	if (sorted.length === 0) return Number.NaN;
	return sorted.length % 2 === 1
		? (sorted[middle] as number)
		: ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}
