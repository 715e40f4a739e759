import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { DebugProtocol } from "@vscode/debugprotocol";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { DapClient } from "../support/dapClient.ts";
import { failingKernel, failingProgram } from "../support/failingTree.ts";
import { catalog } from "../support/lab.ts";

/** What stops a debugged machine by itself, what is said of it, and changes and memory by the protocol; transcripts in test/golden/dap. */
let tree = "";
let open: DapClient | undefined;

beforeAll(async () => {
	tree = mkdtempSync(join(tmpdir(), "xv6-dap-"));
	for (const [path, bytes] of await catalog.workspace("hw5-anonymous-mmap", "2b")) {
		mkdirSync(dirname(join(tree, path)), { recursive: true });
		writeFileSync(join(tree, path), bytes);
	}
	writeFileSync(join(tree, "user/private.c"), failingProgram);
	const file = join(tree, "kernel/proc.c");
	writeFileSync(file, failingKernel(readFileSync(file, "utf8")));
});

afterEach(() => {
	open?.kill();
	open = undefined;
});
afterAll(() => rmSync(tree, { recursive: true, force: true }));

function client(): DapClient {
	open = new DapClient(tree, []);
	return open;
}

const lineOf = (file: string, text: string) =>
	readFileSync(join(tree, file), "utf8")
		.split("\n")
		.findIndex((line) => line.includes(text)) + 1;

/** Compares with the recorded transcript; what any other kernel lays out otherwise is left out. */
function settled(dap: DapClient, name: string): void {
	const lines = dap.lines.map((line) =>
		line
			.replace(/0x8[0-9a-f]{7}\b/g, "0x8…")
			.replace(/\bframe \d+/g, "frame N")
			.replace(/\d{1,3}(?:,\d{3})+ instructions/g, "N instructions"),
	);
	dap.lines.splice(0, lines.length, ...lines);
	dap.golden(name);
}

async function explained(dap: DapClient): Promise<string> {
	const { exceptionId, description } = await dap.ask<DebugProtocol.ExceptionInfoResponse["body"]>("exceptionInfo", {
		threadId: dap.thread,
	});
	dap.say(`exception: ${exceptionId}`);
	for (const line of String(description).split("\n")) dap.say(`    ${line}`);
	return String(description);
}

test.each([
	["null", ["killed"]],
	["panic", ["panic"]],
	["trap", ["kernel-trap"]],
	["spin", ["no-progress"]],
])("%s stops by itself and is explained", async (what, filters) => {
	const dap = client();
	const launch = { program: "private", command: `private ${what}`, stopOnEntry: false, harts: 1, build: "debug" };
	await dap.begin(launch, undefined, filters);
	await dap.stop(5);
	await explained(dap);
	if (what !== "spin") {
		// The past stops for the same reason as the present did.
		await dap.go("stepBack", { granularity: "instruction" }, 1);
		await dap.go("continue", {}, 1);
	}
	await dap.end();
	settled(dap, `stops-${what}`);
});

test("what stops before main does not take away the stop in main", async () => {
	const dap = client();
	await dap.begin({ program: "prodcons3", harts: 1, build: "debug" }, () => dap.functions({ name: "fork@kernel" }));
	const places: string[] = [];
	let [top] = await dap.stop(1);
	while (places.push(`${top?.name} ${dap.reason}`) < 4) [top] = await dap.go("continue", {}, 1);
	const inFork = "fork function breakpoint";
	// init's fork, the shell's fork, main, and a fork of the program.
	expect(places).toEqual([inFork, inFork, "main entry", inFork]);
	// And a client that ends the machine is told once that it is off.
	await dap.ask("terminate");
	await dap.event("terminated");
	await dap.ask("threads");
	await dap.end();
	expect(dap.told.get("terminated")).toBe(1);
});

test("any page fault, also one that the kernel serves, and a step over the store that faults", async () => {
	const dap = client();
	await dap.begin({ program: "prodcons3", harts: 1, build: "debug" }, undefined, ["page-fault"]);
	await dap.stop(2);
	await dap.go("continue", {}, 4);
	await explained(dap);
	await dap.request("setExceptionBreakpoints", { filters: [] });
	await dap.go("stepOut", {}, 3);
	await dap.go("next", {}, 3);
	await dap.end();
	settled(dap, "stops-page-fault");
});

test("a finding stops where it is seen", async () => {
	const dap = client();
	await dap.begin({ program: "prodcons3", stopOnEntry: false, harts: 1, build: "debug" }, undefined, ["finding"]);
	await dap.stop(4);
	expect(await explained(dap)).toContain("frame");
	await dap.end();
	settled(dap, "stops-finding");
});

test.each([
	["null", 11],
	["panic", 0],
	["trap", 0],
])("run to the failure of `private %s` stands right before it", async (what) => {
	const dap = client();
	await dap.begin(
		{ program: "private", command: `private ${what}`, until: "failure", harts: 1, build: "debug" },
		async () => {
			// A breakpoint on the way is no failure.
			await dap.breakpoints("user/private.c", { line: lineOf("user/private.c", "counter += i") });
		},
	);
	const stack = await dap.stop(4);
	const wanted = { null: "*where = 1", panic: 'panic("by hand")', trap: "*(volatile int*)0x40" }[what] as string;
	const file = what === "null" ? "user/private.c" : "kernel/proc.c";
	expect(stack[0]?.line).toBe(lineOf(file, wanted));
	await dap.end();
	settled(dap, `failure-${what}`);
});

