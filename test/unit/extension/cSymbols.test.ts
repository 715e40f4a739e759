import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { bestOf, chainBefore, symbolsOf, valuesToShow } from "../../../src/extension/cSymbols.ts";
import { repository } from "../../support/lab.ts";

const read = (path: string) => readFileSync(join(repository, "xv6", path), "utf8");
const brief = (text: string) => symbolsOf(text).map(({ kind, name, nameLine }) => `${kind} ${name} ${nameLine + 1}`);

test("definitions of each kind, with the line of their name", () => {
	const text = `#define SIZE 4 // of it
#define MAX(a, b) \\
  ((a) > (b) ? (a) : (b))
// int commented(void) {}
struct pair { int left, right; };
enum state { UNUSED, USED = 3 };
typedef unsigned int uint;
typedef struct { int x; } point_t;
int fork(void);
static struct pair pairs[SIZE] = { { 1, 2 } };
char *text = "int fake(void) {", other;
extern int elsewhere;

// Makes it.
static struct pair*
make(int left,
     int right)
{
  int local = 3;
  return &pairs[local];
}

void empty(void) {}
`;
	expect(brief(text)).toEqual([
		"macro SIZE 1",
		"macro MAX 2",
		"struct pair 5",
		"enum state 6",
		"enumerator UNUSED 6",
		"enumerator USED 6",
		"typedef uint 7",
		"typedef point_t 8",
		"prototype fork 9",
		"variable pairs 10",
		"variable text 11",
		"variable other 11",
		"function make 16",
		"function empty 23",
	]);
	const make = symbolsOf(text).find(({ name }) => name === "make");
	expect(make).toMatchObject({ line: 14, end: 20, column: 0, text: "static struct pair* make(int left, int right)" });
});

test.each<[string, readonly string[]]>([
	["struct {\n  int lock;\n  struct run *list;\n} kmem;", ["variable kmem 4"]],
	["static struct {\n  int x;\n} a, *b[3];", ["variable a 3", "variable b 3"]],
	["struct proc {\n  int pid;\n} proc[NPROC];", ["struct proc 1", "variable proc 3"]],
	["enum {\n  SMALL,\n  LARGE = 9,\n};", ["enumerator SMALL 2", "enumerator LARGE 3"]],
	["static uint64 (*syscalls[])(void) = {\n  [1] fork,\n};", ["variable syscalls 1"]],
	["void (*handler)(int), (*other)(void);", ["variable handler 1", "variable other 1"]],
	["void (*signal(int n, void (*act)(int)))(int);", ["prototype signal 1"]],
	["int apply(int (*f)(int), int n)\n{\n}", ["function apply 1"]],
	["__attribute__ ((aligned (16))) char stack0[4096 * NCPU];", ["variable stack0 1"]],
	["char stack0[4096] __attribute__((aligned(16)));", ["variable stack0 1"]],
	["struct __attribute__((packed)) header {\n  int x;\n} first;", ["struct header 1", "variable first 3"]],
	["void panic(char*) __attribute__((noreturn));", ["prototype panic 1"]],
	["__attribute__((noreturn)) void\npanic(char *s)\n{\n  for(;;) ;\n}", ["function panic 2"]],
	["typedef void (*fn)(int);\ntypedef int compare(char*, char*);", ["typedef fn 1", "typedef compare 2"]],
	[
		"typedef struct node {\n  struct node *next;\n} node_t, *list_t;",
		["struct node 1", "typedef node_t 3", "typedef list_t 3"],
	],
	["typedef unsigned long uint64, *pointer;", ["typedef uint64 1", "typedef pointer 1"]],
	["int a = f(1, 2), b[2] = { 1, 2 }, *c;", ["variable a 1", "variable b 1", "variable c 1"]],
	["struct proc;\nenum color;\nextern int end[];\nextern struct cpu cpus[];", []],
	["volatile static int started = 0;\nconst unsigned long long big;", ["variable started 1", "variable big 2"]],
	[
		'CSR_READ(r_satp, "satp")\nCSR_WRITE(w_satp, "satp")\n\nint after;',
		["function r_satp 1", "function w_satp 2", "variable after 4"],
	],
	["MAIN(argc)\n{\n}\nint after;", ["function MAIN 1", "variable after 4"]],
	["START;\nNOTHING()\nint after;", ["variable after 3"]],
	["int unfinished(int n)\n{\n  if(n) {", ["function unfinished 1"]],
])("%s", (text, symbols) => {
	expect(brief(text)).toEqual(symbols);
});

