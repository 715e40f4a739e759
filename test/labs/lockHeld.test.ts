import { afterAll, expect, test } from "vitest";
import type { BuildOutput } from "../../src/build/types.ts";
import { breathe, createMachine } from "../../src/cli/machine.ts";
import { fromUtf8, utf8 } from "../../src/common/bytes.ts";
import { ProgramSymbols } from "../../src/debuginfo/symbolizer.ts";
import { plain } from "../../src/debuginfo/types.ts";
import { GuestMemory } from "../../src/kernelview/guestMemory.ts";
import { KernelNames } from "../../src/kernelview/kernelNames.ts";
import { follow } from "../../src/kernelview/typedMemory.ts";
import type { MachineSurface } from "../../src/machine/types.ts";
import { Shell } from "../../src/session/shell.ts";
import { build, catalog, closeToolchains } from "../support/lab.ts";

afterAll(closeToolchains);

/**
 * Is what processes share only changed by the hart that holds its lock? The machine stops at each access, so it is seen at once where no
 * schedule of a test may ever show it: between load and store of `refcount++` there is one instruction.
 */

const enough = 20_000_000_000;

type Files = ReadonlyMap<string, Uint8Array>;

interface Subject {
	readonly lab: string;
	readonly solution: string;
	readonly command: string;
	/** The kernel's variable, its members that are watched, and whether looking at them needs the lock, too. */
	readonly variable: string;
	readonly members: readonly string[];
	readonly access: "write" | "any";
	/** Variable and member; and the file whose functions take it. */
	readonly lock: readonly [variable: string, member?: string];
	readonly file: string;
}

const page = {
	lab: "cs326-shared-page",
	variable: "shmem",
	lock: ["shmem", "lock"],
	file: "kernel/vm.c",
} as const;
const one: Subject = {
	...page,
	solution: "1",
	command: "shmtests childfirst children orders execute",
	members: ["pa", "refcount", "allocated"],
	access: "any",
};
// A process may look at what it has mapped itself without the lock; the count is not such a thing.
const several: Subject = {
	...page,
	solution: "2",
	command: "shmtests2 named children orders execute",
	members: [0, 1, 2].map((index) => `region[${index}].refcount`),
	access: "write",
};
/** Which numbers of families are in use. No schedule shows a number that is given back without the lock: one store does it. */
const families: Subject = {
	lab: "hw5-anonymous-mmap",
	solution: "3b",
	command: "mmaptests lists children grandchild",
	variable: "mmr_list",
	members: [0, 1, 2].map((index) => `[${index}].valid`),
	access: "any",
	lock: ["listid_lock"],
	file: "kernel/proc.c",
};

/** Functions in which the variable was accessed with its lock, and without. */
async function accesses(files: Files, subject: Subject) {
	const { command, members, access } = subject;
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
					(isHeldBy(stop.hart ?? -1) ? held : bare).add(symbols.symbolAt(Number(stop.pc))?.name ?? "?");
					if (machine.instret >= end) return { kind: "budget" };
				}
			},
		},
	}) as MachineSurface;
	const { symbols, address, isHeldBy } = lockReader(machine, output, subject);
	const shell = Shell.on(watched, { breathe });
	try {
		expect((await shell.waitForPrompt(enough)).kind).toBe("prompt");
		for (const member of members) {
			const place = address(member);
			machine.addWatchpoint(BigInt(place.address), place.type?.size ?? 0, access);
		}
		const { end, output: said } = await shell.run(command, enough);
		expect(end.kind, said).toBe("prompt");
		expect(said).not.toMatch(/FAILED|not true/);
	} finally {
		shell.dispose();
		machine.dispose();
	}
	return { held: [...held].sort(), bare: [...bare].sort() };
}

/** xv6's spinlock names the hart that holds it: `cpu` points into `cpus`. */
function lockReader(machine: MachineSurface, output: BuildOutput, subject: Subject) {
	const symbols = new ProgramSymbols("kernel", output.kernel);
	const memory = new GuestMemory(machine.memory);
	const names = new KernelNames(symbols);
	const { cpus } = names;
	if (!cpus) throw new Error("The kernel has no cpus");
	const place = (name: string, member: string) => {
		const [, index, path] = /^(?:\[(\d+)\]\.)?(.*)$/.exec(member) ?? [];
		const variable = names.variable(name);
		const array = plain(variable?.type);
		const from =
			variable && index !== undefined && array?.kind === "array"
				? { address: variable.address + Number(index) * array.element.size, type: array.element }
				: variable;
		const found = from && follow(memory, from, path ?? "");
		if (!found) throw new Error(`The kernel has no ${name} with ${member}`);
		return found;
	};
	const address = (member: string) => place(subject.variable, member);
	const [lock, inside] = subject.lock;
	const lockField = (name: string) => place(lock, inside === undefined ? name : `${inside}.${name}`).address;
	const isHeldBy = (hart: number): boolean => {
		memory.refresh();
		const locked = memory.u32(lockField("locked")) !== 0;
		return locked && memory.u64(lockField("cpu")) === cpus.address + hart * cpus.stride;
	};
	return { symbols, address, isHeldBy };
}

/** A function without its calls of acquire and release. */
function withoutLock(files: Files, { file, lock }: Subject, name: string): Files {
	const text = fromUtf8(files.get(file) ?? new Uint8Array());
	const start = text.search(new RegExp(`^${name}\\(`, "m"));
	const end = text.indexOf("\n}\n", start);
	const body = text.slice(start, end);
	const calls = new RegExp(`^ *(acquire|release)\\(&${lock.join("\\.")}\\);\\n?`, "gm");
	const bare = body.replaceAll(calls, "");
	expect(start >= 0 && bare.length < body.length, `${name} takes no lock`).toBe(true);
	return new Map(files).set(file, utf8(text.slice(0, start) + bare + text.slice(end)));
}

test.each([one, several, families])("$lab $solution: the lock is held at every access", async (subject) => {
	const { held, bare } = await accesses(await catalog.workspace(subject.lab, subject.solution), subject);
	expect(bare).toEqual([]);
	expect(held.length).toBeGreaterThan(1);
});

test.each([
	{ subject: one, name: "shmemcopy" },
	{ subject: several, name: "shmemcopy" },
	{ subject: one, name: "shmemunmap" },
	{ subject: families, name: "dealloc_mmr_listid" },
])("$subject.lab $subject.solution, $name without its lock: seen at the first access", async ({ name, subject }) => {
	const files = await catalog.workspace(subject.lab, subject.solution);
	const { bare } = await accesses(withoutLock(files, subject, name), subject);
	expect(bare).not.toEqual([]);
});
