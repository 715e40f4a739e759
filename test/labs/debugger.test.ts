import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { DebugProtocol } from "@vscode/debugprotocol";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { DapClient } from "../support/dapClient.ts";
import { catalog } from "../support/lab.ts";

/** Whole debug sessions through `xv6-lab dap`, as text in test/golden/dap. */
let tree = "";
let open: DapClient | undefined;

beforeAll(async () => {
	tree = mkdtempSync(join(tmpdir(), "xv6-dap-"));
	for (const [path, bytes] of await catalog.workspace("hw5-anonymous-mmap", "2b")) {
		mkdirSync(dirname(join(tree, path)), { recursive: true });
		writeFileSync(join(tree, path), bytes);
	}
});

afterEach(() => {
	open?.kill();
	open = undefined;
});
afterAll(() => rmSync(tree, { recursive: true, force: true }));

function client(...args: string[]): DapClient {
	open = new DapClient(tree, args);
	return open;
}

/** The line of a file that holds a text: sessions stay true when lines move. */
function lineOf(file: string, text: string): number {
	const at = readFileSync(join(tree, file), "utf8")
		.split("\n")
		.findIndex((line) => line.includes(text));
	if (at < 0) throw new Error(`${file} has no ${text}`);
	return at + 1;
}

function lastLineOf(file: string, text: string): number {
	return (
		readFileSync(join(tree, file), "utf8")
			.split("\n")
			.findLastIndex((line) => line.includes(text)) + 1
	);
}

test("a user program from main into the kernel and back: steps over and into a system call", async () => {
	const dap = client();
	await dap.begin({ program: "prodcons3" });
	let stack = await dap.stop();
	await dap.locals(stack[0] as never);
	stack = await dap.go("stepIn");
	stack = await dap.go("stepIn");
	await dap.go("next");
	await dap.go("stepOut");
	await dap.go("next");
	await dap.go("next");
	await dap.evaluate("buffer");
	await dap.evaluate("sizeof(*buffer)");
	await dap.end();
	dap.golden("user-kernel");
});

test("the story of prodcons3, backwards: from the wrong total to who wrote it and who made its page-table entry", async () => {
	const dap = client();
	await dap.begin({ program: "prodcons3", stopOnEntry: false }, async () => {
		await dap.breakpoints("user/prodcons3.c", { line: lineOf("user/prodcons3.c", "total = %d") });
	});
	let stack = await dap.stop();
	expect(await dap.evaluate("buffer->total", stack[0])).toBe("673720320");
	stack = await dap.go("xv6/whoWrote", { expression: "buffer->total", frameId: stack[0]?.id });
	await dap.locals(stack[0] as never);
	await dap.evaluate("&buffer->buf[0]", stack[0]);
	await dap.go("stepBack");
	await dap.go("stepBack");
	await dap.go("next");
	await dap.go("xv6/reverseStepOut");
	await dap.go("continue");
	await dap.end();
	dap.golden("prodcons3-backwards");
});

test("kernel breakpoints with conditions, hit counts and log points; a sleeping process' stack", async () => {
	const dap = client();
	await dap.begin({ program: "forktest", stopOnEntry: false, harts: 1, build: "debug" }, async () => {
		await dap.breakpoints(
			"kernel/proc.c",
			{ line: lineOf("kernel/proc.c", "np->state = RUNNABLE;"), condition: "np->pid == 7" },
			{ line: lineOf("kernel/proc.c", "int pid = np->pid;"), logMessage: "fork makes pid {np->pid} of {p->name}" },
		);
		await dap.functions({ name: "sys_wait", hitCondition: "3" }, { name: "no_such_function" });
	});
	let stack = await dap.stop();
	await dap.locals(stack[0] as never);
	await dap.evaluate("np->trapframe->a0", stack[0]);
	await dap.evaluate("p->pid * 10 + (int)sizeof(struct context)", stack[0]);
	await dap.evaluate("*np", stack[0]);
	await dap.evaluate("$sstatus.SPP", stack[0]);
	await dap.evaluate("proc[0].name", stack[0]);
	await dap.evaluate("nothing->here", stack[0]);
	stack = await dap.go("continue");
	dap.say("stack of the shell, which sleeps");
	await dap.stack(2);
	dap.say(
		`log: ${dap.output
			.split("\n")
			.filter((line) => line.startsWith("fork makes"))
			.slice(0, 5)
			.join(" | ")}`,
	);
	await dap.end();
	dap.golden("kernel-breakpoints");
});

