import type { FaultCase } from "./faultCase.ts";

/** Locks, and interrupts under them. */
export const lockFaults: readonly FaultCase[] = [
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
];
