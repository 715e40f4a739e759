const mainDefinition = /^(?:(?:int|void)[ \t]+)?main[ \t]*\(/m;

/** Line (from 1) on which a C file defines `main`; undefined: it does not. */
export function mainLine(text: string): number | undefined {
	const main = mainDefinition.exec(text);
	return main ? text.slice(0, main.index).split("\n").length : undefined;
}
