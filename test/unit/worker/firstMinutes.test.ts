import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { verdictCard } from "../../../src/extension/card.ts";
import { RealEngine } from "./realEngine.ts";

/** What someone meets in the first ten minutes, from the built engine. */

const lab = "hw5-anonymous-mmap";

async function withEngine(work: (engine: RealEngine) => Promise<void>, idleMs?: number): Promise<void> {
	const engine = new RealEngine(idleMs === undefined ? {} : { idleMs });
	try {
		await work(engine);
	} finally {
		await engine.close();
	}
}

async function prodcons1(engine: RealEngine) {
	const { verdict } = await engine.client.request("runTest", {
		test: "prodcons1",
		seed: 0,
		machine: { harts: 1, translator: true },
	});
	if (!verdict) throw new Error("no verdict");
	return verdict;
}

test("the starter's first explanation is of this run: the call is unknown, and the program checked its result", async () => {
	await withEngine(async (engine) => {
		await engine.boot(lab, undefined);
		const verdict = await prodcons1(engine);
		expect(verdict.actual).toContain("mmap failed");
		const card = verdictCard(verdict);
		expect(card.cause).toBe(
			"The kernel does not know the system call: the table in kernel/syscall.c has no entry for it, so the call returned -1.",
		);
		expect(card.where).toBe("kernel/syscall.c: syscalls");
		// No story of a program that went on with -1: it did not.
		expect([card.cause, ...card.more].join(" ")).not.toMatch(/as an address|went on|carried on/);
	});
}, 120_000);

test("a program that does use -1 as an address is told so, with the address that it reached", async () => {
	await withEngine(async (engine) => {
		const unchecked = (text: string) => text.replace("if(buffer == (buffer_t*)-1){", "if(0){");
		await engine.boot(lab, undefined, { edits: { "user/prodcons.h": unchecked } });
		const card = verdictCard(await prodcons1(engine));
		expect([card.cause, ...card.more].join(" ")).toMatch(/used it as an address/);
	});
}, 120_000);

/** The machine's RAM, which its kernel has filled; it is not there yet while the kernel is compiled. */
const guestMib = 128;
/** At least so much of an engine is its compiler. */
const compilerMib = 150;

/** Resident memory of a process, in MiB. */
const residentMib = (pid: number | undefined) =>
	Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024;

test.runIf(process.platform === "linux")(
	"an engine that rests after a build has given its compilers back, and the next build has them again",
	async () => {
		await withEngine(async (engine) => {
			const { pid } = engine.client;
			let edits = 0;
			// Never compiled before: no cache has it.
			const edit = () =>
				engine.boot(lab, "3b", {
					edits: { "kernel/trap.c": (text) => `#define EDIT_${Date.now()}_${edits++} 1\n${text}` },
				});
			let most = 0;
			const watch = setInterval(() => {
				most = Math.max(most, residentMib(pid));
			}, 50);
			await edit();
			await engine.printed("$ ");
			clearInterval(watch);
			const rests = () => residentMib(pid) - guestMib < most - compilerMib;
			const end = performance.now() + 20_000;
			while (!rests() && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 200));
			const rest = residentMib(pid);
			console.log(`resident: ${most.toFixed(0)} MiB while it compiled, ${rest.toFixed(0)} MiB at rest with a guest`);
			expect(rest - guestMib).toBeLessThan(most - compilerMib);
			await edit();
		}, 500);
	},
	180_000,
);
