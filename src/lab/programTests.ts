import { withoutComments } from "../common/cText.ts";
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
		/** By layout and place within an entry: the end of the last table that was none; what begins within it is none, too. */
		const refused = new Map<string, number>();
		for (let at = offset; at + 2 * pointer <= offset + fileSize; at += pointer) {
			for (const { size, call, title } of layouts) {
				const key = `${size} ${call} ${at % size}`;
				if (at < (refused.get(key) ?? 0)) continue;
				const names: string[] = [];
				let to = at;
				for (; functions.has(word(to + call)); to += size) {
					const text = textAt(word(to + title));
					if (text === undefined) break;
					names.push(text);
				}
				if (names.length < leastTests || word(to) !== 0 || word(to + pointer) !== 0) {
					refused.set(key, to);
					continue;
				}
				for (const each of names) found.push(each);
				at = to;
			}
		}
	}
	return [...new Set(found)];
}

/** What a program prints that is judged here: `usertests`, and `lazytests` of 2019 and 2020. */
const passed = "ALL TESTS PASSED";
const failed = "SOME TESTS FAILED";

/** A test of a program as its source declares it: function and name in a table, in either order. */
interface DeclaredTest {
	readonly name: string;
	/** Line (from 1) of the test's function, where it is in the same file. */
	readonly line?: number;
}

/** The tests that a program's source declares, before anything is built; empty: it is no such program. */
export function declaredTests(source: string): readonly DeclaredTest[] {
	if (!source.includes(passed) || !source.includes(failed)) return [];
	const text = withoutComments(source, "places");
	const lines = new Map<string, number>();
	for (const [i, line] of text.split("\n").entries()) {
		const called = /^(?:(?:static\s+)?void\s+)?(\w+)\s*\([^()]*\)\s*(?:\{|$)/.exec(line)?.[1];
		if (called !== undefined && !lines.has(called)) lines.set(called, i + 1);
	}
	const found = new Map<string, DeclaredTest>();
	const entries = /\{\s*(?:([A-Za-z_]\w*)\s*,\s*"(\w+)"|"(\w+)"\s*,\s*([A-Za-z_]\w*))\s*(?:,\s*(?:\w+\s*)?)?\}/g;
	for (const [, call1, title1, title2, call2] of text.matchAll(entries)) {
		const title = title1 ?? title2 ?? "";
		const line = lines.get(call1 ?? call2 ?? "");
		if (name.test(title)) found.set(title, { name: title, ...(line === undefined ? {} : { line }) });
	}
	return found.size < leastTests ? [] : [...found.values()];
}

/**
 * A program's tests as a lab: each types `PROGRAM NAME`, and passes by what usertests says. Throws where it has no table of them.
 * `idOf`: a test's id by its name.
 */
export function programLab(
	program: string,
	elf: Uint8Array,
	idOf: (name: string) => string = (name) => name,
): LabManifest {
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
		tests: names.map((name) => ({
			id: idOf(name),
			task: program,
			title: name,
			program,
			command: `${program} ${name}`,
			expect: {
				match: "regex",
				output: `^${passed}$`,
				shown: passed,
				lacks: failed,
			},
			budget,
		})),
		knownFailures: [],
	};
}
