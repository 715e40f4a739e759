/**
 * String literals as gcc has them. To write into one is undefined in C (C11 6.4.5p7): clang drops the store, gcc keeps it, and
 * older xv6 maps a program's literals writable, so that programs rely on it. Clang compiles with -fwritable-strings, which also
 * leaves equal literals apart and takes them for data; here they are put together and back where gcc has them, in `.rodata`.
 */
const definition =
	/^(@[-\w.$]+) = private unnamed_addr global (\[\d+ x i(8|16|32)\]) (c"[^"]*"|zeroinitializer|\[[^\]]*\]), align (\d+)\b.*$/gm;

interface Literal {
	readonly name: string;
	readonly type: string;
	readonly width: number;
	readonly value: string;
	readonly align: string;
}

export function readOnlyLiterals(ir: string): string {
	const byContent = new Map<string, Literal>();
	/** The one that stands for each literal. */
	const standIn = new Map<string, Literal>();
	for (const [, name = "", type = "", bits, value = "", align = ""] of ir.matchAll(definition)) {
		const content = `${type} ${value}`;
		const literal = byContent.get(content) ?? { name, type, width: Number(bits) / 8, value, align };
		byContent.set(content, literal);
		standIn.set(name, literal);
	}
	const accessed = accessedLiterals(ir, standIn);
	const assembly: string[] = [];
	const defined = ir
		.replace(definition, (line, name: string) => {
			const literal = standIn.get(name) as Literal;
			if (literal.name !== name) return "";
			if (!accessed.has(literal)) return line.replace(" global ", " constant ");
			assembly.push(...inAssembly(literal));
			return `${name} = external dso_local global ${literal.type}, align ${literal.align}`;
		})
		// The name of a function whose own is not plain.
		.replace(/^(@"[^"]*" = private unnamed_addr) global /gm, "$1 constant ");
	const named = defined.replace(/"[^"]*"|@[-\w.$]+/g, (name) => {
		const literal = standIn.get(name);
		if (!literal) return name;
		return accessed.has(literal) ? `@"\\01${label(literal)}"` : literal.name;
	});
	return `${named}${assembly.map((line) => `module asm "${line}"\n`).join("")}`;
}

/**
 * Those that an instruction reads, writes or computes with. llc would move loads of a constant over stores, so that it must not
 * know them for one; of all others it sees the address only.
 */
function accessedLiterals(ir: string, literals: ReadonlyMap<string, Literal>): ReadonlySet<Literal> {
	const accessed = new Set<Literal>();
	for (const line of ir.split("\n")) {
		if (!line.startsWith("  ") || !line.includes("@")) continue;
		const isCall = line.lastIndexOf(" call ") > line.lastIndexOf("@llvm.mem");
		const onlyAddress = isCall || /^ +(ret|#dbg_\w+)\b/.test(line);
		const pointer = onlyAddress ? "" : line.replace(/^ +store ptr @[-\w.$]+/, "");
		for (const [name] of pointer.matchAll(/@[-\w.$]+/g)) {
			const literal = literals.get(name);
			if (literal) accessed.add(literal);
		}
	}
	return accessed;
}

/** LLVM's own label for a private global of this name: none of the symbol table. */
const label = ({ name }: Literal) => `.L${name.slice(1)}`;

/** The section is the one that llc has for such a constant. */
function inAssembly(literal: Literal): string[] {
	const units = unitsOf(literal);
	const { width, align } = literal;
	// Text of bytes is not to be merged: see downgrade/globals.ts.
	const isMerged = width > 1 && units.indexOf(0) === units.length - 1;
	const section = isMerged
		? `.rodata.str${width}.${width},\\22aMS\\22,@progbits,${width}`
		: ".rodata,\\22a\\22,@progbits";
	const directive = width === 1 ? ".byte" : width === 2 ? ".half" : ".word";
	return [`.section ${section}`, `.balign ${align}`, `${label(literal)}:`, `${directive} ${units.join(",")}`, ".text"];
}

function unitsOf({ type, value }: Literal): number[] {
	if (value === "zeroinitializer") return Array(Number(/\d+/.exec(type))).fill(0);
	if (value.startsWith("[")) return [...value.matchAll(/i\d+ (-?\d+)/g)].map(([, unit]) => Number(unit));
	return [...value.slice(2, -1).matchAll(/\\([0-9A-F]{2})|\\\\|[^\\]/g)].map(([text, hex]) =>
		hex === undefined ? text.charCodeAt(0) : Number.parseInt(hex, 16),
	);
}
