import { expect, test } from "vitest";
import { MakefileReader } from "../../../../src/build/makefile/reader.ts";
import { UserError } from "../../../../src/common/errors.ts";

const at = { file: "Makefile", line: 1 };

function read(text: string, files: Record<string, string> = {}, overrides: Record<string, string> = {}) {
	const all: Record<string, string> = { Makefile: text, ...files };
	const reader = new MakefileReader({ paths: Object.keys(all).sort(), text: (path) => all[path] }, overrides);
	reader.read("Makefile");
	reader.finish();
	return reader;
}

function variable(text: string, name = "X", files: Record<string, string> = {}): string {
	return read(text, files).value(name, at);
}

// The expected values are those of GNU make 4.3.
test.each([
	["recursive values are expanded at use", "A = 1\nX = $(A)\nA = 2", "2"],
	["simple values are expanded when they are set", "A = 1\nX := $(A)\nA = 2", "1"],
	["?= keeps a value that is there", "X = 1\nX ?= 2", "1"],
	["?= sets one that is not", "X ?= 2", "2"],
	["+= appends with a space", "X = 1\nX += 2", "1 2"],
	["+= to a simple variable expands now", "A = 1\nX := 0\nX += $(A)\nA = 2", "0 1"],
	["+= to nothing sets", "X += 2", "2"],
	["continuation lines join with one space", "X = a \\\n   b\\\n\tc", "a b c"],
	["a comment ends the value", "X = a b# and more", "a b"],
	["an escaped number sign stays", "X = a\\#b", "a#b"],
	["one-letter references need no brackets", "K=kernel\nX = $K/main.o", "kernel/main.o"],
	["braces work as parentheses", `A = 1\nX = \${A}`, "1"],
	["a dollar sign is written twice", "X = $$a", "$a"],
	["names may be computed", "A_b = 7\nC = b\nX = $(A_$(C))", "7"],
	["substitution references change suffixes", "S = a.c b.c c.S\nX = $(S:.c=.o)", "a.o b.o c.S"],
	["substitution references take patterns", "S = user/a user/b\nX = $(S:user/%=_%)", "_a _b"],
	["subst", "X = $(subst ee,EE,feet on the street)", "fEEt on the strEEt"],
	["patsubst", "X = $(patsubst %.c,%.o,x.c.c bar.c)", "x.c.o bar.o"],
	["filter and filter-out", "S = a.c b.S c.h\nX = $(filter %.c %.h,$(S)) $(filter-out %.c %.h,$(S))", "a.c c.h b.S"],
	["addprefix and addsuffix", "X = $(addprefix user/_,$(addsuffix .x,a b))", "user/_a.x user/_b.x"],
	[
		"notdir, dir, basename, suffix",
		"F = user/cat.c\nX = $(notdir $(F)) $(dir $(F)) $(basename $(F)) $(suffix $(F))",
		"cat.c user/ user/cat .c",
	],
	["foreach", "X = $(foreach p,cat ls,user/_$(p))", "user/_cat user/_ls"],
	["if, or, and", "A = y\nX = $(if $(A),1,2)$(if $(B),1,2)$(or $(B),3)$(and $(A),$(B))", "123"],
	[
		"words, word, wordlist, firstword, lastword",
		"S = a b c\nX = $(words $(S))$(word 2,$(S))$(wordlist 2,3,$(S))$(firstword $(S))$(lastword $(S))",
		"3bb cac",
	],
	["sort removes repeats", "X = $(sort c a b a)", "a b c"],
	["strip and findstring", "X = [$(strip  a   b )][$(findstring a,abc)]", "[a b][a]"],
	["call passes arguments", "rev = $(2) $(1)\nX = $(call rev,a,b)", "b a"],
	["commas inside references do not separate", "X = $(if $(filter a,a b),yes,no)", "yes"],
	["define keeps its lines", "define X\na\nb\nendef", "a\nb"],
	["eval makes variables", "$(eval X = 5)", "5"],
	["wildcard looks at the tree", "X = $(wildcard user/*.c)", "user/a.c user/b.c"],
])("%s", (_, text, expected) => {
	expect(variable(text, "X", { "user/a.c": "", "user/b.c": "", "kernel/c.c": "" })).toBe(expected);
});

