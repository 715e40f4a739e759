import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { fromUtf8, utf8 } from "../../src/common/bytes.ts";
import { ElfFile } from "../../src/debuginfo/elf.ts";
import { applyPatch } from "../../src/lab/patch.ts";
import type { Verdict } from "../../src/protocol/verdict.ts";
import { build, buildJudged, catalog, closeToolchains, judgeOutput, repository } from "../support/lab.ts";

afterAll(closeToolchains);

const lab = "hw5-anonymous-mmap";
const manifest = await catalog.manifest(lab);

type Files = Map<string, Uint8Array>;

/** Text of one file, changed; what is to be replaced must be there. */
function edit(files: Files, path: string, ...changes: readonly (readonly [string | RegExp, string])[]): void {
	let text = fromUtf8(files.get(path) ?? new Uint8Array());
	for (const [from, to] of changes) {
		const changed = text.replace(from, () => to);
		expect(changed, `${path} has no ${from}`).not.toBe(text);
		text = changed;
	}
	files.set(path, utf8(text));
}

/** In the kernel of a program's process, whatever the lab's programs are at. */
const isOurs = `(strncmp(p->name, "private", 8) == 0 || strncmp(p->name, "mmap", 4) == 0 || strncmp(p->name, "prodcons", 8) == 0)`;

interface Cheat {
	readonly name: string;
	/** Folder under solution/; default: the starter, which has no mmap at all. */
	readonly base?: string;
	readonly tests: readonly string[];
	/** What the judge says of at least one of the tests. */
	readonly says: RegExp;
	readonly outcome?: Verdict["outcome"];
	apply(files: Files, addressOf: (program: string, symbol: string) => string): void;
}

const starter = ["mmap-placement", "private", "prodcons1"] as const;

