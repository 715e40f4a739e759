// Mutual exclusion between harts, and between a hart's threads and its
// own interrupt handlers.

#include "types.h"
#include "param.h"
#include "riscv.h"
#include "spinlock.h"
#include "proc.h"
#include "defs.h"

void
initlock(struct spinlock *lk, char *name)
{
  *lk = (struct spinlock){ .name = name };   // all else 0: free, nobody's
}

// Spins until the lock is ours. Interrupts stay off while any lock is held:
// a handler on this hart that wanted the same lock would spin for ever,
// since the code it interrupted could not go on to release it.
void
acquire(struct spinlock *lk)
{
  push_off();
  if(holding(lk))       // we would wait for ourselves
    panic("acquire");
  if(lk->name == 0)     // it would work, but only if its memory happens to be 0
    panic("acquire: no initlock");

  // An atomic swap (amoswap.w): the hart that finds the old value 0 has it.
  // ACQUIRE keeps what follows, the critical section, from moving up.
  uint was;
  do
    was = __atomic_exchange_n(&lk->locked, 1, __ATOMIC_ACQUIRE);
  while(was);

  lk->cpu = mycpu();    // for holding()
}

void
release(struct spinlock *lk)
{
  if(!holding(lk))
    panic("release");

  lk->cpu = 0;

  // RELEASE keeps the critical section from moving down past this store,
  // so the next holder sees all of its writes.
  __atomic_store_n(&lk->locked, 0, __ATOMIC_RELEASE);

  pop_off();
}

// Does this hart hold the lock? Interrupts must be off, or the answer could
// be about a hart that the thread has left.
int
holding(struct spinlock *lk)
{
  return lk->locked && lk->cpu == mycpu();
}

// push_off and pop_off turn interrupts off and on again, in pairs that may
// nest: only the outermost pop_off turns them on, and only if they were on
// before the outermost push_off.
void
push_off(void)
{
  int wereon = intr_get();

  // Off before mycpu(): until then the thread may be moved to another hart.
  intr_off();

  struct cpu *here = mycpu();
  if(here->noff++ == 0)
    here->intena = wereon;
}

void
pop_off(void)
{
  struct cpu *here = mycpu();

  // Either would mean that this one has no push_off of its own.
  if(here->noff == 0 || intr_get())
    panic("pop_off");

  here->noff--;
  if(here->noff == 0 && here->intena)
    intr_on();   // last: an interrupt may come at once
}
