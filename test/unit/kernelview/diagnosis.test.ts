import { afterAll, beforeAll, expect, test } from "vitest";
import { FaultKernel } from "../../support/faultKernel.ts";
import { closeToolchains } from "../../support/lab.ts";

/**
 * One fault of each kind, and all that a student is told of it. The faults are system calls of one kernel: see faultKernel.ts, also for how
 * the texts are made readable. A fault that has no program of its own is made by one that only calls it.
 */
interface FaultCase {
	readonly name: string;
	/** Command line argument of the program, and name of its fault. */
	readonly key: string;
	/** C outside of functions. */
	readonly before?: string;
	/** C of the kernel's fault. */
	readonly fault?: string;
	/** C of the program. */
	readonly program?: string;
	readonly end: "prompt" | "panic" | "timeout";
	readonly says: string;
}

/** Faults that several cases use. */
const shared = {
	left: {
		before: `static struct spinlock left = { .name = "left" };
static struct spinlock right = { .name = "right" };`,
		body: `acquire(&left); // left first
  for(volatile int i = 0; i < 3000000; i++)
    ;
  acquire(&right); // left, right`,
	},
	right: {
		body: `acquire(&right); // right first
  for(volatile int i = 0; i < 3000000; i++)
    ;
  acquire(&left); // right, left`,
	},
	once: {
		before: `static struct sleeplock once = { .lk = { .name = "sleep lock" }, .name = "once" };`,
		body: `acquiresleep(&once); // once`,
	},
};

const programBefore = `__attribute__((noinline)) int
deep(int n)
{
  volatile char b[64];
  b[n % 64] = n;
  return n > 100000 ? b[1] : deep(n + 1) + b[n % 64]; // again
}
`;

