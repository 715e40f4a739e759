/** What no tree, program or file may exceed. One place, so that messages, docs/security.md and tests name the same numbers. */

const KiB = 1024;
const MiB = 1024 * KiB;

export const limits = {
	/** Largest file of a tree that is read. */
	fileBytes: 64 * MiB,
	/** Files and folders of a tree, those in linked folders included. */
	treeEntries: 50_000,
	/** Files of a tree that are open at once. */
	openFiles: 32,
	/** Time that one compilation or link may take, in ms of work: a thread that waits for a processor is not charged. */
	compileMs: 60_000,
	/** Time that mkfs may take, in ms of work. */
	mkfsMs: 10_000,
	/** Text that a compiler, linker or mkfs may print. */
	toolTextBytes: 1 * MiB,
	/** An object, a linked program, or any other file that a tool writes. */
	outputBytes: 64 * MiB,
	/** A file that mkfs writes: MIT's fs lab has an image of 195 MiB. */
	imageBytes: 256 * MiB,
	/** Files that one tool may write together, in bytes. */
	toolFilesBytes: 256 * MiB,
	/** Memory of each program of the bundled compiler, of the 4 GiB that WebAssembly has. */
	compilerMemoryBytes: 1024 * MiB,
	/** Memory of mkfs. */
	mkfsMemoryBytes: 256 * MiB,
	/** Files and folders that mkfs may make. */
	mkfsFiles: 10_000,
	/** Files of a submission together, unpacked. */
	submissionBytes: 256 * MiB,
	/** A line of results.jsonl, and all that a judge prints of one submission. */
	resultBytes: 32 * MiB,
	/** Characters that the variables of a Makefile, or a script that makes stubs, expand to, all together. */
	expandedText: 16 * MiB,
	/** Comparisons and list entries of planning a build: a second or two of work. xv6's own Makefile takes 150,000. */
	planSteps: 100_000_000,
	/** Files that one build makes: xv6 makes about a hundred. */
	buildFiles: 5_000,
	/** Memory of a compiler of this machine. */
	hostMemoryBytes: 4096 * MiB,
} as const;

/** A size as messages give it: `64 MiB`, `1.5 KiB`. */
export function inBytes(bytes: number): string {
	if (bytes < KiB) return `${bytes} bytes`;
	const [size, unit] =
		bytes < MiB ? [bytes / KiB, "KiB"] : bytes < KiB * MiB ? [bytes / MiB, "MiB"] : [bytes / KiB / MiB, "GiB"];
	return `${Number.isInteger(size) ? size : size.toFixed(1)} ${unit}`;
}
