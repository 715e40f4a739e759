import { getpid, ifProg, inSysproc, type KernelCase, main, uptime } from "./kernelCase.ts";

export const hangCases: readonly KernelCase[] = [
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
];
