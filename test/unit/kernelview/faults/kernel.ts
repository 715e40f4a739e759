import type { FaultCase } from "./faultCase.ts";

/** What the kernel does that the processor or the kernel itself refuses. */
export const kernelFaults: readonly FaultCase[] = [
	{
		name: "a panic of the student's own",
		key: "own",
		fault: `panic("no such time"); // on purpose`,
		end: "panic",
		says: `cause: The kernel panicked in fault_own («panic("no such time"); // on purpose»), called by fault («case 9: fault_own(); break;»): no such time.
  look at: «panic("no such time"); // on purpose» (fault_own)
  the kernel said: panic: no such time
  where: hart H, process 3 (prog), system call uptime
  calls, innermost first:
    fault_own («panic("no such time"); // on purpose»)
    the system call`,
	},
	{
		name: "the kernel loads a member through a null pointer",
		key: "load",
		fault: `ticks += ((struct proc *volatile)0)->pid; // loads`,
		end: "panic",
		says: `cause: fault_load («ticks += ((struct proc *volatile)0)->pid; // loads») follows a null pointer: its load of 0x30 faulted, which is the null pointer plus the offset of a member or element.
  look at: «ticks += ((struct proc *volatile)0)->pid; // loads» (fault_load)
  the kernel said: panic: kerneltrap
  where: hart H, process 3 (prog), system call uptime
  evidence: scause 13, sepc 0x…, stval 0x30
  calls, innermost first:
    fault_load («ticks += ((struct proc *volatile)0)->pid; // loads»)
    the system call`,
	},
	{
		name: "the kernel stores through a null pointer",
		key: "store",
		fault: `struct proc *volatile none = 0;
  none->xstate = 1; // stores`,
		end: "panic",
		says: `cause: fault_store («none->xstate = 1; // stores») follows a null pointer: its store of 0x2c faulted, which is the null pointer plus the offset of a member or element.
  look at: «none->xstate = 1; // stores» (fault_store)
  the kernel said: panic: kerneltrap
  where: hart H, process 3 (prog), system call uptime
  evidence: scause 15, sepc 0x…, stval 0x2c
  calls, innermost first:
    fault_store («none->xstate = 1; // stores»)
    the system call`,
	},
	{
		name: "the kernel stores close to null",
		key: "near",
		fault: `*(volatile int *)0x800 = 1; // near null`,
		end: "panic",
		says: `cause: fault_near («*(volatile int *)0x800 = 1; // near null») follows a pointer close to null: its store of 0x800 faulted.
  look at: «*(volatile int *)0x800 = 1; // near null» (fault_near)
  the kernel said: panic: kerneltrap
  where: hart H, process 3 (prog), system call uptime
  evidence: scause 15, sepc 0x…, stval 0x800
  evidence: register x10 holds 0x800
  calls, innermost first:
    fault_near («*(volatile int *)0x800 = 1; // near null»)
    the system call`,
	},
	{
		name: "the kernel uses a device that its page table does not map",
		key: "device",
		fault: `*(volatile int *)0x2004000 = 1; // clock`,
		end: "panic",
		says: `cause: fault_device («*(volatile int *)0x2004000 = 1; // clock») faulted at its store of 0x…, a register of the CLINT, which the kernel's page table does not map: kvminit() has to map it.
  look at: kernel/vm.c (kvminit)
  the kernel said: panic: kerneltrap
  where: hart H, process 3 (prog), system call uptime
  evidence: scause 15, sepc 0x…, stval 0x…
  calls, innermost first:
    fault_device («*(volatile int *)0x2004000 = 1; // clock»)
    the system call`,
	},
	{
		name: "the kernel calls a null function pointer",
		key: "call",
		fault: `void (*volatile f)(void) = 0;
  f(); // calls`,
		end: "panic",
		says: `cause: fault_call («f(); // calls») calls a null function pointer.
  look at: «f(); // calls» (fault_call)
  the kernel said: panic: kerneltrap
  where: hart H, process 3 (prog), system call uptime
  evidence: scause 12, sepc 0x…, stval 0x0
  calls, innermost first:
    fault_call («f(); // calls»)
    the system call`,
	},
	{
		name: "a pointer out of memory that was never written",
		key: "filled",
		fault: `struct proc **page = kalloc();
  ticks += page[3]->pid; // fresh memory`,
		end: "panic",
		says: `cause: fault_filled («ticks += page[3]->pid; // fresh memory») follows a pointer read from kalloc's fill (0x05): memory that was never written after kalloc(): its load of 0x… faulted.
  look at: «ticks += page[3]->pid; // fresh memory» (fault_filled)
  the kernel said: panic: kerneltrap
  where: hart H, process 3 (prog), system call uptime
  evidence: scause 13, sepc 0x…, stval 0x…
  calls, innermost first:
    fault_filled («ticks += page[3]->pid; // fresh memory»)
    the system call`,
	},
	{
		name: "a pointer out of memory that was freed",
		key: "freed",
		fault: `struct proc **page = kalloc();
  kfree(page);
  ticks += page[3]->pid; // freed memory`,
		end: "panic",
		says: `cause: fault_freed («ticks += page[3]->pid; // freed memory») follows a pointer read from kfree's fill (0x01): memory that was freed already: its load of 0x… faulted.
  look at: «ticks += page[3]->pid; // freed memory» (fault_freed)
  the kernel said: panic: kerneltrap
  where: hart H, process 3 (prog), system call uptime
  evidence: scause 13, sepc 0x…, stval 0x…
  calls, innermost first:
    fault_freed («ticks += page[3]->pid; // freed memory»)
    the system call`,
	},
	{
		name: "a function pointer out of memory that was never written",
		key: "pointer",
		fault: `void (**page)(void) = kalloc();
  page[9](); // fresh function`,
		end: "panic",
		says: `cause: fault_pointer («page[9](); // fresh function») follows a pointer read from kalloc's fill (0x05): memory that was never written after kalloc(): its fetch of 0x… faulted.
  look at: «page[9](); // fresh function» (fault_pointer)
  the kernel said: panic: kerneltrap
  where: hart H, process 3 (prog), system call uptime
  evidence: scause 12, sepc 0x…, stval 0x…
  calls, innermost first:
    fault_pointer («page[9](); // fresh function»)
    the system call`,
	},
	{
		name: "the kernel stores to an address of the user",
		key: "user",
		fault: `*(volatile int *)(myproc()->sz - 8) = 1; // the user's`,
		end: "panic",
		says: `cause: fault_user («*(volatile int *)(myproc()->sz - 8) = 1; // the user's») uses 0x…, an address of the user program prog, as its own: the kernel's page table does not map it. Copy with copyin() or copyout().
  look at: «*(volatile int *)(myproc()->sz - 8) = 1; // the user's» (fault_user)
  the kernel said: panic: kerneltrap
  where: hart H, process 3 (prog), system call uptime
  evidence: scause 15, sepc 0x…, stval 0x…
  evidence: the page table of process 3 maps it
  calls, innermost first:
    fault_user («*(volatile int *)(myproc()->sz - 8) = 1; // the user's»)
    the system call`,
	},
	{
		name: "the kernel hands an address of the user to memset",
		key: "copies",
		fault: `memset((void *)(myproc()->sz - 64), 0, 8); // the user's, by memset`,
		end: "panic",
		says: `cause: memset (kernel/string.c) uses 0x…, an address of the user program prog, as its own: the kernel's page table does not map it. Copy with copyin() or copyout().
  look at: kernel/string.c (memset)
  the kernel said: panic: kerneltrap
  where: hart H, process 3 (prog), system call uptime
  evidence: scause 15, sepc 0x…, stval 0x…
  evidence: the page table of process 3 maps it
  calls, innermost first:
    memset (kernel/string.c)
    fault_copies («memset((void *)(myproc()->sz - 64), 0, 8); // the user's, by memset»)
    the system call`,
	},
	{
		name: "a large local array overflows the kernel stack",
		key: "big",
		fault: `volatile char big[5000];
  for(int i = 0; i < 5000; i++)
    big[i] = i; // too large
  ticks += big[7];`,
		end: "panic",
		says: `cause: The kernel stack of process 3 (prog) overflowed into its guard page: it has one page, and the frame of fault_big («big[i] = i; // too large») alone takes N bytes: make the large local variable static, or get a page of kalloc().
  look at: «big[i] = i; // too large» (fault_big)
  the kernel said: panic: kerneltrap
  where: hart H, process 3 (prog), system call uptime
  evidence: scause 15, sepc 0x…, stval 0x…
  evidence: the stack is 0x… to 0x…, sp is 0x…
  evidence: the largest frame is that of fault_big: 5024 bytes
  calls, innermost first:
    fault_big («big[i] = i; // too large»)
    the system call`,
	},
	{
		name: "a function that calls itself overflows the kernel stack",
		key: "deep",
		before: `NOINLINE static int
deeper(int n)
{
  volatile char b[64];
  b[n % 64] = n;
  return n > 100000 ? b[1] : deeper(n + 1) + b[n % 64]; // again
}
`,
		fault: `deeper(1);`,
		end: "panic",
		says: `cause: The kernel stack of process 3 (prog) overflowed into its guard page: it has one page, and deeper calls itself and is on the stack 16 times.
  look at: «b[n % 64] = n;» (deeper)
  the kernel said: panic: kerneltrap
  where: hart H, process 3 (prog), system call uptime
  evidence: scause 15, sepc 0x…, stval 0x…
  evidence: the stack is 0x… to 0x…, sp is 0x…
  evidence: the largest frame is that of deeper: 96 bytes
  calls, innermost first:
    deeper («b[n % 64] = n;»)
    deeper («return n > 100000 ? b[1] : deeper(n + 1) + b[n % 64]; // again»)
    deeper («return n > 100000 ? b[1] : deeper(n + 1) + b[n % 64]; // again»)
    deeper («return n > 100000 ? b[1] : deeper(n + 1) + b[n % 64]; // again»)
    deeper («return n > 100000 ? b[1] : deeper(n + 1) + b[n % 64]; // again»)
    deeper («return n > 100000 ? b[1] : deeper(n + 1) + b[n % 64]; // again»)
    deeper («return n > 100000 ? b[1] : deeper(n + 1) + b[n % 64]; // again»)
    deeper («return n > 100000 ? b[1] : deeper(n + 1) + b[n % 64]; // again»)
    deeper («return n > 100000 ? b[1] : deeper(n + 1) + b[n % 64]; // again»)
    deeper («return n > 100000 ? b[1] : deeper(n + 1) + b[n % 64]; // again»)
    deeper («return n > 100000 ? b[1] : deeper(n + 1) + b[n % 64]; // again»)
    deeper («return n > 100000 ? b[1] : deeper(n + 1) + b[n % 64]; // again»)
    deeper («return n > 100000 ? b[1] : deeper(n + 1) + b[n % 64]; // again»)
    deeper («return n > 100000 ? b[1] : deeper(n + 1) + b[n % 64]; // again»)
    deeper («return n > 100000 ? b[1] : deeper(n + 1) + b[n % 64]; // again»)
    deeper («return n > 100000 ? b[1] : deeper(n + 1) + b[n % 64]; // again»)`,
	},
	{
		name: "an illegal instruction in the kernel",
		key: "illegal",
		fault: `asm volatile(".word 0"); // illegal`,
		end: "panic",
		says: `cause: The kernel itself trapped in fault_illegal («asm volatile(".word 0"); // illegal»): illegal instruction.
  look at: «asm volatile(".word 0"); // illegal» (fault_illegal)
  the kernel said: panic: kerneltrap
  where: hart H, process 3 (prog), system call uptime
  evidence: scause 2, sepc 0x…, stval 0x0
  calls, innermost first:
    fault_illegal («asm volatile(".word 0"); // illegal»)
    the system call`,
	},
	{
		name: "the kernel writes to its own text",
		key: "text",
		fault: `*(volatile int *)0x80000000 = 1; // kernel text`,
		end: "panic",
		says: `cause: fault_text («*(volatile int *)0x80000000 = 1; // kernel text») faulted at its store of 0x…, which the kernel's page table maps without that permission.
  look at: «*(volatile int *)0x80000000 = 1; // kernel text» (fault_text)
  the kernel said: panic: kerneltrap
  where: hart H, process 3 (prog), system call uptime
  evidence: scause 15, sepc 0x…, stval 0x…
  calls, innermost first:
    fault_text («*(volatile int *)0x80000000 = 1; // kernel text»)
    the system call
  note: What the address was meant to be was not recognised`,
	},
	{
		name: "the kernel writes to where nothing is",
		key: "nowhere",
		fault: `*(volatile int *)0x50000000 = 1; // nowhere`,
		end: "panic",
		says: `cause: fault_nowhere («*(volatile int *)0x50000000 = 1; // nowhere») faulted at its store of 0x…, which the kernel's page table does not map.
  look at: «*(volatile int *)0x50000000 = 1; // nowhere» (fault_nowhere)
  the kernel said: panic: kerneltrap
  where: hart H, process 3 (prog), system call uptime
  evidence: scause 15, sepc 0x…, stval 0x…
  calls, innermost first:
    fault_nowhere («*(volatile int *)0x50000000 = 1; // nowhere»)
    the system call
  note: What the address was meant to be was not recognised`,
	},
	{
		name: "the kernel calls an address of the user",
		key: "jump",
		fault: `((void (*)(void))(myproc()->sz - 4096))(); // the user's code`,
		end: "panic",
		says: `cause: The kernel went to 0x…, code of the user program prog, in supervisor mode: a function pointer, or the return address, holds an address of the user.
  look at: «((void (*)(void))(myproc()->sz - 4096))(); // the user's code» (fault_jump)
  the kernel said: panic: kerneltrap
  where: hart H, process 3 (prog), system call uptime
  evidence: scause 12, sepc 0x…, stval 0x…
  calls, innermost first:
    fault_jump («((void (*)(void))(myproc()->sz - 4096))(); // the user's code»)
    the system call`,
	},
	{
		name: "the kernel calls a function pointer close to null",
		key: "chain",
		fault: `((void (**)(void))kalloc())[0] = 0;
  void (*volatile f)(void) = (void (*)(void))0x4;
  f(); // at 4`,
		end: "panic",
		says: `cause: fault_chain («f(); // at 4») calls a null function pointer (0x4).
  look at: «f(); // at 4» (fault_chain)
  the kernel said: panic: kerneltrap
  where: hart H, process 3 (prog), system call uptime
  evidence: scause 12, sepc 0x…, stval 0x4
  calls, innermost first:
    fault_chain («f(); // at 4»)
    the system call`,
	},
	{
		name: "sched() while the process counts as running",
		key: "running",
		fault: `acquire(&myproc()->lock);
  sched(); // still running`,
		end: "panic",
		says: `cause: fault_running («sched(); // still running») gives up the hart while the state of its process is still RUNNING: p->state has to be SLEEPING, RUNNABLE or ZOMBIE before sched().
  look at: «sched(); // still running» (fault_running)
  the kernel said: panic: sched running
  where: hart H, process 3 (prog), system call uptime
  calls, innermost first:
    sched (kernel/proc.c)
    fault_running («sched(); // still running»)
    the system call`,
	},
];
