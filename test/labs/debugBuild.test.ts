import { expect, test } from "vitest";
import { BuildSession } from "../../src/build/session.ts";
import { MemoryTree } from "../../src/common/sourceTree.ts";
import { ProgramSymbols } from "../../src/debuginfo/symbolizer.ts";
import { openToolchains } from "../../src/env/node/toolchains.ts";
import { catalog } from "../support/lab.ts";

test("in the debug build every local variable has a value at every statement of the kernel", async () => {
	const { toolchain, wasi, dispose } = await openToolchains({ kind: "bundled" });
	try {
		const tree = new MemoryTree("tree", await catalog.workspace("hw5-anonymous-mmap"));
		const { output } = await new BuildSession().build({ tree, toolchain, wasi, unoptimized: true });
		const { info } = new ProgramSymbols("kernel", output?.kernel ?? new Uint8Array());
		if (!info) throw new Error("the kernel has no debug information");
		const context = { register: (i: number) => BigInt(0x87f00000 + 8 * i), memory: () => 1n, cfa: () => 0x87f10000n };
		const missing: string[] = [];
		let locals = 0;
		for (const file of info.lines.files) {
			if (!/kernel\/\w+\.c$/.test(file)) continue;
			for (const line of info.lines.linesWithCode(file)) {
				for (const address of info.lines.addressesOf(file, line)) {
					for (const local of info.localsAt(address)) {
						locals++;
						const location = local.locate(context);
						if (location.kind === "unknown") missing.push(`${file}:${line} ${local.name}: ${location.why}`);
					}
				}
			}
		}
		expect(missing).toEqual([]);
		expect(locals).toBeGreaterThan(2000);
	} finally {
		dispose();
	}
});
