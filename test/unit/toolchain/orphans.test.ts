import { expect, test } from "vitest";
import { withReadOnlyData } from "../../../src/toolchain/bundled/orphans.ts";

const rodata = " .rodata : { *(.rodata .rodata.* .srodata .srodata.*) }";

test("read-only data that a script does not name follows .text, on the same line", () => {
	const script = (between: string) => `SECTIONS
{
  /* .rodata { */
  . = 0x80000000;
  .text :
  {
    *(.text) /* } */
    .trampoline : { *(trampsec) }
  }${between}

  . = ALIGN(0x1000);
  .data : { *(.data) }
}
`;
	expect(withReadOnlyData(script(""))).toBe(script(rodata));
});

test.each([
	"SECTIONS { .text : { *(.text) } .rodata : { *(.rodata) } }",
	"SECTIONS { .text : { *(.text .rodata) } }",
	"SECTIONS { .text : { *(.text) } >ram .data : { *(.data) } }",
	"SECTIONS { .data : { *(.data) } }",
	"SECTIONS { .text : { *(.text) ",
	"",
])("a script stays: %s", (script) => {
	expect(withReadOnlyData(script)).toBe(script);
});
