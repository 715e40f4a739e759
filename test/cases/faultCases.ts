import { growth, inSysproc, type KernelCase, main, uptime } from "./kernelCase.ts";

export const faultCases: readonly KernelCase[] = [
	// ---- the kernel's own faults
	{
		name: "a null pointer in the kernel",
		edits: [["kernel/sysproc.c", "  uint now = ticks;\n", "  uint now = ticks + ((struct proc * volatile)0)->pid;\n"]],
		program: main("uptime();"),
		end: "panic",
		kind: "kernel-fault",
		cause: /sys_uptime \(kernel\/sysproc\.c:\d+\) follows a null pointer: its load of 0x/,
	},
	{
		name: "the kernel writes to an address of the user",
		edits: [
			[
				"kernel/sysproc.c",
				"  argaddr(0, &status);\n",
				"  argaddr(0, &status);\n  if(status)\n    *(int*)status = 1;\n",
			],
		],
		program: main("int s = 0; if(fork() == 0) exit(0); wait(&s);"),
		end: "panic",
		kind: "kernel-fault",
		cause:
			/sys_wait \(kernel\/sysproc\.c:\d+\) uses 0x[0-9a-f]+, an address of the user program prog, as its own: .*copyin\(\) or copyout\(\)/,
	},
	{
		name: "a large local array overflows the kernel stack",
		edits: [
			[
				"kernel/sysproc.c",
				"  uint now = ticks;\n",
				"  volatile char big[5000];\n  for(int i = 0; i < 5000; i++)\n    big[i] = i;\n  uint now = ticks + big[7];\n",
			],
		],
		program: main("uptime();"),
		end: "panic",
		kind: "kernel-fault",
		cause:
			/kernel stack of process 3 \(prog\) overflowed into its guard page: .*the frame of sys_uptime .*takes 5,\d+ bytes/,
	},
	{
		name: "a pointer that kalloc's fill made",
		edits: [
			[
				"kernel/sysproc.c",
				"  uint now = ticks;\n",
				"  struct proc **page = kalloc();\n  uint now = ticks + page[3]->pid;\n",
			],
		],
		program: main("uptime();"),
		end: "panic",
		kind: "kernel-fault",
		cause: /sys_uptime .*follows a pointer read from kalloc's fill/,
	},
	{
		name: "a pointer out of memory that was freed",
		edits: [
			[
				"kernel/sysproc.c",
				"  uint now = ticks;\n",
				"  struct proc **page = kalloc();\n  kfree(page);\n  uint now = ticks + page[3]->pid;\n",
			],
		],
		program: main("uptime();"),
		end: "panic",
		kind: "kernel-fault",
		cause: /sys_uptime .*follows a pointer read from kfree's fill/,
	},
	{
		name: "the kernel calls a null function pointer",
		edits: [inSysproc(uptime, `${uptime}  void (*volatile f)(void) = 0;\n  f();\n`)],
		program: main("uptime();"),
		end: "panic",
		kind: "kernel-fault",
		cause: /sys_uptime \(kernel\/sysproc\.c:\d+\) calls a null function pointer/,
	},
	{
		name: "the kernel stores through a null pointer to a structure",
		edits: [inSysproc(uptime, `${uptime}  struct proc *volatile none = 0;\n  none->xstate = now;\n`)],
		program: main("uptime();"),
		end: "panic",
		kind: "kernel-fault",
		cause:
			/sys_uptime \(kernel\/sysproc\.c:\d+\) follows a null pointer: its store of 0x[0-9a-f]+ faulted, which is the null pointer plus the offset of a member/,
	},
	{
		name: "the kernel hands an address of the user to memset",
		edits: [
			inSysproc(
				"  argint(0, &victim);\n",
				"  argint(0, &victim);\n  if(victim > 100)\n    memset((void*)(uint64)victim, 0, 8);\n",
			),
		],
		program: `char words[64]; ${main("kill((int)(long)words);")}`,
		end: "panic",
		kind: "kernel-fault",
		cause: /memset \(kernel\/string\.c:\d+\) uses 0x[0-9a-f]+, an address of the user program prog, as its own/,
	},
	{
		name: "a function that calls itself overflows the kernel stack",
		edits: [
			inSysproc(
				"// Ticks since boot.\n",
				"__attribute__((noinline)) static int\ndeep(int n)\n{\n  volatile char b[64];\n  b[n % 64] = n;\n  return n > 100000 ? b[1] : deep(n + 1) + b[n % 64];\n}\n\n",
			),
			inSysproc(uptime, `${uptime}  now += deep(now);\n`),
		],
		program: main("uptime();"),
		end: "panic",
		kind: "kernel-fault",
		cause:
			/kernel stack of process 3 \(prog\) overflowed into its guard page: it has one page, and deep calls itself and is on the stack \d+ times/,
	},
	{
		name: "a function pointer out of fresh memory",
		edits: [inSysproc(uptime, `${uptime}  void (**page)(void) = kalloc();\n  page[9]();\n`)],
		program: main("uptime();"),
		end: "panic",
		kind: "kernel-fault",
		cause: /sys_uptime .*a (function )?pointer read from kalloc's fill/,
	},
	{
		name: "a list whose node was freed",
		edits: [
			inSysproc(
				uptime,
				`${uptime}  struct node { long key; struct node *next; } *a = kalloc(), *b = kalloc();\n  a->next = b;\n  b->next = 0;\n  kfree(b);\n  for(struct node *each = a; each; each = each->next)\n    now += each->key;\n`,
			),
		],
		program: main("uptime();"),
		end: "panic",
		kind: "kernel-fault",
		cause: /sys_uptime .*follows a pointer read from kfree's fill/,
	},
	// ---- user faults
	{
		name: "a null pointer in a program",
		edits: [],
		program: main("*(volatile int*)0 = 1;"),
		end: "prompt",
		kind: "user-fault",
		cause: /process 3 \(prog\) was killed: its store of 0x0 in main \(user\/prog\.c:3\) goes through a null pointer/,
	},
	{
		name: "a test whose children are to be killed, and are",
		edits: [],
		program: main(
			"for(int i = 1; i < 4; i++){ int st = 0; if(fork() == 0){ *(volatile int*)(i * 0x900000L) = 1; exit(0); } wait(&st); if(st != -1) exit(1); }",
		),
		end: "prompt",
		kind: "user-fault",
		cause:
			/^note: The kernel killed 3 processes, whose exit status their parents took with wait\(\), and prog exited with status 0/,
	},
	{
		name: "hundreds of children that are to be killed",
		edits: [],
		program: main(
			"for(int i = 1; i <= 150; i++){ int st; if(fork() == 0){ *(volatile int*)(i * 0x900000L) = 1; exit(0); } wait(&st); }",
		),
		end: "prompt",
		kind: "user-fault",
		cause: /^note: The kernel killed 150 processes, whose exit status their parents took/,
	},
	{
		name: "one that nobody expected among hundreds that are to be killed",
		edits: [],
		program: main(
			"for(int i = 0; i <= 150; i++){ int st; if(fork() == 0){ *(volatile int*)0x900000L = 1; exit(0); } wait(i ? &st : 0); }",
		),
		end: "prompt",
		kind: "user-fault",
		cause: /^cause: Process 4 \(prog\) was killed: its store of 0x900000/,
	},
	{
		name: "a child that is killed, and nobody asks how it ended",
		edits: [],
		program: main("if(fork() == 0) *(volatile int*)0x900000 = 1; wait(0);"),
		end: "prompt",
		kind: "user-fault",
		cause: /^cause: Process 4 \(prog\) was killed: its store of 0x900000/,
	},
	{
		name: "a child that is killed, and its parent says that it failed",
		edits: [],
		program: main("int st; if(fork() == 0) *(volatile int*)0x900000 = 1; wait(&st); if(st) exit(1);"),
		end: "prompt",
		kind: "user-fault",
		cause: /^cause: Process 4 \(prog\) was killed: its store of 0x900000/,
	},
	{
		name: "a program that says that it failed",
		edits: [],
		program: main("exit(7);"),
		end: "prompt",
		kind: "exit-status",
		cause: /^note: prog exited with status 7\.$/,
	},
	{
		name: "a program writes to its own text",
		edits: [],
		program: main("*(volatile char*)main = 1;").replace("int main", "int pad[400]; int main"),
		end: "prompt",
		kind: "user-fault",
		cause: /process 3 \(prog\) was killed: its store of 0x.* in main/,
	},
	{
		name: "a program jumps over its memory",
		edits: [],
		program: main("*(volatile char*)0x900000 = 1;"),
		end: "prompt",
		kind: "user-fault",
		cause: /its store of 0x900000 in main \(user\/prog\.c:3\) is beyond p->sz \(0x4000\), and nothing is mapped there/,
	},
	{
		name: "a large local array overflows the user stack",
		edits: [],
		program: "int main(void){ volatile char b[5000]; for(int i = 0; i < 5000; i++) b[i] = i; exit(b[9]); }\n",
		end: "prompt",
		kind: "user-fault",
		cause: /process 3 \(prog\) used more than its stack of one page: .*guard page below the stack/,
	},
	{
		name: "a member through a null pointer in a program",
		edits: [],
		program: main("struct { char pad[40]; int member; } *volatile none = 0; none->member = 1;"),
		end: "prompt",
		kind: "user-fault",
		cause: /process 3 \(prog\) was killed: its store of 0x28 in main \(user\/prog\.c:3\) is close to 0: a null pointer/,
	},
	{
		name: "the -1 of sbrk as a pointer",
		edits: [],
		program: main("char *p = sbrk(-100000000); *p = 1;"),
		end: "prompt",
		kind: "user-fault",
		cause:
			/process 3 \(prog\) was killed: its store of 0xffffffffffffffff in main \(user\/prog\.c:3\) is -1 as a pointer: what a call that failed returns/,
	},
	{
		name: "a program that calls itself without end",
		edits: [],
		program:
			"__attribute__((noinline)) int deep(int n){ volatile char b[64]; b[n % 64] = n; return n > 100000 ? b[1] : deep(n + 1) + b[n % 64]; }\nint main(void){ exit(deep(1)); }\n",
		end: "prompt",
		kind: "user-fault",
		cause:
			/process 3 \(prog\) used more than its stack of one page: .*guard page below the stack \(deep calls itself, and is open \d+ times/,
	},
	{
		name: "an index below the stack",
		edits: [],
		program: main("volatile char b[8]; volatile int i = -5000; b[i] = 1; if(b[0]) exit(1);"),
		end: "prompt",
		kind: "user-fault",
		cause:
			/process 3 \(prog\) was killed: its store of 0x[0-9a-f]+ in main .*is in the guard page below the stack, although sp is not/,
	},
	{
		name: "an illegal instruction",
		edits: [],
		program: 'int main(void){ asm volatile(".word 0"); exit(0); }\n',
		end: "prompt",
		kind: "user-fault",
		cause: /process 3 \(prog\) was killed for an illegal instruction in main \(user\/prog\.c:3\)/,
	},
	{
		name: "a program jumps into its heap",
		edits: [],
		program: main("char *p = sbrk(4096); p[0] = 1; ((void (*)(void))p)();"),
		end: "prompt",
		kind: "user-fault",
		cause: /process 3 \(prog\) was killed: its fetch of 0x4000 .*may not be executed: the page is mapped rw-u/,
	},
	{
		name: "a lazy sbrk without a handler, and an unmap that skips holes",
		edits: [
			inSysproc(growth, "  myproc()->sz += n;\n"),
			[
				"kernel/vm.c",
				'    if((*pte & PTE_V) == 0)\n      panic("uvmunmap: not mapped");',
				"    if((*pte & PTE_V) == 0)\n      continue;",
			],
		],
		program: main("char *p = sbrk(8192); p[5000] = 1;"),
		end: "prompt",
		kind: "user-fault",
		cause:
			/its store of 0x5388 in main \(user\/prog\.c:3\) is on a page below p->sz \(0x6000\) that nobody allocated \(heap\): with a lazy sbrk, usertrap has to allocate it/,
	},
];
