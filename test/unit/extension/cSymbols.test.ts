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
