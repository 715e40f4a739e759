import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { DebugTarget } from "../../src/debugger/target.ts";
import { ElfFile } from "../../src/debuginfo/elf.ts";
import { DapSession } from "../support/dapSession.ts";
import { catalog } from "../support/lab.ts";
import { Random } from "../support/random.ts";

/** A machine and debug information that are not as they should be: every question is answered, by a sentence or by what can be known. */
let tree = "";
let session: DapSession | undefined;

beforeAll(async () => {
	tree = mkdtempSync(join(tmpdir(), "xv6-dap-"));
	for (const [path, bytes] of await catalog.workspace("hw5-anonymous-mmap", "2b")) {
		mkdirSync(dirname(join(tree, path)), { recursive: true });
		writeFileSync(join(tree, path), bytes);
	}
});
afterEach(() => session?.dispose());
afterAll(() => rmSync(tree, { recursive: true, force: true }));

/** All that a client asks at a stop, of every thread; texts of what was refused. */
async function askAll(dap: DapSession, thread: number): Promise<string[]> {
	const refused: string[] = [];
	const ask = async (command: string, args: object) => {
		const { success, message, body } = await dap.request(command, args);
		if (!success) refused.push(String(message));
		return success ? body : undefined;
	};
	const threads: { id: number }[] = (await ask("threads", {}))?.threads ?? [];
	for (const { id } of [...threads, { id: thread }]) {
		const frames: { id: number }[] = (await ask("stackTrace", { threadId: id }))?.stackFrames ?? [];
		for (const { id: frameId } of frames.slice(0, 6)) {
			for (const { variablesReference } of (await ask("scopes", { frameId }))?.scopes ?? [])
				for (const below of (await ask("variables", { variablesReference }))?.variables.slice(0, 12) ?? [])
					if (below.variablesReference) await ask("variables", below);
			for (const expression of ["*proc", "proc[2].trapframe->a0", "*(int *)0x3fffffb000", "$satp", "*(char **)$sp"])
				await ask("evaluate", { expression, frameId });
		}
	}
	for (const memoryReference of ["k:0x80000000", "u3:0x0", "p:0x87fff000", "u3:0x3ffffff000"]) {
		await ask("readMemory", { memoryReference, count: 64 });
		await ask("disassemble", { memoryReference, instructionCount: 5 });
	}
	for (const command of ["next", "stepIn", "stepBack"]) {
		await ask(command, { threadId: thread });
		await Promise.race([dap.stopped(), new Promise((resolve) => setTimeout(resolve, 3000))]);
		await ask("pause", {});
	}
	return refused;
}

const isClear = (texts: readonly string[]) =>
	expect(texts.filter((text) => /defect|undefined|NaN/.test(text))).toEqual([]);

async function begin(change?: (target: DebugTarget) => DebugTarget): Promise<DapSession> {
	session = new DapSession(tree, change);
	await session.request("initialize", { adapterID: "xv6" });
	const { success, message } = await session.request("launch", { program: "prodcons3", harts: 1, build: "debug" });
	expect(`${success} ${message ?? ""}`).toBe("true ");
	return session;
}

test("a guest whose page tables are overwritten while the machine stands in it", async () => {
	const dap = await begin();
	await dap.request("setFunctionBreakpoints", { breakpoints: [{ name: "uvmcopy@kernel" }] });
	await dap.request("configurationDone");
	let thread = await dap.stopped();
	await dap.request("continue", { threadId: thread });
	thread = await dap.stopped();
	const random = new Random(3);
	const { stackFrames } = await dap.ask("stackTrace", { threadId: thread });
	const frameId = stackFrames[0].id;
	for (const root of ["old", "kernel_pagetable", "new"]) {
		const { memoryReference } = await dap.ask("evaluate", { expression: root, frameId });
		// Entries that lead nowhere, to themselves, and to what is no table.
		const page = new Uint8Array(4096);
		const view = new DataView(page.buffer);
		for (let at = 0; at < 4096; at += 8)
			view.setBigUint64(at, random.u64() & (at % 16 ? 0xffff_ffff_ffff_ffffn : 0x3fff_ffffn), true);
		const data = Buffer.from(page).toString("base64");
		await dap.request("writeMemory", { memoryReference, data });
		isClear(await askAll(dap, thread));
	}
	await dap.request("setExpression", { expression: "$satp", value: "-1", frameId });
	isClear(await askAll(dap, thread));
}, 120_000);

test.each(["none", "cut", "noise", "swapped"])(
	"debug information: %s",
	async (how) => {
		let kernel = new Uint8Array();
		const random = new Random(7);
		const damaged = (elf: Uint8Array) => {
			const bytes = elf.slice();
			const file = new ElfFile(elf);
			const sections = [".debug_info", ".debug_abbrev", ".debug_line", ".debug_str", ".debug_frame"].flatMap(
				(name) => file.section(name) ?? [],
			);
			for (const { offset: at, size } of sections) {
				if (how === "none") bytes.fill(0, at, at + size);
				else if (how === "cut") bytes.fill(0, at + (size >> 1), at + size);
				else if (how === "swapped") bytes.subarray(at, at + size).reverse();
				else
					for (let i = 0; i < size / 50; i++)
						bytes[at + Number(random.u64() % BigInt(size))] = Number(random.u64() & 255n);
			}
			return bytes;
		};
		const dap = await begin((target) => {
			kernel = damaged(target.kernel);
			return {
				...target,
				kernel,
				programs: new Map([...target.programs].map(([name, elf]) => [name, damaged(elf)])),
			};
		});
		const file = join(tree, "kernel/proc.c");
		const line =
			readFileSync(file, "utf8")
				.split("\n")
				.findIndex((text) => text.includes("int pid = np->pid;")) + 1;
		const { breakpoints } = await dap.ask("setBreakpoints", { source: { path: file }, breakpoints: [{ line }] });
		expect(breakpoints).toHaveLength(1);
		if (how === "none") expect(breakpoints[0]).toMatchObject({ verified: false, message: expect.stringMatching(/\w/) });
		await dap.request("setFunctionBreakpoints", { breakpoints: [{ name: "kfork" }, { name: "fork" }] });
		await dap.request("configurationDone");
		// Without a main to stop in it runs to the prompt: it is paused wherever it is.
		await Promise.race([dap.stopped(), new Promise((resolve) => setTimeout(resolve, 4000))]);
		await dap.request("pause", {});
		await new Promise((resolve) => setTimeout(resolve, 500));
		const { threads } = await dap.ask("threads");
		isClear(await askAll(dap, threads[0]?.id ?? 0));
	},
	120_000,
);