test("a name is marked where it stands, though the same word stands before it", () => {
	const place = (text: string, kind: string) => symbolsOf(text).find((symbol) => symbol.kind === kind)?.column;
	expect(place("struct proc { int proc; } proc[8];", "variable")).toBe(26);
	expect(place("typedef struct node node;", "typedef")).toBe(20);
	expect(place("struct file *file(int n) {}", "function")).toBe(13);
	expect(place("char buf[buf_size];", "variable")).toBe(5);
	expect(place("int (*act)(int act);", "variable")).toBe(6);
});

test("the head of a definition is told on one line, without what is in its braces", () => {
	const heads = (text: string) => symbolsOf(text).map((symbol) => symbol.text);
	expect(heads("struct {\n  int lock; // its own\n  int *list;\n} kmem;")).toEqual(["struct { … } kmem"]);
	expect(heads("int table[] = {\n  1, 2,\n};")).toEqual(["int table[] = { … }"]);
	expect(heads("typedef struct { int x; } point_t;")).toEqual(["typedef struct { … } point_t"]);
	expect(heads("struct pair { int a; };")).toEqual(["struct pair"]);
	expect(heads(`#define LONG \\\n  (1 + \\\n   2)`)).toEqual(["#define LONG \\ (1 + \\ 2)"]);
});

test("what the kernel keeps in one structure of its own is found by its name", () => {
	const variables = (file: string) =>
		symbolsOf(read(`kernel/${file}`)).flatMap(({ kind, name }) => (kind === "variable" ? [name] : []));
	const owners = {
		"bio.c": "bcache",
		"console.c": "cons",
		"file.c": "ftable",
		"kalloc.c": "kmem",
		"log.c": "log",
		"virtio_disk.c": "disk",
	};
	for (const [file, name] of Object.entries(owners)) expect(variables(file), file).toContain(name);
	expect(variables("syscall.c")).toContain("syscalls");
	expect(variables("start.c")).toContain("stack0");
});

test("every function of the kernel that begins at the margin is found, once", () => {
	for (const file of readdirSync(join(repository, "xv6/kernel")).filter((name) => name.endsWith(".c"))) {
		const text = read(`kernel/${file}`);
		const wanted = [...text.matchAll(/^([a-z_]\w*)\([^;{]*\)\n\{/gm)].map((match) => match[1]);
		const found = symbolsOf(text)
			.filter(({ kind }) => kind === "function")
			.map(({ name }) => name);
		for (const name of wanted) expect(`${file} ${found.filter((one) => one === name)}`).toBe(`${file} ${name}`);
	}
});

test("labels of assembly", () => {
	expect(symbolsOf(read("kernel/swtch.S"), true).map(({ name }) => name)).toContain("swtch");
});

test("a name means the kernel's in the kernel, a program's in a program, and the definition before a prototype", () => {
	const at = (path: string, kind: "function" | "prototype") => ({
		...{ name: "printf", line: 0, end: 0, nameLine: 0, column: 0, text: "" },
		path,
		kind,
	});
	const all = [
		at("user/user.h", "prototype"),
		at("user/printf.c", "function"),
		at("kernel/printf.c", "function"),
		at("kernel/defs.h", "prototype"),
	];
	expect(bestOf(all, "kernel/proc.c").map(({ path }) => path)).toEqual(["kernel/printf.c"]);
	expect(bestOf(all, "user/sh.c").map(({ path }) => path)).toEqual(["user/printf.c"]);
	expect(bestOf(all.slice(0, 1), "user/sh.c").map(({ path }) => path)).toEqual(["user/user.h"]);
});

test("inline values: variables up to the line of the stop, without calls, members, macros and comments", () => {
	const text = `int add(int left, int right)
{
  struct pair *p = make(left); // right
  p->sum = left + right + MAX;
  return p->sum;
}
`;
	const shown = (line: number) => valuesToShow(text, line).map(({ name, line: at }) => `${at} ${name}`);
	expect(shown(3)).toEqual(
		["0 left", "0 right", "2 pair", "2 p", "2 left", "3 p", "3 left", "3 right"].filter((one) => one !== "2 pair"),
	);
	expect(shown(9)).toEqual([]);
});

test.each([
	["  p->trapframe->epc", "p->trapframe->epc"],
	["if(p->ofile[f(fd)] . ip", "p->ofile[].ip"],
	["x = y", "y"],
	["*pp->next", "pp->next"],
	["myproc()->pid", undefined],
	["a + 3", undefined],
])("the chain that ends %s is %s", (text, chain) => {
	expect(chainBefore(text)).toBe(chain);
});
