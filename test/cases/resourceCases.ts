import { getpid, ifProg, inSysproc, type KernelCase, main } from "./kernelCase.ts";

export const resourceCases: readonly KernelCase[] = [
	// ---- system calls
	{
		name: "a number beyond the table",
		edits: [],
		program: 'int main(void){ asm volatile("li a7, 77; ecall"); exit(0); }\n',
		end: "prompt",
		kind: "unknown-syscall",
		cause: /system call 77, which this kernel does not know: number 77 is no SYS_ constant/,
	},
	{
		name: "a handler that the table lacks",
		edits: [["kernel/syscall.c", "  [SYS_uptime] = sys_uptime,\n", ""]],
		program: main("uptime();"),
		end: "prompt",
		kind: "unknown-syscall",
		cause:
			/number 14 is SYS_uptime in kernel\/syscall\.h:\d+, but .*kernel\/syscall\.c has no entry for it: add \[SYS_uptime\] sys_uptime/,
	},
	{
		name: "a negative number",
		edits: [],
		program: 'int main(void){ asm volatile("li a7, -3; ecall"); exit(0); }\n',
		end: "prompt",
		kind: "unknown-syscall",
		cause: /system call -3, which this kernel does not know: number -3 is no SYS_ constant/,
	},
	// ---- lost memory
	{
		name: "pages below the break are not freed",
		edits: [
			[
				"kernel/vm.c",
				"uvmunmap(pagetable, from, (to - from) / PGSIZE, 1);",
				"uvmunmap(pagetable, from, (to - from) / PGSIZE, 0);",
			],
		],
		program: main("char *p = sbrk(4096); p[5] = 7; sbrk(-4096);"),
		end: "prompt",
		kind: "lost-memory",
		cause: /one frame was lost: a user page/,
	},
	{
		name: "page tables are not freed",
		edits: [["kernel/vm.c", "  freewalk(pagetable);\n", ""]],
		program: main(""),
		end: "prompt",
		kind: "lost-memory",
		cause: /\d+ frames were lost: \d+ page-table pages(\.|;)/,
	},
	// ---- memory
	{
		name: "a page of another process is freed",
		edits: [
			inSysproc(
				getpid,
				`extern struct proc *initproc;\n${getpid}${ifProg("    kfree((void*)walkaddr(initproc->pagetable, 0));\n")}`,
			),
		],
		program: main("getpid();"),
		end: "prompt",
		kind: "freed-in-use",
		cause: /frame \d+ is on kalloc's free list/,
	},
	{
		name: "a page is freed twice",
		edits: [
			inSysproc(
				getpid,
				`${getpid}${ifProg("    kfree((void*)walkaddr(myproc()->pagetable, PGROUNDUP(myproc()->sz) - PGSIZE));\n")}`,
			),
		],
		program: main("sbrk(4096); getpid(); sleep(1);"),
		end: "prompt",
		kind: "free-list",
		cause: /Frame \d+ was freed twice/,
	},
	{
		name: "pipes are not freed",
		edits: [["kernel/pipe.c", "  if(unused)\n    kfree(pi);\n", "  (void)unused;\n"]],
		program: main("int p[2]; for(int i = 0; i < 3; i++){ pipe(p); close(p[0]); close(p[1]); }"),
		end: "prompt",
		kind: "lost-memory",
		cause: /frames were lost: \d pipes; such a frame is allocated in newpipe/,
	},
	{
		name: "a system call loses a page",
		edits: [inSysproc(getpid, `${getpid}${ifProg("    kalloc();\n")}`)],
		program: main("getpid(); getpid();"),
		end: "prompt",
		kind: "lost-memory",
		cause: /2 frames were lost: 2 pages that nobody wrote to/,
	},
	{
		name: "the PMP entry matches nothing",
		edits: [["kernel/start.c", "w_pmpcfg0(", "w_pmpcfg0(0 & "]],
		command: "echo hi",
		end: "timeout",
		kind: "no-pmp",
		cause: /start\(\) \(kernel\/start\.c:\d+\) gives supervisor mode no PMP entry that matches memory/,
	},
];
