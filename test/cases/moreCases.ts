import { type KernelCase, main } from "./cases.ts";

const uptime = "  uint now = ticks;\n  release(&tickslock);\n";
const getpid = "uint64\nsys_getpid(void)\n{\n";
const growth = "  if(growproc(n) < 0)\n    return -1;\n";
const inSysproc = (from: string, to: string) => ["kernel/sysproc.c", from, to] as const;
/** Only for the program that is run: the shell makes system calls, too. */
const ifProg = (body: string) => `  if(myproc()->name[0] == 'p'){\n${body}  }\n`;

/** The same kinds as in cases.ts, each made in other ways. */
export const moreCases: readonly KernelCase[] = [
	// ---- panics about locks
	{
		name: "initlock of the clock's lock is forgotten",
		edits: [["kernel/trap.c", '  initlock(&tickslock, "time");\n', ""]],
		command: "echo hi",
		end: "panic",
		kind: "lock-panic",
		cause: /clockintr \(kernel\/trap\.c:\d+\) takes the lock tickslock, which initlock\(\) was never called for/,
	},
	{
		name: "initlock of the disk's lock is forgotten",
		edits: [["kernel/virtio_disk.c", '  initlock(&disk.lock, "virtio_disk");\n', ""]],
		command: "echo hi",
		end: "panic",
		kind: "lock-panic",
		cause: /\w+ \(kernel\/virtio_disk\.c:\d+\) takes the lock disk\.lock, which initlock\(\) was never called for/,
	},
	{
		name: "interrupts are turned on under a lock",
		edits: [inSysproc(uptime, `  uint now = ticks;\n  intr_on();\n  release(&tickslock);\n`)],
		program: main("uptime();"),
		end: "panic",
		kind: "lock-panic",
		cause: /sys_uptime \(kernel\/sysproc\.c:\d+\) releases a lock while interrupts are on/,
	},
	{
		name: "pop_off without push_off",
		edits: [inSysproc(uptime, `${uptime}  pop_off();\n`)],
		program: main("uptime();"),
		end: "panic",
		kind: "lock-panic",
		cause: /sys_uptime \(kernel\/sysproc\.c:\d+\) undoes a push_off\(\) that was never done/,
	},
	{
		name: "a second lock is held in sleep",
		edits: [
			inSysproc(
				"uint64\nsys_sleep(void)\n{\n",
				'static struct spinlock mine = { .name = "mine" };\nuint64\nsys_sleep(void)\n{\n',
			),
			inSysproc("  uint start = ticks;\n", "  uint start = ticks;\n  acquire(&mine);\n"),
		],
		program: main("sleep(1);"),
		end: "panic",
		kind: "lock-panic",
		cause:
			/sys_sleep took mine at kernel\/sysproc\.c:\d+ and never released it; now sleep \(kernel\/proc\.c:\d+\) gives up the hart/,
	},
	{
		name: "the lock that is still held is not the one that was released",
		edits: [
			inSysproc(
				"// Ticks since boot.\n",
				"__attribute__((noinline)) static void\nkeep(void)\n{\n  acquire(&tickslock);\n}\n\n",
			),
			inSysproc(uptime, `${uptime}  keep();\n  yield();\n`),
		],
		program: main("uptime();"),
		end: "panic",
		kind: "lock-panic",
		cause: /yield \(kernel\/proc\.c:\d+\) gives up the hart while it still holds tickslock \("time"\)\.$/,
	},
	// ---- plain panics
	{
		name: "a panic of the student's own",
		edits: [inSysproc(uptime, `${uptime}  if(now)\n    panic("no such time");\n`)],
		program: main("uptime();"),
		end: "panic",
		kind: "panic",
		cause: /The kernel panicked in sys_uptime \(kernel\/sysproc\.c:\d+\).*: no such time/,
	},
	{
		name: "init ends",
		edits: [["user/init.c", "int\nmain(", "int\nmain(void)\n{\n  exit(3);\n}\n\nint\nmain2("]],
		command: "echo hi",
		end: "panic",
		kind: "panic",
		cause: /The kernel panicked in exit \(kernel\/proc\.c:\d+\), called by sys_exit .*: init exiting/,
	},
	// ---- panics over page tables
	{
		name: "a page far above the break is never unmapped",
		edits: [
			inSysproc(
				getpid,
				`${getpid}${ifProg("    mappages(myproc()->pagetable, 0x40000000, PGSIZE, (uint64)kalloc(), PTE_R | PTE_U);\n")}`,
			),
		],
		program: main("getpid();"),
		end: "panic",
		kind: "page-table-panic",
		cause:
			/freewalk frees the page table of process 3 \(prog\), and page 0x40000000 .* is still mapped in it: nothing unmapped it/,
	},
	{
		name: "an address within a page is unmapped",
		edits: [["kernel/vm.c", "  uint64 from = PGROUNDUP(newsz);\n", "  uint64 from = newsz;\n"]],
		program: main("sbrk(10000); sbrk(-9000);"),
		end: "panic",
		kind: "page-table-panic",
		cause:
			/uvmunmap was given .* of process 3 \(prog\) that is no multiple of the page size \(called by uvmdealloc .*PGROUNDDOWN/,
	},
	{
		name: "a page is unmapped twice",
		edits: [
			inSysproc(growth, `${growth}  if(n < 0)\n    uvmunmap(myproc()->pagetable, PGROUNDUP(myproc()->sz), 1, 0);\n`),
		],
		program: main("sbrk(4096); sbrk(-4096);"),
		end: "panic",
		kind: "page-table-panic",
		cause:
			/uvmunmap (was to unmap page 0x4000 .* of process 3 \(prog\), which is not mapped|met a page of process 3 \(prog\) that is not mapped) ?\(?.*unmap none twice/,
	},
	{
		name: "a hole is made below the break, and fork copies",
		edits: [
			inSysproc(
				getpid,
				`${getpid}${ifProg("    uvmunmap(myproc()->pagetable, PGROUNDUP(myproc()->sz) - 2*PGSIZE, 1, 1);\n")}`,
			),
		],
		program: main("sbrk(3 * 4096); getpid(); fork();"),
		end: "panic",
		kind: "page-table-panic",
		cause: /uvmcopy met page 0x5000 \(heap\) of process 3 \(prog\), which is below p->sz but was never allocated/,
	},
	{
		name: "the trapframe is mapped twice",
		edits: [
			[
				"kernel/proc.c",
				"  if(n < 2){\n",
				"  mappages(new, TRAPFRAME, PGSIZE, (uint64)p->trapframe, PTE_R);\n  if(n < 2){\n",
			],
		],
		command: "echo hi",
		end: "panic",
		kind: "page-table-panic",
		cause: /proc_pagetable \(kernel\/proc\.c:\d+\) maps a page .*mapped already/,
	},
	{
		name: "an address of the user is walked unchecked",
		edits: [["kernel/vm.c", "  if(va >= MAXVA)\n    return 0;\n\n", ""]],
		program: main("write(1, (char*)(1L << 38), 1);"),
		end: "panic",
		kind: "page-table-panic",
		cause: /looks up an address.* of process 3 \(prog\), which is not below MAXVA: check an address of the user/,
	},
	{
		name: "a page is mapped beyond MAXVA",
		edits: [
			inSysproc(
				getpid,
				`${getpid}${ifProg("    mappages(myproc()->pagetable, MAXVA + PGSIZE, PGSIZE, (uint64)kalloc(), PTE_R | PTE_U);\n")}`,
			),
		],
		program: main("getpid();"),
		end: "panic",
		kind: "page-table-panic",
		cause: /looks up an address.* of process 3 \(prog\), which is not below MAXVA/,
	},
	{
		name: "kfree of the middle of a page",
		edits: [inSysproc(uptime, `${uptime}  kfree((char*)kalloc() + 8);\n`)],
		program: main("uptime();"),
		end: "panic",
		kind: "page-table-panic",
		cause:
			/sys_uptime \(kernel\/sysproc\.c:\d+\) frees (0x[0-9a-f]+008, which is no multiple of the page size|an address that is no page of kalloc's)/,
	},
	{
		name: "kfree of the kernel's own memory",
		edits: [inSysproc(uptime, `${uptime}  kfree((void*)PGROUNDDOWN((uint64)&ticks));\n`)],
		program: main("uptime();"),
		end: "panic",
		kind: "page-table-panic",
		cause:
			/sys_uptime \(kernel\/sysproc\.c:\d+\) frees (0x[0-9a-f]+, which belongs to the kernel itself|an address that is no page of kalloc's)/,
	},
	// ---- the kernel's own faults
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
	// ---- hangs
	{
		name: "a fault handler that does nothing",
		edits: [
			[
				"kernel/trap.c",
				"  } else if((which_dev = devintr()) != NO_DEVICE){\n",
				"  } else if(r_scause() == 15){\n  } else if((which_dev = devintr()) != NO_DEVICE){\n",
			],
		],
		program: main("*(volatile char*)0x900000 = 1;"),
		end: "timeout",
		kind: "trap-loop",
		cause:
			/takes the same trap for ever at main \(user\/prog\.c:3\) \(store\/amo page fault\): the handler returns and the instruction traps again/,
	},
	{
		name: "the disk is not enabled in the PLIC",
		edits: [["kernel/plic.c", "1 << UART0_IRQ | 1 << VIRTIO0_IRQ", "1 << UART0_IRQ"]],
		command: "echo hi",
		end: "timeout",
		kind: "no-device-interrupt",
		cause:
			/interrupt 1 of the disk .*pending, and no hart can take .*(it|them): it is enabled in the PLIC for no hart \(plicinithart\)\.$/,
	},
	{
		name: "the PLIC passes interrupts to a hart that does not listen",
		edits: [
			["kernel/plic.c", "  int hart = cpuid();\n", "  int hart = cpuid();\n  if(hart != 0)\n    return;\n"],
			[
				"kernel/main.c",
				"  plicinithart();    // ask for device interrupts\n",
				"  plicinithart();\n  if(cpuid() == 0)\n    w_sie(r_sie() & ~SIE_SEIE);\n",
			],
		],
		command: "echo hi",
		end: "timeout",
		kind: "no-device-interrupt",
		cause:
			/interrupt 1 of the disk .*no hart can take (it|them): the PLIC passes it to hart 0 only, where external interrupts are off \(SEIE in sie\)\.$/,
	},
	{
		name: "sret returns to the program in supervisor mode",
		edits: [
			["kernel/trap.c", "(r_sstatus() & ~SSTATUS_SPP) | SSTATUS_SPIE", "r_sstatus() | SSTATUS_SPP | SSTATUS_SPIE"],
		],
		command: "echo hi",
		end: "panic",
		kind: "kernel-fault",
		cause:
			/sret returned to 0x0 of the user program initcode in supervisor mode: SPP of sstatus was still 1 \(usertrapret\)\. Clear it before, and keep interrupts off from there to the sret/,
	},
	{
		name: "sret returns to a program in the mode that a trap of the kernel came from",
		edits: [["kernel/trap.c", "(r_sstatus() & ~SSTATUS_SPP) | SSTATUS_SPIE", "r_sstatus() | SSTATUS_SPIE"]],
		program: main('for(int i = 0; i < 4; i++) if(fork() == 0) for(;;) write(1, "", 0); for(;;) getpid();'),
		end: "panic",
		kind: "kernel-fault",
		cause:
			/sret returned to 0x[0-9a-f]+ of the user program prog in supervisor mode: SPP of sstatus was still 1 \(usertrapret\)\. Clear/,
	},
	{
		name: "sret returns to the program in supervisor mode, traps still going to kernelvec",
		edits: [
			["kernel/trap.c", "(r_sstatus() & ~SSTATUS_SPP) | SSTATUS_SPIE", "r_sstatus() | SSTATUS_SPP | SSTATUS_SPIE"],
			["kernel/trap.c", "  w_stvec(ontrampoline(uservec));\n", ""],
		],
		command: "echo hi",
		end: "timeout",
		kind: "kernel-fault",
		cause:
			/sret returned to 0x0 of the user program initcode in supervisor mode: SPP of sstatus was still 1 \(usertrapret\)\. Clear/,
	},
	{
		name: "the threshold of the PLIC is too high",
		edits: [["kernel/plic.c", "PLIC_SPRIORITY(hart), 0", "PLIC_SPRIORITY(hart), 7"]],
		command: "echo hi",
		end: "timeout",
		kind: "no-device-interrupt",
		cause:
			/interrupt 1 of the disk .*pending, and no hart can take (it|them): its priority in the PLIC, 1, is not above the threshold, 7(, of hart 0)? \(plicinithart\)\.$/,
	},
	{
		name: "the console's interrupt is never completed",
		edits: [["kernel/trap.c", "  plic_complete(irq);\n", "  if(irq != UART0_IRQ)\n    plic_complete(irq);\n"]],
		command: "echo hi",
		end: "timeout",
		kind: "interrupt-not-completed",
		cause: /interrupt 10 of the console .*claimed .*never completed/i,
	},
	{
		name: "the holder of a lock loops",
		edits: [
			inSysproc(
				getpid,
				`struct spinlock other = { .name = "other" };\n${getpid}${ifProg("    acquire(&other);\n    for(volatile int i = 0; ; i++)\n      ;\n")}`,
			),
			inSysproc(
				"  uint now = ticks;\n",
				"  extern struct spinlock other;\n  for(volatile int i = 0; i < 3000000; i++)\n    ;\n  acquire(&other);\n  uint now = ticks;\n  release(&other);\n",
			),
		],
		program: main("if(fork() == 0){ uptime(); exit(0); } getpid(); wait(0);"),
		end: "timeout",
		kind: "lock-spin",
		cause: /waits for ever for .*hart \d holds, taken at kernel\/sysproc\.c:\d+ \(sys_getpid\)/,
	},
	{
		name: "two sleep-locks in two orders",
		edits: [
			inSysproc(
				'#include "defs.h"\n',
				'#include "defs.h"\n#include "sleeplock.h"\nstruct sleeplock left = { .lk = { .name = "sleep lock" }, .name = "left" };\nstruct sleeplock right = { .lk = { .name = "sleep lock" }, .name = "right" };\nstatic void\nboth(struct sleeplock *first, struct sleeplock *second)\n{\n  acquiresleep(first);\n  for(volatile int i = 0; i < 3000000; i++)\n    ;\n  acquiresleep(second);\n  releasesleep(second);\n  releasesleep(first);\n}\n',
			),
			inSysproc(getpid, `${getpid}${ifProg("    both(&left, &right);\n")}`),
			inSysproc("  acquire(&tickslock);\n  uint now", "  both(&right, &left);\n  acquire(&tickslock);\n  uint now"),
		],
		program: main("if(fork() == 0){ uptime(); exit(0); } getpid(); wait(0);"),
		end: "timeout",
		kind: "sleeper",
		cause:
			/Deadlock: process \d \(prog\) waits for the sleep-lock (left|right).*, which process \d \(prog\) holds, and that one waits for (left|right)/,
	},
	{
		name: "a sleep-lock is taken twice on one path",
		edits: [
			inSysproc(
				'#include "defs.h"\n',
				'#include "defs.h"\n#include "sleeplock.h"\nstruct sleeplock once = { .lk = { .name = "sleep lock" }, .name = "once" };\n',
			),
			inSysproc(getpid, `${getpid}${ifProg("    acquiresleep(&once);\n    acquiresleep(&once);\n")}`),
		],
		program: main("getpid();"),
		end: "timeout",
		kind: "sleeper",
		cause:
			/process 3 \(prog\) waits for the sleep-lock once .*which it holds itself: acquiresleep\(\) is called twice on this path/,
	},
	{
		name: "the holder of a sleep-lock has ended",
		edits: [
			inSysproc(
				'#include "defs.h"\n',
				'#include "defs.h"\n#include "sleeplock.h"\nstruct sleeplock once = { .lk = { .name = "sleep lock" }, .name = "once" };\n',
			),
			inSysproc(getpid, `${getpid}${ifProg("    acquiresleep(&once);\n")}`),
		],
		program: main("if(fork() == 0){ getpid(); exit(0); } wait(0); getpid();"),
		end: "timeout",
		kind: "sleeper",
		cause: /process 3 \(prog\) waits for the sleep-lock once .*which process 4 took and never released: it has ended/,
	},
	{
		name: "wait looks at the wrong children",
		edits: [
			[
				"kernel/proc.c",
				"      if(c->parent != p)\n        continue;\n      children++;\n",
				"      if(c->parent != p)\n        continue;\n      children++;\n      if(p->name[0] == 'p')\n        continue;\n",
			],
		],
		program: main("if(fork() == 0) exit(0); wait(0);"),
		end: "timeout",
		kind: "zombie",
		cause: /process 3 \(prog\) sleeps in wait\(\), although its child process 4 \(prog\) has ended/,
	},
	{
		name: "orphans are not given to init",
		edits: [["kernel/proc.c", "  reparent(p);\n", "  if(p->pid < 0)\n    reparent(p);\n"]],
		program: main("if(fork() == 0){ if(fork() == 0){ sleep(3); exit(0); } exit(0); } wait(0); sleep(6);"),
		end: "prompt",
		kind: "zombie",
		cause: /process 5 \(prog\) has ended, and nobody waits for it: .*give its children to init \(reparent\)/,
	},
	{
		name: "an orphan of an orphan",
		edits: [["kernel/proc.c", "      proc[i].parent = initproc;\n      any = 1;", "      any = 1;"]],
		program: main("if(fork() == 0){ if(fork() == 0){ sleep(2); exit(0); } exit(0); } wait(0); sleep(5); for(;;) ;"),
		end: "timeout",
		kind: "zombie",
		cause: /process 5 \(prog\) has ended, and nobody waits for it/,
	},
	{
		name: "the clock wakes nobody",
		edits: [["kernel/trap.c", "    wakeup(&ticks);\n", ""]],
		program: main("sleep(2);"),
		end: "timeout",
		kind: "sleeper",
		cause: /process 3 \(prog\) sleeps on ticks in sys_sleep \(kernel\/sysproc\.c:\d+\).*clockintr\(\) does not wake it/,
	},
	{
		name: "the clock does not count",
		edits: [["kernel/trap.c", "    ticks++;\n", ""]],
		program: main("sleep(2);"),
		end: "timeout",
		kind: "sleeper",
		cause: /process 3 \(prog\) sleeps on ticks in sys_sleep .*the kernel has not counted a single tick/,
	},
	{
		name: "a pipe's writer is not woken",
		edits: [
			[
				"kernel/pipe.c",
				"  wakeup(&pi->nwrite);\n  release(&pi->lock);\n  return failed",
				"  release(&pi->lock);\n  return failed",
			],
		],
		program: main(
			"static char b[600]; int p[2]; pipe(p); if(fork() == 0){ close(p[0]); write(p[1], b, 600); exit(0); } close(p[1]); sleep(2); read(p[0], b, 600); wait(0);",
		),
		end: "timeout",
		kind: "sleeper",
		cause:
			/lost wakeup: process 4 \(prog\) sleeps in pipewrite .*although the pipe has room: piperead\(\) did not wake the writer/,
	},
	{
		name: "a system call that loops in the kernel",
		edits: [inSysproc(uptime, `${uptime}  for(volatile int i = 0; now != 0; i++)\n    ;\n`)],
		program: main("sleep(1); uptime();"),
		end: "timeout",
		kind: "no-progress",
		cause: /process 3 \(prog\) is still in system call uptime, at sys_uptime \(kernel\/sysproc\.c:\d+\)/,
	},
	{
		name: "a child that loops in the kernel, and a parent at its pipe",
		edits: [inSysproc(uptime, `${uptime}  for(volatile int i = 0; now != 0; i++)\n    ;\n`)],
		program: main(
			"char c; int p[2]; pipe(p); if(fork() == 0){ close(p[0]); sleep(1); uptime(); write(p[1], &c, 1); exit(0); } close(p[1]); read(p[0], &c, 1); wait(0);",
		),
		end: "timeout",
		kind: "no-progress",
		cause: /process 4 \(prog\) is still in system call uptime, at sys_uptime \(kernel\/sysproc\.c:\d+\)/,
	},
	{
		name: "a pipe that nobody writes to, after a child that was killed and waited for",
		edits: [],
		program: main(
			"char c; int p[2]; if(fork() == 0) *(volatile int*)0x3fffff0000 = 1; wait(0); pipe(p); read(p[0], &c, 1);",
		),
		end: "timeout",
		kind: "sleeper",
		cause: /^cause: Process 3 \(prog\) sleeps in piperead .*still has it open for writing/,
	},
	{
		name: "a pipe whose writer was killed, and its reader has it open, too",
		edits: [],
		program: main(
			"char c; int p[2]; pipe(p); if(fork() == 0){ *(volatile int*)0x3fffff0000 = 1; write(p[1], &c, 1); } read(p[0], &c, 1);",
		),
		end: "timeout",
		kind: "user-fault",
		cause: /^cause: Process 4 \(prog\) was killed: its store of 0x3fffff0000/,
	},
	// ---- system calls
	{
		name: "a negative number",
		edits: [],
		program: 'int main(void){ asm volatile("li a7, -3; ecall"); exit(0); }\n',
		end: "prompt",
		kind: "unknown-syscall",
		cause: /system call -3, which this kernel does not know: number -3 is no SYS_ constant/,
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
