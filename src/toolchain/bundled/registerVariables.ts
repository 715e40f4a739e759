import { fromUtf8, utf8 } from "../../common/bytes.ts";
import { codeOnly } from "../../common/cText.ts";
import { startOfTail } from "../../common/tail.ts";
import { opened } from "./cText.ts";

/** Marks the symbol that stands for a register until llc gets the code. */
const mark = "xv6lab.register.";
/** What ends the declaration of a register variable. */
const named = /\b(?:asm|__asm__|__asm)\s*\(\s*"(\w+)"\s*\)\s*;/g;

/** RISC-V's registers by their ABI names (psABI, "Integer Register Convention"). */
const names =
	"zero ra sp gp tp t0 t1 t2 s0 s1 a0 a1 a2 a3 a4 a5 a6 a7 s2 s3 s4 s5 s6 s7 s8 s9 s10 s11 t3 t4 t5 t6".split(" ");

function numberOf(register: string): number {
	const plain = /^x(\d+)$/.exec(register)?.[1];
	return plain === undefined ? names.indexOf(register === "fp" ? "s0" : register) : Number(plain);
}

/**
 * Global register variables (gcc manual 6.47.5.1), which clang has only as wide as the register and llc only for reserved ones:
 * the compiler sees a volatile variable of the same type, and its accesses become moves of the register afterwards.
 */
export function hideRegisterVariables<T extends ReadonlyMap<string, Uint8Array>>(
	inputs: T,
): ReadonlyMap<string, Uint8Array> {
	let changed: Map<string, Uint8Array> | undefined;
	for (const [path, bytes] of inputs) {
		if (!/\.[ch]$/.test(path)) continue;
		const text = fromUtf8(bytes);
		if (!/\bregister\b/.test(text)) continue;
		const hidden = hideIn(text);
		if (hidden !== text) changed = (changed ?? new Map(inputs)).set(path, utf8(hidden));
	}
	return changed ?? inputs;
}

function hideIn(text: string): string {
	const code = codeOnly(text);
	let out = "";
	/** What is copied to `out` ends here, and `depth` counts the braces up to here. */
	let from = 0;
	let depth = 0;
	for (const match of text.matchAll(named)) {
		const { 0: end, 1: register = "", index } = match;
		const declared = declarationIn(text.slice(from, index));
		if (!declared || numberOf(register) < 0) continue;
		const start = from + declared.at;
		depth += opened(code.slice(from, start));
		out += text.slice(from, start);
		from = index + end.length;
		// Inside a function it is a variable of that call, which clang has for any width.
		out +=
			depth > 0
				? text.slice(start, from)
				: `extern ${declared.type} volatile ${declared.name} __asm__("${mark}${register}");`;
	}
	return out + text.slice(from);
}

/** `register TYPE NAME` at the end of a text. */
function declarationIn(
	text: string,
): { readonly at: number; readonly type: string; readonly name: string } | undefined {
	const start = startOfTail(text, /[\w\s*]/);
	const words = text.slice(start);
	const at = words.search(/\bregister\s/);
	if (at < 0 || !/\s$/.test(words)) return undefined;
	const declared = words.slice(at + "register".length).trim();
	const nameAt = startOfTail(declared, /\w/);
	const name = declared.slice(nameAt);
	const type = declared.slice(0, nameAt).trim();
	if (type === "" || !/^[A-Za-z_]/.test(name)) return undefined;
	const external = /\bextern\s+$/.exec(words.slice(0, at));
	return { at: start + (external?.index ?? at), type, name };
}

const symbol = `@(?:"\\\\01)?${mark.replaceAll(".", "\\.")}(\\w+)"?`;
const load = new RegExp(
	`^( *)(%[\\w.]+) = load volatile (\\w+), ptr ${symbol}[^!\\n]*(?:, (?=!dbg))?(!dbg !\\d+)?.*$`,
	"gm",
);
const store = new RegExp(
	`^( *)store volatile (\\w+) (.+?), ptr ${symbol}[^!\\n]*(?:, (?=!dbg))?(!dbg !\\d+)?.*$`,
	"gm",
);

interface WithRegisters {
	readonly ir: string;
	/** Attributes that keep the code generator from using the registers itself. */
	readonly attributes: readonly string[];
}

/** Turns accesses of the symbols into moves. Plain moves: a register that is written counts for nobody as saved and restored. */
export function revealRegisterVariables(ir: string): WithRegisters {
	if (!ir.includes(mark)) return { ir, attributes: [] };
	const registers = new Set<string>();
	let count = 0;
	const revealed = ir
		.replace(load, (_, indent: string, result: string, type: string, register: string, debug?: string) => {
			registers.add(register);
			const tail = debug ? `, ${debug}` : "";
			const read = `call i64 asm sideeffect "mv $0, ${register}", "=r"()${tail}`;
			if (type === "i64") return `${indent}${result} = ${read}`;
			const whole = `%xv6lab.r${count++}`;
			return `${indent}${whole} = ${read}\n${indent}${result} = ${type === "ptr" ? "inttoptr" : "trunc"} i64 ${whole} to ${type}${tail}`;
		})
		.replace(store, (_, indent: string, type: string, value: string, register: string, debug?: string) => {
			registers.add(register);
			const tail = debug ? `, ${debug}` : "";
			const write = (from: string) => `${indent}call void asm sideeffect "mv ${register}, $0", "r"(i64 ${from})${tail}`;
			if (type === "i64") return write(value);
			const whole = `%xv6lab.r${count++}`;
			return `${indent}${whole} = ${type === "ptr" ? "ptrtoint" : "sext"} ${type} ${value} to i64${tail}\n${write(whole)}`;
		});
	const attributes = [...registers]
		.map(numberOf)
		.filter((number) => number === 1 || number > 4)
		.map((number) => `+reserve-x${number}`);
	return { ir: revealed, attributes };
}
