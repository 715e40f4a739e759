import type { ProgramSymbols } from "../debuginfo/symbolizer.ts";

/** An instruction before a return address; calls are 4 bytes, or 2. */
const call = 2;

/**
 * What `addr2line -e kernel/kernel ADDRESS…` prints. Where the compiler made code up (line 0), binutils still names the unit's file, with
 * `?` for the line: so does this.
 */
export function addr2line(symbols: ProgramSymbols, args: readonly string[]): string {
	const withFunctions = args.some((arg) => /^-(?:[a-z]+|-functions)$/.test(arg) && arg.includes("f"));
	const lines: string[] = [];
	for (let i = 0; i < args.length; i++) {
		const arg = args[i] as string;
		if (arg === "-e" || arg === "--exe") i++;
		if (arg === "-e" || arg.startsWith("-")) continue;
		const address = Number.parseInt(arg.replace(/^0x/i, ""), 16);
		if (Number.isNaN(address)) continue;
		const exact = symbols.place(address);
		const place = exact.file === undefined ? undefined : exact;
		const unit = place ?? symbols.place(address - call);
		if (withFunctions) lines.push(exact.function ?? exact.symbol ?? "??");
		if (place) lines.push(`${place.file}:${place.line}`);
		else lines.push(unit.file === undefined ? "??:0" : `${unit.file}:?`);
	}
	return lines.map((line) => `${line}\n`).join("");
}
