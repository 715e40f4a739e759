import type { FaultCase } from "./faultCase.ts";

/** Runs that never come back to the prompt. */
export const hangs: readonly FaultCase[] = [
	{
		name: "a lock whose holder is forgotten",
		key: "spins",
		before: `static struct spinlock spun = { .name = "spun" };`,
		fault: `acquire(&spun); // first
  spun.cpu = 0;
  acquire(&spun); // again`,
		end: "timeout",
		says: `cause: fault_spins («acquire(&spun); // again») waits for ever for spun, which is locked, and no hart is named as its holder.
  where: hart H
  evidence: hart H waits for spun in fault_spins («acquire(&spun); // again»)
  calls, innermost first:
    acquire (kernel/spinlock.c)
    fault_spins («acquire(&spun); // again»)
    the system call
  note: Where spun was taken was not seen`,
	},
	{
		name: "two locks in two orders",
		key: "orders",
		program: `if(fork() == 0)
    fault_right();
  fault_left();`,
		end: "timeout",
		says: `cause: Deadlock: hart H (process 3, prog) holds left, taken at «acquire(&left); // left first» and waits for right in fault_left («acquire(&right); // left, right»); hart H (process 4, prog) holds right, taken at «acquire(&right); // right first» and waits for left in fault_right («acquire(&left); // right, left»). Take the two locks in the same order everywhere.
  look at: «acquire(&right); // left, right» (fault_left)
  where: hart H
  evidence: hart H (process 3, prog) holds left, taken at «acquire(&left); // left first» and waits for right in fault_left («acquire(&right); // left, right»)
  evidence: hart H (process 4, prog) holds right, taken at «acquire(&right); // right first» and waits for left in fault_right («acquire(&left); // right, left»)
  calls, innermost first:
    acquire (kernel/spinlock.c)
    fault_left («acquire(&right); // left, right»)
    the system call`,
	},
	{
		name: "a system call that loops",
		key: "loops",
		fault: `for(volatile int i = 0; ; i++) // for ever
    ;`,
		end: "timeout",
		says: `cause: Process 3 (prog) is still in system call uptime, at fault_loops («for(volatile int i = 0; ; i++) // for ever»): it has not returned.
  look at: «for(volatile int i = 0; ; i++) // for ever» (fault_loops)
  where: hart H, process 3 (prog), system call uptime
  evidence: process 1 (init) is SLEEPING on proc[0] in wait (kernel/proc.c)
  evidence: process 2 (sh) is SLEEPING on proc[1] in wait (kernel/proc.c)
  calls, innermost first:
    fault_loops («for(volatile int i = 0; ; i++) // for ever»)
    the system call`,
	},
	{
		name: "a sleep-lock is taken twice on one path",
		key: "once2",
		program: `fault_once();
  fault_once();`,
		end: "timeout",
		says: `cause: Process 3 (prog) waits for the sleep-lock once ("once") in acquiresleep (kernel/sleeplock.c), which it holds itself: acquiresleep() is called twice on this path.
  look at: kernel/sleeplock.c (acquiresleep)
  where: process 3 (prog)
  evidence: once is locked by process 3
  evidence: process 1 (init) is SLEEPING on proc[0] in wait (kernel/proc.c)
  evidence: process 2 (sh) is SLEEPING on proc[1] in wait (kernel/proc.c)
  calls, innermost first:
    sched (kernel/proc.c)
    leave (kernel/proc.c)
    sleep (kernel/proc.c)
    acquiresleep (kernel/sleeplock.c)
    fault_once («acquiresleep(&once); // once»)
    the system call`,
	},
	{
		name: "the holder of a sleep-lock sleeps for something else",
		key: "keeps",
		program: `fault_once();
  if(fork() == 0)
    fault_once();
  wait(0);`,
		end: "timeout",
		says: `cause: Process 4 (prog) waits for the sleep-lock once ("once") in acquiresleep (kernel/sleeplock.c), which process 3 (prog) holds while it sleeps in wait (kernel/proc.c): what took it did not release it (releasesleep: iunlock for an inode, brelse for a buffer).
  look at: kernel/sleeplock.c (acquiresleep)
  where: process 4 (prog)
  evidence: once is locked by process 3
  evidence: process 1 (init) is SLEEPING on proc[0] in wait (kernel/proc.c)
  evidence: process 2 (sh) is SLEEPING on proc[1] in wait (kernel/proc.c)
  evidence: process 3 (prog) is SLEEPING on proc[2] in wait (kernel/proc.c)
  calls, innermost first:
    sched (kernel/proc.c)
    leave (kernel/proc.c)
    sleep (kernel/proc.c)
    acquiresleep (kernel/sleeplock.c)
    fault_once («acquiresleep(&once); // once»)
    the system call`,
	},
	{
		name: "the holder of a sleep-lock has ended",
		key: "ended",
		program: `if(fork() == 0){
    fault_once();
    exit(0);
  }
  wait(0);
  fault_once();`,
		end: "timeout",
		says: `cause: Process 3 (prog) waits for the sleep-lock once ("once") in acquiresleep (kernel/sleeplock.c), which process 4 took and never released: it has ended.
  look at: kernel/sleeplock.c (acquiresleep)
  where: process 3 (prog)
  evidence: once is locked by process 4
  evidence: process 1 (init) is SLEEPING on proc[0] in wait (kernel/proc.c)
  evidence: process 2 (sh) is SLEEPING on proc[1] in wait (kernel/proc.c)
  calls, innermost first:
    sched (kernel/proc.c)
    leave (kernel/proc.c)
    sleep (kernel/proc.c)
    acquiresleep (kernel/sleeplock.c)
    fault_once («acquiresleep(&once); // once»)
    the system call`,
	},
	{
		name: "a program that loops",
		key: "spin",
		program: `for(volatile int i = 0; ; i++) // spins
    ;`,
		end: "timeout",
		says: `cause: Process 3 (prog) still runs, at run_spin («for(volatile int i = 0; ; i++) // spins»): it has not ended.
  look at: «for(volatile int i = 0; ; i++) // spins» (run_spin)
  where: hart H, process 3 (prog)
  evidence: hart H took nothing but timer ticks for the last N instructions`,
	},
	{
		name: "a program that loops where no line of its source is",
		key: "lost",
		program: `((void (*)(void))lost)();`,
		end: "timeout",
		says: `cause: Process 3 (prog) still runs, at pc 0x…: it has not ended.
  where: hart H, process 3 (prog)
  evidence: hart H took nothing but timer ticks for the last N instructions`,
	},
	{
		name: "a read from a pipe that nobody closes",
		key: "pipe",
		program: `int p[2];
  char c;
  pipe(p);
  read(p[0], &c, 1);`,
		end: "timeout",
		says: `cause: Process 3 (prog) sleeps in piperead (kernel/pipe.c): the pipe is empty, and a process still has it open for writing, so that the read never ends. Close the write end in every process that does not write.
  look at: kernel/pipe.c (piperead)
  where: process 3 (prog)
  evidence: nread 0, nwrite 0, readopen 1, writeopen 1
  evidence: process 1 (init) is SLEEPING on proc[0] in wait (kernel/proc.c)
  evidence: process 2 (sh) is SLEEPING on proc[1] in wait (kernel/proc.c)
  calls, innermost first:
    sched (kernel/proc.c)
    leave (kernel/proc.c)
    sleep (kernel/proc.c)
    piperead (kernel/pipe.c)
    fileread (kernel/file.c)
    transfer (kernel/sysfile.c)
    sys_read (kernel/sysfile.c)
    syscall (kernel/syscall.c)
    usertrap (kernel/trap.c)`,
	},
	{
		name: "a child reads from its own pipe, and its parent waits for it",
		key: "waits",
		program: `if(fork() == 0){
    int p[2];
    char c;
    pipe(p);
    read(p[0], &c, 1);
  }
  wait(0);`,
		end: "timeout",
		says: `cause: Process 4 (prog) sleeps in piperead (kernel/pipe.c): the pipe is empty, and a process still has it open for writing, so that the read never ends. Close the write end in every process that does not write.
  look at: kernel/pipe.c (piperead)
  where: process 4 (prog)
  evidence: nread 0, nwrite 0, readopen 1, writeopen 1
  evidence: process 1 (init) is SLEEPING on proc[0] in wait (kernel/proc.c)
  evidence: process 2 (sh) is SLEEPING on proc[1] in wait (kernel/proc.c)
  evidence: process 3 (prog) is SLEEPING on proc[2] in wait (kernel/proc.c)
  calls, innermost first:
    sched (kernel/proc.c)
    leave (kernel/proc.c)
    sleep (kernel/proc.c)
    piperead (kernel/pipe.c)
    fileread (kernel/file.c)
    transfer (kernel/sysfile.c)
    sys_read (kernel/sysfile.c)
    syscall (kernel/syscall.c)
    usertrap (kernel/trap.c)`,
	},
	{
		name: "a program waits for its input",
		key: "console",
		program: `char c;
  read(0, &c, 1);`,
		end: "timeout",
		says: `cause: Every process sleeps (1 init, 2 sh, 3 prog), and nobody is left to wake one.
  …`,
	},
	{
		name: "the disk's interrupt has no priority",
		key: "priority",
		fault: `*(volatile uint32 *)(PLIC + 4*VIRTIO0_IRQ) = 0;`,
		program: `fault_priority();
  static char b[512];
  int fd = open("README", 0);
  while(read(fd, b, 512) > 0)
    ;`,
		end: "timeout",
		says: `cause: Interrupt 1 of the disk (virtio) is pending, and no hart can take it: its priority in the PLIC is 0, which means never (plicinit).
  look at: kernel/plic.c (plicinit)
  evidence: source 1 (disk (virtio)) is pending in the PLIC
  follows from it: process 1 (init) sleeps on proc[0] in wait (kernel/proc.c)
  follows from it: process 2 (sh) sleeps on proc[1] in wait (kernel/proc.c)
  follows from it: process 3 (prog) sleeps on bcache.buf[B] in virtio_disk_rw (kernel/virtio_disk.c)`,
	},
	{
		name: "the disk's interrupt is enabled for no hart",
		key: "enabled",
		fault: `for(int hart = 0; hart < 3; hart++)
    *(volatile uint32 *)PLIC_SENABLE(hart) &= ~(1 << VIRTIO0_IRQ);`,
		program: `fault_enabled();
  static char b[512];
  int fd = open("README", 0);
  while(read(fd, b, 512) > 0)
    ;`,
		end: "timeout",
		says: `cause: Interrupt 1 of the disk (virtio) is pending, and no hart can take it: it is enabled in the PLIC for no hart (plicinithart).
  look at: kernel/plic.c (plicinithart)
  evidence: source 1 (disk (virtio)) is pending in the PLIC
  follows from it: process 1 (init) sleeps on proc[0] in wait (kernel/proc.c)
  follows from it: process 2 (sh) sleeps on proc[1] in wait (kernel/proc.c)
  follows from it: process 3 (prog) sleeps on bcache.buf[B] in virtio_disk_rw (kernel/virtio_disk.c)`,
	},
	{
		name: "the threshold of every hart is too high",
		key: "threshold",
		fault: `for(int hart = 0; hart < 3; hart++)
    *(volatile uint32 *)PLIC_SPRIORITY(hart) = 7;`,
		program: `fault_threshold();
  static char b[512];
  int fd = open("README", 0);
  while(read(fd, b, 512) > 0)
    ;`,
		end: "timeout",
		says: `cause: Interrupt 1 of the disk (virtio) is pending, and no hart can take it: its priority in the PLIC, 1, is not above the threshold, 7 (plicinithart).
  look at: kernel/plic.c (plicinithart)
  evidence: source 1 (disk (virtio)) is pending in the PLIC
  follows from it: process 1 (init) sleeps on proc[0] in wait (kernel/proc.c)
  follows from it: process 2 (sh) sleeps on proc[1] in wait (kernel/proc.c)
  follows from it: process 3 (prog) sleeps on bcache.buf[B] in virtio_disk_rw (kernel/virtio_disk.c)`,
	},
	{
		name: "a process is taken from its parent, which waits",
		key: "parent",
		fault: `myproc()->parent = initproc; // not sh`,
		end: "timeout",
		says: `cause: Process 2 (sh) sleeps in wait(), and it has no child left that could end: wait() must return -1 there.
  look at: kernel/proc.c (wait)
  where: process 2 (sh)
  evidence: no process has 2 as its parent
  evidence: process 1 (init) is SLEEPING on proc[0] in wait (kernel/proc.c)
  calls, innermost first:
    sched (kernel/proc.c)
    leave (kernel/proc.c)
    sleep (kernel/proc.c)
    wait (kernel/proc.c)
    sys_wait (kernel/sysproc.c)
    syscall (kernel/syscall.c)
    usertrap (kernel/trap.c)`,
	},
	{
		name: "a child loops in the kernel with a lock, and its parent waits",
		key: "off",
		before: `static struct spinlock held = { .name = "held" };`,
		fault: `acquire(&held); // then loops
  for(;;)
    ;`,
		program: `if(fork() == 0)
    fault_off();
  wait(0);`,
		end: "timeout",
		says: `cause: Process 4 (prog) is still in system call uptime, at fault_off («for(;;)»): it has not returned.
  look at: «for(;;)» (fault_off)
  where: hart H, process 4 (prog), system call uptime
  evidence: process 1 (init) is SLEEPING on proc[0] in wait (kernel/proc.c)
  evidence: process 2 (sh) is SLEEPING on proc[1] in wait (kernel/proc.c)
  evidence: process 3 (prog) is SLEEPING on proc[2] in wait (kernel/proc.c)
  calls, innermost first:
    fault_off («for(;;)»)
    the system call`,
	},
	{
		name: "a sleeper's channel is overwritten",
		key: "forgets",
		fault: `struct proc *p = myproc()->parent;
  acquire(&p->lock);
  p->chan = 0; // another channel
  release(&p->lock);`,
		program: `int p[2];
  char c;
  pipe(p);
  if(fork() == 0){
    sleep(2);
    fault_forgets();
    write(p[1], &c, 1);
    exit(0);
  }
  read(p[0], &c, 1);`,
		end: "timeout",
		says: `cause: The run did not come to its end.
  …`,
	},
	{
		name: "a pipe that nobody writes to, after a child that was killed and waited for",
		key: "reaped",
		program: `char c;
  int p[2];
  if(fork() == 0)
    *(volatile int*)0x3fffff0000 = 1; // beyond sz, in a child that is waited for
  wait(0);
  pipe(p);
  read(p[0], &c, 1); // its own pipe`,
		end: "timeout",
		says: `cause: Process 3 (prog) sleeps in piperead (kernel/pipe.c): the pipe is empty, and a process still has it open for writing, so that the read never ends. Close the write end in every process that does not write.
  look at: kernel/pipe.c (piperead)
  where: process 3 (prog)
  evidence: nread 0, nwrite 0, readopen 1, writeopen 1
  evidence: process 1 (init) is SLEEPING on proc[0] in wait (kernel/proc.c)
  evidence: process 2 (sh) is SLEEPING on proc[1] in wait (kernel/proc.c)
  calls, innermost first:
    sched (kernel/proc.c)
    leave (kernel/proc.c)
    sleep (kernel/proc.c)
    piperead (kernel/pipe.c)
    fileread (kernel/file.c)
    transfer (kernel/sysfile.c)
    sys_read (kernel/sysfile.c)
    syscall (kernel/syscall.c)
    usertrap (kernel/trap.c)
cause: Process 4 (prog) was killed: its store of 0x… in run_reaped («*(volatile int*)0x3fffff0000 = 1; // beyond sz, in a child that is waited for») is beyond p->sz (0x…), and nothing is mapped there.
  look at: «*(volatile int*)0x3fffff0000 = 1; // beyond sz, in a child that is waited for» (run_reaped)
  where: hart H, process 4 (prog)
  evidence: scause 15, sepc 0x…, stval 0x…, p->sz 0x…
  evidence: page 0x… is not mapped
  calls, innermost first:
    run_reaped («*(volatile int*)0x3fffff0000 = 1; // beyond sz, in a child that is waited for»)
    main («if(strcmp(argv[1], "reaped") == 0) run_reaped();»)
    start (user/ulib.c)`,
	},
	{
		name: "a pipe whose writer was killed, and its reader has it open as well",
		key: "unreaped",
		program: `char c;
  int p[2];
  pipe(p);
  if(fork() == 0){
    *(volatile int*)0x3fffff0000 = 1; // beyond sz, in the writer
    write(p[1], &c, 1);
  }
  read(p[0], &c, 1); // both ends`,
		end: "timeout",
		says: `cause: Process 4 (prog) was killed: its store of 0x… in run_unreaped («*(volatile int*)0x3fffff0000 = 1; // beyond sz, in the writer») is beyond p->sz (0x…), and nothing is mapped there.
  look at: «*(volatile int*)0x3fffff0000 = 1; // beyond sz, in the writer» (run_unreaped)
  where: hart H, process 4 (prog)
  evidence: scause 15, sepc 0x…, stval 0x…, p->sz 0x…
  evidence: page 0x… is not mapped
  calls, innermost first:
    run_unreaped («*(volatile int*)0x3fffff0000 = 1; // beyond sz, in the writer»)
    main («if(strcmp(argv[1], "unreaped") == 0) run_unreaped();»)
    start (user/ulib.c)
cause: Process 3 (prog) sleeps in piperead (kernel/pipe.c): the pipe is empty, and a process still has it open for writing, so that the read never ends. Close the write end in every process that does not write.
  look at: kernel/pipe.c (piperead)
  where: process 3 (prog)
  evidence: nread 0, nwrite 0, readopen 1, writeopen 1
  evidence: process 1 (init) is SLEEPING on proc[0] in wait (kernel/proc.c)
  evidence: process 2 (sh) is SLEEPING on proc[1] in wait (kernel/proc.c)
  evidence: process 4 (prog) is ZOMBIE
  calls, innermost first:
    sched (kernel/proc.c)
    leave (kernel/proc.c)
    sleep (kernel/proc.c)
    piperead (kernel/pipe.c)
    fileread (kernel/file.c)
    transfer (kernel/sysfile.c)
    sys_read (kernel/sysfile.c)
    syscall (kernel/syscall.c)
    usertrap (kernel/trap.c)`,
	},
	{
		name: "every hart loops with interrupts off",
		key: "shut",
		fault: `intr_off();
  *(volatile char *)UART0 = '.';
  for(volatile int i = 0; ; i++) // shut
    ;`,
		program: `fork();
  fork();
  fault_shut();`,
		end: "timeout",
		says: `cause: Interrupt 10 of the console (UART) is pending, and every hart keeps interrupts off (SIE in sstatus).
  evidence: hart H has taken no interrupt for N instructions
  evidence: hart H has taken no interrupt for N instructions
  evidence: hart H has taken no interrupt for N instructions
  follows from it: process 1 (init) sleeps on proc[0] in wait (kernel/proc.c)
  follows from it: process 2 (sh) sleeps on proc[1] in wait (kernel/proc.c)`,
	},
];
