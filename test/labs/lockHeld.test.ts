import { afterAll, expect, test } from "vitest";
import type { BuildOutput } from "../../src/build/types.ts";
import { breathe, createMachine } from "../../src/cli/machine.ts";
import { fromUtf8, utf8 } from "../../src/common/bytes.ts";
import { ProgramSymbols } from "../../src/debuginfo/symbolizer.ts";
import { GuestMemory } from "../../src/kernelview/guestMemory.ts";
import { KernelNames } from "../../src/kernelview/kernelNames.ts";
import { follow } from "../../src/kernelview/typedMemory.ts";
import { Shell } from "../../src/lab/shell.ts";
import type { MachineSurface } from "../../src/machine/types.ts";
import { build, catalog, closeToolchains } from "../support/lab.ts";

afterAll(closeToolchains);

/**
 * Is shared memory's count only changed by the hart that holds its lock? The machine stops at each access, so it is seen at once where no
 * schedule of a test may ever show it: between load and store of `refcount++` there is one instruction.
 */

const lab = "cs326-shared-page";
const enough = 20_000_000_000;

type Files = ReadonlyMap<string, Uint8Array>;

interface Subject {
	readonly solution: string;
	readonly command: string;
	/** Members of the variable `shmem` that are watched, and whether looking at them needs the lock, too. */
	readonly members: readonly string[];
	readonly access: "write" | "any";
}

const one: Subject = {
	solution: "1",
	command: "shmtests childfirst children orders execute",
	members: ["pa", "refcount", "allocated"],
	access: "any",
};
// A process may look at what it has mapped itself without the lock; the count is not such a thing.
const several: Subject = {
	solution: "2",
	command: "shmtests2 named children orders execute",
	members: [0, 1, 2].map((index) => `region[${index}].refcount`),
	access: "write",
};

/** Functions in which `shmem` was accessed with its lock, and without. */
async function accesses(files: Files, { command, members, access }: Subject) {
	const output = await build(files);
	const { machine } = await createMachine(output, { harts: 3, translator: true });
	const held = new Set<string>();
	const bare = new Set<string>();
	const watched = Object.create(machine, {
		run: {
			value: (budget: number) => {
				const end = machine.instret + budget;
				for (;;) {
					const stop = machine.run(end - machine.instret);
					if (stop.kind !== "watchpoint") return stop;
					(isHeldBy(stop.hart) ? held : bare).add(symbols.symbolAt(Number(stop.pc))?.name ?? "?");
					if (machine.instret >= end) return { kind: "budget" };
				}
			},
		},
	}) as MachineSurface;
	const { symbols, address, isHeldBy } = lockReader(machine, output);
	const shell = new Shell(watched, { breathe });
	try {
		expect((await shell.waitForPrompt(enough)).kind).toBe("prompt");
		for (const member of members) {
			const place = address(member);
			machine.addWatchpoint(BigInt(place.address), place.type?.size ?? 0, access);
		}
		const { end, output: said } = await shell.run(command, enough);
		expect(end.kind).toBe("prompt");
		expect(said).not.toMatch(/FAILED|not true/);
	} finally {
		shell.dispose();
		machine.dispose();
	}
	return { held: [...held].sort(), bare: [...bare].sort() };
}

/** xv6's spinlock names the hart that holds it: `cpu` points into `cpus`. */
function lockReader(machine: MachineSurface, output: BuildOutput) {
	const symbols = new ProgramSymbols("kernel", output.kernel);
	const memory = new GuestMemory(machine.memory);
	const names = new KernelNames(symbols);
	const variable = names.variable("shmem");
	const { cpus } = names;
	if (!variable || !cpus) throw new Error("The kernel has no shmem, or no cpus");
	const address = (member: string) => {
		const place = follow(memory, variable, member);
		if (!place) throw new Error(`shmem has no ${member}`);
		return place;
	};
	const isHeldBy = (hart: number): boolean => {
		memory.refresh();
		const locked = memory.u32(address("lock.locked").address) !== 0;
		return locked && memory.u64(address("lock.cpu").address) === cpus.address + hart * cpus.stride;
	};
	return { symbols, address, isHeldBy };
}

/** The function in kernel/vm.c, without its calls of acquire and release. */
function withoutLock(files: Files, name: string): Files {
	const text = fromUtf8(files.get("kernel/vm.c") ?? new Uint8Array());
	const start = text.search(new RegExp(`^${name}\\(`, "m"));
	const end = text.indexOf("\n}\n", start);
	const body = text.slice(start, end);
	const bare = body.replaceAll(/^ *(acquire|release)\(&shmem\.lock\);\n/gm, "");
	expect(start >= 0 && bare.length < body.length, `${name} takes no lock`).toBe(true);
	return new Map(files).set("kernel/vm.c", utf8(text.slice(0, start) + bare + text.slice(end)));
}

test.each([one, several])("solution $solution: the lock is held at every access", async (subject) => {
	const { held, bare } = await accesses(await catalog.workspace(lab, subject.solution), subject);
	expect(bare).toEqual([]);
	expect(held.length).toBeGreaterThan(1);
});

test.each([
	{ ...one, name: "shmemcopy" },
	{ ...several, name: "shmemcopy" },
	{ ...one, name: "shmemunmap" },
])("solution $solution, $name without its lock: seen at the first access", async ({ name, ...subject }) => {
	const { bare } = await accesses(withoutLock(await catalog.workspace(lab, subject.solution), name), subject);
	expect(bare).not.toEqual([]);
});
