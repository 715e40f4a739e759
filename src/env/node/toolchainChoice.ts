import { readFile } from "node:fs/promises";
import { utf8 } from "../../common/bytes.ts";
import type { CompileJob, Toolchain } from "../../toolchain/types.ts";
import { atomicWrite } from "./atomicWrite.ts";

/** What one measurement said; it holds until one of the two compilers changes. */
interface Choice {
	readonly host: string;
	readonly bundled: string;
	readonly hostMs: number;
	readonly bundledMs: number;
}

/** As much as a small file of a kernel: a structure, a lock, a loop, a table. */
const probe = `
struct run { struct run *next; };
struct { volatile unsigned locked; struct run *free; unsigned long pages[64]; } mem;
static inline void acquire(void) { while(__sync_lock_test_and_set(&mem.locked, 1) != 0) ; __sync_synchronize(); }
static inline void release(void) { __sync_synchronize(); __sync_lock_release(&mem.locked); }
void *take(void) { acquire(); struct run *r = mem.free; if(r) mem.free = r->next; release(); return r; }
void give(void *p) { struct run *r = p; acquire(); r->next = mem.free; mem.free = r; release(); }
unsigned long sum(void) { unsigned long s = 0; for(int i = 0; i < 64; i++) s += mem.pages[i] * (i + 1); return s; }
`;
const job: CompileJob = {
	kind: "c",
	source: "probe.c",
	flags: ["-O", "-ffreestanding", "-mcmodel=medany", "-g"],
	target: "riscv64",
};

/** The second run counts: the first one may load the compiler. */
async function measure(toolchain: Toolchain): Promise<number> {
	for (let run = 0; ; run++) {
		const start = performance.now();
		// Another source each time, so that no cache answers.
		const source = utf8(`${probe}// ${run} ${start}\n`);
		await toolchain.compile(job, { read: (path) => (path === job.source ? source : undefined) });
		if (run === 1) return Math.round(performance.now() - start);
	}
}

/**
 * Which of two compilers is the faster one on this machine. Measured once and written into `file`: later runs, and other
 * windows, choose the same without measuring.
 */
export async function fasterToolchain(
	host: Toolchain,
	bundled: Toolchain,
	file: string,
): Promise<{ readonly faster: Toolchain; readonly slower: Toolchain }> {
	const known = await readChoice(file);
	const fits = known?.host === host.version && known.bundled === bundled.version;
	const choice = fits
		? known
		: {
				host: host.version,
				bundled: bundled.version,
				hostMs: await measure(host),
				bundledMs: await measure(bundled),
			};
	if (!fits) await writeChoice(file, choice);
	return choice.hostMs <= choice.bundledMs ? { faster: host, slower: bundled } : { faster: bundled, slower: host };
}

async function readChoice(file: string): Promise<Choice | undefined> {
	try {
		const read = JSON.parse(await readFile(file, "utf8")) as Partial<Choice>;
		const { host, bundled, hostMs, bundledMs } = read;
		if (typeof host !== "string" || typeof bundled !== "string") return undefined;
		if (typeof hostMs !== "number" || typeof bundledMs !== "number") return undefined;
		return { host, bundled, hostMs, bundledMs };
	} catch {
		// Not there yet, or not whole: measured again.
		return undefined;
	}
}

async function writeChoice(file: string, choice: Choice): Promise<void> {
	try {
		await atomicWrite([{ path: file, bytes: utf8(`${JSON.stringify(choice, undefined, "\t")}\n`) }]);
	} catch {
		// A cache that cannot be written is a slow cache, no failure of the build.
	}
}
