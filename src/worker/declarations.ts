import type { BuildOutput } from "../build/types.ts";
import { declaredAt } from "../debuginfo/declared.ts";
import { ProgramSymbols } from "../debuginfo/symbolizer.ts";
import type { Declared } from "../protocol/declared.ts";

/** What names in the sources mean, by the debug information of the last build, as long as a file is what was built. */
export class Declarations {
	/** When each file was changed last, and when the last build began, as counts of changes. */
	private readonly changes = new Map<string, number>();
	private count = 0;
	private built = 0;
	private of: BuildOutput | undefined;
	private readonly programs = new Map<string, ProgramSymbols>();

	edited(paths: readonly string[]): void {
		this.count++;
		for (const path of paths) this.changes.set(path, this.count);
	}

	/** A build begins; to be called when it has succeeded. */
	building(): () => void {
		const { count } = this;
		return () => {
			this.built = count;
		};
	}

	at(
		{ path, line, chain }: { readonly path: string; readonly line: number; readonly chain: string },
		output: BuildOutput | undefined,
	): Declared | undefined {
		if (!output || (this.changes.get(path) ?? 0) > this.built) return undefined;
		if (this.of !== output) this.programs.clear();
		this.of = output;
		const isKernel = path.startsWith("kernel/");
		const own = output.programs.filter(({ source }) => source === path);
		const elves = isKernel ? [{ name: "kernel", elf: output.kernel }] : own.length > 0 ? own : output.programs;
		for (const { name, elf } of elves) {
			let symbols = this.programs.get(name);
			if (!symbols) {
				symbols = new ProgramSymbols(name, elf);
				this.programs.set(name, symbols);
			}
			const found = symbols.attempt(() => symbols.info && declaredAt(symbols.info, path, line, chain));
			if (found) return found;
		}
		return undefined;
	}
}
