import { expect, test } from "vitest";
import { checkScript, entryWarnings, likeGnuLd, withEntry } from "../../../src/build/entryPoint.ts";
import type { Diagnostic } from "../../../src/common/diagnostic.ts";
import { elfOf } from "../../../src/common/elf.ts";

test.each([
	["a script without an entry", [], "SECTIONS { }", ["-e", "start"]],
	["a script with one", [], "ENTRY( _entry )\nSECTIONS { }", []],
	["an entry among the flags", ["-e", "main"], "SECTIONS { }", ["-e", "main"]],
	["no script", ["-N"], undefined, ["-N"]],
])("%s", (_, flags, script, expected) => {
	expect(withEntry(flags, script)).toEqual(expected);
});

const warning = (message: string): Diagnostic => ({ file: "", severity: "warning", message });

test("what a newer GNU ld says of every xv6 program is left out, anything else stays", () => {
	const diagnostics = [warning("image has a LOAD segment with RWX permissions"), warning("something is odd")];
	const { diagnostics: left } = likeGnuLd({ image: new Uint8Array(64), diagnostics, text: "" }, []);
	expect(left).toEqual([warning("something is odd")]);
});

test("an entry that the linker found is left alone, warning or not", () => {
	const image = new Uint8Array(64);
	image[0x18] = 1;
	const result = {
		image,
		diagnostics: [warning("cannot find entry symbol _entry; not setting start address")],
		text: "",
	};
	expect(likeGnuLd(result, []).image).toBe(image);
});

test("a kernel that QEMU would start elsewhere is named with both addresses", () => {
	expect(entryWarnings(elfOf(new Uint8Array(4), 0x8000_0000n))).toEqual([]);
	expect(entryWarnings(elfOf(new Uint8Array(4), 0x8000_1000n))).toEqual([
		expect.stringMatching(/0x80001000.*0x80000000/),
	]);
});

test.each([
	["SECTIONS {\n  /* a // b */\n  .text : { *(.text) } }\n", undefined],
	['# http://x\nSECTIONS {\n  .text : { *(.text) KEEP(*("//")) } }\n', undefined],
	["SECTIONS {\n  .text : {\n    // the first page\n    *(.text) } }\n", 3],
	["SECTIONS {\n  . = 0x1000; // QEMU\n}\n", 2],
])("a linker script with // comments is refused, as GNU ld does: %j", (text, line) => {
	const found = checkScript({ path: "kernel/kernel.ld", text });
	expect(found.map((each) => each.line)).toEqual(line === undefined ? [] : [line]);
});
