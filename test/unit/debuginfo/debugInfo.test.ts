import { describe, expect, test } from "vitest";
import { DebugInfo } from "../../../src/debuginfo/debugInfo.ts";
import { findMember, plain, type StructType, typeName } from "../../../src/debuginfo/types.ts";
import { elfOf, type Fixture, fixtures, names } from "./fixtures.ts";

const open = (name: string) => ({ info: new DebugInfo(elfOf(name)), golden: fixtures[name] as Fixture });
const base = (file: string) => file.replace(/.*\//, "");

describe.each(names)("%s", (name) => {
	test("every instruction has addr2line's functions and lines", () => {
		const { info, golden } = open(name);
		const wrong: string[] = [];
		for (const [pc, expected] of golden.lines) {
			const line = info.lines.lineAt(pc);
			let position = line ? `${base(line.file)}:${line.line}` : "??:?";
			const found: string[] = [];
			for (const frame of info.functionsAt(pc)) {
				found.push(frame.name, position);
				position = frame.call ? `${base(frame.call.file)}:${frame.call.line}` : "??:?";
			}
			// addr2line prints the file of code without a line; readers get no place at all.
			const wanted = expected.map((text) => text.replace(/^.*:\?$/, "??:?"));
			if (found.join(" ") !== wanted.join(" "))
				wrong.push(`${pc.toString(16)}: ${found.join(" ")} for ${wanted.join(" ")}`);
		}
		expect(wrong).toEqual([]);
		expect(golden.lines.length).toBeGreaterThan(40);
	});

	test("symbols are nm's", () => {
		const { info, golden } = open(name);
		for (const [symbol, address, size] of golden.symbols) {
			expect(info.elf.symbol(symbol)).toMatchObject({ address, size });
			if (size > 0) expect(info.elf.symbolAt(address + size - 1)?.name).toBe(symbol);
		}
	});

	test("structures lie as the compiler says", () => {
		const { info, golden } = open(name);
		const node = info.struct("node") as StructType;
		const inner = info.struct("inner") as StructType;
		const offsets = ["name", "state", "x", "y", "word", "family", "table", "call"].map(
			(m) => findMember(node, m)?.offset,
		);
		expect([node.size, ...offsets, inner.size, findMember(inner, "next")?.offset]).toEqual(golden.layout);
		expect(typeName(findMember(node, "table")?.type)).toBe("table_t");
		expect(typeName(findMember(node, "name")?.type)).toBe("char[16]");
		expect(typeName(findMember(inner, "next")?.type)).toBe("struct node *");
		const state = plain(findMember(node, "state")?.type);
		expect(state?.kind === "enum" && [...state.values]).toEqual([
			[0, "IDLE"],
			[5, "BUSY"],
			[6, "DONE"],
		]);
	});

	test("globals and file statics have their address and type", () => {
		const { info, golden } = open(name);
		for (const variable of ["nodes", "list", "counter"]) {
			const symbol = golden.symbols.find(([symbolName]) => symbolName === variable);
			expect(info.variable(variable)?.address).toBe(symbol?.[1]);
		}
		expect(typeName(info.variable("nodes")?.type)).toBe("struct node[4]");
	});

	test("a line leads to the addresses that lead back to it", () => {
		const { info, golden } = open(name);
		const seen = new Set(golden.lines.map(([pc]) => info.lines.lineAt(pc)?.line ?? 0));
		for (const line of seen) {
			if (line === 0) continue;
			for (const address of info.lines.addressesOf("fixture.c", line))
				expect(info.lines.lineAt(address)?.line).toBe(line);
		}
		expect([...seen].some((line) => info.lines.addressesOf("fixture.c", line).length > 0)).toBe(true);
	});

	test("call frames are readelf's", () => {
		const { info, golden } = open(name);
		const registers = (index: number) => BigInt(1_000_000 * (index + 1));
		const columns: Record<string, number> = { sp: 2, s0: 8, fp: 8 };
		for (const [pc, cfaText, s0, ra] of golden.frames) {
			const match = /^(\w+)([+-]\d+)$/.exec(cfaText);
			const cfa = registers(columns[match?.[1] ?? ""] ?? -1) + BigInt(match?.[2] ?? 0);
			const memory = (address: bigint) => address * 7n;
			const caller = info.frames.unwind(BigInt(pc), { register: registers, memory });
			expect(caller?.cfa).toBe(cfa);
			const saved = (text: string, index: number) => {
				const offset = /^c([+-]\d+)$/.exec(text);
				return offset ? (cfa + BigInt(offset[1] as string)) * 7n : registers(index);
			};
			expect(caller?.register(8)).toBe(saved(s0, 8));
			expect(caller?.returnAddress).toBe(saved(ra, 1));
		}
		expect(golden.frames.length).toBeGreaterThan(3);
	});

	test("parameters and locals are known where they live", () => {
		const { info, golden } = open(name);
		const work = golden.symbols.find(([symbol]) => symbol === "work") as readonly [string, number, number];
		const at = work[1] + (name.includes("O0") ? work[2] - 8 : 0);
		const locals = new Map(info.localsAt(at).map((local) => [local.name, local]));
		expect([...locals.keys()]).toEqual(expect.arrayContaining(["a", "b", "here", "r"]));
		const context = { register: (i: number) => BigInt(i * 16 + 4096), memory: () => 0n, cfa: () => 8192n };
		const place = locals.get("a")?.locate(context);
		// At the entry a is in a0, the calling convention says so; unoptimized code keeps it in the frame.
		if (name.includes("O0")) expect(place?.kind).toBe("memory");
		else expect(place).toEqual({ kind: "register", register: 10 });
	});
});
