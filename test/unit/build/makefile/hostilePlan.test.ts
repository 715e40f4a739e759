import { expect, test } from "vitest";
import { planBuild } from "../../../../src/build/makefile/plan.ts";
import { fromUtf8 } from "../../../../src/common/bytes.ts";
import { tinyMakefile, tinyTree } from "../../../support/tinyTree.ts";

/** Each took minutes, all memory, or the whole stack. The tests' time limit is the judge of what only has to end. */
function plan(makefile: string, changes: Record<string, string | undefined> = {}) {
	const { files } = tinyTree({ ...changes, Makefile: makefile });
	const text = (path: string) => {
		const bytes = files.get(path);
		return bytes && fromUtf8(bytes);
	};
	return planBuild("tiny", { paths: [...files.keys()].sort(), text });
}

const lines = (count: number, line: (i: number) => string) =>
	Array.from({ length: count }, (_, i) => `${line(i)}\n`).join("");
/** Makes the kernel need `name`, too. */
const needing = (name: string) => `${tinyMakefile}\nkernel/kernel: ${name}\n`;

test.each([
	[
		"a chain of targets",
		`${needing("t0")}${lines(100_000, (i) => `t${i}: t${i + 1}`)}`,
		/chain of targets that leads to 't\d+' has more than 500/,
	],
	[
		"very many files",
		`${needing("$(OBJS)")}OBJS := ${Array.from({ length: 9000 }, (_, i) => `o${i}.o`).join(" ")}\n$(OBJS): %.o: kernel/main.c\n\tgcc -DN=$* -c -o $@ $<\n`,
		/makes more than 5000 files/,
	],
	[
		"pattern rules that all fit, in chains",
		`${needing("x.q")}${lines(1000, (i) => `%: %.a${i} %.b${i} %.c${i}\n\tcp $< $@`)}`,
		/Working out what this Makefile builds/,
	],
	[
		"the same long list needed by many",
		`P := ${Array.from({ length: 3000 }, (_, i) => `p${i}.z`).join(" ")}\n${needing("$(P)")}$(P): kernel/main.c $(P)\n\tcp $< $@\n`,
		/takes too much work/,
	],
	[
		"two million words that a regular expression keeps on its stack",
		"export ".repeat(2_200_000),
		/^Makefile is too long/,
	],
	[
		"patterns of variables for many targets",
		`P := ${Array.from({ length: 4000 }, (_, i) => `p${i}.z`).join(" ")}\n${needing("$(P)")}$(P): ; cp kernel/main.c $@\n${lines(40_000, (i) => `q${i}%: V = 1`)}`,
		/takes too much work/,
	],
])("%s: a limit, with the place", (_, makefile, message) => {
	expect(() => plan(makefile)).toThrow(
		expect.objectContaining({
			code: "limit-reached",
			message: expect.stringMatching(message),
			position: expect.objectContaining({ file: "Makefile" }),
		}),
	);
});

test.each([
	["many files that are missing, beside a long .gitignore", { ".gitignore": lines(100_000, (i) => `${i}*a*a*a*b`) }],
	["many files that are missing, beside a long file of comments", { "more.mk": lines(100_000, (i) => `# ${i} aaaa`) }],
])("%s: a limit, with the place", (_, changes) => {
	const programs = Array.from({ length: 2000 }, (_, i) => `user/_${"a".repeat(50)}${i}`).join(" ");
	const makefile = `${tinyMakefile}\n-include more.mk\nfs.img: ${programs}\n`;
	expect(() => plan(makefile, changes)).toThrow(expect.objectContaining({ code: "limit-reached" }));
});
