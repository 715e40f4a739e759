import { expect, test } from "vitest";
import { ProgramSymbols } from "../../../src/debuginfo/symbolizer.ts";
import { readFreeFrames } from "../../../src/kernelview/freeFrames.ts";
import { freeListsOf } from "../../../src/kernelview/freeLists.ts";
import { GuestMemory, pageBytes } from "../../../src/kernelview/guestMemory.ts";
import { KernelNames } from "../../../src/kernelview/kernelNames.ts";
import { ProcessReader } from "../../../src/kernelview/processes.ts";
import { WalkCache, walkTables } from "../../../src/kernelview/sv39.ts";
import { Machine } from "../../../src/machine/machine.ts";
import { Shell } from "../../../src/session/shell.ts";
import { coreModule } from "../../support/guest.ts";
import { array, char, PaperKernel, pointer, struct } from "../../support/paperKernel.ts";
import { Random } from "../../support/random.ts";
import { recorded } from "./recorded.ts";

/** A machine at its prompt, and a comparison of what is read by those who know which pages have changed with a first read of everything. */
async function compared() {
	const kernel = recorded("kernel-3b");
	const machine = await Machine.create({ kernel, disk: recorded("disk"), harts: 2, jit: "on" }, { core: coreModule() });
	const shell = Shell.on(machine, { breathe: async () => {} });
	expect((await shell.waitForPrompt(20_000_000_000)).kind).toBe("prompt");
	const names = new KernelNames(new ProgramSymbols("kernel", kernel));
	const knowing = GuestMemory.of(machine);
	const cache = new WalkCache();
	const kernelRoot = knowing.u64(names.kernelPagetable ?? 0) ?? 0;
	const roots = () => [kernelRoot, ...new ProcessReader(knowing, names).all().map(({ root }) => root)];
	const compare = () => {
		const unknowing = new GuestMemory(machine.memory);
		const again = readFreeFrames(knowing, names);
		const first = readFreeFrames(unknowing, names);
		expect(again.count).toBe(first.count);
		expect(again.damage).toBe(first.damage);
		expect(Buffer.compare(again.free, first.free)).toBe(0);
		expect(Buffer.compare(again.letters, first.letters)).toBe(0);
		for (const root of roots()) {
			const { tables, damage, leaves } = cache.tables(knowing, root);
			const whole = walkTables(unknowing, root);
			expect(tables).toEqual(whole.tables);
			expect(damage).toBe(whole.damage);
			expect(leaves.length === whole.leaves.length && leaves.every((leaf, i) => sameLeaf(leaf, whole.leaves[i]))).toBe(
				true,
			);
		}
		return first;
	};
	const dispose = () => {
		shell.dispose();
		machine.dispose();
	};
	return { machine, shell, names, knowing, roots, compare, dispose };
}

type Leaf = ReturnType<typeof walkTables>["leaves"][number];
function sameLeaf(a: Leaf, b: Leaf | undefined): boolean {
	return a.va === b?.va && a.pa === b.pa && a.flags === b.flags && a.level === b.level;
}

test("a list of another name is known by its length, and by leading to nothing but frames after the image", () => {
	const count = 300;
	const kernel = new PaperKernel(
		{
			pool: struct("pool", { unused: pointer(), objects: pointer(), tables: pointer() }),
			image: array(char, 400 * pageBytes),
		},
		{ pages: 700 },
	);
	const chain = (head: string, address: (index: number) => number, length: number) => {
		kernel.set(head, address(0));
		for (let i = 0; i < length; i++) kernel.poke(address(i), i + 1 < length ? address(i + 1) : 0);
	};
	const first = kernel.end;
	chain("pool.unused", (i) => first + i * pageBytes, count);
	// Longer ones: of objects within pages, and of pages of the image.
	chain("pool.objects", (i) => first + count * pageBytes + i * 64, count + 50);
	chain("pool.tables", (i) => Math.ceil(kernel.at("image") / pageBytes) * pageBytes + i * pageBytes, count + 50);
	expect(freeListsOf(kernel.memory, kernel.names)).toEqual([{ head: kernel.at("pool.unused"), link: 0 }]);
	expect(readFreeFrames(kernel.memory, kernel.names).count).toBe(count);
});

test("between runs, snapshots and restores", async () => {
	const { machine, shell, compare, dispose } = await compared();
	const counts = new Set<number | undefined>();
	for (const moment of [machine.snapshot(), undefined]) {
		const booted = moment ?? machine.snapshot();
		for (let round = 0; round < 6; round++) {
			machine.restore(booted);
			compare();
			shell.type("prodcons3");
			for (let look = 0; look < 4; look++) {
				machine.run(100_000 + 150_000 * round);
				counts.add(compare().count);
			}
		}
	}
	expect(counts.size).toBeGreaterThan(4);
	dispose();
});

test("inside of runs, in the past, and after stores that forge links and entries", async () => {
	const { machine, shell, names, knowing, roots, compare, dispose } = await compared();
	const random = new Random(21);
	const history = machine.keepHistory();
	const damages = new Set<string | undefined>();
	let inside = 0;
	machine.onTrap(() => {
		if (!random.chance(15)) return;
		inside++;
		compare();
	});
	const word = (value: number) => {
		const bytes = new Uint8Array(8);
		new DataView(bytes.buffer).setBigUint64(0, BigInt(value), true);
		return bytes;
	};
	const put = (address: number, value: number) => machine.memory.write(BigInt(address), word(value));
	const frame = () => knowing.addressOf(random.below(knowing.frames));
	const forge = [
		// A link to another free frame, so that the list is cut, or runs in a circle; or to where no frame is.
		() => put(frame(), frame()),
		() => put(frame(), frame() + 8),
		() => put(names.freeLists[0] ?? 0, frame()),
		// The words of a free page that are no link.
		() => put(frame() + 8 * (1 + random.below(511)), frame()),
		// An entry of a root: to a page that is no table, or to itself.
		() => put(random.pick(roots()) + 8 * random.below(512), (frame() / pageBytes) * 1024 + 1),
		() => {
			const root = random.pick(roots());
			put(root + 8 * random.below(512), (root / pageBytes) * 1024 + 1);
		},
	];
	const booted = machine.snapshot();
	for (let round = 0; round < 8; round++) {
		machine.restore(booted);
		shell.type("prodcons3");
		for (let step = 0; step < 6; step++) {
			machine.run(50_000 + random.below(600_000));
			damages.add(compare().damage);
			const { oldest, present } = history;
			const back = random.chance(3);
			if (back) history.seek(oldest.steps + random.below(present.steps - oldest.steps + 1));
			if (back) compare();
			if (back) history.seek(present);
			if (back) compare();
		}
		for (let n = 1 + random.below(4); n > 0; n--) {
			random.pick(forge)();
			damages.add(compare().damage);
		}
		machine.run(200_000);
		damages.add(compare().damage);
	}
	expect(inside).toBeGreaterThan(10);
	expect([...damages].some((text) => text?.includes("twice"))).toBe(true);
	expect([...damages].some((text) => text?.includes("no frame"))).toBe(true);
	dispose();
});