test.each([
	["ifeq with parentheses", "L=fs\nifeq ($(L),fs)\nX=1\nelse\nX=2\nendif", "1"],
	["ifeq with quotes", "L=fs\nifeq \"$(L)\" 'net'\nX=1\nelse\nX=2\nendif", "2"],
	["ifneq", "ifneq ($(L),)\nX=1\nelse\nX=2\nendif", "2"],
	["ifdef and ifndef", "A=1\nifdef A\nX=1\nendif\nifndef B\nX+=2\nendif", "1 2"],
	[
		"else ifeq chains take the first that holds",
		"L=b\nifeq ($(L),a)\nX=1\nelse ifeq ($(L),b)\nX=2\nelse ifeq ($(L),b)\nX=3\nelse\nX=4\nendif",
		"2",
	],
	[
		"nested conditionals in a dead branch stay dead",
		"ifdef NO\nifeq (a,a)\nX=1\nelse\nX=2\nendif\nX=3\nelse\nX=4\nendif",
		"4",
	],
	["filter as a set test", "L=lock\nifeq ($(L),$(filter $(L), lock fs))\nX=in\nendif", "in"],
])("conditionals: %s", (_, text, expected) => {
	expect(variable(text)).toBe(expected);
});

test.each([
	[
		"prefix probe",
		"if riscv64-linux-gnu-objdump -i 2>&1 | grep 'elf64-big'; then echo 'riscv64-linux-gnu-'; fi",
		"riscv64-unknown-elf-",
	],
	[
		"flag probe",
		"riscv64-unknown-elf-gcc -fno-stack-protector -E -x c /dev/null >/dev/null 2>&1 && echo -fno-stack-protector",
		"-fno-stack-protector",
	],
	["upper case of a lab's name", "echo cow | tr a-z A-Z", "COW"],
	["port of the user", "expr `id -u` % 5000 + 25000", "25000"],
	["operating system", "uname -s", "Linux"],
	["a comparison of versions", "[ 10 -gt 6 ] && echo true", "true"],
	["files of a folder", "ls user/*.c", "user/a.c user/b.c"],
	["find by name", "find user -name '*.c'", "user/a.c user/b.c"],
])("shell commands that need no running: %s", (_, command, expected) => {
	const escaped = command.replaceAll("$", "$$$$");
	expect(variable(`X := $(shell ${escaped})`, "X", { "user/a.c": "", "user/b.c": "" })).toBe(expected);
});

test("a shell command that would have to run is an error only where it is used, with its line", () => {
	const reader = read("A = 1\nX := $(shell ./configure --now)\nY = $(A)");
	expect(reader.value("Y", at)).toBe("1");
	const error = failure(() => reader.expander.requireKnown(reader.value("X", at), at));
	expect(error.code).toBe("makefile-not-understood");
	expect(error.position).toEqual({ file: "Makefile", line: 2 });
	expect(error.message).toContain("./configure --now");
});

test("a condition on an unknown command names its line", () => {
	const error = failure(() => read("\n\nifeq ($(shell ./probe),yes)\nX=1\nendif"));
	expect(error.position?.line).toBe(3);
});

test("spaces where a recipe needs a tab are called that, in their line", () => {
	const error = failure(() => read("kernel: a.o\n        ld -o kernel a.o\n"));
	expect(error.position).toEqual({ file: "Makefile", line: 2 });
	const expanded = failure(() => read("LD = ld\nkernel: a.o\n        $(LD) -o kernel a.o\n"));
	expect(expanded.position).toEqual({ file: "Makefile", line: 3 });
	expect(expanded.message).toMatch(/begins with spaces: ld -o/);
	expect(error.message).toMatch(/must begin with a tab, and this one begins with spaces: ld -o/);
	expect(error.nextStep).toMatch(/by one tab/);
});

