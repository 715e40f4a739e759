import { expect, test } from "vitest";
import { ProgramSymbols } from "../../../src/debuginfo/symbolizer.ts";
import { readFreeList } from "../../../src/kernelview/frames.ts";
import { GuestMemory } from "../../../src/kernelview/guestMemory.ts";
import { KernelNames } from "../../../src/kernelview/kernelNames.ts";
import { Machine } from "../../../src/machine/machine.ts";
import { Shell } from "../../../src/session/shell.ts";
import { coreModule } from "../../support/guest.ts";
import { recorded } from "./recorded.ts";

test("a walk that knows which pages changed since another one finds what a first walk finds", async () => {
	const kernel = recorded("kernel-3b");
	const machine = await Machine.create(
		{ kernel, disk: recorded("disk"), harts: 2, jit: "off" },
		{ core: coreModule() },
	);
	const shell = Shell.on(machine, { breathe: async () => {} });
	expect((await shell.waitForPrompt(20_000_000_000)).kind).toBe("prompt");
	const names = new KernelNames(new ProgramSymbols("kernel", kernel));
	const knowing = GuestMemory.of(machine);
	const compare = () => {
		const again = readFreeList(knowing, names);
		const first = readFreeList(new GuestMemory(machine.memory), names);
		expect(again.count).toBe(first.count);
		expect(again.damage).toBe(first.damage);
		expect(Buffer.compare(again.free, first.free)).toBe(0);
		return first.count;
	};
	const counts = new Set<number | undefined>();
	for (const moment of [machine.snapshot(), undefined]) {
		const booted = moment ?? machine.snapshot();
		for (let round = 0; round < 6; round++) {
			machine.restore(booted);
			compare();
			shell.type("prodcons3");
			for (let look = 0; look < 4; look++) {
				machine.run(100_000 + 150_000 * round);
				counts.add(compare());
			}
		}
	}
	expect(counts.size).toBeGreaterThan(4);
	shell.dispose();
	machine.dispose();
});
