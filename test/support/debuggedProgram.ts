import type { DebugProtocol } from "@vscode/debugprotocol";
import type { BuildOutput } from "../../src/build/types.ts";
import { dapHost } from "../../src/cli/dap.ts";
import { utf8 } from "../../src/common/bytes.ts";
import type { DebugTarget, LaunchArguments } from "../../src/debugger/target.ts";
import { DapSession } from "./dapSession.ts";
import { build, catalog, closeToolchains } from "./lab.ts";

/** A program of many types in the bundled kernel, and debug sessions in this process that stand in it. */

/** What `main` of the program stores as `results[i]`: C's own answer to the expression. */
export const source = (expressions: readonly string[]): string => `#include "kernel/types.h"
#include "user/user.h"
#pragma clang diagnostic ignored "-Weverything"

enum colour { RED, GREEN = 5, BLUE };
typedef unsigned char byte;
struct point { int x; int y; };
struct flags { uint low : 3; uint mid : 7; int sign : 4; uint rest; };
union word { uint64 whole; uint half[2]; char bytes[8]; };
struct node {
  struct node *next;
  char name[8];
  struct point at;
  enum colour colour;
  uint64 mask;
};

struct packed { uint low : 3; uint all : 31; uint end : 6; } __attribute__((packed));
struct hidden { char before; struct { uint low : 3; uint high : 5; }; union { ushort both; byte half; }; };

struct node last = { 0, "last", { 7, -8 }, BLUE, 0xffff0000ffff0000UL };
struct node first = { &last, "first", { -1, 2 }, GREEN, 1 };
struct flags flags = { 5, 100, -3, 9 };
union word word = { 0x1122334455667788UL };
int table[6] = { 10, 20, 30, 40, 50, 60 };
int grid[2][3] = { { 1, 2, 3 }, { 4, 5, 6 } };
struct point points[2] = { { 1, 2 }, { 3, 4 } };
char *text = "hello\\tworld";
char raw[4] = { 'a', '\\n', 3, 0 };
byte octet = 200;
short small = -300;
long big = -5000000000;
uint unsig = 4000000000u;
uint64 huge = 0xfedcba9876543210UL;
int minus = -7;
int seven = 7;
void *nothing = 0;
void *nowhere = (void *)0x3f00000000;
struct packed packed = { 5, 0x5eadbeef, 17 };
struct hidden hidden = { 1, { 2, 19 }, { 0x1234 } };
double real = -0.625;
float single = 0.25f;
__int128 wide = -3;
int calls;
uint64 results[${Math.max(1, expressions.length)}];

int
add(int a, int b)
{
  int sum = a + b;
  calls = calls + 1;
  return sum;
}

int
fib(int n)
{
  if(n < 2)
    return n;
  return fib(n - 1) + fib(n - 2);
}

int (*function)(int) = fib;

int
main(int argc, char *argv[])
{
  struct node *p = &first;
  struct node copy = last;
  int total = 0;
  int seven = 70;
${expressions.map((expression, i) => `  results[${i}] = (uint64)(long)(${expression});`).join("\n")}
  copy.at.x = 99;  // here
  {
    int seven = 700;
    total = seven;  // inner
  }
  for(int i = 0; i < 10; i++)
    total = add(total, i);  // call
  total += fib(5);  // fib
  table[2] = total;  // store
  if(argc > 1)
    *(int *)nowhere = total;  // fault
  printf("total = %d\\n", total);  // print
  exit(total == 750 ? 0 : 1);
}
`;

/** The line (from 1) that holds a text once. */
export function lineOf(text: string, program: string): number {
	const lines = program.split("\n");
	const at = lines.findIndex((line) => line.includes(text));
	if (at < 0 || at !== lines.findLastIndex((line) => line.includes(text))) throw new Error(`no one line has ${text}`);
	return at + 1;
}

export const tree = "/tree";
export const file = `${tree}/user/prog.c`;

/** What a test has otherwise than the program's own. */
interface SessionParts {
	readonly change?: (target: DebugTarget) => DebugTarget;
	readonly build?: () => Promise<BuildOutput>;
	readonly running?: DebugTarget;
}

export class DebuggedProgram {
	readonly program: string;
	private files: ReadonlyMap<string, Uint8Array> = new Map();
	private output: BuildOutput | undefined;
	readonly sessions: DapSession[] = [];

	constructor(
		expressions: readonly string[] = [],
		/** The debug build: without optimization every variable is in memory. */
		private readonly debug = true,
		/** What the kernel's sources have otherwise: each text and what stands in its place, by file. */
		private readonly changes: Readonly<Record<string, readonly (readonly [from: string, to: string])[]>> = {},
	) {
		this.program = source(expressions);
	}

