import { UserError } from "../common/errors.ts";
import { ElfFile } from "../debuginfo/elf.ts";
import type { LabManifest } from "./manifest.ts";

const pointer = 8;
/** Of an entry: its bytes, and where the function and the name are. A third field says what is slow. */
const layouts = [
	{ size: 16, call: 0, title: 8 },
	{ size: 16, call: 8, title: 0 },
	{ size: 24, call: 0, title: 8 },
	{ size: 24, call: 8, title: 0 },
] as const;
const name = /^[A-Za-z_]\w{0,40}$/;
/** A table of fewer entries may be something else. */
const leastTests = 5;
/** Instructions for one test: the slowest of usertests take some ten thousand millions. */
const budget = 60_000_000_000;

/**
 * Names of a program's tests, from its ELF file: a table of `{ function, name }`, in either order, which ends with zeros, as
 * usertests has one (or two, quick ones and slow ones). Empty where there is none.
 */
export function testNames(bytes: Uint8Array): readonly string[] {
	const elf = new ElfFile(bytes);
	// A program's first function is at 0.
	const functions = new Set(elf.symbols.map(({ address }) => address));
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	const word = (at: number) => (at + pointer <= bytes.length ? Number(view.getBigUint64(at, true)) : 0);
	const textAt = (address: number): string | undefined => {
		if (address === 0) return undefined;
		const segment = elf.segments.find((each) => address >= each.address && address < each.address + each.fileSize);
		if (!segment) return undefined;
		const from = segment.offset + address - segment.address;
		const end = bytes.indexOf(0, from);
		if (end < 0 || end - from > 48) return undefined;
		const text = String.fromCharCode(...bytes.subarray(from, end));
		return name.test(text) ? text : undefined;
	};
	const found: string[] = [];
	for (const { offset, fileSize } of elf.segments) {
		for (let at = offset; at + 2 * pointer <= offset + fileSize; at += pointer) {
			for (const { size, call, title } of layouts) {
				const names: string[] = [];
				let to = at;
				for (; functions.has(word(to + call)); to += size) {
					const text = textAt(word(to + title));
					if (text === undefined) break;
					names.push(text);
				}
				if (names.length < leastTests || word(to) !== 0 || word(to + pointer) !== 0) continue;
				found.push(...names);
				at = to;
			}
		}
	}
	return [...new Set(found)];
}

/** A program's tests as a lab: each types `PROGRAM NAME`, and passes by what usertests says. Throws where it has no table of them. */
export function programLab(program: string, elf: Uint8Array): LabManifest {
	const names = testNames(elf);
	if (names.length === 0) {
		const next = "A table of functions and names, as usertests has one, makes its tests known.";
		throw new UserError("lab-not-found", `${program} has no tests by name`, next);
	}
	return {
		id: program,
		title: program,
		course: "",
		handout: "README.md",
		programs: [program],
		tasks: [{ id: program, title: `Tests of ${program}` }],
		tests: names.map((id) => ({
			id,
			task: program,
			title: id,
			program,
			command: `${program} ${id}`,
			expect: {
				match: "regex",
				output: "^ALL TESTS PASSED$",
				shown: "ALL TESTS PASSED",
				lacks: "SOME TESTS FAILED",
			},
			budget,
		})),
		knownFailures: [],
	};
}
