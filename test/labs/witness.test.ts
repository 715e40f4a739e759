import { afterAll, expect, test } from "vitest";
import { breathe, createMachine } from "../../src/cli/machine.ts";
import { fromUtf8, utf8 } from "../../src/common/bytes.ts";
import { PF_W } from "../../src/common/elf.ts";
import { ElfFile } from "../../src/debuginfo/elf.ts";
import { Witness } from "../../src/lab/witness.ts";
import { Shell } from "../../src/session/shell.ts";
import { build, catalog, closeToolchains } from "../support/lab.ts";

afterAll(closeToolchains);

/** What programs did in user mode while a command ran, by their text; and whether their text is in a segment that can be written. */
async function witnessed(link: string, command: string) {
	const files = new Map(await catalog.workspace(undefined));
	const makefile = fromUtf8(files.get("Makefile") as Uint8Array);
	const edited = makefile.replace("$(LD) $(LDFLAGS) -T $U/user.ld -o $@", () => `$(LD) $(LDFLAGS) ${link} -o $@`);
	const output = await build(files.set("Makefile", utf8(edited)));
	const { machine } = await createMachine(output, { harts: 3, seed: 0, translator: true });
	const shell = Shell.on(machine, { breathe });
	try {
		await shell.waitForPrompt(1_500_000_000);
		const witness = new Witness(machine, output.programs);
		const { end } = await shell.run(command, 400_000_000);
		expect(end.kind).toBe("prompt");
		const echo = new ElfFile(output.programs.find(({ name }) => name === "echo")?.elf ?? new Uint8Array());
		return { report: witness.report(), isWritable: echo.segments.every(({ flags }) => (flags & PF_W) !== 0) };
	} finally {
		shell.dispose();
		machine.dispose();
	}
}

test.each([
	["with text that cannot be written", "-T $U/user.ld", false],
	["all in one segment, as xv6 linked them until 2021", "-N -e start -Ttext 0", true],
])("programs are known by their text, %s", async (_, link, writable) => {
	const { report, isWritable } = await witnessed(link, "echo hi");
	expect(isWritable).toBe(writable);
	expect([...report.programs].sort()).toEqual(["echo", "sh"]);
	expect(report.written(["echo"])).toBe("hi\n");
	expect(report.calls("echo", "write")).toBeGreaterThan(0);
	expect(report.tampering).toBeUndefined();
});