	line(mark: string): number {
		return lineOf(`// ${mark}`, this.program);
	}

	async build(): Promise<BuildOutput> {
		if (this.output) return this.output;
		const files = new Map(await catalog.workspace(undefined));
		files.set("user/prog.c", utf8(this.program));
		const makefile = new TextDecoder().decode(files.get("Makefile"));
		files.set("Makefile", utf8(makefile.replace("$U/_ls\\\n", () => "$U/_ls\\\n\t$U/_prog\\\n")));
		for (const [path, list] of Object.entries(this.changes)) {
			let text = new TextDecoder().decode(files.get(path));
			for (const [from, to] of list) {
				if (!text.includes(from)) throw new Error(`${path} has no ${from}`);
				text = text.replace(from, () => to);
			}
			files.set(path, utf8(text));
		}
		this.files = files;
		this.output = await build(files, "bundled", this.debug);
		return this.output;
	}

	/** A session whose launch has been asked for; breakpoints may be set before `configurationDone`. */
	async session(launch: object = {}, initialize: object = {}): Promise<DapSession> {
		const session = await this.initialized({}, initialize);
		const { success, message } = await session.request("launch", { program: "prog", harts: 1, ...launch });
		if (!success) throw new Error(message);
		return session;
	}

	/** A session that has no machine yet. */
	async initialized({ change, build, running }: SessionParts = {}, initialize: object = {}): Promise<DapSession> {
		const output = await this.build();
		const changed = (target: DebugTarget) => {
			const own = { ...target, hasFile: (path: string) => this.files.has(path) };
			return change ? change(own) : own;
		};
		const session = new DapSession(tree, changed, build ?? (async () => output), running);
		this.sessions.push(session);
		await session.request("initialize", { adapterID: "xv6", ...initialize });
		return session;
	}

	/** A machine that stands at its first instruction, and that nobody debugs. */
	async machine(args: LaunchArguments = { harts: 1 }): Promise<DebugTarget> {
		const build = () => this.build();
		const host = dapHost({ tree, toolchain: "bundled", translator: true, paced: false, build });
		return host.launch(args, () => undefined);
	}

	/** A session that stands at the line with this mark in main. */
	async standingAt(mark: string, launch: object = {}): Promise<Standing> {
		const session = await this.session({ stopOnEntry: false, ...launch });
		await session.ask("setBreakpoints", { source: { path: file }, breakpoints: [{ line: this.line(mark) }] });
		await session.request("configurationDone");
		const thread = await session.stopped();
		await session.ask("setBreakpoints", { source: { path: file }, breakpoints: [] });
		return new Standing(session, thread);
	}

	async close(): Promise<void> {
		for (const session of this.sessions) session.dispose();
		await closeToolchains();
	}
}

type Variable = DebugProtocol.Variable;

/** What a client asks of a machine that stands. */
export class Standing {
	constructor(
		readonly session: DapSession,
		readonly thread: number,
	) {}

	async frames(thread = this.thread): Promise<DebugProtocol.StackFrame[]> {
		return (await this.session.ask("stackTrace", { threadId: thread })).stackFrames;
	}

	/** The text of a value, or the adapter's words where there is none. */
	async evaluate(expression: string, more: object = {}): Promise<string> {
		const { success, body, message } = await this.session.request("evaluate", { expression, ...more });
		return success ? body.result : `! ${message}`;
	}

	async scope(name: string, frameId?: number): Promise<number> {
		const id = frameId ?? (await this.frames())[0]?.id;
		const { scopes } = await this.session.ask("scopes", { frameId: id });
		const found = (scopes as DebugProtocol.Scope[]).find((one) => one.name.startsWith(name));
		if (!found) throw new Error(`there is no scope ${name}`);
		return found.variablesReference;
	}

	async variables(variablesReference: number, more: object = {}): Promise<Variable[]> {
		return (await this.session.ask("variables", { variablesReference, ...more })).variables;
	}

	async children(expression: string, more: object = {}): Promise<Variable[]> {
		const { variablesReference } = await this.session.ask("evaluate", { expression });
		return variablesReference === 0 ? [] : this.variables(variablesReference, more);
	}

	/** `line 12 of main`. */
	async place(thread = this.thread): Promise<string> {
		const [top] = await this.frames(thread);
		return top ? `${top.name}:${top.line}` : "nowhere";
	}

	/** Asks for something that moves the machine, and waits for its stop. */
	async go(command: string, args: object = {}): Promise<DebugProtocol.StoppedEvent["body"]> {
		const { success, message } = await this.session.request(command, { threadId: this.thread, ...args });
		if (!success) throw new Error(`${command}: ${message}`);
		return this.session.stop();
	}
}
