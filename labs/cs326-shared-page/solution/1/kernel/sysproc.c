// System calls about processes: argument handling; proc.c does the work.

#include "types.h"
#include "param.h"
#include "memlayout.h"
#include "riscv.h"
#include "spinlock.h"
#include "proc.h"
#include "defs.h"

uint64
sys_fork(void)
{
  return fork();
}

uint64
sys_wait(void)
{
  uint64 status;   // user address of an int for it, or 0

  argaddr(0, &status);
  return wait(status);
}

uint64
sys_exit(void)
{
  int status;

  argint(0, &status);
  exit(status);
}

uint64
sys_kill(void)
{
  int victim;

  argint(0, &victim);
  return kill(victim);
}

uint64
sys_getpid(void)
{
  return myproc()->pid;
}

// Returns the old size, which is where the new memory begins.
uint64
sys_sbrk(void)
{
  int n;
  uint64 old = myproc()->sz;

  argint(0, &n);
  if(growproc(n) < 0)
    return -1;
  return old;
}

uint64
sys_sleep(void)
{
  int n;   // ticks

  argint(0, &n);
  if(n < 0)
    n = 0;

  acquire(&tickslock);
  uint start = ticks;
  int dead = 0;
  // The difference, unlike a comparison with start + n, stays right when
  // the counter wraps around.
  while(ticks - start < n && !(dead = killed(myproc())))
    sleep(&ticks, &tickslock);
  release(&tickslock);
  return dead ? -1 : 0;
}

// Ticks since boot.
uint64
sys_uptime(void)
{
  acquire(&tickslock);
  uint now = ticks;
  release(&tickslock);
  return now;
}

// Returns the address of the shared page, or 0.
uint64
sys_mmap(void)
{
  return shmemmap(myproc()->pagetable);
}

uint64
sys_munmap(void)
{
  uint64 addr;

  argaddr(0, &addr);
  if(!isshmem(addr))
    return -1;
  return shmemunmap(myproc()->pagetable);
}