test.each([1, 3, 8])("steps over swtch, fork, wait and exec with %i harts stay with their process", async (harts) => {
	const dap = client();
	await dap.begin({ program: "echo", command: "echo hi", stopOnEntry: false, harts }, async () => {
		await dap.breakpoints("user/sh.c", { line: lastLineOf("user/sh.c", "fork1()"), condition: "1" });
	});
	await dap.stop(2);
	await dap.go("next", {}, 3);
	await dap.breakpoints("user/sh.c");
	await dap.functions({ name: "exec@kernel" });
	await dap.go("continue", {}, 4);
	await dap.functions();
	await dap.go("stepOut", {}, 4);
	await dap.go("stepOut", {}, 4);
	await dap.functions({ name: "sched" });
	await dap.go("continue", {}, 4);
	await dap.functions();
	await dap.go("next", {}, 4);
	await dap.end();
	dap.golden(`harts-${harts}`);
});

test.each([1, 3])("steps over and into swtch with %i harts stay with their process", async (harts) => {
	const dap = client();
	await dap.begin({ program: "prodcons3", stopOnEntry: false, harts, build: "debug" }, async () => {
		await dap.breakpoints("kernel/proc.c", {
			line: lineOf("kernel/proc.c", "swtch(&p->context, &c->context);"),
			condition: "p->pid == 3",
		});
	});
	await dap.stop(4);
	const parent = dap.thread;
	await dap.go("next", {}, 4);
	expect(dap.thread).toBe(parent);
	await dap.go("continue", {}, 1);
	await dap.go("stepIn", {}, 3);
	await dap.go("next", {}, 3);
	await dap.go("stepOut", {}, 3);
	expect(dap.thread).toBe(parent);
	await dap.end();
	dap.golden(`swtch-${harts}`);
});

test("who wrote a page-table entry: the fault that mapped a frame of its own; and one that nobody has filled", async () => {
	const dap = client();
	const launch = { program: "prodcons3", stopOnEntry: false, harts: 1, build: "debug" };
	await dap.begin(launch, async () => {
		await dap.breakpoints("user/prodcons3.c", { line: lineOf("user/prodcons3.c", "total = %d") });
	}, ["finding"]);
	const entry = async (frame: DebugProtocol.StackFrame | undefined) => {
		type Children = DebugProtocol.VariablesResponse["body"];
		const { scopes } = await dap.ask<DebugProtocol.ScopesResponse["body"]>("scopes", { frameId: frame?.id });
		let variablesReference = scopes.find(({ name }) => name === "Globals")?.variablesReference as number;
		const { variables } = await dap.ask<Children>("variables", { variablesReference });
		variablesReference = variables.find(({ name }) => name === "buffer")?.variablesReference as number;
		const below = await dap.ask<Children>("variables", { variablesReference });
		const { name, value } = below.variables.at(-1) as DebugProtocol.Variable;
		dap.say(`buffer: ${name} = ${value}`);
		return { variablesReference, name };
	};
	const [consumer] = await dap.stop(4);
	let stack = await dap.go("xv6/whoWrote", await entry(consumer), 5);
	expect(stack.map(({ name }) => name)).toEqual(
		expect.arrayContaining(["mappages", "mmrfault", "usertrap", "consumer"]),
	);
	await dap.evaluate("pte", stack[0]);
	await dap.locals(stack[1] as never);
	await dap.go("stepBack", {}, 2);
	await dap.go("xv6/toPresent", {}, 1);
	const [main] = await dap.go("continue", {}, 1);
	stack = await dap.go("xv6/whoWrote", await entry(main), 5);
	expect(stack[0]?.name).toBe("memset");
	await dap.end();
	dap.golden("page-table-entry");
});