const cheats: readonly Cheat[] = [
	{
		name: "the kernel answers in the place of write",
		tests: starter,
		says: /did not itself write/,
		apply: (files) =>
			edit(files, "kernel/sysfile.c", [
				"sys_write(void)\n{\n",
				`sys_write(void)\n{\n  struct proc *p = myproc();\n  if(${isOurs}){\n    int n;\n    argint(2, &n);\n    p->killed = 2;\n    printf(strncmp(p->name, "mmap", 4) == 0 ? "placement: OK\\n" : "total = 55\\n");\n    return n;\n  }\n`,
			]),
	},
	{
		name: "exec runs another program that prints the answer",
		tests: ["private", "mmap-placement"],
		says: /did not run/,
		apply: (files) =>
			edit(files, "kernel/sysfile.c", [
				"    r = exec(path, argv);",
				`    {
      static char *totals[] = { "echo", "total", "=", "55", 0 }, *oks[] = { "echo", "placement:", "OK", 0 };
      if(strncmp(path, "private", 8) == 0) r = exec("echo", totals);
      else if(strncmp(path, "mmaptests", 9) == 0) r = exec("echo", oks);
      else r = exec(path, argv);
    }`,
			]),
	},
	{
		name: "the program runs, and its system call becomes the exec of one that prints the answer",
		tests: ["mmap-placement"],
		says: /did not itself write/,
		apply: (files) =>
			edit(files, "kernel/syscall.c", [
				"  int num = p->trapframe->a7;",
				`  int num = p->trapframe->a7;
  static char *oks[] = { "echo", "placement:", "OK", 0 };
  if(num == 24 && strncmp(p->name, "mmaptests", 10) == 0){
    p->trapframe->a0 = exec("echo", oks);
    return;
  }`,
			]),
	},
	{
		name: "exec patches the program's stubs, which then need no kernel",
		tests: ["private"],
		says: /did not run/,
		apply: (files, addressOf) => {
			const stub = (name: string, first: string, second: string) => `
    at = walkaddr(myproc()->pagetable, ${addressOf("private", name)} & ~0xfffUL) + (${addressOf("private", name)} & 0xfff);
    *(ushort*)at = ${first};
    *(ushort*)(at + 2) = ${second};
    *(ushort*)(at + 4) = 0x8082;  // ret`;
			const patch = stub("mmap", "0x0513", "0xc001") + stub("munmap", "0x4501", "0x0001");
			edit(files, "kernel/sysfile.c", [
				"    r = exec(path, argv);",
				`    r = exec(path, argv);
  if(strncmp(path, "private", 8) == 0){
    uint64 at;${patch}
  }`,
			]);
		},
	},
	{
		name: "a system call of the program is turned into a write of the kernel's text",
		tests: ["private"],
		says: /let private resume at/,
		apply: (files, addressOf) =>
			edit(files, "kernel/syscall.c", [
				"  int num = p->trapframe->a7;",
				`  int num = p->trapframe->a7;
  if(num == 24 && strncmp(p->name, "private", 8) == 0){
    uint64 sp = p->trapframe->sp - 64;
    copyout(p->pagetable, sp, "total = 55\\n", 11);
    p->trapframe->a0 = 1; p->trapframe->a1 = sp; p->trapframe->a2 = 11; p->trapframe->a7 = SYS_write;
    p->trapframe->ra = ${addressOf("private", "exit")};
    p->trapframe->epc = ${addressOf("private", "write")} + 2;
    return;
  }`,
			]),
	},
	{
		name: "wait tells the parent that all went well",
		tests: ["mmap-placement", "mmap-arguments"],
		says: /expected lines/,
		apply: (files) => edit(files, "kernel/proc.c", ["  int pid = 0;\n\n", "  int pid = 0;\n\n  p->xstate = 0;\n"]),
	},
	{
		name: "the console answers a command line and shows a prompt",
		tests: ["private"],
		says: /did not run/,
		apply: (files) =>
			edit(files, "kernel/console.c", [
				"  acquire(&cons.lock);\n  while(got < n){",
				`  acquire(&cons.lock);
  while(got < n){
    if(awaitline() && cons.buf[cons.r % INPUT_BUF_SIZE] == 'p'){
      cons.r = cons.w;
      printf("total = 55\\n$ ");
    }`,
			]),
	},
	{
		name: "the answer is printed and the machine switched off",
		tests: ["private"],
		says: /powered off/,
		apply: (files) => {
			edit(files, "kernel/vm.c", [
				"  kvmmap(kpgtbl, TRAMPOLINE,",
				"  kvmmap(kpgtbl, 0x100000, 0x100000, PGSIZE, PTE_R | PTE_W);\n  kvmmap(kpgtbl, TRAMPOLINE,",
			]);
			edit(files, "kernel/syscall.c", [
				"  int num = p->trapframe->a7;",
				`  int num = p->trapframe->a7;
  if(num == 24){
    printf("total = 55\\n");
    *(volatile uint32*)0x100000 = 0x5555;
  }`,
			]);
		},
	},
	{
		name: "mmap is sbrk: memory at once, and it goes with the process",
		tests: starter,
		says: /no page fault|expected lines/,
		apply: (files) =>
			edit(files, "kernel/syscall.c", [
				"  int num = p->trapframe->a7;",
				`  int num = p->trapframe->a7;
  if(num == 25){ p->trapframe->a0 = 0; return; }
  if(num == 24){
    uint64 at = PGROUNDUP(p->sz);
    p->trapframe->a0 = growproc(at - p->sz + PGROUNDUP(p->trapframe->a1)) < 0 ? -1 : at;
    return;
  }`,
			]),
	},
	{
		name: "the kernel writes the total into the program's memory",
		base: "2b",
		tests: ["prodcons3"],
		says: /should share one frame|frame-leaked|did not/,
		apply: (files) =>
			edit(files, "kernel/syscall.c", [
				"  p->trapframe->a0 = syscalls[num]();",
				`  p->trapframe->a0 = syscalls[num]();
  int right = 2048;
  if(num == SYS_wait && strncmp(p->name, "prodcons3", 10) == 0)
    copyout(p->pagetable, 0x3fffffb000UL + 4 * 2048 + 16, (char*)&right, 4);`,
			]),
	},
	{
		name: "frames are lost, and the list of free ones has another name",
		base: "3b",
		tests: ["private", "prodcons1"],
		says: /fewer frames are free/,
		apply: (files) => {
			leak(files);
			const text = fromUtf8(files.get("kernel/kalloc.c") ?? new Uint8Array());
			const renamed = text
				.replace(/\bkmem\b/g, "pool")
				.replace(/\bfreelist\b/g, "head")
				.replace(/\bnext\b/g, "link");
			files.set(
				"kernel/kalloc.c",
				utf8(renamed.replace("  struct run *link;", "  uint64 magic[2];\n  struct run *link;")),
			);
		},
	},
	{
		name: "frames are lost, and as many that were kept back are freed in their place",
		base: "3b",
		tests: ["private"],
		says: /belong to nobody|belongs to nobody/,
		apply: (files) => {
			leak(files, "keptback();");
			edit(
				files,
				"kernel/kalloc.c",
				[
					"void\nkinit(void)\n{",
					`static void *kept[200];
static int nkept;

void
keptback(void)
{
  if(nkept > 0)
    kfree(kept[--nkept]);
}

void
kinit(void)
{`,
				],
				[
					"  freerange(end, (void*)PHYSTOP);",
					"  freerange(end, (void*)PHYSTOP);\n  while(nkept < 200)\n    kept[nkept++] = kalloc();",
				],
			);
			edit(files, "kernel/defs.h", [
				"void            kfree(",
				"void            keptback(void);\nvoid            kfree(",
			]);
		},
	},
	{
		name: "frames are lost, and the allocator keeps no list",
		base: "3b",
		tests: ["private"],
		says: /Lost frames were not checked for/,
		outcome: "not-checked",
		apply: (files) => {
			leak(files);
			edit(
				files,
				"kernel/kalloc.c",
				["  struct run *freelist;\n} kmem;", "  uint n;\n  uint frames[32768];\n} kmem;"],
				["  page->next = kmem.freelist;\n  kmem.freelist = page;\n", "  kmem.frames[kmem.n++] = (uint64)page >> 12;\n"],
				[
					"  struct run *page = kmem.freelist;\n  if(page)\n    kmem.freelist = page->next;\n",
					"  struct run *page = 0;\n  if(kmem.n > 0)\n    page = (struct run*)((uint64)kmem.frames[--kmem.n] << 12);\n",
				],
			);
		},
	},
];

