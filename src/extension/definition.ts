/** Line (from 1) on which a C file defines a name, or where it first has it; undefined: it has no such name. */
export function definitionLine(text: string, name: string): number | undefined {
	const lines = text.split("\n");
	const has = new RegExp(`\\b${name.replace(/\W/g, "\\$&")}\\b`);
	// Of a definition the first line begins at the margin and a declaration ends in a semicolon.
	const defines = (line: string) => has.test(line) && /^[A-Za-z_]/.test(line) && !/;\s*$/.test(line);
	const defined = lines.findIndex(defines);
	const found = defined >= 0 ? defined : lines.findIndex((line) => has.test(line));
	return found >= 0 ? found + 1 : undefined;
}
