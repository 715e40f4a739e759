import { limits } from "../../common/limits.ts";
import { baseName, Glob, matchingPaths, normalizePath } from "./paths.ts";
import type { Spend } from "./work.ts";

/** Files that a makefile may look at while it is read. */
export interface MakefileFiles {
	/** All paths of the tree. */
	readonly paths: readonly string[];
	text(path: string): string | undefined;
}

/** Tool prefix that stands for "the RISC-V tools", whichever of them builds in the end. */
const riscvPrefix = "riscv64-unknown-elf-";

/**
 * Output of a `$(shell …)` command, found out without running it; undefined when it cannot be known. Probes of the
 * host's tools are answered for a current QEMU and compiler, since neither is what builds and runs here.
 */
export function understandShell(command: string, files: MakefileFiles, spend: Spend): string | undefined {
	const text = command.replace(/\s+/g, " ").trim();
	if (text.includes("\u0001")) return undefined;
	for (const { parts, output } of idioms) {
		const match = inThisOrder(text, parts);
		if (match) return output(match);
	}
	return pipeline(text, files, spend);
}

/**
 * Matches the parts one after the other, each at its first place after the one before: `a.*b` as one pattern takes the square of the
 * time, with many an `a` and no `b`. The match of the last part.
 */
function inThisOrder(text: string, parts: readonly RegExp[]): RegExpExecArray | undefined {
	let rest = text;
	let match: RegExpExecArray | null = null;
	for (const part of parts) {
		match = part.exec(rest);
		if (!match) return undefined;
		rest = rest.slice(match.index + match[0].length);
	}
	return match ?? undefined;
}