test.each([
	'sed "s/:1234/:25000/" < $^ > $@',
	"@echo Get a key: visit the site",
	"$(QEMU) -S -gdb tcp::25000",
	"$(CC) -o x -DA=1 -DB=a:b x.c",
])("spaces for the tab before a command with a colon: %s", (command) => {
	const tools = "QEMU = qemu-system-riscv64\nCC = riscv64-unknown-elf-gcc\n";
	const error = failure(() => read(`${tools}kernel: a.o\n    ${command}\n`));
	expect(error.message).toMatch(/must begin with a tab/);
	expect(error.position).toEqual({ file: "Makefile", line: 4 });
});

test("rules and assignments may be indented by spaces, after a rule too", () => {
	const reader = read("all: a\n  X = 1\n  clean: ; rm -f a\n  a b: c\n  test: a\n");
	expect(reader.value("X", at)).toBe("1");
	for (const name of ["clean", "a", "b", "test"]) expect(reader.rules.has(name), name).toBe(true);
});

const doubling = (first: string, next: (name: string) => string) =>
	`A0 = ${first}\n${Array.from({ length: 60 }, (_, i) => `A${i + 1} = ${next(`$(A${i})`)}\n`).join("")}X := $(A60)\n`;

test.each([
	["texts that double", doubling("x", (name) => name + name)],
	["variables that double and are empty", doubling("", (name) => name + name)],
	["a list that a function multiplies", doubling("x x x x", (name) => `$(foreach a,${name},${name})`)],
	["a prefix that is as long as its list", doubling("x", (name) => `$(addprefix ${name},${name} ${name})`)],
])("%s end, with the place", (_, text) => {
	expect(failure(() => read(text))).toMatchObject({ code: "limit-reached", position: { file: "Makefile" } });
});

const list = (count: number, name: (i: number) => string) => Array.from({ length: count }, (_, i) => name(i)).join(" ");
const lines = (count: number, line: (i: number) => string) =>
	Array.from({ length: count }, (_, i) => `${line(i)}\n`).join("");

/** Each is a few MiB at most, and took minutes, all memory, or the whole stack. */
test.each([
	["all words with all patterns", `P := ${list(60_000, (i) => `p${i}`)}\nX := $(filter-out $(P),$(P) $(P))\n`],
	["all targets with all prerequisites", `P := ${list(60_000, (i) => `p${i}`)}\n$(P): $(P)\n`],
	["rules for one target, each with a recipe", lines(60_000, (i) => `a: p${i} ; true`)],
	["all targets with all patterns", `P := ${list(60_000, (i) => `p${i}%`)}\n$(P:%=x): $(P): %.c\n`],
	["a makefile that is included again and again", "include big.mk\n".repeat(1000), { "big.mk": "#".repeat(1 << 20) }],
	[
		"a long word in front of many functions",
		`X := ${"$(strip ".repeat(150)}${"x".repeat(1 << 20)}${")".repeat(150)}\n`,
	],
	[
		"a pattern of many stars over many files",
		lines(400, () => "X := $(wildcard *a*a*a*a*a*a*a*a*a*a*a*b)"),
		manyFiles(),
	],
	["the same for ls", lines(400, () => "X := $(shell ls *a*a*a*a*a*a*a*a*a*a*a*b)"), manyFiles()],
])("%s end, with the place", (_, text, files: Readonly<Record<string, string>> = {}) => {
	expect(failure(() => read(text, files))).toMatchObject({ code: "limit-reached", position: { file: /Makefile|mk/ } });
});

function manyFiles(): Readonly<Record<string, string>> {
	return Object.fromEntries(Array.from({ length: 2000 }, (_, i) => [`${"a".repeat(200)}${i}`, ""]));
}

