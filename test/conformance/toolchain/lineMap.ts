import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SHF_EXECINSTR } from "../../../src/common/elf.ts";
import type { DebugInfo } from "../../../src/debuginfo/debugInfo.ts";
import type { ElfFile } from "../../../src/debuginfo/elf.ts";

/** Addresses of all instructions, by the length that their lowest bits say (unprivileged ISA, 1.5); zeros are padding. */
export function instructionsOf(elf: ElfFile): number[] {
	const found: number[] = [];
	const view = new DataView(elf.bytes.buffer, elf.bytes.byteOffset, elf.bytes.byteLength);
	for (const { flags, address, offset, size } of elf.sections) {
		if ((flags & SHF_EXECINSTR) === 0n) continue;
		for (let at = 0; at + 2 <= size; ) {
			const half = view.getUint16(offset + at, true);
			if (half !== 0) found.push(address + at);
			at += (half & 3) === 3 ? 4 : 2;
		}
	}
	return found.sort((a, b) => a - b);
}

/** The folder that compilers put before names of the tree goes. */
const inTree = (file: string, folder: string) => (file.startsWith(`${folder}/`) ? file.slice(folder.length + 1) : file);

export const ourFolder = "/xv6";

/** What our own reader says about each address: `kernel/vm.c:12`, or `?` for code that belongs to no line. */
export function ourLines(info: DebugInfo, pcs: readonly number[]): string[] {
	return pcs.map((pc) => {
		const place = info.lines.lineAt(pc);
		return place ? `${inTree(place.file, ourFolder)}:${place.line}` : "?";
	});
}

/** binutils' answer to the same question. */
export function addr2line(elf: Uint8Array, pcs: readonly number[]): string[] {
	const folder = mkdtempSync(join(tmpdir(), "addr2line-"));
	try {
		writeFileSync(join(folder, "elf"), elf);
		const input = pcs.map((pc) => pc.toString(16)).join("\n");
		const text = execFileSync("riscv64-unknown-elf-addr2line", ["-e", join(folder, "elf")], {
			input,
			encoding: "utf8",
			maxBuffer: 64 * 1024 * 1024,
		});
		return text
			.trimEnd()
			.split("\n")
			.map((line) => (/:[?0]/.test(line) ? "?" : inTree(line.replace(/ \(discriminator.*/, ""), ourFolder)));
	} finally {
		rmSync(folder, { recursive: true, force: true });
	}
}