const cases: readonly FaultCase[] = [
	{
		name: "a kernel and a program without a fault",
		key: "nothing",
		program: ``,
		end: "prompt",
		says: ``,
	},
	{
		name: "a lock is kept, and taken again later in the same call",
		key: "keep",
		fault: `acquire(&tickslock); // kept`,
		end: "panic",
		says: `cause: sys_uptime (kernel/sysproc.c) takes tickslock ("time") while hart H holds it already.
  look at: kernel/sysproc.c (sys_uptime)
  the kernel said: panic: acquire
  where: hart H, process 3 (prog), system call uptime
  evidence: tickslock ("time") is locked, and its holder is hart H
  calls, innermost first:
    acquire (kernel/spinlock.c)
    sys_uptime (kernel/sysproc.c)
    syscall (kernel/syscall.c)
    usertrap (kernel/trap.c)
  note: Where tickslock was taken was not seen`,
	},
	{
		name: "a lock is taken twice on one path",
		key: "twice",
		fault: `acquire(&tickslock); // once
  acquire(&tickslock); // twice`,
		end: "panic",
		says: `cause: fault_twice («acquire(&tickslock); // twice») takes tickslock ("time") while hart H holds it already, taken at «acquire(&tickslock); // once» (fault_twice).
  look at: «acquire(&tickslock); // once» (fault_twice)
  the kernel said: panic: acquire
  where: hart H, process 3 (prog), system call uptime
  evidence: tickslock ("time") is locked, and its holder is hart H
  calls, innermost first:
    acquire (kernel/spinlock.c)
    fault_twice («acquire(&tickslock); // twice»)
    the system call`,
	},
	{
		name: "a lock is released that nobody took",
		key: "free",
		fault: `release(&tickslock); // never taken`,
		end: "panic",
		says: `cause: fault_free («release(&tickslock); // never taken») releases tickslock ("time"), which its hart does not hold: nobody holds it. It was released twice, or never taken on this path.
  look at: «release(&tickslock); // never taken» (fault_free)
  the kernel said: panic: release
  where: hart H, process 3 (prog), system call uptime
  evidence: tickslock ("time") is not locked
  calls, innermost first:
    release (kernel/spinlock.c)
    fault_free («release(&tickslock); // never taken»)
    the system call`,
	},
	{
		name: "a lock is taken that initlock was never called for",
		key: "fresh",
		before: `static struct spinlock fresh;`,
		fault: `acquire(&fresh); // no initlock`,
		end: "panic",
		says: `cause: fault_fresh («acquire(&fresh); // no initlock») takes the lock fresh, which initlock() was never called for.
  look at: «acquire(&fresh); // no initlock» (fault_fresh)
  the kernel said: panic: acquire: no initlock
  where: hart H, process 3 (prog), system call uptime
  calls, innermost first:
    acquire (kernel/spinlock.c)
    fault_fresh («acquire(&fresh); // no initlock»)
    the system call`,
	},
	{
		name: "interrupts are turned on under a lock",
		key: "on",
		fault: `acquire(&tickslock);
  intr_on();
  release(&tickslock); // with interrupts on`,
		end: "panic",
		says: `cause: fault_on («release(&tickslock); // with interrupts on») releases a lock while interrupts are on: something turned them on (intr_on) while the lock was held.
  look at: «release(&tickslock); // with interrupts on» (fault_on)
  the kernel said: panic: pop_off
  where: hart H, process 3 (prog), system call uptime
  evidence: push_off() is open 1 times on hart H
  calls, innermost first:
    pop_off (kernel/spinlock.c)
    release (kernel/spinlock.c)
    fault_on («release(&tickslock); // with interrupts on»)
    the system call`,
	},
	{
		name: "pop_off without push_off",
		key: "pop",
		fault: `pop_off(); // once too often`,
		end: "panic",
		says: `cause: fault_pop («pop_off(); // once too often») undoes a push_off() that was never done: a lock was released once too often.
  look at: «pop_off(); // once too often» (fault_pop)
  the kernel said: panic: pop_off
  where: hart H, process 3 (prog), system call uptime
  evidence: push_off() is open 0 times on hart H
  calls, innermost first:
    pop_off (kernel/spinlock.c)
    fault_pop («pop_off(); // once too often»)
    the system call`,
	},
	{
		name: "a second lock is held in sleep",
		key: "sleeps",
		before: `static struct spinlock mine = { .name = "mine" };`,
		fault: `acquire(&mine); // kept
  acquire(&tickslock);
  sleep(&ticks, &tickslock); // with mine`,
		end: "panic",
		says: `cause: fault_sleeps took mine at «acquire(&mine); // kept» and never released it; now sleep (kernel/proc.c) gives up the hart with it.
  look at: «acquire(&mine); // kept» (fault_sleeps)
  the kernel said: panic: sched locks
  where: hart H, process 3 (prog), system call uptime
  evidence: hart H holds proc[2].lock ("proc")
  evidence: hart H holds mine
  calls, innermost first:
    sched (kernel/proc.c)
    leave (kernel/proc.c)
    sleep (kernel/proc.c)
    fault_sleeps («sleep(&ticks, &tickslock); // with mine»)
    the system call`,
	},
	{
		name: "a lock that a helper took is held in yield",
		key: "yields",
		before: `NOINLINE static void
keeper(void)
{
  acquire(&tickslock); // by a helper
}
`,
		fault: `keeper();
  yield(); // with the lock`,
		end: "panic",
		says: `cause: yield (kernel/proc.c) gives up the hart while it still holds tickslock ("time").
  look at: kernel/proc.c (yield)
  the kernel said: panic: sched locks
  where: hart H, process 3 (prog), system call uptime
  evidence: hart H holds tickslock ("time")
  evidence: hart H holds proc[2].lock ("proc")
  calls, innermost first:
    sched (kernel/proc.c)
    leave (kernel/proc.c)
    yield (kernel/proc.c)
    fault_yields («yield(); // with the lock»)
    the system call
  note: Where tickslock was taken was not seen`,
	},
	{
		name: "sched is called without p->lock",
		key: "bare",
		fault: `sched(); // without p->lock`,
		end: "panic",
		says: `cause: fault_bare («sched(); // without p->lock») gives up the hart without holding the lock of its process (p->lock).
  look at: «sched(); // without p->lock» (fault_bare)
  the kernel said: panic: sched without p->lock
  where: hart H, process 3 (prog), system call uptime
  calls, innermost first:
    sched (kernel/proc.c)
    fault_bare («sched(); // without p->lock»)
    the system call`,
	},
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
		name: "a page is mapped a second time",
		key: "remap",
		fault: `mappages(myproc()->pagetable, 0, PGSIZE, (uint64)kalloc(), PTE_R | PTE_U); // again`,
		end: "panic",
		says: `cause: fault_remap («mappages(myproc()->pagetable, 0, PGSIZE, (uint64)kalloc(), PTE_R | PTE_U); // again») maps page 0x0 (text of prog) of process 3 (prog) a second time: it is mapped r-xu to frame F already.
  look at: kernel/vm.c (mappages)
  the kernel said: panic: mappages: remap
  where: hart H, process 3 (prog), system call uptime
  evidence: the leaf of 0x0 is valid
  calls, innermost first:
    mappages (kernel/vm.c)
    fault_remap («mappages(myproc()->pagetable, 0, PGSIZE, (uint64)kalloc(), PTE_R | PTE_U); // again»)
    the system call`,
	},
	{
		name: "a page far above the break is never unmapped",
		key: "far",
		fault: `mappages(myproc()->pagetable, 0x40000000, PGSIZE, (uint64)kalloc(), PTE_R | PTE_U);`,
		end: "panic",
		says: `cause: freewalk frees the page table of process 3 (prog), and page 0x… (above p->sz, where no memory of the process is) is still mapped in it: nothing unmapped it, since uvmfree looks only below p->sz (0x…).
  look at: kernel/vm.c (freewalk)
  the kernel said: panic: freewalk: leaf
  where: hart H, process 2 (sh), system call wait
  evidence: page 0x… is mapped r--u to frame F
  evidence: p->sz is 0x…
  calls, innermost first:
    freewalk (kernel/vm.c)
    freewalk (kernel/vm.c)
    freewalk (kernel/vm.c)
    proc_freepagetable (kernel/proc.c)
    freeproc (kernel/proc.c)
    reap (kernel/proc.c)
    wait (kernel/proc.c)
    sys_wait (kernel/sysproc.c)
    syscall (kernel/syscall.c)
    usertrap (kernel/trap.c)`,
	},
	{
		name: "a page is mapped beyond MAXVA",
		key: "beyond",
		fault: `mappages(myproc()->pagetable, MAXVA + PGSIZE, PGSIZE, (uint64)kalloc(), PTE_R | PTE_U); // beyond`,
		end: "panic",
		says: `cause: mappages (kernel/vm.c) looks up an address of process 3 (prog), which is not below MAXVA: check an address of the user before it is walked.
  look at: kernel/vm.c (walk)
  the kernel said: panic: walk
  where: hart H, process 3 (prog), system call uptime
  calls, innermost first:
    walk (kernel/vm.c)
    mappages (kernel/vm.c)
    fault_beyond («mappages(myproc()->pagetable, MAXVA + PGSIZE, PGSIZE, (uint64)kalloc(), PTE_R | PTE_U); // beyond»)
    the system call
  note: The address itself is not in the debug information at this place`,
	},
	{
		name: "an address within a page is unmapped",
		key: "odd",
		fault: `uvmunmap(myproc()->pagetable, 100, 1, 0); // odd`,
		end: "panic",
		says: `cause: uvmunmap was given an address of process 3 (prog) that is no multiple of the page size (called by fault_odd («uvmunmap(myproc()->pagetable, 100, 1, 0); // odd»)): round it down with PGROUNDDOWN.
  look at: kernel/vm.c (uvmunmap)
  the kernel said: panic: uvmunmap: not aligned
  where: hart H, process 3 (prog), system call uptime
  calls, innermost first:
    uvmunmap (kernel/vm.c)
    fault_odd («uvmunmap(myproc()->pagetable, 100, 1, 0); // odd»)
    the system call`,
	},
	{
		name: "a page is unmapped that is not mapped",
		key: "unmaps",
		fault: `uvmunmap(myproc()->pagetable, PGROUNDUP(myproc()->sz), 1, 0); // not mapped`,
		end: "panic",
		says: `cause: uvmunmap met a page of process 3 (prog) that is not mapped (called by fault_unmaps («uvmunmap(myproc()->pagetable, PGROUNDUP(myproc()->sz), 1, 0); // not mapped»)): skip pages that are not there, and unmap none twice.
  look at: kernel/vm.c (uvmunmap)
  the kernel said: panic: uvmunmap: not mapped
  where: hart H, process 3 (prog), system call uptime
  evidence: p->sz is 0x…
  calls, innermost first:
    uvmunmap (kernel/vm.c)
    fault_unmaps («uvmunmap(myproc()->pagetable, PGROUNDUP(myproc()->sz), 1, 0); // not mapped»)
    the system call
  note: Which page it is was not recognised: the loop's variable is not in the debug information at this place`,
	},
	{
		name: "a hole is made below the break, and fork copies",
		key: "hole",
		fault: `uvmunmap(myproc()->pagetable, PGROUNDUP(myproc()->sz) - 2*PGSIZE, 1, 1); // a hole`,
		program: `sbrk(3 * 4096);
  fault_hole();
  fork();`,
		end: "panic",
		says: `cause: uvmcopy met page 0x… (heap) of process 3 (prog), which is below p->sz but was never allocated: where pages come lazily, skip those that are not there.
  look at: kernel/vm.c (uvmcopy)
  the kernel said: panic: uvmcopy: page not present
  where: hart H, process 3 (prog), system call fork
  evidence: page 0x… has no valid leaf, and p->sz is 0x…
  calls, innermost first:
    uvmcopy (kernel/vm.c)
    fork (kernel/proc.c)
    sys_fork (kernel/sysproc.c)
    syscall (kernel/syscall.c)
    usertrap (kernel/trap.c)`,
	},
	{
		name: "the break is lowered, and its page stays",
		key: "shrinks",
		fault: `myproc()->sz -= PGSIZE; // only`,
		end: "panic",
		says: `cause: freewalk frees the page table of process 3 (prog), and page 0x… (above p->sz, where no memory of the process is) is still mapped in it: nothing unmapped it, since uvmfree looks only below p->sz (0x…).
  look at: kernel/vm.c (freewalk)
  the kernel said: panic: freewalk: leaf
  where: hart H, process 2 (sh), system call wait
  evidence: page 0x… is mapped rw-u to frame F
  evidence: p->sz is 0x…
  calls, innermost first:
    freewalk (kernel/vm.c)
    freewalk (kernel/vm.c)
    freewalk (kernel/vm.c)
    proc_freepagetable (kernel/proc.c)
    freeproc (kernel/proc.c)
    reap (kernel/proc.c)
    wait (kernel/proc.c)
    sys_wait (kernel/sysproc.c)
    syscall (kernel/syscall.c)
    usertrap (kernel/trap.c)`,
	},
	{
		name: "kfree of the middle of a page",
		key: "middle",
		fault: `kfree((char *)kalloc() + 8); // the middle`,
		end: "panic",
		says: `cause: fault_middle («kfree((char *)kalloc() + 8); // the middle») frees an address that is no page of kalloc's.
  look at: kernel/kalloc.c (kfree)
  the kernel said: panic: kfree
  where: hart H, process 3 (prog), system call uptime
  calls, innermost first:
    kfree (kernel/kalloc.c)
    fault_middle («kfree((char *)kalloc() + 8); // the middle»)
    the system call
  note: The address itself is not in the debug information at this place`,
	},
	{
		name: "kfree of the kernel's own memory",
		key: "image",
		fault: `kfree((void *)PGROUNDDOWN((uint64)&ticks)); // the kernel's`,
		end: "panic",
		says: `cause: fault_image («kfree((void *)PGROUNDDOWN((uint64)&ticks)); // the kernel's») frees an address that is no page of kalloc's.
  look at: kernel/kalloc.c (kfree)
  the kernel said: panic: kfree
  where: hart H, process 3 (prog), system call uptime
  calls, innermost first:
    kfree (kernel/kalloc.c)
    fault_image («kfree((void *)PGROUNDDOWN((uint64)&ticks)); // the kernel's»)
    the system call
  note: The address itself is not in the debug information at this place`,
	},
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
		name: "a system call loses a page",
		key: "loses",
		fault: `kalloc(); // lost`,
		program: `fault_loses();
  fault_loses();`,
		end: "prompt",
		says: `cause: 2 frames were lost: 2 pages that nobody wrote to.
  evidence: they are not on the free list, in no page table, and no pointer to them is left in the kernel (first: frame F)
  evidence: 1 process ended meanwhile`,
	},
	{
		name: "a page that is mapped is freed, and freed again at the exit",
		key: "doubles",
		fault: `kfree((void *)walkaddr(myproc()->pagetable, PGROUNDUP(myproc()->sz) - PGSIZE)); // mapped`,
		program: `sbrk(4096);
  fault_doubles();
  sleep(1);`,
		end: "prompt",
		says: `cause: Frame F was freed twice: the list of free frames has it twice, and kalloc will give it to two users.
  evidence: the free list holds frame F twice
  evidence: it was not when the command began`,
	},
	{
		name: "a page of another process is freed",
		key: "others",
		fault: `kfree((void *)walkaddr(initproc->pagetable, 0)); // init's`,
		end: "prompt",
		says: `cause: Frame F is on kalloc's free list and still in use: process 1 at 0x0. Another process that had it freed it: a frame that several map may be freed only by the last of them (count its users).`,
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
		name: "a page of the heap is unmapped and not freed",
		key: "unfreed",
		fault: `myproc()->sz -= PGSIZE;
  uvmunmap(myproc()->pagetable, myproc()->sz, 1, 0); // not freed`,
		program: `sbrk(4096);
  fault_unfreed();`,
		end: "prompt",
		says: `cause: One frame was lost: a page of zeros, one for each process that ended.
  evidence: it is not on the free list, in no page table, and no pointer to it is left in the kernel (first: frame F)
  evidence: 1 process ended meanwhile
  note: A page of zeros was a page table that was emptied, or a user page`,
	},
	{
		name: "page tables that nobody keeps",
		key: "table",
		fault: `mappages(uvmcreate(), 0, PGSIZE, 0x1000, PTE_R); // lost`,
		end: "prompt",
		says: `cause: 3 frames were lost: 3 page-table pages.
  evidence: they are not on the free list, in no page table, and no pointer to them is left in the kernel (first: frame F)
  evidence: a page-table page is allocated in zeropage (kernel/vm.c)
  evidence: a page-table page is allocated in zeropage (kernel/vm.c)
  evidence: 1 process ended meanwhile`,
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
    transfer (kernel/sysfile.c)
    sys_read (kernel/sysfile.c)
    syscall (kernel/syscall.c)
    usertrap (kernel/trap.c)`,
	},
];

let kernel: FaultKernel;
beforeAll(async () => {
	const faults = cases.flatMap(({ key, before, fault }) =>
		fault === undefined ? [] : [[key, { body: fault, ...(before === undefined ? {} : { before }) }] as const],
	);
	const programs = cases.map(({ key, program }) => [key, program ?? `fault_${key}();`] as const);
	kernel = await FaultKernel.boot({
		...{ faults: { ...Object.fromEntries(faults), ...shared }, programs: Object.fromEntries(programs), programBefore },
	});
});
afterAll(async () => {
	kernel.dispose();
	await closeToolchains();
});

test.each(cases)("$name", async ({ key, end, says }) => {
	const run = await kernel.run(`prog ${key}`);
	// What follows a … is where idle harts were by chance.
	const rest = says.indexOf("\n  …");
	expect(rest < 0 ? run.text.trimEnd() : run.text.slice(0, rest)).toBe(rest < 0 ? says : says.slice(0, rest));
	expect(run.end).toBe(end);
});
