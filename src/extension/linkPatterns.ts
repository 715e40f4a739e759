/** A place in a line of the console's text that leads somewhere. */
export interface ConsoleLink {
	readonly at: number;
	readonly length: number;
	readonly target:
		| { readonly file: string; readonly line: number }
		/** A code address or a function's name; `file` is known where the text says it. */
		| { readonly address: string; readonly file?: string };
}

const sourceLine = /\b((?:kernel|user|mkfs)\/[\w./-]+\.[chS]):(\d+)\b/g;
/** Registers that hold a code address, as xv6 prints them with %p, %lx or %x. */
const codeAddress = /\b(?:s?epc|ra|pc)[= ]+(?:0x)?([0-9a-fA-F]{4,16})\b/g;
/** As our verdicts name a place: `kernel/trap.c: usertrap`. */
const functionOf = /\b((?:kernel|user)\/[\w./-]+\.[chS]): ([A-Za-z_]\w*)/g;
const panicName = /panic: ([A-Za-z_]\w*)/g;

/** A longer line is nothing that a kernel prints, and to look at all of its places takes the square of its length. */
const longestLine = 4096;

/** Every such place of a line; the text is the guest's and may hold anything. */
export function consoleLinks(line: string): ConsoleLink[] {
	if (line.length > longestLine) return [];
	const all = (pattern: RegExp, target: (match: RegExpMatchArray) => ConsoleLink["target"]) =>
		[...line.matchAll(pattern)].map((match) => ({ at: match.index, length: match[0].length, target: target(match) }));
	return [
		...all(sourceLine, ([, file = "", number]) => ({ file, line: Number(number) })),
		...all(codeAddress, ([, address]) => ({ address: `0x${address}` })),
		...all(panicName, ([, address = ""]) => ({ address })),
		...all(functionOf, ([, file = "", address = ""]) => ({ address, file })),
	];
}
