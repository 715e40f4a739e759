import { describe, expect, test } from "vitest";
import { likelyRegions } from "../../../src/kernelview/likelyRegions.ts";
import { ProcessReader } from "../../../src/kernelview/processes.ts";
import type { RegionDescription } from "../../../src/kernelview/regionDescription.ts";
import { familyKey, RegionReader } from "../../../src/kernelview/regions.ts";
import { ages } from "../../support/kernelAges.ts";
import { array, type CType, int, PaperKernel, pointer, struct, uint64 } from "../../support/paperKernel.ts";

describe("regions that kernels of several labs keep", () => {
	const age = ages[1]?.proc as CType;
	const withRegions = (members: Readonly<Record<string, CType>>) =>
		struct("proc", {
			...Object.fromEntries([...(age.members ?? [])].map(([key, { type }]) => [key, type])),
			...members,
		});
	const family = struct("family", { listid: int });
	const mmr = struct("mmr", {
		addr: uint64,
		length: uint64,
		prot: int,
		flags: int,
		valid: int,
		family: pointer(family),
		refcount: int,
	});
	const description = (more: Partial<RegionDescription> = {}): RegionDescription => ({
		...{ name: "mapped region", path: "proc.mmr[]" },
		fields: {
			start: "addr",
			length: "length",
			prot: "prot",
			flags: "flags",
			valid: "valid",
			family: "family.listid",
			refcount: "refcount",
		},
		...more,
	});
	const kernel = new PaperKernel({ proc: array(withRegions({ mmr: array(mmr, 3) }), 2) }, { pages: 16 });
	const regionsOf = (wanted: readonly RegionDescription[], of = kernel) => {
		const reader = new RegionReader(of.memory, of.names, wanted);
		const process = new ProcessReader(of.memory, of.names).read(1);
		return { reader, ...(process ? reader.read(process) : { regions: [], flaws: [] }) };
	};
	kernel.set("proc[1].state", 2).set("proc[1].pid", 3);
	const at = "proc[1].mmr[1]";
	kernel
		.set(`${at}.addr`, 0x10000)
		.set(`${at}.length`, 5000)
		.set(`${at}.prot`, 6)
		.set(`${at}.flags`, 1)
		.set(`${at}.valid`, 1);
	kernel.set(`${at}.family`, kernel.end).poke(kernel.end, 2, 4).set(`${at}.refcount`, 4);

	test("are read by what the lab says, whole pages", () => {
		const { regions, flaws, reader } = regionsOf([description({ show: ["refcount", "nothing"] })]);
		expect(flaws).toEqual([]);
		expect(regions).toEqual([
			{
				...{ path: "proc[1].mmr[1]", name: "mapped region", element: kernel.at(at), start: 0x10000, end: 0x12000 },
				...{ allowed: 6, shared: true, family: 2, refcount: 4, global: false },
				fields: { refcount: "4", flags: "0x1", prot: "6" },
			},
		]);
		expect([reader.described, reader.inUse, reader.haveLengths]).toEqual([true, true, true]);
		expect(regions[0] && familyKey(regions[0])).toBe("mapped region 2");
	});

	test.each<[string, Record<string, number>, Partial<RegionDescription>, object]>([
		["private by its flag", { flags: 2 }, {}, { shared: false }],
		["shared by a bit that the lab names", { flags: 2 }, { sharedBit: 2 }, { shared: true }],
		[
			"with rights as the lab has them",
			{ prot: 5 },
			{ protBits: { read: 1, write: 2, execute: 4 } },
			{ allowed: 2 | 8 },
		],
		["without a bit for execution", { prot: 6 }, { protBits: { read: 2, write: 4 } }, { allowed: 6 }],
		[
			"by its end",
			{ length: 0x13000 },
			{ fields: { start: "addr", end: "length" } },
			{ start: 0x10000, end: 0x13000, allowed: undefined, shared: undefined },
		],
		["by its pages", { length: 3 }, { fields: { start: "addr", pages: "length" } }, { end: 0x13000 }],
		["of as many pages as the lab says", {}, { fields: { start: "addr" }, pages: 2 }, { end: 0x12000 }],
		["where the lab says", {}, { fields: { length: "length" }, start: "0x40000" }, { start: 0x40000, end: 0x42000 }],
		["in no family", {}, { fields: { start: "addr", length: "length" } }, { family: undefined, shared: undefined }],
		[
			"in the family of a pointer, by order",
			{},
			{ fields: { start: "addr", length: "length", family: "family" } },
			{ family: 0, shared: true },
		],
		[
			"in no family by a number below zero",
			{ prot: -1 },
			{ fields: { start: "addr", length: "length", family: "prot" } },
			{ family: undefined },
		],
		["beyond what can be mapped, cut there", { length: 2 ** 40 }, {}, { end: 2 ** 38 }],
	])("%s", (_, words, more, expected) => {
		const before = new Uint8Array(kernel.ram.buffer).slice();
		for (const [key, value] of Object.entries(words)) kernel.set(`${at}.${key}`, value);
		const { regions } = regionsOf([description(more)]);
		expect(regions.find(({ path }) => path === "proc[1].mmr[1]")).toMatchObject(expected);
		new Uint8Array(kernel.ram.buffer).set(before);
	});

	test.each<[string, Record<string, number>, string]>([
		["of no length", { length: 0 }, "its length is 0"],
		["that begins beyond MAXVA", { addr: 2 ** 38 }, "it begins beyond MAXVA"],
		["that begins within a page", { addr: 0x10008 }, "it does not begin at a page"],
	])("%s is a flaw", (_, words, flaw) => {
		const before = new Uint8Array(kernel.ram.buffer).slice();
		for (const [key, value] of Object.entries(words)) kernel.set(`${at}.${key}`, value);
		expect(regionsOf([description()]).flaws).toMatchObject([{ path: "proc[1].mmr[1]", name: "mapped region", flaw }]);
		new Uint8Array(kernel.ram.buffer).set(before);
	});

	test("that no lab describes are recognised by their names, and promise nothing", () => {
		for (const [array_, members] of [
			["vmas", { vm_start: uint64, vm_end: uint64, used: int }],
			["vma", { addr: uint64, len: uint64 }],
			["mmaps", { start: uint64, length: uint64, valid: int }],
		] as const) {
			const own = new PaperKernel({ proc: array(withRegions({ [array_]: array(struct("one", members), 2) }), 2) });
			own.set("proc[1].state", 2).set("proc[1].pid", 3);
			const [from, to] = Object.keys(members) as [string, string];
			own
				.set(`proc[1].${array_}[1].${from}`, 0x10000)
				.set(`proc[1].${array_}[1].${to}`, to.includes("end") ? 0x12000 : 0x2000);
			if ("used" in members) own.set(`proc[1].${array_}[1].used`, 1);
			if ("valid" in members) own.set(`proc[1].${array_}[1].valid`, 1);
			const { regions, reader } = regionsOf([], own);
			expect(regions).toMatchObject([
				{ start: 0x10000, end: 0x12000, allowed: undefined, shared: undefined, path: `proc[1].${array_}[1]` },
			]);
			expect(reader.described).toBe(false);
		}
		const files = new PaperKernel({
			proc: array(withRegions({ ofile: array(struct("file", { addr: uint64, len: uint64 }), 2) }), 2),
		});
		expect(likelyRegions(files.names)).toEqual([]);
		const odd = new PaperKernel({ proc: array(withRegions({ vma: array(struct("vma", { addr: uint64 }), 2) }), 2) });
		expect(likelyRegions(odd.names)).toEqual([]);
	});

	test("that the lab describes and this kernel has not are noted", () => {
		const { reader } = regionsOf([description({ path: "proc.vmas[]" })]);
		expect(reader.described).toBe(false);
		const own = new PaperKernel({ proc: array(age, 2) });
		const names = own.names;
		new RegionReader(own.memory, names, [description()]);
		expect(names.notes.get("findings")?.join()).toContain("The lab's regions (`proc.mmr[]`) were not found");
		const other = kernel.names;
		const missing = new RegionReader(kernel.memory, other, [
			description({ fields: { start: "begin", length: "length" } }),
		]);
		missing.read({ slot: 1, address: kernel.at("proc[1]") } as never);
		expect(other.notes.get("address-space")?.join()).toContain("`proc.mmr[]` has no member `begin`");
	});

	test("in a list are followed to its end, also where it leads back", () => {
		const node = struct("vma", { start: uint64, length: uint64, next: pointer() });
		// The members behind `next` have the same type.
		const list = struct("vma", { start: uint64, length: uint64, next: pointer(node) });
		const own = new PaperKernel({ proc: array(withRegions({ vmas: pointer(list) }), 2) });
		own.set("proc[1].state", 2).set("proc[1].pid", 3).set("proc[1].vmas", own.end);
		own
			.poke(own.end, 0x10000)
			.poke(own.end + 8, 0x1000)
			.poke(own.end + 16, own.end + 64);
		own
			.poke(own.end + 64, 0x20000)
			.poke(own.end + 72, 0x1000)
			.poke(own.end + 80, own.end);
		const { regions } = regionsOf(
			[{ name: "vma", path: "proc.vmas", next: "next", fields: { start: "start", length: "length" } }],
			own,
		);
		expect(regions.map(({ path, start }) => [path, start])).toEqual([
			["proc[1].vmas[0]", 0x10000],
			["proc[1].vmas[1]", 0x20000],
		]);
		own.set("proc[1].vmas", 4);
		expect(
			regionsOf([{ name: "vma", path: "proc.vmas", next: "next", fields: { start: "start" } }], own).regions,
		).toEqual([]);
	});

	test("of all processes belong to those that have mapped their frame", () => {
		const page = struct("shmem_page", { id: int, frame: uint64, va: uint64, ref: int });
		const own = new PaperKernel({ proc: array(age, 2), shm: array(page, 2) }, { pages: 16 });
		own.set("proc[1].state", 2).set("proc[1].pid", 3).set("proc[1].pagetable", own.end);
		// A tree of three tables that maps 0x5000 to the frame at end + 0x8000.
		const pte = (target: number, flags: number) => (BigInt(target / 4096) << 10n) | BigInt(flags);
		own.poke(own.end, pte(own.end + 0x1000, 1)).poke(own.end + 0x1000, pte(own.end + 0x2000, 1));
		own.poke(own.end + 0x2000 + 5 * 8, pte(own.end + 0x8000, 0x17));
		own
			.set("shm[1].va", 0x5000)
			.set("shm[1].frame", own.end + 0x8000)
			.set("shm[1].ref", 2)
			.set("shm[0].va", 0x6000);
		for (const path of ["shm[]", "struct shmem_page"]) {
			const wanted = { name: "shared page", path, pages: 1, fields: { start: "va", frame: "frame", refcount: "ref" } };
			const { regions } = regionsOf([wanted], own);
			expect(regions).toMatchObject([
				{ path: "shm[1]", start: 0x5000, end: 0x6000, shared: true, refcount: 2, global: true },
			]);
			expect(regions[0] && familyKey(regions[0])).toBe("shm[1]");
			// On another frame it is not the kernel's.
			own.set("shm[1].frame", own.end + 0x9000);
			expect(regionsOf([wanted], own).regions).toEqual([]);
			own.set("shm[1].frame", own.end + 0x8000);
		}
	});
});
