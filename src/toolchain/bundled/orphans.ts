/** A comment as spaces, so that places stay. */
const withoutComments = (script: string) =>
	script.replace(/\/\*[\s\S]*?(?:\*\/|$)/g, (comment) => " ".repeat(comment.length));

/**
 * A linker script that names no read-only data, as xv6's before September 2019, with a section for it where GNU ld puts it: right after
 * `.text`. lld would put it before, and the kernel's first instruction would not be at the address that QEMU starts at.
 */
export function withReadOnlyData(script: string): string {
	const code = withoutComments(script);
	const text = /(?:^|[\s{};])\.text\s*:\s*\{/.exec(code);
	if (!text || code.includes("rodata")) return script;
	const end = endOfBlock(code, text.index + text[0].length);
	// A memory region, program header or fill follows: GNU ld has other rules then.
	if (end === undefined || /^\s*[>:=]|^\s*AT\b/.test(code.slice(end))) return script;
	return `${script.slice(0, end)} .rodata : { *(.rodata .rodata.* .srodata .srodata.*) }${script.slice(end)}`;
}

/** After the brace that closes the block whose content begins here. */
function endOfBlock(code: string, from: number): number | undefined {
	let depth = 1;
	for (let at = from; at < code.length; at++) {
		if (code[at] === "{") depth++;
		else if (code[at] === "}" && --depth === 0) return at + 1;
	}
	return undefined;
}
