import type { FaultCase } from "./faultCase.ts";

/** User programs, those without a fault, too. */
export const programFaults: readonly FaultCase[] = [
	{
		name: "a kernel and a program without a fault",
		key: "nothing",
		program: ``,
		end: "prompt",
		says: ``,
	},
	{
		name: "a program stores through a null pointer",
		key: "null",
		program: `*(volatile int *)0 = 1; // null`,
		end: "prompt",
		says: `cause: Process 3 (prog) was killed: its store of 0x0 in run_null («*(volatile int *)0 = 1; // null») goes through a null pointer.
  look at: «*(volatile int *)0 = 1; // null» (run_null)
  where: hart H, process 3 (prog)
  evidence: scause 15, sepc 0x…, stval 0x0, p->sz 0x…
  evidence: page 0x0 is mapped r-xu
  calls, innermost first:
    run_null («*(volatile int *)0 = 1; // null»)
    main («if(strcmp(argv[1], "null") == 0) run_null();»)
    start (user/ulib.c)`,
	},
	{
		name: "a child whose trap frame nobody wrote",
		key: "frame",
		fault: `memset(myproc()->trapframe, 5, PGSIZE); // as kalloc does`,
		end: "prompt",
		says: `cause: Process 3 (prog) was killed at its return to user mode: its trap frame holds kalloc's fill (0x05): memory that was never written after kalloc(). fork() has to copy the parent's trap frame, and exec() to set epc and sp.
  where: hart H, process 3 (prog)
  evidence: scause 12, sepc 0x…, stval 0x…, p->sz 0x…
  evidence: sp holds it, too
  calls, innermost first:
    ? at 0x…`,
	},
	{
		name: "a program follows a pointer out of memory that nobody wrote",
		key: "junk",
		program: `static char *page[4]; memset(page, 5, sizeof(page)); *page[2] = 1; // junk`,
		end: "prompt",
		says: `cause: Process 3 (prog) was killed: its store of 0x… in run_junk («static char *page[4]; memset(page, 5, sizeof(page)); *page[2] = 1; // junk») is no address that Sv39 can map: the pointer holds something else.
  look at: «static char *page[4]; memset(page, 5, sizeof(page)); *page[2] = 1; // junk» (run_junk)
  where: hart H, process 3 (prog)
  evidence: scause 15, sepc 0x…, stval 0x…, p->sz 0x…
  calls, innermost first:
    run_junk («static char *page[4]; memset(page, 5, sizeof(page)); *page[2] = 1; // junk»)
    main («if(strcmp(argv[1], "junk") == 0) run_junk();»)
    start (user/ulib.c)
  note: The pointer may be read from kalloc's fill (0x05): memory that was never written after kalloc()`,
	},
	{
		name: "a program stores to a member through a null pointer",
		key: "member",
		program: `struct { char pad[40]; int member; } *volatile none = 0;
  none->member = 1; // a member`,
		end: "prompt",
		says: `cause: Process 3 (prog) was killed: its store of 0x28 in run_member («none->member = 1; // a member») is close to 0: a null pointer, or the -1 of a call that failed, plus the offset of a member.
  look at: «none->member = 1; // a member» (run_member)
  where: hart H, process 3 (prog)
  evidence: scause 15, sepc 0x…, stval 0x28, p->sz 0x…
  evidence: page 0x0 is mapped r-xu
  calls, innermost first:
    run_member («none->member = 1; // a member»)
    main («if(strcmp(argv[1], "member") == 0) run_member();»)
    start (user/ulib.c)`,
	},
	{
		name: "the -1 of sbrk as a pointer",
		key: "minus",
		program: `char *p = sbrk(-100000000);
  *p = 1; // -1`,
		end: "prompt",
		says: `cause: Process 3 (prog) was killed: its store of 0x… in run_minus («*p = 1; // -1») is -1 as a pointer: what a call that failed returns.
  look at: «*p = 1; // -1» (run_minus)
  where: hart H, process 3 (prog)
  evidence: scause 15, sepc 0x…, stval 0x…, p->sz 0x…
  calls, innermost first:
    run_minus («*p = 1; // -1»)
    main («if(strcmp(argv[1], "minus") == 0) run_minus();»)
    start (user/ulib.c)`,
	},
	{
		name: "a program stores beyond its memory",
		key: "over",
		program: `*(volatile char *)0x900000 = 1; // over`,
		end: "prompt",
		says: `cause: Process 3 (prog) was killed: its store of 0x… in run_over («*(volatile char *)0x900000 = 1; // over») is beyond p->sz (0x…), and nothing is mapped there.
  look at: «*(volatile char *)0x900000 = 1; // over» (run_over)
  where: hart H, process 3 (prog)
  evidence: scause 15, sepc 0x…, stval 0x…, p->sz 0x…
  evidence: page 0x… is not mapped
  calls, innermost first:
    run_over («*(volatile char *)0x900000 = 1; // over»)
    main («if(strcmp(argv[1], "over") == 0) run_over();»)
    start (user/ulib.c)`,
	},
	{
		name: "a program loads from beyond its memory",
		key: "reads",
		program: `int x = *(volatile char *)0x900000; // reads
  exit(x);`,
		end: "prompt",
		says: `cause: Process 3 (prog) was killed: its load of 0x… in run_reads («int x = *(volatile char *)0x900000; // reads») is beyond p->sz (0x…), and nothing is mapped there.
  look at: «int x = *(volatile char *)0x900000; // reads» (run_reads)
  where: hart H, process 3 (prog)
  evidence: scause 13, sepc 0x…, stval 0x…, p->sz 0x…
  evidence: page 0x… is not mapped
  calls, innermost first:
    run_reads («int x = *(volatile char *)0x900000; // reads»)
    main («if(strcmp(argv[1], "reads") == 0) run_reads();»)
    start (user/ulib.c)`,
	},
	{
		name: "a large local array overflows the user stack",
		key: "stack",
		program: `volatile char b[5000];
  for(int i = 0; i < 5000; i++)
    b[i] = i; // stack
  exit(b[9]);`,
		end: "prompt",
		says: `cause: Process 3 (prog) used more than its stack of one page: its store of 0x… in run_stack («b[i] = i; // stack») is in the guard page below the stack (too many calls are open, or local arrays are too large).
  look at: «b[i] = i; // stack» (run_stack)
  where: hart H, process 3 (prog)
  evidence: scause 15, sepc 0x…, stval 0x…, p->sz 0x…
  evidence: page 0x… is mapped rw--
  evidence: sp is 0x…
  calls, innermost first:
    run_stack («b[i] = i; // stack»)
    main («if(strcmp(argv[1], "stack") == 0) run_stack();»)
    start (user/ulib.c)`,
	},
	{
		name: "a program that calls itself without end",
		key: "recursion",
		program: `exit(deep(1));`,
		end: "prompt",
		says: `cause: Process 3 (prog) used more than its stack of one page: its store of 0x… in deep («b[n % 64] = n;») is in the guard page below the stack (deep calls itself, and is open 42 times).
  look at: «b[n % 64] = n;» (deep)
  where: hart H, process 3 (prog)
  evidence: scause 15, sepc 0x…, stval 0x…, p->sz 0x…
  evidence: page 0x… is mapped rw--
  evidence: sp is 0x…
  calls, innermost first:
    deep («b[n % 64] = n;»)
    deep («return n > 100000 ? b[1] : deep(n + 1) + b[n % 64]; // again»)
    deep («return n > 100000 ? b[1] : deep(n + 1) + b[n % 64]; // again»)
    deep («return n > 100000 ? b[1] : deep(n + 1) + b[n % 64]; // again»)
    deep («return n > 100000 ? b[1] : deep(n + 1) + b[n % 64]; // again»)
    deep («return n > 100000 ? b[1] : deep(n + 1) + b[n % 64]; // again»)
    deep («return n > 100000 ? b[1] : deep(n + 1) + b[n % 64]; // again»)
    deep («return n > 100000 ? b[1] : deep(n + 1) + b[n % 64]; // again»)
    deep («return n > 100000 ? b[1] : deep(n + 1) + b[n % 64]; // again»)
    deep («return n > 100000 ? b[1] : deep(n + 1) + b[n % 64]; // again»)
    deep («return n > 100000 ? b[1] : deep(n + 1) + b[n % 64]; // again»)
    deep («return n > 100000 ? b[1] : deep(n + 1) + b[n % 64]; // again»)
    deep («return n > 100000 ? b[1] : deep(n + 1) + b[n % 64]; // again»)
    deep («return n > 100000 ? b[1] : deep(n + 1) + b[n % 64]; // again»)
    deep («return n > 100000 ? b[1] : deep(n + 1) + b[n % 64]; // again»)
    deep («return n > 100000 ? b[1] : deep(n + 1) + b[n % 64]; // again»)`,
	},
	{
		name: "an index below the stack",
		key: "below",
		program: `volatile char b[8];
  volatile int i = -5000;
  b[i] = 1; // below
  if(b[0])
    exit(1);`,
		end: "prompt",
		says: `cause: Process 3 (prog) was killed: its store of 0x… in run_below («b[i] = 1; // below») is in the guard page below the stack, although sp is not: a pointer or an index leads below the stack.
  look at: «b[i] = 1; // below» (run_below)
  where: hart H, process 3 (prog)
  evidence: scause 15, sepc 0x…, stval 0x…, p->sz 0x…
  evidence: page 0x… is mapped rw--
  evidence: sp is 0x…
  calls, innermost first:
    run_below («b[i] = 1; // below»)
    main («if(strcmp(argv[1], "below") == 0) run_below();»)
    start (user/ulib.c)`,
	},
	{
		name: "an illegal instruction in a program",
		key: "word",
		program: `asm volatile(".word 0"); // illegal`,
		end: "prompt",
		says: `cause: Process 3 (prog) was killed for an illegal instruction in run_word («asm volatile(".word 0"); // illegal»).
  look at: «asm volatile(".word 0"); // illegal» (run_word)
  where: hart H, process 3 (prog)
  evidence: scause 2, sepc 0x…, stval 0x0, p->sz 0x…
  calls, innermost first:
    run_word («asm volatile(".word 0"); // illegal»)
    main («if(strcmp(argv[1], "word") == 0) run_word();»)
    start (user/ulib.c)`,
	},
	{
		name: "a program jumps into its heap",
		key: "heap",
		program: `char *p = sbrk(4096);
  p[0] = 1;
  ((void (*)(void))p)(); // heap`,
		end: "prompt",
		says: `cause: Process 3 (prog) was killed: its fetch of 0x… at pc 0x… is in heap that may not be executed: the page is mapped rw-u.
  where: hart H, process 3 (prog)
  evidence: scause 12, sepc 0x…, stval 0x…, p->sz 0x…
  evidence: page 0x… is mapped rw-u
  calls, innermost first:
    ? at 0x…`,
	},
	{
		name: "a program stores to an address of the kernel",
		key: "kernel",
		program: `*(volatile int *)0x80000000L = 1; // the kernel's`,
		end: "prompt",
		says: `cause: Process 3 (prog) was killed: its store of 0x… in run_kernel («*(volatile int *)0x80000000L = 1; // the kernel's») is beyond p->sz (0x…), and nothing is mapped there.
  look at: «*(volatile int *)0x80000000L = 1; // the kernel's» (run_kernel)
  where: hart H, process 3 (prog)
  evidence: scause 15, sepc 0x…, stval 0x…, p->sz 0x…
  evidence: page 0x… is not mapped
  calls, innermost first:
    run_kernel («*(volatile int *)0x80000000L = 1; // the kernel's»)
    main («if(strcmp(argv[1], "kernel") == 0) run_kernel();»)
    start (user/ulib.c)`,
	},
	{
		name: "a program says that it failed",
		key: "status",
		program: `exit(7);`,
		end: "prompt",
		says: `note: prog exited with status 7.
  where: process 3 (prog)`,
	},
	{
		name: "a child that is killed, and nobody asks how it ended",
		key: "child",
		program: `if(fork() == 0)
    *(volatile int *)0x900000 = 1; // child
  wait(0);`,
		end: "prompt",
		says: `cause: Process 4 (prog) was killed: its store of 0x… in run_child («*(volatile int *)0x900000 = 1; // child») is beyond p->sz (0x…), and nothing is mapped there.
  look at: «*(volatile int *)0x900000 = 1; // child» (run_child)
  where: hart H, process 4 (prog)
  evidence: scause 15, sepc 0x…, stval 0x…, p->sz 0x…
  evidence: page 0x… is not mapped
  calls, innermost first:
    run_child («*(volatile int *)0x900000 = 1; // child»)
    main («if(strcmp(argv[1], "child") == 0) run_child();»)
    start (user/ulib.c)`,
	},
	{
		name: "children that die at one place are told as one",
		key: "alike",
		program: `for(int i = 1; i < 4; i++){
    if(fork() == 0)
      *(volatile int *)(i * 0x900000L) = 1; // alike
    wait(0);
  }
  exit(1);`,
		end: "prompt",
		says: `cause: Process 4 (prog) was killed: its store of 0x… in run_alike («*(volatile int *)(i * 0x900000L) = 1; // alike») is beyond p->sz (0x…), and nothing is mapped there.
  look at: «*(volatile int *)(i * 0x900000L) = 1; // alike» (run_alike)
  where: hart H, process 4 (prog)
  evidence: scause 15, sepc 0x…, stval 0x…, p->sz 0x…
  evidence: page 0x… is not mapped
  evidence: 2 more processes were killed there
  calls, innermost first:
    run_alike («*(volatile int *)(i * 0x900000L) = 1; // alike»)
    main («if(strcmp(argv[1], "alike") == 0) run_alike();»)
    start (user/ulib.c)
note: prog exited with status 1.
  where: process 3 (prog)`,
	},
	{
		name: "children that are to be killed, and are",
		key: "wanted",
		program: `int st;
  for(int i = 1; i < 4; i++){
    if(fork() == 0)
      *(volatile int *)(i * 0x900000L) = 1; // wanted
    wait(&st);
  }`,
		end: "prompt",
		says: `note: The kernel killed 3 processes, whose exit status their parents took with wait(), and prog exited with status 0: the program seems to have expected it.
  look at: «*(volatile int *)(i * 0x900000L) = 1; // wanted» (run_wanted)
  evidence: Process 4 (prog) was killed: its store of 0x… in run_wanted («*(volatile int *)(i * 0x900000L) = 1; // wanted») is beyond p->sz (0x…), and nothing is mapped there. 2 more processes were killed there.`,
	},
	{
		name: "a system call number beyond the table",
		key: "unknown",
		program: `asm volatile("li a7, 77; ecall");`,
		end: "prompt",
		says: `cause: Process 3 (prog) made system call 77, which this kernel does not know: number 77 is no SYS_ constant of kernel/syscall.h: check what the program's stub puts into a7.
  look at: kernel/syscall.c
  where: process 3 (prog)
  evidence: the table syscalls has 22 entries`,
	},
	{
		name: "a negative system call number",
		key: "negative",
		program: `asm volatile("li a7, -3; ecall");`,
		end: "prompt",
		says: `cause: Process 3 (prog) made system call -3, which this kernel does not know: number -3 is no SYS_ constant of kernel/syscall.h: check what the program's stub puts into a7.
  look at: kernel/syscall.c
  where: process 3 (prog)
  evidence: the table syscalls has 22 entries`,
	},
	{
		name: "three children that end as they should",
		key: "kids",
		program: `for(int i = 0; i < 3; i++)
    if(fork() == 0)
      exit(i);
  for(int i = 0; i < 3; i++)
    wait(0);`,
		end: "prompt",
		says: ``,
	},
	{
		name: "a wait without a child, and a status",
		key: "pair",
		program: `if(fork() == 0)
    exit(1);
  wait(0);
  wait(0);
  exit(2);`,
		end: "prompt",
		says: `note: prog exited with status 2.
  where: process 3 (prog)`,
	},
	{
		name: "a program jumps to an address that no table maps",
		key: "unaligned",
		program: `int x[2];
  *(volatile long *)((char *)x + 1) = 1; // odd
  asm volatile("jr %0" : : "r"(3L << 40)); // far`,
		end: "prompt",
		says: `cause: Process 3 (prog) was killed: its fetch of 0x… at pc 0x… is no address that Sv39 can map: the pointer holds something else.
  where: hart H, process 3 (prog)
  evidence: scause 12, sepc 0x…, stval 0x…, p->sz 0x…
  calls, innermost first:
    ? at 0x…`,
	},
	{
		name: "a breakpoint in a program",
		key: "ebreak",
		program: `asm volatile("ebreak"); // break`,
		end: "prompt",
		says: `cause: Process 3 (prog) was killed for a breakpoint in run_ebreak («asm volatile("ebreak"); // break»).
  look at: «asm volatile("ebreak"); // break» (run_ebreak)
  where: hart H, process 3 (prog)
  evidence: scause 3, sepc 0x…, stval 0x0, p->sz 0x…
  calls, innermost first:
    run_ebreak («asm volatile("ebreak"); // break»)
    main («if(strcmp(argv[1], "ebreak") == 0) run_ebreak();»)
    start (user/ulib.c)`,
	},
	{
		name: "a privileged instruction in a program",
		key: "sret",
		program: `asm volatile("sret"); // privileged`,
		end: "prompt",
		says: `cause: Process 3 (prog) was killed for an illegal instruction in run_sret («asm volatile("sret"); // privileged»).
  look at: «asm volatile("sret"); // privileged» (run_sret)
  where: hart H, process 3 (prog)
  evidence: scause 2, sepc 0x…, stval 0x…, p->sz 0x…
  calls, innermost first:
    run_sret («asm volatile("sret"); // privileged»)
    main («if(strcmp(argv[1], "sret") == 0) run_sret();»)
    start (user/ulib.c)`,
	},
	{
		name: "a child that its parent kills",
		key: "killed",
		program: `int child = fork();
  if(child == 0)
    for(;;)
      ;
  sleep(1);
  kill(child);
  wait(0);`,
		end: "prompt",
		says: ``,
	},
];