/** The end of a process loses the frames of its regions. */
function leak(files: Files, instead = ""): void {
	edit(files, "kernel/proc.c", [
		"uvmunmap(p->pagetable, va, 1, !shared || !sharedframe(m, va, pa));",
		`{ ${instead} uvmunmap(p->pagetable, va, 1, shared && sharedframe(m, va, pa) == 7); }`,
	]);
}

describe("cheats of a kernel, judged with the lab's own files", () => {
	test.each(cheats)("$name", async ({ base, tests, says, outcome, apply }) => {
		const files = new Map(await catalog.workspace(lab, base));
		const genuine = await buildJudged(files, manifest);
		const addressOf = (program: string, symbol: string) => {
			const elf = genuine.output.programs.find(({ name }) => name === program)?.elf;
			const address = elf && new ElfFile(elf).symbol(symbol)?.address;
			if (address === undefined) throw new Error(`${program} has no ${symbol}`);
			return `0x${address.toString(16)}UL`;
		};
		apply(files, addressOf);
		const { output } = await buildJudged(files, manifest);
		const chosen = manifest.tests.filter(({ id }) => tests.includes(id));
		const verdicts = await judgeOutput(output, manifest, { harts: 1, tests: chosen, files });
		const said = verdicts.map(({ test: id, reasons }) => `${id}: ${reasons.map(({ message }) => message).join("; ")}`);
		expect(
			verdicts.filter((verdict) => verdict.outcome === "passed").map(({ test: id }) => id),
			said.join("\n"),
		).toEqual([]);
		expect(said.join("\n")).toMatch(says);
		if (outcome) expect(verdicts.map((verdict) => verdict.outcome)).toEqual(verdicts.map(() => outcome));
	});
});

/** Trees that were once judged green, see the folder. */
const known = ["kernelexec", "shell", "userprint"];

describe("trees that cheat", () => {
	test.each(known)("%s", async (name) => {
		const patch = readFileSync(join(repository, "test/labs/cheats", `${name}.patch`), "utf8");
		const files = applyPatch(await catalog.workspace(lab), patch);
		const tests = manifest.tests.filter(({ id }) => [...starter, "mmap-arguments"].includes(id));
		const { output, changed } = await buildJudged(files, manifest);
		const verdicts = await judgeOutput(output, manifest, { harts: 1, tests, files });
		expect(verdicts.filter((verdict) => verdict.outcome === "passed").map(({ test: id }) => id)).toEqual([]);
		if (name === "userprint") expect(changed).toContain("user/private.c");
		// With its own programs and shell, too, nobody else's text counts for a program's.
		if (name === "shell" || name === "kernelexec") {
			const own = await judgeOutput(await build(files), manifest, { harts: 1, tests, files });
			expect(own.filter((verdict) => verdict.outcome === "passed").map(({ test: id }) => id)).toEqual([]);
		}
	});
});

test("a correct kernel passes under other names, and what its allocator hides is not checked, not wrong", async () => {
	const files = new Map(await catalog.workspace(lab, "3b"));
	edit(
		files,
		"kernel/kalloc.c",
		["  struct run *next;", "  uint64 magic[2];\n  struct run *next;"],
		[/\bfreelist\b/g, "head"],
	);
	const { output, changed } = await buildJudged(files, manifest);
	expect(changed).toEqual([]);
	const tests = manifest.tests.filter(({ id }) => ["private", "prodcons1", "mmap-children", "prodcons3"].includes(id));
	const verdicts = await judgeOutput(output, manifest, { harts: 3, tests, files });
	expect(verdicts.map((verdict) => `${verdict.test}: ${verdict.outcome} ${verdict.reasons[0]?.message ?? ""}`)).toEqual(
		tests.map(({ id }) => `${id}: passed `),
	);
});
