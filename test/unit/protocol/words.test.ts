import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import * as calls from "../../../src/protocol/calls.ts";
import { frameWords, gotFrame, outcomeWords } from "../../../src/protocol/words.ts";
import { catalog, repository } from "../../support/lab.ts";

test("no two letters of frames and no two outcomes of faults are told by the same words", () => {
	for (const words of [frameWords, outcomeWords]) {
		const all = Object.values(words);
		expect(new Set(all).size).toBe(all.length);
		for (const word of all) expect(word).toMatch(/^[a-z][a-z ,:]*[a-z]$/);
	}
	expect(gotFrame).toContain("{0}");
});

test("a page's look-up of a word finds it among the strings for translators", () => {
	const bundle = JSON.parse(readFileSync(join(repository, "l10n/bundle.l10n.json"), "utf8")) as Record<string, string>;
	for (const word of [...Object.values(frameWords), ...Object.values(outcomeWords), gotFrame])
		expect(bundle, word).toHaveProperty([word]);
});

test("every system call that gives or takes a region, or makes or ends a process, is marked in the log", () => {
	for (const call of [...calls.leaving, ...calls.maps, ...calls.unmaps]) expect(calls.marked, call).toContain(call);
	for (const call of calls.maps) expect(calls.unmaps).not.toContain(call);
	for (const call of ["fork", "vfork", "clone"])
		expect([calls.isFork(call), calls.marked.has(call)]).toEqual([true, true]);
	for (const call of ["exec", "mmap", "fork2", "", "constructor"]) expect(calls.isFork(call)).toBe(false);
});

test("who is in a call that is not known, or in a fault, or waits for a child, may be changing memory", () => {
	for (const call of [...calls.marked, "wait", calls.faultCall, calls.unknownCall])
		expect(calls.changing).toContain(call);
	for (const call of ["read", "write", "getpid", "sleep"]) expect(calls.changing).not.toContain(call);
});

test("the bundled kernel has the calls whose marks its labs' reports show, by these names", async () => {
	const files = await catalog.workspace("hw5-anonymous-mmap", "3b");
	const header = new TextDecoder().decode(files.get("kernel/syscall.h"));
	const names = [...header.matchAll(/#define\s+SYS_(\w+)/g)].map(([, name]) => name as string);
	expect(names.filter((name) => calls.marked.has(name)).sort()).toEqual([
		"exec",
		"exit",
		"fork",
		"mmap",
		"munmap",
		"sbrk",
	]);
});
