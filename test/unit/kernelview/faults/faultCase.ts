/** A fault, the program that makes it, and all that a student is told of it. */
export interface FaultCase {
	readonly name: string;
	/** Command line argument of the program, and name of its fault. */
	readonly key: string;
	/** C outside of functions. */
	readonly before?: string;
	/** C of the kernel's fault. */
	readonly fault?: string;
	/** C of the program. */
	readonly program?: string;
	readonly end: "prompt" | "panic" | "timeout";
	readonly says: string;
}
