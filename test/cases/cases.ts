/**
 * Faults of the kinds that a diagnosis knows, each made in the bundled kernel by a few replaced lines, and what must be said of it. `cause`
 * is matched against the causes, ignoring case.
 */
export interface KernelCase {
	readonly name: string;
	/** File, text that stands in it once, and what takes its place. */
	readonly edits: readonly (readonly [file: string, from: string, to: string])[];
	/** Source of the program `user/prog.c` behind its includes; it is run instead of `command`. */
	readonly program?: string;
	readonly command?: string;
	readonly end: "prompt" | "panic" | "timeout" | "stuck";
	/** Kind of the first diagnosis. */
	readonly kind: string;
	readonly cause: RegExp;
	/** `file` and function of the place to look at. */
	readonly look?: string;
}

export const main = (body: string) => `int main(void){ ${body} exit(0); }\n`;

export const kernelCases: readonly KernelCase[] = [
	// ---- panics about locks
	{
		name: "uptime keeps the tick lock",
		edits: [["kernel/sysproc.c", "  uint now = ticks;\n  release(&tickslock);", "  uint now = ticks;"]],
		program: main("uptime();"),
		end: "panic",
		kind: "lock-panic",
		cause: /sys_uptime took tickslock \("time"\) at kernel\/sysproc\.c:\d+ and never released it/,
	},
	{
		name: "a lock is taken twice on one path",
		edits: [["kernel/sysproc.c", "  uint now = ticks;\n", "  acquire(&tickslock);\n  uint now = ticks;\n"]],
		program: main("uptime();"),
		end: "panic",
		kind: "lock-panic",
		cause:
			/sys_uptime \(kernel\/sysproc\.c:\d+\) takes tickslock \("time"\) while hart \d holds it already, taken at kernel\/sysproc\.c:\d+ \(sys_uptime\)/,
	},
	{
		name: "a lock is released twice",
		edits: [["kernel/sysproc.c", "  uint now = ticks;\n", "  uint now = ticks;\n  release(&tickslock);\n"]],
		program: main("uptime();"),
		end: "panic",
		kind: "lock-panic",
		cause:
			/sys_uptime \(kernel\/sysproc\.c:\d+\) releases tickslock \("time"\), which its hart does not hold: nobody holds it/,
	},
	// ---- panics over page tables
	{
		name: "a page above the break is left in the table",
		edits: [
			[
				"kernel/sysproc.c",
				"  argint(0, &n);\n  if(growproc(n) < 0)\n    return -1;\n",
				"  argint(0, &n);\n  if(n < 0){\n    myproc()->sz += n;\n    return old;\n  }\n  if(growproc(n) < 0)\n    return -1;\n",
			],
		],
		program: main("sbrk(8192); sbrk(-8192);"),
		end: "panic",
		kind: "page-table-panic",
		cause:
			/freewalk frees the page table of process 3 \(prog\), and page 0x4000 .* is still mapped in it: .*only below p->sz/,
	},
	{
		name: "a page below the break is left in the table",
		edits: [
			[
				"kernel/vm.c",
				'    if((*pte & PTE_V) == 0)\n      panic("uvmunmap: not mapped");',
				"    if((*pte & PTE_V) == 0)\n      break;",
			],
			[
				"kernel/sysproc.c",
				"  if(growproc(n) < 0)\n    return -1;\n",
				"  if(n == 4096)\n    myproc()->sz += n;\n  else if(growproc(n) < 0)\n    return -1;\n",
			],
		],
		program: main("sbrk(4096); sbrk(8192);"),
		end: "panic",
		kind: "page-table-panic",
		cause:
			/freewalk frees the page table of process 3 \(prog\), and page 0x5000 \(heap\) is still mapped in it: it is below p->sz .*skipped the page or ended early/,
	},
	{
		name: "fork meets a page that nobody allocated",
		edits: [["kernel/sysproc.c", "  if(growproc(n) < 0)\n    return -1;\n", "  myproc()->sz += n;\n"]],
		program: main("sbrk(8192); fork();"),
		end: "panic",
		kind: "page-table-panic",
		cause: /uvmcopy met page 0x4000 \(heap\) of process 3 \(prog\), which is below p->sz but was never allocated/,
	},
	{
		name: "a page is mapped a second time",
		edits: [
			[
				"kernel/sysproc.c",
				"  if(growproc(n) < 0)\n    return -1;\n",
				"  if(growproc(n) < 0)\n    return -1;\n  mappages(myproc()->pagetable, old, PGSIZE, (uint64)kalloc(), PTE_R | PTE_U);\n",
			],
		],
		program: main("sbrk(4096);"),
		end: "panic",
		kind: "page-table-panic",
		cause:
			/sys_sbrk \(kernel\/sysproc\.c:\d+\) maps (page 0x4000 \(heap\) of process 3 \(prog\) a second time|a page of process 3 \(prog\) that is mapped already)/,
	},
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
	// ---- hangs
	{
		name: "the system call is made again and again",
		edits: [["kernel/trap.c", "    p->trapframe->epc += 4;\n", ""]],
		command: "echo hi",
		end: "timeout",
		kind: "trap-loop",
		cause: /makes the same system call for ever .*add 4 to p->trapframe->epc/,
	},
	{
		name: "no priority in the PLIC",
		edits: [
			["kernel/plic.c", "  plicwrite(PLIC_PRIORITY(UART0_IRQ), 1);\n  plicwrite(PLIC_PRIORITY(VIRTIO0_IRQ), 1);\n", ""],
		],
		command: "echo hi",
		end: "timeout",
		kind: "no-device-interrupt",
		cause:
			/interrupt 1 of the disk .*pending, and no hart can take .*its priority in the PLIC is 0, which means never \(plicinit\)\.$/,
	},
	{
		name: "no external interrupt in sie",
		edits: [["kernel/start.c", "SIE_SEIE | SIE_STIE", "SIE_STIE"]],
		command: "echo hi",
		end: "timeout",
		kind: "no-device-interrupt",
		cause: /interrupt 1 of the disk .*no hart has external interrupts on \(SEIE in sie\)/,
	},
	{
		name: "two locks in two orders",
		edits: [
			[
				"kernel/sysproc.c",
				"  uint now = ticks;\n",
				"  for(volatile int i = 0; i < 3000000; i++)\n    ;\n  extern struct spinlock other;\n  acquire(&other);\n  uint now = ticks;\n  release(&other);\n",
			],
			[
				"kernel/sysproc.c",
				"uint64\nsys_getpid(void)\n{\n",
				"struct spinlock other = { .name = \"other\" };\nuint64\nsys_getpid(void)\n{\n  if(myproc()->name[0] == 'p'){\n    acquire(&other);\n    for(volatile int i = 0; i < 3000000; i++)\n      ;\n    acquire(&tickslock);\n    release(&tickslock);\n    release(&other);\n  }\n",
			],
		],
		program: main("if(fork() == 0){ uptime(); exit(0); } getpid(); wait(0);"),
		end: "timeout",
		kind: "deadlock",
		cause:
			/deadlock: hart \d \(process \d, prog\) holds .*taken at kernel\/sysproc\.c:\d+ and waits for .*same order everywhere/,
	},
	{
		name: "a lock that nobody releases, without a check",
		edits: [
			[
				"kernel/sysproc.c",
				"uint64\nsys_getpid(void)\n{\n",
				"struct spinlock other = { .name = \"other\" };\nuint64\nsys_getpid(void)\n{\n  if(myproc()->name[0] == 'p'){\n    acquire(&other);\n    other.cpu = 0;\n    acquire(&other);\n  }\n",
			],
		],
		program: main("getpid();"),
		end: "timeout",
		kind: "lock-spin",
		cause:
			/sys_getpid \(kernel\/sysproc\.c:\d+\) waits for ever for other, which is locked, and no hart is named as its holder/,
	},
	{
		name: "exit does not wake its parent",
		edits: [["kernel/proc.c", "  wakeup(p->parent);   // it may be in wait()\n", ""]],
		command: "echo hi",
		end: "timeout",
		kind: "zombie",
		cause: /process 2 \(sh\) sleeps in wait\(\), although its child process 3 \(echo\) has ended/,
	},
	{
		name: "a pipe's reader is not woken",
		edits: [
			[
				"kernel/pipe.c",
				"  wakeup(&pi->nread);\n  release(&pi->lock);\n  return done;",
				"  release(&pi->lock);\n  return done;",
			],
		],
		program: main(
			'int p[2]; char c; pipe(p); if(fork() == 0){ read(p[0], &c, 1); exit(0); } sleep(2); write(p[1], "x", 1); wait(0);',
		),
		end: "timeout",
		kind: "sleeper",
		cause: /lost wakeup: process 4 \(prog\) sleeps in piperead .*although the pipe has data/,
	},
	{
		name: "a pipe that is never closed",
		edits: [],
		program: main("int p[2]; char c; pipe(p); read(p[0], &c, 1);"),
		end: "timeout",
		kind: "sleeper",
		cause: /process 3 \(prog\) sleeps in piperead .*still has it open for writing/,
	},
	{
		name: "a sleep-lock that is never released",
		edits: [["kernel/sleeplock.c", "  setholder(lk, 0);\n  wakeup(lk);\n", "  setholder(lk, 0);\n"]],
		program: main(
			'static char b[512]; int child = fork(); for(int i = 0; i < 300; i++){ int fd = open("README", 0); while(read(fd, b, 512) > 0) ; close(fd); } if(child) wait(0);',
		),
		end: "timeout",
		kind: "sleeper",
		cause:
			/lost wakeup: process \d \(\w+\) waits for the sleep-lock .*, which is not locked: releasesleep\(\) did not wake it/,
	},
	{
		name: "a program that loops",
		edits: [],
		program: main("for(volatile int i = 0; ; i++) ;"),
		end: "timeout",
		kind: "no-progress",
		cause: /process 3 \(prog\) still runs, at main \(user\/prog\.c:3\)/,
	},
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
];