test.each([
	["conditionals in one another", `${"ifndef NONE\n".repeat(200_000)}X = 1\n${"endif\n".repeat(200_000)}`, "1"],
	["variables of one target", `${lines(200_000, (i) => `a: V = ${i}`)}X = 1\n`, "1"],
	["additions to one variable", `${lines(200_000, () => "X += y")}X := $(words $(X))\n`, "200000"],
])("many %s are read", (_, text, value) => {
	expect(read(text).value("X", at)).toBe(value);
});

test("a pattern that is longer than any path matches nothing", () => {
	const long = "x".repeat(1 << 20);
	expect(read(`A := $(wildcard ${long}/*.c)\n`).value("A", at)).toBe("");
});

test.each([
	["a line that is neither rule nor assignment", "X = 1\nthis is not make", 2],
	["a conditional without end", "X = 1\nifdef X\nY = 2", 2],
	["endif without if", "endif", 1],
	["a reference that is not closed", "A := $(B", 1],
	["a variable that refers to itself", "A = $(A) x\nB := $(A)", 1],
	["a makefile that includes itself", "A = 1\ninclude Makefile", 2],
	["a missing include", "include none.mk", 1],
	["the Makefile's own $(error)", "A = 1\n$(error no compiler)", 2],
])("%s is named with its line", (_, text, line) => {
	expect(failure(() => read(text)).position).toEqual({ file: "Makefile", line });
});

test("included makefiles and overrides count", () => {
	const files = { "conf/lab.mk": "LAB=fs\n" };
	expect(variable("-include conf/*.mk\n-include none.mk\nX = $(LAB)", "X", files)).toBe("fs");
	const reader = read("CPUS := 3\nX = $(CPUS)", {}, { CPUS: "1" });
	expect(reader.value("X", at)).toBe("1");
});

test("stale dependency files of an earlier make are not read", () => {
	const reader = read("-include kernel/*.d\n", { "kernel/a.d": "kernel/a.o: kernel/gone.h\n" });
	expect(reader.rules.size).toBe(0);
});

test("rules keep prerequisites, recipes and the lines they stand on", () => {
	const reader = read("all: a b | dir\n\tone\n\ttwo $@\nall: c\nstat.o: %.o: %.c\n\tcc\n");
	const rule = reader.rules.get("all");
	expect(rule?.prerequisites).toEqual(["a", "b", "c"]);
	expect(rule?.orderOnly).toEqual(["dir"]);
	expect(rule?.recipe?.lines).toEqual([
		{ text: "one", position: { file: "Makefile", line: 2 } },
		{ text: "two $@", position: { file: "Makefile", line: 3 } },
	]);
	expect(reader.rules.get("stat.o")).toMatchObject({ prerequisites: ["stat.c"], stem: "stat" });
});

test("rules made by a template are rules", () => {
	const reader = read(
		"define RULE\n$(1).o: $(1).c\n\tcc -c $(1).c\nendef\n$(foreach p,a b,$(eval $(call RULE,$(p))))\n",
	);
	expect(reader.rules.get("b.o")).toMatchObject({ prerequisites: ["b.c"] });
	expect(reader.rules.get("b.o")?.recipe?.lines[0]?.text).toBe("cc -c b.c");
});

test("target-specific variables reach what the target needs", () => {
	const reader = read("CFLAGS = -O\nkernel/x.o: CFLAGS += -g\nuser/%.o: CFLAGS = -Os\n");
	const flags = (target: string) => reader.expander.value("CFLAGS", at, reader.scopeFor(target, at, reader.globals));
	expect(flags("kernel/x.o")).toBe("-O -g");
	expect(flags("user/y.o")).toBe("-Os");
	expect(flags("kernel/z.o")).toBe("-O");
});

test("Windows line ends are line ends", () => {
	expect(variable("A = a \\\r\n b\r\nX = $(A)\r\n")).toBe("a b");
});

function failure(run: () => unknown): UserError {
	try {
		run();
	} catch (error) {
		if (error instanceof UserError) return error;
		throw error;
	}
	throw new Error("nothing was thrown");
}