test("run to the failure of a program that does not fail shows its end", async () => {
	const dap = client();
	await dap.begin({ program: "private", until: "failure", harts: 1, build: "debug" });
	await dap.stop(8);
	await dap.end();
	settled(dap, "failure-none");
});

test("data breakpoints on a variable, a field and an address; in the past as in the present", async () => {
	const dap = client();
	await dap.begin({ program: "private", harts: 1, build: "debug" });
	const [frame] = await dap.stop(1);
	type Info = DebugProtocol.DataBreakpointInfoResponse["body"];
	const info = async (args: object) => (await dap.ask<Info>("dataBreakpointInfo", args)).dataId as string;
	const variable = await info({ name: "counter", frameId: frame?.id });
	const field = await info({ name: "pair.right", frameId: frame?.id });
	const address = await dap.evaluate("&pair.right", frame);
	const byAddress = await info({ name: address.split(" ")[0], asAddress: true, bytes: 4 });
	await dap.ask("setDataBreakpoints", { breakpoints: [{ dataId: variable, accessType: "write" }] });
	await dap.go("continue", {}, 1);
	await dap.go("continue", {}, 1);
	const now = await dap.go("continue", {}, 1);
	expect(await dap.evaluate("counter", now[0])).toBe("3");
	await dap.go("reverseContinue", {}, 1);
	await dap.go("reverseContinue", {}, 1);
	await dap.go("continue", {}, 1);
	await dap.ask("setDataBreakpoints", { breakpoints: [{ dataId: field, accessType: "readWrite" }] });
	await dap.go("continue", {}, 1);
	await dap.ask("setDataBreakpoints", { breakpoints: [{ dataId: byAddress, accessType: "write" }] });
	await dap.go("continue", {}, 1);
	await dap.end();
	settled(dap, "data-breakpoints");
});

test("values are set, memory is read and written, code is disassembled with its source", async () => {
	const dap = client();
	await dap.begin({ program: "private", harts: 1, build: "debug" }, async () => {
		await dap.breakpoints("user/private.c", {
			line: lineOf("user/private.c", "pair.right = counter"),
			condition: "i == 1",
		});
	});
	await dap.stop(1);
	const [frame] = await dap.go("continue", {}, 1);
	const frameId = frame?.id;
	await dap.ask("setExpression", { expression: "counter", value: "40 + 2", frameId });
	expect(await dap.evaluate("counter")).toBe("42");
	const where = (await dap.request("evaluate", { expression: "pair", frameId })).body;
	const set = await dap.ask("setVariable", {
		variablesReference: where.variablesReference,
		name: "left",
		value: "7",
	});
	expect(set).toMatchObject({ value: "7" });
	const { memoryReference } = where;
	const read = await dap.ask<{ data: string }>("readMemory", { memoryReference, count: 8 });
	expect([...Buffer.from(read.data, "base64")].slice(0, 4)).toEqual([7, 0, 0, 0]);
	const data = Buffer.from([1, 2, 0, 0]).toString("base64");
	expect(await dap.ask("writeMemory", { memoryReference, offset: 4, data })).toMatchObject({ bytesWritten: 4 });
	expect(await dap.evaluate("pair.right")).toBe("513");
	const unmapped = await dap.request("writeMemory", { memoryReference: "k:0x10", data });
	expect(unmapped).toMatchObject({ success: false });
	type Listing = DebugProtocol.DisassembleResponse["body"];
	const listing = (await dap.ask<NonNullable<Listing>>("disassemble", {
		memoryReference: frame?.instructionPointerReference,
		instructionOffset: -2,
		instructionCount: 6,
	})) as NonNullable<Listing>;
	expect(listing.instructions).toHaveLength(6);
	const here = listing.instructions[2] as DebugProtocol.DisassembledInstruction;
	expect(BigInt(here.address)).toBe(BigInt(String(frame?.instructionPointerReference).replace(/^.*:/, "")));
	expect(listing.instructions.some(({ line }) => line === frame?.line)).toBe(true);
	// The change is of the guest's: its own program prints it.
	await dap.ask("setBreakpoints", { source: { path: join(tree, "user/private.c") }, breakpoints: [] });
	await dap.request("continue", { threadId: dap.thread });
	for (let i = 0; i < 200 && !dap.output.includes("counter = "); i++) await new Promise((done) => setTimeout(done, 50));
	expect(dap.output).toContain("counter = 44");
	await dap.end();
});

test("a change in the past is refused until a new future has been begun", async () => {
	const dap = client();
	await dap.begin({ program: "private", harts: 1, build: "debug" });
	await dap.stop(1);
	await dap.go("next", {}, 1);
	await dap.go("stepBack", {}, 1);
	const change = { expression: "counter", value: "5" };
	expect(await dap.request("setExpression", change)).toMatchObject({ success: false });
	expect(await dap.request("xv6/newFuture")).toMatchObject({ success: true });
	expect(await dap.request("setExpression", change)).toMatchObject({ success: true });
	expect(await dap.evaluate("counter")).toBe("5");
	await dap.end();
});
