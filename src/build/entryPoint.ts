import { hex } from "../common/bytes.ts";
import type { Diagnostic } from "../common/diagnostic.ts";
import { entryOf, isElf64 } from "../common/elf.ts";
import type { LinkJob, LinkResult } from "../toolchain/types.ts";
import { definesSymbol, withTextAsEntry } from "./elf.ts";
import { withoutLabels } from "./symbols.ts";

/**
 * With a linker script that names no entry, GNU ld starts the program at `start` (ldlang.c, `entry_symbol_default`);
 * other linkers look for `_start` only. Trees since 2024 rely on it for their user programs.
 */
export function withEntry(flags: readonly string[], script: string | undefined): readonly string[] {
	const named = flags.some((flag) => flag === "-e" || flag.startsWith("--entry"));
	return script === undefined || named || /\bENTRY\s*\(/.test(script) ? flags : [...flags, "-e", "start"];
}

/** Newer GNU ld says this of every program that is linked with -N or a plain script: no mistake of the student's. */
const ofTheTree = /has a LOAD segment with RWX permissions/;

const missingEntry = /cannot find entry symbol (\S+?);?(?:\s|$)/;

/**
 * Makes what linkers do differently the same. Where the entry symbol is not a global one, GNU ld starts at the text's
 * first byte, others at 0. Trees up to 2022 rely on it: their entry.S does not export `_entry`. The warning stays only
 * where nobody defines the symbol at all.
 */
export function likeGnuLd(linked: LinkResult, objects: LinkJob["objects"]): LinkResult {
	const result = {
		...linked,
		...(linked.image ? { image: withoutLabels(linked.image) } : {}),
		diagnostics: linked.diagnostics.filter(({ message }) => !ofTheTree.test(message)),
	};
	const symbol = result.diagnostics.map(({ message }) => missingEntry.exec(message)?.[1]).find((name) => name);
	if (symbol === undefined || !result.image) return result;
	const image = entryOf(result.image) === 0n ? withTextAsEntry(result.image) : result.image;
	const local = objects.some(({ bytes }) => definesSymbol(bytes, symbol));
	const diagnostics = local
		? result.diagnostics.filter(({ message }) => !missingEntry.test(message))
		: result.diagnostics;
	return { ...result, image, diagnostics };
}

/** lld takes `// text` of a linker script as names of files; GNU ld refuses the script. */
export function checkScript(script: { readonly path: string; readonly text: string } | undefined): Diagnostic[] {
	if (!script) return [];
	const blank = (text: string) => text.replace(/[^\n]/g, " ");
	const lines = script.text.replace(/\/\*[\s\S]*?(?:\*\/|$)|"[^"\n]*"/g, blank).split("\n");
	const line = lines.findIndex((text) => /(?:^|[\s;{}()])\/\//.test(text.replace(/#.*/, "")));
	if (line < 0) return [];
	const message = "GNU ld knows no '//' comments in a linker script: write /* … */";
	return [{ file: script.path, line: line + 1, severity: "error", message }];
}

/** Where QEMU's machine `virt` starts with `-bios none`: the beginning of RAM, whatever the kernel's ELF file says. */
const start = 0x8000_0000n;

export function entryWarnings(kernel: Uint8Array): string[] {
	const entry = isElf64(kernel) ? entryOf(kernel) : start;
	return entry === start
		? []
		: [
				`The kernel's entry is at ${hex(entry)}, but QEMU starts at ${hex(start)}: put entry.o first in the linker script's .text, at that address.`,
			];
}