const idioms: readonly { readonly parts: readonly RegExp[]; output(match: RegExpExecArray): string }[] = [
	// `if riscv64-unknown-elf-objdump -i … then echo 'riscv64-unknown-elf-'; elif …`: which tools are there
	{ parts: [/\b(?:objdump|gcc|clang|ld|objcopy)\b/, /\becho ["']?riscv[\w-]*-/], output: () => riscvPrefix },
	{
		parts: [/(?:which|command -v|type) (?:(?!riscv)\S)*riscv\S*-(?:gcc|objdump|ld)\b/, /\becho\b/],
		output: () => riscvPrefix,
	},
	// `$(CC) -FLAG -E -x c /dev/null … && echo -FLAG`: is this flag known
	{
		parts: [/(?:gcc|clang|cc) /, /\/dev\/null/, /&& echo ["']?(-[\w=+-]+)["']?$/],
		output: (match) => match[1] as string,
	},
	// `$(CC) -dumpspecs | grep …`: which of two names the option against position-independent code has; gcc's of today
	{ parts: [/-dumpspecs/, /\[\^f\]no-pie/], output: () => "%{static|no-pie|static-pie:}" },
	{ parts: [/-dumpspecs/], output: () => "" },
	{ parts: [/(?:gcc|clang|cc) /, /-dump(?:full)?version/], output: () => "14" },
	{ parts: [/(?:gcc|clang|cc) /, /-dumpmachine/], output: () => "riscv64-unknown-elf" },
	{ parts: [/^(?:\S*\/)?qemu-system-riscv64 /, /--?version/, /sed|cut|awk|grep/], output: () => "10.0" },
	// QEMU's gdb option, old and new
	{ parts: [/qemu-system-riscv64 --?help/], output: () => "-gdb tcp::26000" },
	// A port number made of the user's id
	{ parts: [/^expr `id -u` % \d+ \+ (\d+)$/], output: (match) => match[1] as string },
	{ parts: [/^echo ["']?([\d.]+) >= ([\d.]+)["']? \| bc/], output: ([, a, b]) => (Number(a) >= Number(b) ? "1" : "0") },
	// Is the compiler older than some version: `echo 14 / 11 | bc | grep -e '^0'`
	{
		parts: [/^echo (\d+) \/ (\d+)(?: 2>\S+)? \| bc \| grep -e '\^0'$/],
		output: ([, a, b]) => (Number(a) < Number(b) ? "0" : ""),
	},
	{
		parts: [/^\[ (\d+)(?:\.\d+)? -(gt|ge|lt|le|eq|ne) (\d+)(?:\.\d+)? \] && echo ["']?(\S+?)["']?$/],
		output: ([, a, operator, b, text]) => (compare(Number(a), operator as string, Number(b)) ? (text as string) : ""),
	},
	{ parts: [/^uname -m$/], output: () => "x86_64" },
	{ parts: [/^uname(?: -s)?(?: 2>\S+)?$/], output: () => "Linux" },
	{ parts: [/^(?:nproc|getconf _NPROCESSORS_ONLN)/], output: () => "2" },
	{ parts: [/^pwd$/], output: () => "." },
	{ parts: [/^(?:id -u)$/], output: () => "1000" },
	{ parts: [/^(?:which|command -v) (\S+)/], output: (match) => match[1] as string },
];

function compare(a: number, operator: string, b: number): boolean {
	const results: Record<string, boolean> = { gt: a > b, ge: a >= b, lt: a < b, le: a <= b, eq: a === b, ne: a !== b };
	return results[operator] ?? false;
}

/** `echo WORDS | tr a-z A-Z`, `ls kernel/*.c | sort`, `find user -name '*.c'` and their like. */
function pipeline(text: string, files: MakefileFiles, spend: Spend): string | undefined {
	if (/[`<>;&]|\$\(/.test(text.replace(/2>\s*\/dev\/null|2>&1/g, ""))) return undefined;
	let lines: string[] | undefined;
	for (const stage of text.replace(/2>\s*\/dev\/null|2>&1/g, "").split("|")) {
		const args = stage.trim().match(/"[^"]*"|'[^']*'|\S+/g) ?? [];
		const plain = args.map((arg) => arg.replace(/^(["'])(.*)\1$/, "$2"));
		lines = lines === undefined ? produce(plain, files, spend) : transform(plain, lines);
		if (lines === undefined) return undefined;
	}
	return lines?.join(" ");
}

function produce([name, ...args]: readonly string[], files: MakefileFiles, spend: Spend): string[] | undefined {
	switch (name) {
		case "echo":
			return [args.filter((arg) => arg !== "-n").join(" ")];
		case "cat": {
			const texts = args.map((path) => files.text(normalizePath(path)) ?? "");
			if (texts.reduce((sum, text) => sum + text.length, 0) > limits.expandedText) return undefined;
			return texts.flatMap((text) => text.split(/\r?\n/)).filter((line) => line !== "");
		}
		case "ls": {
			const patterns = args.filter((arg) => !arg.startsWith("-")).map(normalizePath);
			return [...new Set(patterns.flatMap((pattern) => matchingPaths(pattern, files.paths, spend)))].sort();
		}
		case "find": {
			const folders = args
				.slice(
					0,
					Math.max(
						0,
						args.findIndex((arg) => arg.startsWith("-")),
					),
				)
				.map(normalizePath);
			const at = args.indexOf("-name");
			const known = args.every((arg, i) => !arg.startsWith("-") || i === at || ["-type", "-name"].includes(arg));
			if (at < 0 || !known) return undefined;
			const names = new Glob(args[at + 1] ?? "");
			const inside = (path: string) =>
				folders.length === 0 || folders.some((folder) => folder === "" || path.startsWith(`${folder}/`));
			return files.paths.filter((path) => {
				const found = inside(path) && names.test(baseName(path));
				spend(folders.length + names.steps);
				return found;
			});
		}
		case "basename":
			return [baseName(args[0] ?? "").replace(args[1] ?? /$^/, "")];
		default:
			return undefined;
	}
}

function transform([name, ...args]: readonly string[], lines: readonly string[]): string[] | undefined {
	const [from = "", to = ""] = args;
	switch (name) {
		case "tr": {
			const upper = /^(a-z|\[:lower:\])$/.test(from) && /^(A-Z|\[:upper:\])$/.test(to);
			const lower = /^(A-Z|\[:upper:\])$/.test(from) && /^(a-z|\[:lower:\])$/.test(to);
			if (!upper && !lower) return undefined;
			return lines.map((line) => (upper ? line.toUpperCase() : line.toLowerCase()));
		}
		case "sort":
			return args.length > 0 ? undefined : [...lines].sort();
		case "uniq":
			return [...new Set(lines)];
		case "head":
			return lines.slice(0, Number(args.at(-1)?.replace("-", "") ?? 10));
		case "xargs":
			return args.length === 0 || args[0] === "echo" ? [lines.join(" ")] : undefined;
		default:
			return undefined;
	}
}
