// Locks that a process may hold while it sleeps.

#include "types.h"
#include "param.h"
#include "riscv.h"
#include "spinlock.h"
#include "sleeplock.h"
#include "proc.h"
#include "defs.h"

void
initsleeplock(struct sleeplock *lk, char *name)
{
  *lk = (struct sleeplock){ .name = name };
  initlock(&lk->lk, "sleep lock");
}

// Enters process pid as the one that has the lock; 0 for none. The spin
// lock inside, which guards these two, must be held.
static void
setholder(struct sleeplock *lk, int pid)
{
  lk->pid = pid;
  lk->locked = pid != 0;
}

void
acquiresleep(struct sleeplock *lk)
{
  int me = myproc()->pid;

  acquire(&lk->lk);
  // A loop: of all the processes that a release wakes, one is first.
  while(lk->locked)
    sleep(lk, &lk->lk);
  setholder(lk, me);
  release(&lk->lk);
}

void
releasesleep(struct sleeplock *lk)
{
  acquire(&lk->lk);
  setholder(lk, 0);
  wakeup(lk);
  release(&lk->lk);
}

// Does the current process hold the lock?
int
holdingsleep(struct sleeplock *lk)
{
  int me = myproc()->pid;

  acquire(&lk->lk);
  int holder = lk->pid;   // no process has number 0
  release(&lk->lk);
  return holder == me;
}
