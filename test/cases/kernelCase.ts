/**
 * Faults of the kinds that a diagnosis knows, each made in the bundled kernel by a few replaced lines, and what must be said of it. `cause`
 * is matched against the causes, ignoring case.
 */
export interface KernelCase {
	readonly name: string;
	/** File, text that stands in it once, and what takes its place. */
	readonly edits: readonly (readonly [file: string, from: string, to: string])[];
	/** Source of the program `user/prog.c` behind its includes; it is run instead of `command`. */
	readonly program?: string;
	readonly command?: string;
	readonly end: "prompt" | "panic" | "timeout" | "stuck";
	/** Kind of the first diagnosis. */
	readonly kind: string;
	readonly cause: RegExp;
	/** `file` and function of the place to look at. */
	readonly look?: string;
}

export const main = (body: string) => `int main(void){ ${body} exit(0); }\n`;

// Places in the bundled kernel where several cases change something.
export const uptime = "  uint now = ticks;\n  release(&tickslock);\n";
export const getpid = "uint64\nsys_getpid(void)\n{\n";
export const growth = "  if(growproc(n) < 0)\n    return -1;\n";
export const inSysproc = (from: string, to: string) => ["kernel/sysproc.c", from, to] as const;
/** Only for the program that is run: the shell makes system calls, too. */
export const ifProg = (body: string) => `  if(myproc()->name[0] == 'p'){\n${body}  }\n`;
